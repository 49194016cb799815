"""Gemini's Interactions API: one request may run many turns and tools on the server.

Its usage counts what `generateContent` counts, by other names; a stream tells it with `interaction.completed`
(google-genai SDK 3.4, `interactions.Usage`, `InteractionCompletedEvent`; 2026).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pytest_tokenbudget.model.call import SEVERAL_PROMPTS
from pytest_tokenbudget.model.prompt import Part, Prompt, SegmentKind
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.gemini_facts import interaction_prompt
from pytest_tokenbudget.wire.gemini_generate import billed_by_the_prompt
from pytest_tokenbudget.wire.gemini_usage import Names, gemini_usage
from pytest_tokenbudget.wire.openai_chat import error_note
from pytest_tokenbudget.wire.openai_prompt import content_parts, minified, tool_parts

__all__ = ["GeminiInteractions"]

_NAMES: Final = Names(
    tokens={
        "total_input_tokens": "prompt",
        "total_output_tokens": "candidates",
        "total_cached_tokens": "cached",
        "total_thought_tokens": "thoughts",
        "total_tool_use_tokens": "tool use",
        "total_tokens": "total",
        "initial_input_tokens": "",
    },
    details={
        "input_tokens_by_modality": "prompt",
        "output_tokens_by_modality": "candidates",
        "cached_tokens_by_modality": "cached",
        "tool_use_tokens_by_modality": "tool use",
    },
    number="tokens",
    suffix="_tokens",
)
_RUNNING: Final = frozenset({"in_progress", "queued"})
_FEES: Final = {"google_search": "web_search"}
_KINDS: Final[Mapping[object, SegmentKind]] = {
    "user_input": "user",
    "model_output": "assistant",
    "model": "assistant",
    "thought": "thinking",
    "function_result": "tool_result",
}


class GeminiInteractions:
    """`POST …/interactions`."""

    api = "gemini.interactions"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and endpoint.provider == "google" and endpoint.path.endswith("/interactions")

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        return _reading(body, [], cut=False)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response."""
        body: dict[str, Any] = {}
        steps: list[object] = []
        ended = False
        notes: list[str] = []
        for name, event in events:
            kind = text(event.get("event_type")) or name
            if kind == "step.start":
                steps.append(event.get("step"))
            elif kind == "error":
                notes.append(error_note(event.get("error")))
            elif kind in {"interaction.created", "interaction.completed"}:
                body.update((key, value) for key, value in mapping(event.get("interaction")).items() if value)
                ended = kind == "interaction.completed"
        return _reading({"steps": steps, **body}, notes, cut=not ended)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        yield from content_parts(request.get("system_instruction"), "system", "system")
        yield from tool_parts(request.get("tools"))
        if request.get("response_format"):
            yield Part("schema", "", minified(request["response_format"]))
        given = request.get("input")
        for entry in given if isinstance(given, list) else [given]:
            yield from _input(entry)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return interaction_prompt(request, self.prompt(request))


def _input(entry: object) -> Iterator[Part]:
    step = mapping(entry)
    sort = text(step.get("type")) or text(step.get("role"))
    kind = _KINDS.get(sort, "user")
    name = text(step.get("name")) or text(step.get("role")) or ("model" if kind == "assistant" else "user")
    if sort == "thought":
        said = tuple(content_parts(step.get("summary") or step.get("content"), kind, name))
        yield from said or [Part("thinking", "encrypted", text(step.get("signature")) or "", opaque=True)]
    elif sort == "function_call":
        yield Part("tool_call", name, minified(step.get("arguments")))
    elif kind == "tool_result":
        yield from content_parts(step.get("result"), kind, name)
    elif "mime_type" in step or sort in {"image", "audio", "video", "document"}:
        yield Part("media", text(step.get("mime_type")) or str(sort), minified(entry), opaque=True)
    elif "content" in step:
        content = step["content"]
        for part in content if isinstance(content, list) else [content]:
            yield from _input(part) if isinstance(part, dict) and kind == "user" else content_parts([part], kind, name)
    else:
        yield from content_parts([entry] if isinstance(entry, dict) else entry, kind, name)


def _reading(body: Json, notes: list[str], *, cut: bool) -> Reading:
    counts = Counts()
    counts.notes = notes
    told = mapping(body.get("usage"))
    model = text(body.get("model"))
    for entry in listed(told.get("grounding_tool_count")):
        used = mapping(entry)
        kind = text(used.get("type")) or "grounding"
        count = counts.take(used, "count")
        once = kind == "google_search" and billed_by_the_prompt(model)
        counts.fee(_FEES.get(kind, kind), min(count, 1) if once else count)
    usage = gemini_usage(told, counts, _NAMES)
    state = text(body.get("status"))
    if text(body.get("agent")) and counts.known:
        counts.doubt("an agent ran it: which models it called is not told")
    if cut:
        missing = "the stream was cut before its usage"
    elif state in _RUNNING:
        missing = f"the interaction is {state}: its usage comes with a later poll"
    else:
        missing = "no usage in the response"
    status, usage = counts.status(usage, cut=cut, missing=missing)
    calls = (mapping(step) for step in listed(body.get("steps")))
    return Reading(
        status=status,
        usage=usage,
        model=model and model.rpartition("/")[2],
        tier=text(body.get("service_tier")),
        price_context=(SEVERAL_PROMPTS,) if _several(told) else (),
        tools=tuple(name for call in calls if call.get("type") == "function_call" and (name := text(call.get("name")))),
        finish=state,
        response_id=text(body.get("id")),
        notes=tuple(notes),
    )


def _several(told: Json) -> bool:
    """Whether the input adds up several prompts: what tools brought, or more than the first turn sent."""
    first = told.get("initial_input_tokens")
    return bool(told.get("total_tool_use_tokens")) or (first is not None and first != told.get("total_input_tokens"))
