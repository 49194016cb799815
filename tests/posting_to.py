"""Posting to a forge on loopback, with waits that take no time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from forge_gitlab import GitLabServer
from forge_http import TOKEN, ForgeServer

from pytest_tokenbudget.ci.activity import Activity, Target
from pytest_tokenbudget.ci.patience import Patience
from pytest_tokenbudget.ci.posting import PostOptions, post
from pytest_tokenbudget.ci.sticky import Posted
from pytest_tokenbudget.ci.token import Token

__all__ = ["HEAD", "OTHER", "Waits", "body", "posted", "target_of"]

HEAD, OTHER = "9f2c1e7" + "0" * 33, "4be01aa" + "0" * 33


@dataclass
class Waits:
    """What was waited for."""

    seconds: list[float] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.meanwhile()

    def patience(self, seconds: float = 60) -> Patience:
        return Patience(seconds, sleep=self.sleep)


def body(text: str, key: str = "default") -> str:
    """A comment as ours begin."""
    return f"<!-- tokenbudget key={key} head=9f2c1e7 run=8123.1 -->\n### {text}\n"


def target_of(server: ForgeServer, **fields: Any) -> Target:
    is_gitlab = isinstance(server, GitLabServer)
    return Target(
        **{
            "forge": "gitlab" if is_gitlab else "github",
            "api_url": server.api_url,  # type: ignore[attr-defined]  # both have one
            "repository": "42" if is_gitlab else "acme/shop",
            "number": 7,
            "head": HEAD,
            **fields,
        }
    )


def posted(server: ForgeServer, text: str, waits: Waits | None = None, **options: Any) -> Posted:
    """What becomes of posting a text; options of `PostOptions`, and fields of `Target` under `target`."""
    activity = Activity(kind="comment", reason="", target=target_of(server, **options.pop("target", {})))
    token = Token(options.pop("token", TOKEN))
    return post(activity, text, PostOptions(token=token, **options), (waits or Waits()).patience())
