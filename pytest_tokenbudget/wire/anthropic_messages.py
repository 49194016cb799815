"""Anthropic messages, as bodies and as streams.

In a stream `message_start` tells the input, and each `message_delta` repeats the whole usage so far ("cumulative",
anthropic SDK 2.12, `MessageDeltaUsage`): its values replace the earlier ones, they are not added. What a delta leaves
out or null (`cache_creation`, `service_tier`, …) stays as the start told it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pytest_tokenbudget.wire.anthropic_prompt import anthropic_parts
from pytest_tokenbudget.wire.anthropic_usage import anthropic_usage, price_context
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Part, Reading
from pytest_tokenbudget.wire.openai_chat import error_note

__all__ = ["AnthropicMessages"]


class AnthropicMessages:
    """`POST …/v1/messages`."""

    api = "anthropic.messages"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and endpoint.path.endswith("/v1/messages")

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        tools = tuple(name for block in listed(body.get("content")) for name in _tool_name(block))
        notes = [error_note(body["error"])] if body.get("error") else []
        return _reading(body, mapping(body.get("usage")), tools, text(body.get("stop_reason")), notes=notes)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response."""
        message: Json = {}
        usage: dict[str, Any] = {}
        tools: list[str] = []
        finish: str | None = None
        ended = False
        notes: list[str] = []
        for name, event in events:
            kind = event.get("type") or name
            if kind == "content_block_delta":
                continue
            if kind == "message_start":
                message = mapping(event.get("message"))
                usage.update(mapping(message.get("usage")))
            elif kind == "message_delta":
                told = mapping(event.get("usage"))
                usage.update((key, value) for key, value in told.items() if value is not None)
                stopped = text(mapping(event.get("delta")).get("stop_reason"))
                finish = stopped or finish
                ended = ended or bool(stopped and told)
            elif kind == "content_block_start":
                tools.extend(_tool_name(event.get("content_block")))
            elif kind == "message_stop":
                ended = True
            elif kind == "error":
                notes.append(error_note(event.get("error")))
        return _reading(message, usage, tuple(tools), finish, cut=not ended, notes=notes)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        return anthropic_parts(request)


def _reading(
    message: Json,
    usage: Json,
    tools: tuple[str, ...],
    finish: str | None,
    *,
    cut: bool = False,
    notes: list[str],
) -> Reading:
    counts = Counts()
    counts.notes = notes
    found = anthropic_usage(usage, counts)
    if cut and counts.known:
        notes.append("the stream was cut: its usage is what had been told until then")
    missing = "the stream was cut before its usage" if cut else "no usage in the response"
    status, found = counts.status(found, cut=cut, missing=missing)
    return Reading(
        status=status,
        usage=found,
        model=text(message.get("model")),
        tier=text(usage.get("service_tier")),
        price_context=price_context(usage),
        tools=tools,
        finish=finish,
        response_id=text(message.get("id")),
        notes=tuple(notes),
    )


def _tool_name(entry: object) -> Iterator[str]:
    block = mapping(entry)
    if block.get("type") == "tool_use" and (name := text(block.get("name"))):
        yield name
