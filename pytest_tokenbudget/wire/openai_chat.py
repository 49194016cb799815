"""OpenAI chat completions, and every host that speaks them.

A stream carries usage only with `stream_options.include_usage` (openai SDK 3.54, `ChatCompletionChunk.usage`); it may
stand on a chunk with choices, and some hosts repeat it on every chunk: the last one counts.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.wire.chat_facts import chat_prompt
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, said, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_prompt import chat_parts
from pytest_tokenbudget.wire.openai_usage import openai_usage

__all__ = ["OpenAIChat", "completion_reading", "error_note"]

_PATHS: Final = ("/chat/completions", "/agents/completions")
_TELLING: Final = (
    *(b'"finish_reason":"', b'"finish_reason": "', b"_tokens", b"tool_calls", b"error"),
    *(b"x_groq", b"usage_breakdown"),
)
"""Beside chunks with these there are pieces of text, by the hundred. An end that is spaced otherwise, and has more than
a usage after it, is missed: the usage is then a lower bound, unless the stream says `[DONE]`."""

_ON_VERTEX: Final = (":rawPredict", ":streamRawPredict")
_NO_USAGE: Final = "no usage in the response"
_NO_STREAM_USAGE: Final = "no usage in the stream: ask for it with stream_options.include_usage"
_CUT: Final = "the stream was cut before its usage"
_SEARCHES: Final = (
    (re.compile(r"(?:.*/)?gpt-\S+-search-preview.*"), "web_search_preview"),
    (re.compile(r"(?:.*/)?gpt-\S+-search-api.*"), "web_search"),
)
"""Models that search the web before every answer, and how that is billed (OpenAI, "Web search", 2026)."""


class OpenAIChat:
    """`POST …/chat/completions`, Mistral's agents, and Mistral on Vertex."""

    api = "openai.chat"
    telling = _TELLING

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        path = endpoint.path
        if endpoint.method != "POST":
            return False
        return path.endswith(_PATHS) or ("/publishers/mistralai/models/" in path and path.endswith(_ON_VERTEX))

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        finish: str | None = None
        tools: list[str] = []
        for choice in listed(body.get("choices")):
            choice = mapping(choice)  # noqa: PLW2901 - the same choice, safe to ask
            finish = finish or text(choice.get("finish_reason"))
            called = mapping(choice.get("message")).get("tool_calls")
            if called:
                tools.extend(_tool_names(called))
        return completion_reading(body, body.get("usage"), finish=finish, tools=tuple(tools))

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:
        """Read a streamed response."""
        head: dict[str, Any] = {}
        usage: Any = None
        finish: str | None = None
        tools: list[str] = []
        counted_to_the_end = False
        notes: list[str] = []
        for _, chunk in events:
            for key in ("id", "model", "service_tier"):
                if chunk.get(key):
                    head[key] = chunk[key]
            for choice in listed(chunk.get("choices")):
                choice = mapping(choice)  # noqa: PLW2901 - the same choice, safe to ask
                if choice.get("finish_reason"):
                    finish = text(choice["finish_reason"]) or finish
                    counted_to_the_end = False
                called = mapping(choice.get("delta")).get("tool_calls")
                if called:
                    tools.extend(_tool_names(called))
            told = chunk.get("usage")
            if "x_groq" in chunk or "usage_breakdown" in chunk:
                told = _of_groq(chunk, head, notes) or told
            if told:
                usage = told
                counted_to_the_end = finish is not None
            if chunk.get("error"):
                notes.append(error_note(chunk["error"]))
        whole = complete or counted_to_the_end
        missing = _NO_STREAM_USAGE if complete else _CUT
        return completion_reading(head, usage, finish, tuple(tools), cut=not whole, missing=missing, notes=notes)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        return chat_parts(request)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return chat_prompt(request)


def _of_groq(chunk: Json, head: dict[str, Any], notes: list[str]) -> object:
    """What Groq puts under a key of its own in a stream (groq SDK 1.7, `XGroq`); the usage, where it is told here."""
    own = mapping(chunk.get("x_groq"))
    breakdown = own.get("usage_breakdown") or chunk.get("usage_breakdown")
    if breakdown:
        head["usage_breakdown"] = breakdown
    if own.get("error"):
        notes.append(error_note(own["error"]))
    usage = mapping(own.get("usage"))
    return None if chunk.get("usage") or "prompt_tokens" not in usage else usage


def completion_reading(
    head: Json,
    usage: object,
    finish: str | None,
    tools: tuple[str, ...],
    *,
    cut: bool = False,
    missing: str = _NO_USAGE,
    notes: Iterable[str] = (),
) -> Reading:
    """What a chat or text completion says of itself.

    Args:
        head: The body, or what the chunks of a stream have in common.
        usage: The usage object, if any.
        finish: Why the generation ended.
        tools: Names of the tools asked for.
        cut: Whether a stream ended before its last word on the usage.
        missing: What to note where there is no usage.
        notes: What a reader should know besides.
    """
    counts = Counts()
    counts.notes.extend(notes)
    model = text(head.get("model"))
    if model is not None and "-search-" in model:
        for pattern, fee in _SEARCHES:
            counts.fee(fee, bool(pattern.fullmatch(model)))
    found = openai_usage(mapping(usage), counts)
    if "usage_breakdown" in head and len(listed(mapping(head["usage_breakdown"]).get("models"))) > 1:
        counts.doubt("a compound system: several models were called, and one usage cannot price them")
    if head.get("error"):
        counts.notes.append(error_note(head["error"]))
    status, found = counts.status(found, cut=cut, missing=missing)
    return Reading(
        status=status,
        usage=found,
        model=model,
        tier=said(head.get("service_tier")) or said(mapping(usage).get("service_tier")),  # the second is Mistral's
        reported_cost=counts.cost,
        tools=tools,
        finish=finish,
        response_id=text(head.get("id")),
        notes=tuple(counts.notes),
    )


def error_note(error: object) -> str:
    """A note on an error inside a response that began well: its type or code, never its text, which may echo a key."""
    found = mapping(error)
    kind = found.get("type") or found.get("code")
    return (
        f"the response reports an error: {kind!s:.60}"
        if isinstance(kind, (str, int))
        else "the response reports an error"
    )


def _tool_names(calls: object) -> Iterator[str]:
    for call in listed(calls):
        asked = mapping(call)
        name = text(mapping(asked.get("function") or asked.get("custom")).get("name"))
        if name:
            yield name
