"""Anthropic messages, as bodies and as streams.

In a stream `message_start` tells the input, and each `message_delta` repeats the whole usage so far ("cumulative",
anthropic SDK 2.12, `MessageDeltaUsage`): its values replace the earlier ones, they are not added. What a delta leaves
out or null (`cache_creation`, `service_tier`, …) stays as the start told it.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import NO_USAGE
from pytest_tokenbudget.wire.anthropic_facts import anthropic_prompt
from pytest_tokenbudget.wire.anthropic_prompt import anthropic_parts
from pytest_tokenbudget.wire.anthropic_usage import anthropic_usage, price_context
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, said, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_chat import error_note

__all__ = ["AnthropicMessages"]

_ON_VERTEX: Final = (":rawPredict", ":streamRawPredict")
_REFUSED: Final = "refused before any output was generated: not billed"
_CONTAINER: Final = "code ran in a container: its hours beyond the free ones are billed apart, and not in the cost"


class AnthropicMessages:
    """`POST …/v1/messages`, and on Vertex `…/publishers/anthropic/models/{model}:rawPredict`."""

    api = "anthropic.messages"
    telling = (b"message_", b"content_block_start", b"error")  # beside them there are pieces of text, by the hundred

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        path = endpoint.path
        if endpoint.method != "POST":
            return False
        return path.endswith("/v1/messages") or ("/publishers/anthropic/models/" in path and path.endswith(_ON_VERTEX))

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        tools = tuple(name for block in listed(body.get("content")) for name in _tool_name(block))
        notes = [error_note(body["error"])] if body.get("error") else []
        return _reading(body, mapping(body.get("usage")), tools, blocks=len(listed(body.get("content"))), notes=notes)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response."""
        message: dict[str, Any] = {}
        usage: dict[str, Any] = {}
        tools: list[str] = []
        blocks = 0
        ended = False
        notes: list[str] = []
        for name, event in events:
            kind = event.get("type") or name
            if kind == "content_block_delta":
                continue
            if kind == "message_start":
                message.update(mapping(event.get("message")))
                usage.update(mapping(message.get("usage")))
            elif kind == "message_delta":
                told = mapping(event.get("usage"))
                usage.update((key, value) for key, value in told.items() if value is not None)
                delta = mapping(event.get("delta"))
                message.update((key, value) for key, value in delta.items() if value is not None)
                ended = ended or bool(delta.get("stop_reason") and told)
            elif kind == "content_block_start":
                blocks += 1
                tools.extend(_tool_name(event.get("content_block")))
            elif kind == "message_stop":
                ended = True
            elif kind == "error":
                notes.append(error_note(event.get("error")))
        return _reading(message, usage, tuple(tools), blocks=blocks, cut=not ended, notes=notes)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        return anthropic_parts(request)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return anthropic_prompt(request)


def _reading(
    message: Json,
    usage: Json,
    tools: tuple[str, ...],
    *,
    blocks: int,
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
    if not blocks and mapping(message.get("stop_details")).get("type") == "refusal":
        # "You are not billed for a request that is refused before any output is generated" (platform.claude.com,
        # "Introducing Claude Fable 5", 2026); only the classifiers that came then tell `stop_details`.
        status, found = "unbilled", NO_USAGE
        notes.append(_REFUSED)
    if message.get("container"):
        notes.append(_CONTAINER)
    return Reading(
        status=status,
        usage=found,
        model=text(message.get("model")),
        tier=said(usage.get("service_tier")),
        price_context=price_context(usage),
        tools=tools,
        finish=text(message.get("stop_reason")),
        response_id=text(message.get("id")),
        notes=tuple(notes),
    )


def _tool_name(entry: object) -> Iterator[str]:
    block = mapping(entry)
    if block.get("type") == "tool_use" and (name := text(block.get("name"))):
        yield name
