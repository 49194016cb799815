"""The guard below vcrpy: sees every request that really leaves this process, and keeps model calls here in replay.

A cassette that lets a request out approves it; a model call without an approval went past every cassette, and is
refused or counted as the session's policy rules. Other traffic is never touched.

    install(meter, policy)      ask the policy about what leaves from now on
    approve(request)            let a request of vcrpy's pass once, for a cassette that decided to send it
"""

import sys
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from pytest_tokenbudget.errors import EscapeRefused
from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.task import Stray
from pytest_tokenbudget.traffic.approval import approve_request, forget_unsent, take_approval, withdraw
from pytest_tokenbudget.traffic.asking import is_model_call
from pytest_tokenbudget.traffic.finder import Watch
from pytest_tokenbudget.traffic.seams import SEAMS, Patches

__all__ = ["Policy", "Ruling", "approve", "install", "withdraw"]

_CALLERS: Final = frozenset(
    {"openai", "anthropic", "google", "botocore", "requests", "httpx", "httpx2", "litellm", "cohere", "mistralai"}
    | {"groq", "ollama", "voyageai", "urllib"}
)
"""Clients above a layer that say more about a call than the layer does."""


class Ruling(Struct, frozen=True, kw_only=True):
    """What becomes of a model call that no cassette let out.

    Attributes:
        task: Whose it is.
        refused: Why it may not leave, as the end of a sentence that begins with what was sent; empty where it may.
        advice: What to do about it, in sentences.
    """

    task: TaskMeter
    refused: str = ""
    advice: str = ""


Policy = Callable[[], Ruling]
"""Rules on a model call that is about to leave unapproved. Asked in the thread that sends it."""


class _Guard:
    """One session's watch over what leaves."""

    def __init__(self, meter: Meter, policy: Policy) -> None:
        self._meter = meter
        self._policy = policy

    def escaped(self, layer: str, method: str, url: str) -> None:
        """Refuse a model call, or count it.

        Raises:
            EscapeRefused: It may not leave.
        """
        ruling = self._policy()
        request, how = f"{method} {_shown(url)}", _through(layer)
        if not ruling.refused:
            self._meter.stray(Stray(kind="escaped", request=request, how=how), ruling.task)
            return
        stop = EscapeRefused(
            f"[{EscapeRefused.slug}] {request} was not sent: it went past every recording, through {how}, and "
            f"{ruling.refused}. {ruling.advice}"
        )
        self._meter.stray(Stray(kind="refused", request=request, how=how), ruling.task)
        self._meter.latch(stop, ruling.task)
        raise stop


_guards: Final[list[_Guard]] = []
"""The sessions that watch, the running one last: pytester runs sessions inside a session."""


def _leaving(layer: str, method: str, url: str, body: Callable[[], bytes | None]) -> None:
    if not _guards:
        return
    if not is_model_call(method, url, body):
        forget_unsent()
        return
    # aiohttp follows redirects below its cassette, and all other clients above
    if not take_approval(method, url, follows_redirects=layer == "aiohttp"):
        forget_unsent()
        _guards[-1].escaped(layer, method, url)


_patches: Final = Patches(_leaving)
_watch: Final = Watch(frozenset(seam.module for seam in SEAMS), _patches.place)


def install(meter: Meter, policy: Policy) -> Callable[[], None]:
    """Watch over what leaves this process from now on.

    Args:
        meter: Takes in what was refused and what escaped.
        policy: Rules on model calls that no cassette let out.

    Returns:
        What ends that; whoever watched before does so again.
    """
    guard = _Guard(meter, policy)
    if not _guards:
        _watch.begin()
    _guards.append(guard)

    def uninstall() -> None:
        if guard in _guards:
            _guards.remove(guard)
        if not _guards:
            _watch.end()
            _patches.remove()

    return uninstall


def approve(request: Any) -> None:
    """Let a request pass once: its cassette has decided that it is to be sent, next, in this thread or task.

    Args:
        request: vcrpy's.
    """
    if _guards:
        approve_request(str(request.method), str(request.uri))


def _shown(url: str) -> str:
    """A URL without its query and its user, where keys are carried."""
    scheme, mark, rest = url.partition("?")[0].partition("://")
    name, slash, path = rest.partition("/")
    return f"{scheme}{mark}{name.rpartition('@')[2]}{slash}{path}"


def _through(layer: str) -> str:
    """A layer, with the client that called it."""
    found = ""
    frame = sys._getframe(1)  # noqa: SLF001 - `inspect.stack` reads the source of every frame
    while (outer := frame.f_back) is not None:
        frame = outer
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in _CALLERS:
            found = package
    return f"{layer} ({found})" if found and found != layer else layer
