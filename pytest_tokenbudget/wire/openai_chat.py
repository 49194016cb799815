"""OpenAI chat completions, and every host that speaks them.

`prompt_tokens` contains the cached, cache-written, audio and image tokens; `completion_tokens` contains reasoning and
audio (openai SDK 3.54, `CompletionUsage`). A stream carries usage only with `stream_options.include_usage`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire.counts import Counts, mapping
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Part, Reading

__all__ = ["OpenAIChat"]


class OpenAIChat:
    """`POST …/chat/completions`."""

    api = "openai.chat"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and endpoint.path.endswith("/chat/completions")

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        choices = body.get("choices")
        messages = [mapping(choice) for choice in choices] if isinstance(choices, list) else []
        return _reading(
            body,
            usage=body.get("usage"),
            finish=_text(messages[0].get("finish_reason")) if messages else None,
            tools=tuple(name for choice in messages for name in _tool_names(mapping(choice.get("message")))),
            cut=False,
        )

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:
        """Read a streamed response: the last usage that is not null counts, wherever it stands."""
        head: Json = {}
        usage: Any = None
        finish: str | None = None
        tools: list[str] = []
        for _, chunk in events:
            head = head or chunk
            usage = chunk.get("usage") or usage
            choices = chunk.get("choices")
            for choice in choices if isinstance(choices, list) else ():
                delta = mapping(choice)
                finish = _text(delta.get("finish_reason")) or finish
                tools.extend(_tool_names(mapping(delta.get("delta"))))
        return _reading(head, usage=usage, finish=finish, tools=tuple(tools), cut=not complete and finish is None)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        messages = request.get("messages")
        for message in messages if isinstance(messages, list) else ():
            content = mapping(message).get("content")
            if isinstance(content, str):
                yield Part("user", "", content)


def _reading(head: Json, *, usage: object, finish: str | None, tools: tuple[str, ...], cut: bool) -> Reading:
    counts = Counts()
    found = usage_of(mapping(usage), counts)
    notes = list(counts.notes)
    if not counts.seen:
        notes.append("no usage in the response" if not cut else "the stream was cut before its usage")
    return Reading(
        status="missing" if not counts.seen else "partial" if cut else "exact",
        usage=found,
        model=_text(head.get("model")),
        tier=_text(head.get("service_tier")),
        tools=tools,
        finish=finish,
        response_id=_text(head.get("id")),
        notes=tuple(notes),
    )


def usage_of(usage: Json, counts: Counts) -> Usage:
    """The disjoint classes of an OpenAI `CompletionUsage`."""
    prompt = counts.take(usage, "prompt_tokens")
    completion = counts.take(usage, "completion_tokens")
    inside = mapping(usage.get("prompt_tokens_details"))
    outside = mapping(usage.get("completion_tokens_details"))
    cached = counts.part(prompt, counts.take(inside, "cached_tokens"), "cached tokens")
    audio = counts.part(prompt - cached, counts.take(inside, "audio_tokens"), "audio tokens")
    thinking = counts.part(completion, counts.take(outside, "reasoning_tokens"), "reasoning tokens")
    spoken = counts.part(completion - thinking, counts.take(outside, "audio_tokens"), "audio tokens")
    return Usage(
        input=prompt - cached - audio,
        cache_read=cached,
        input_audio=audio,
        output=completion - thinking - spoken,
        thinking=thinking,
        output_audio=spoken,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _tool_names(message: Json) -> Iterator[str]:
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        name = _text(mapping(mapping(call).get("function")).get("name"))
        if name:
            yield name
