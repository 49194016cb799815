"""Cohere's own APIs, v1 and v2: what is billed stands in `billed_units`, which is not what `tokens` counts.

In v2 it is `usage.billed_units`, in v1 and outside chat `meta.billed_units` (cohere SDK 7.3, `Usage`, `ApiMeta`; 2026).
Counts come as floats. v2 streams events, whose `message-end` has the usage; v1 streams lines, whose `stream-end` has
the whole response.
"""

import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Any, Final

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire.chat_facts import cohere_prompt
from pytest_tokenbudget.wire.cohere_prompt import cohere_parts
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading

__all__ = ["COHERE", "Cohere", "billed_units"]

_TOKENS: Final = ("input_tokens", "output_tokens")
_FEES: Final = {
    "search_units": "rerank_search",
    "images": "image",
    "classifications": "classification",
    "pages": "page",
}
_UNBILLED_TOKENS: Final = "no billed units in the usage: its tokens are what was processed, which may not be billed"


class Cohere:
    """`POST /v1/{operation}` and `/v2/{operation}` at Cohere."""

    def __init__(self, operation: str) -> None:
        """Read one operation, such as `chat`."""
        self.api = f"cohere.{operation}"
        self._path = re.compile(rf"/v[12]/{operation}$")

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.provider == "cohere" and self.matches_elsewhere(endpoint)

    def matches_elsewhere(self, endpoint: Endpoint) -> bool:
        """Whether requests to another host could speak the format: a proxy has the path behind one of its own."""
        return endpoint.method == "POST" and self._path.search(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        return _reading(body, body.get("usage") or body.get("meta"), tuple(_tools(body)))

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response."""
        body: dict[str, Any] = {}
        told: object = None
        tools: list[str] = []
        ended = False
        for name, event in events:
            kind = text(event.get("type")) or text(event.get("event_type")) or name
            if kind in {"content-delta", "text-generation"}:
                continue
            if kind == "message-start":
                body["id"] = event.get("id")
            elif kind == "tool-call-start":
                tools.extend(_tools({"message": mapping(event.get("delta")).get("message")}))
            elif kind == "message-end":
                delta = mapping(event.get("delta"))
                told, ended = delta.get("usage"), True
                body["finish_reason"] = delta.get("finish_reason")
            elif kind == "stream-end" or event.get("is_finished") is True:
                response = mapping(event.get("response"))
                body = {"finish_reason": event.get("finish_reason"), **response}
                told, ended = response.get("meta"), True
                tools.extend(_tools(response))
        return _reading(body, told, tuple(tools), cut=not ended)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        return cohere_parts(request)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return cohere_prompt(request)


COHERE: Final = tuple(
    Cohere(operation) for operation in ("chat", "embed", "rerank", "generate", "summarize", "classify")
)


def _reading(body: Json, told: object, tools: tuple[str, ...], *, cut: bool = False) -> Reading:
    counts = Counts()
    usage = billed_units(mapping(told), counts)
    missing = "the stream was cut before its usage" if cut else "no usage in the response"
    status, usage = counts.status(usage, cut=cut, missing=missing, by_the_piece=True)
    return Reading(
        status=status,
        usage=usage,
        tools=tools,
        finish=text(body.get("finish_reason")),
        response_id=text(body.get("id") or body.get("generation_id") or body.get("response_id")),
        notes=tuple(counts.notes),
    )


def billed_units(told: Json, counts: Counts) -> Usage:
    """What is billed, of a `usage` or a `meta`; without billed units the tokens, as a lower bound."""
    billed = mapping(told.get("billed_units"))
    if not billed:
        billed = mapping(told.get("tokens"))
        if not billed:
            return Usage()
        counts.doubt(_UNBILLED_TOKENS)
    counts.known = any(type(value) in {int, float} for value in billed.values())
    plain, output = (_whole(billed, key, counts) for key in _TOKENS)
    image, written = _whole(billed, "image_tokens", counts), _whole(billed, "text_tokens", counts)
    if plain == image + written or "input_tokens" not in billed:
        plain = written
    elif image:
        counts.doubt(f"usage does not tell whether {plain} input tokens contain {image} image tokens")
        plain = max(plain - image, 0)
    for key, fee in _FEES.items():
        counts.fee(fee, _whole(billed, key, counts))
    for key in billed:
        if key not in _FEES and not key.endswith("_tokens") and (count := _whole(billed, key, counts)):
            counts.fee(key, count)
            counts.doubt(f"usage bills {count} {key:.40}, of which we know nothing")
    cached = told.get("cached_tokens")
    if isinstance(cached, (int, float)) and cached > 0:
        counts.notes.append(f"{cached:.0f} prompt tokens came from a cache; what is billed says nothing of them")
    return Usage(input=plain, output=output, input_image=image, fees=MappingProxyType(counts.fees))


def _whole(billed: Json, key: str, counts: Counts) -> int:
    return counts.number(billed.get(key), f"billed_units.{key}") or 0


def _tools(body: Json) -> Iterator[str]:
    """Names of the tools asked for: v2 has them in the message, v1 beside the text; a streamed one stands alone."""
    calls = mapping(body.get("message")).get("tool_calls") or body.get("tool_calls")
    for entry in [calls] if isinstance(calls, dict) else listed(calls):
        call = mapping(entry)
        if name := text(mapping(call.get("function")).get("name")) or text(call.get("name")):
            yield name
