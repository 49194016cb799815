"""A request's prompt with everything that decides its tokens: for what drifted, and for what a recording was asked."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.wire.asked import distinct
from pytest_tokenbudget.wire.format import PromptReader
from pytest_tokenbudget.wire.read import request_of
from pytest_tokenbudget.wire.routing import Route, route_of

__all__ = ["prompt_of"]

_CONVERSATION: Final = re.compile(r".*/v1/conversations/[^/]+(?:/restart)?")


def prompt_of(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Prompt | None:
    """Read a request's prompt; `None` where it is no request to a model that can be read. Never raises.

    Args:
        method: The HTTP method.
        url: The whole URL.
        body: The body as sent, still encoded as its headers say.
        headers: Names in lower case.
    """
    try:
        route = route_of(method, url)
        if route.kind != "read" or route.format is None:
            return None
        sent = Exchange(
            method=method, url=url, request_body=body, request_headers=headers, status=0, obtained="replayed"
        )
        request, notes = request_of(sent)
        if notes or not request or not (route.sure or "model" in request):
            return None
        whole: PromptReader | None = getattr(route.format, "whole_prompt", None)
        prompt = Prompt(parts=tuple(route.format.prompt(request))) if whole is None else whole(request)
        return replace(prompt, state=distinct((*prompt.state, *_stored(route))))
    except Exception:  # noqa: BLE001 - a request that nobody foresaw, or a user's format
        return None


def _stored(route: Route) -> Iterator[str]:
    """Yield what the URL names that the provider keeps: a conversation of Mistral's, a prompt of Bedrock's."""
    if route.api == "mistral.conversations" and _CONVERSATION.fullmatch(route.endpoint.path):
        yield "conversation"
    if ":prompt/" in (route.model or ""):
        yield "prompt"
