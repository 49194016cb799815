"""The bodies and events that vendors' models answer InvokeModel with, by their shape.

Anthropic, OpenAI and those who imitate it, and Amazon's Nova answer as their own APIs do; the others tell tokens under
names of their own, or not at all (Amazon Bedrock user guide, "Inference request parameters and response fields", 2026).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pytest_tokenbudget.wire.anthropic_messages import AnthropicMessages
from pytest_tokenbudget.wire.bedrock_converse import converse_body, converse_events
from pytest_tokenbudget.wire.bedrock_usage import bedrock_usage
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, text
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_chat import OpenAIChat

__all__ = ["METRICS", "is_missing_note", "native_body", "native_events"]

METRICS: Final = "amazon-bedrock-invocationMetrics"
"""What the last event of every stream carries beside the vendor's own."""

_NO_USAGE: Final = "no usage in the response"
_CUT: Final = "the stream was cut before its usage"
_SPELLINGS: Final = {
    "inputTextTokenCount": "inputTokenCount",  # Amazon Titan
    "totalOutputTextTokenCount": "outputTokenCount",
    "prompt_token_count": "inputTokenCount",  # Meta Llama
    "generation_token_count": "outputTokenCount",
}
_ANSWERS: Final = ("results", "outputs", "generations", "completions", "choices")
_REASONS: Final = ("stop_reason", "finish_reason", "completionReason", "finishReason")
_CONVERSE: Final = frozenset({"messageStart", "contentBlockStart", "contentBlockDelta", "messageStop", "metadata"})


def is_missing_note(note: str) -> bool:
    """Whether a note says that there is no usage, which counts from elsewhere make untrue."""
    return note.startswith(("no usage in", "the stream was cut before its usage"))


def native_body(body: Json, *, no_output: bool) -> Reading:
    """What a vendor's whole body says of itself, without what the headers tell.

    Args:
        body: The response.
        no_output: Whether the model generates nothing.
    """
    usage = mapping(body.get("usage"))
    if "inputTokens" in usage:
        return converse_body(body)
    if "input_tokens" in usage or body.get("type") == "message":
        return AnthropicMessages().read_body(body)
    if "prompt_tokens" in usage or isinstance(mapping(_first(body)).get("message"), dict):
        return OpenAIChat().read_body(body)
    told = {name: body[key] for key, name in _SPELLINGS.items() if body.get(key) is not None}
    results = [mapping(entry) for entry in listed(body.get("results"))]
    if results and all("tokenCount" in entry for entry in results):
        counted = [entry["tokenCount"] for entry in results]
        told["outputTokenCount"] = sum(counted) if all(type(count) is int for count in counted) else counted[0]
    return _plain(told, _reason(body), missing=_NO_USAGE, no_output=no_output)


def native_events(events: Sequence[Json], *, whole: bool) -> Reading:
    """What a vendor's events say of themselves, without the metrics.

    Args:
        events: The decoded events in order.
        whole: Whether the metrics, which come last, were among them.
    """
    first = next((event for event in events if event), {})
    if "type" in first:
        return AnthropicMessages().read_stream((("", event) for event in events), complete=whole)
    if _CONVERSE & first.keys():
        return converse_events((key, mapping(value)) for event in events for key, value in event.items())
    if "object" in first or isinstance(mapping(_first(first)).get("delta"), dict):
        return OpenAIChat().read_stream((("", event) for event in events), complete=whole)
    told: dict[str, Any] = {}
    finish: str | None = None
    for event in events:
        told.update((name, event[key]) for key, name in _SPELLINGS.items() if event.get(key) is not None)
        finish = _reason(event) or finish
    return _plain(told, finish, missing=_CUT, no_output=False, cut=not (whole or finish))


def _plain(told: Json, finish: str | None, *, missing: str, no_output: bool, cut: bool = False) -> Reading:
    counts = Counts()
    found = bedrock_usage(told, counts, no_output=no_output)
    if cut and counts.known:
        counts.notes.append("the stream was cut: its usage is what had been told until then")
    status, found = counts.status(found, cut=cut, missing=missing)
    return Reading(status=status, usage=found, finish=finish, notes=tuple(counts.notes))


def _first(body: Mapping[str, Any]) -> object:
    """The first of a body's answers, whatever the vendor calls their list."""
    lists: Iterable[Any] = (listed(body.get(key)) for key in _ANSWERS)
    return next((found[0] for found in lists if found), None)


def _reason(body: Json) -> str | None:
    for place in (mapping(_first(body)), body):
        for key in _REASONS:
            said = place.get(key)
            # AI21 says {"reason": "length"}
            if found := text(mapping(said).get("reason") if isinstance(said, dict) else said):
                return found
    return None
