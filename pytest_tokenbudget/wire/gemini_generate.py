"""Gemini's `generateContent`, as a body, as server-sent events, and as one array (Vertex without `alt=sse`).

In a stream the usage is cumulative: the last word on each count holds (google-genai SDK 3.4; 2026).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pytest_tokenbudget.model.call import SEVERAL_PROMPTS
from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.gemini_facts import gemini_prompt
from pytest_tokenbudget.wire.gemini_prompt import gemini_parts
from pytest_tokenbudget.wire.gemini_usage import gemini_usage
from pytest_tokenbudget.wire.openai_chat import error_note

__all__ = ["GeminiGenerate", "billed_by_the_prompt", "tier_of"]

_PATH: Final = re.compile(r".*:(?:streamG|g)enerateContent")
_FINISHES: Final = (None, "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
_TRAFFIC: Final = {
    1: "on_demand",
    2: "provisioned_throughput",
    "ON_DEMAND": "on_demand",
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_OFFPEAK": "offpeak",
    "PROVISIONED_THROUGHPUT": "provisioned_throughput",
}
"""Vertex's `TrafficType`; as numbers where a client asks for those."""

_UNSPECIFIED: Final = frozenset({"unspecified", "traffic_type_unspecified", "traffic_type_0"})
_BY_THE_PROMPT: Final = re.compile(r"(?:.*/)?gemini-[12]\..*")


class GeminiGenerate:
    """`POST …/models/{model}:generateContent` and `:streamGenerateContent`."""

    api = "gemini.generate"
    telling = (b"finishReason", b"functionCall", b"groundingMetadata", b"promptFeedback", b'"error"')

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and _PATH.fullmatch(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        said = _Said()
        said.take(body)
        return said.reading(cut=False)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response."""
        said = _Said()
        for _, chunk in events:
            said.take(chunk)
        return said.reading(cut=not said.counted_to_the_end)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        return gemini_parts(request)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return gemini_prompt(request)


class _Said:
    """What the chunks of one response have told so far."""

    __slots__ = ("counted_to_the_end", "finish", "grounds", "id", "model", "notes", "tools", "usage")

    def __init__(self) -> None:
        self.model: str | None = None
        self.id: str | None = None
        self.usage: Json = {}
        self.finish: str | None = None
        self.tools: list[str] = []
        self.grounds: list[Json] = []
        self.notes: list[str] = []
        self.counted_to_the_end = False

    def take(self, chunk: Json) -> None:
        """Take in a chunk; there are hundreds of them, and most say no more than a few words."""
        if self.model is None:
            self.model, self.id = text(chunk.get("modelVersion")), text(chunk.get("responseId"))
        candidates = chunk.get("candidates")
        if candidates:
            self.counted_to_the_end = False
            for candidate in listed(candidates):
                if isinstance(candidate, dict):
                    self._take_candidate(candidate)
        if "promptFeedback" in chunk and (blocked := mapping(chunk["promptFeedback"]).get("blockReason")):
            self.finish = _finish(blocked)
        told = chunk.get("usageMetadata")
        if isinstance(told, dict) and told:
            # what a later count leaves out is as the earlier ones told it
            self.usage = told if told.keys() >= self.usage.keys() else {**self.usage, **told}
            self.counted_to_the_end = self.finish is not None
        if "error" in chunk:
            self.notes.append(error_note(chunk["error"]))

    def _take_candidate(self, candidate: Json) -> None:
        if reason := candidate.get("finishReason"):
            self.finish = _finish(reason) or self.finish
        if "groundingMetadata" in candidate:
            self.grounds.append(mapping(candidate["groundingMetadata"]))
        content = candidate.get("content")
        if isinstance(content, dict):
            for part in listed(content.get("parts")):
                if isinstance(part, dict) and "functionCall" in part:
                    self.tools.extend(_name(mapping(part["functionCall"])))

    def reading(self, *, cut: bool) -> Reading:
        counts = Counts()
        counts.notes = self.notes
        if self.grounds:
            _searches(self.grounds, self.model, counts)
        usage = gemini_usage(self.usage, counts)
        missing = "the stream was cut before its usage" if cut else "no usage in the response"
        status, usage = counts.status(usage, cut=cut, missing=missing)
        return Reading(
            status=status,
            usage=usage,
            model=self.model,
            tier=tier_of(self.usage),
            price_context=(SEVERAL_PROMPTS,) if self.usage.get("toolUsePromptTokenCount") else (),
            tools=tuple(self.tools),
            finish=self.finish,
            response_id=self.id,
            notes=tuple(self.notes),
        )


def billed_by_the_prompt(model: str | None) -> bool:
    """Whether a model's searches are billed by the grounded prompt, however many it ran: up to Gemini 2.5.

    Since Gemini 3 each unique query that is not empty is billed, of the web or of images; maps by the prompt
    (ai.google.dev, "Grounding with Google Search", "Grounding with Google Maps", "Pricing", read 2026-11).
    """
    return model is not None and _BY_THE_PROMPT.fullmatch(model) is not None


def _searches(grounds: Iterable[Json], model: str | None, counts: Counts) -> None:
    """Count what grounding is billed for."""
    queries: set[tuple[str, str]] = set()
    retrieved: set[str] = set()
    maps = False
    for ground in grounds:
        for key in ("webSearchQueries", "imageSearchQueries"):
            queries.update((key, query) for query in listed(ground.get(key)) if isinstance(query, str) and query)
        retrieved.update(query for query in listed(ground.get("retrievalQueries")) if isinstance(query, str) and query)
        maps = maps or any(mapping(chunk).get("maps") for chunk in listed(ground.get("groundingChunks")))
    counts.fee("web_search", min(len(queries), 1) if billed_by_the_prompt(model) else len(queries))
    counts.fee("retrieval", len(retrieved))
    counts.fee("google_maps", int(maps))


def tier_of(usage: Json) -> str | None:
    """The tier as served: `serviceTier` (Gemini API), or what Vertex calls traffic."""
    tier = text(usage.get("serviceTier"))
    if tier is None:
        traffic = usage.get("trafficType")
        if not isinstance(traffic, (str, int)) or isinstance(traffic, bool):
            return None
        tier = _TRAFFIC.get(traffic) or (traffic if isinstance(traffic, str) else f"traffic_type_{traffic}")
    tier = tier.lower().removeprefix("service_tier_")
    return None if tier in _UNSPECIFIED else tier


def _finish(reason: object) -> str | None:
    if isinstance(reason, int):
        return _FINISHES[reason] if 0 <= reason < len(_FINISHES) else str(reason)
    return text(reason)


def _name(call: Json) -> Iterator[str]:
    if name := text(call.get("name")):
        yield name
