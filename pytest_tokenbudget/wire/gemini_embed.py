"""Gemini embeddings: one content, a batch of them, and Vertex's older `predict`.

The Gemini API may leave usage out: such a call is billed, and nothing says how much (google-genai SDK 3.4,
`EmbedContentResponse`; 2026).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.wire.counts import Counts, listed, mapping
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.gemini_generate import tier_of
from pytest_tokenbudget.wire.gemini_prompt import content_of
from pytest_tokenbudget.wire.gemini_usage import gemini_usage

__all__ = ["GeminiEmbed"]

_PATH: Final = re.compile(r".*:(?:embedContent|batchEmbedContents)|.*/models/[^/]*embedding[^/]*:predict")


class GeminiEmbed:
    """`POST …:embedContent`, `:batchEmbedContents`, and `…embedding…:predict`."""

    api = "gemini.embed"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and _PATH.fullmatch(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        counts = Counts()
        told = mapping(body.get("usageMetadata"))
        usage = gemini_usage(told or _statistics(body), counts, video_is_input=False)
        status, usage = counts.status(usage, cut=False, missing="no usage in the response")
        return Reading(status=status, usage=usage, tier=tier_of(told), notes=tuple(counts.notes))

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - protocol
        """Read an event that carries a whole body; no provider streams embeddings."""
        return self.read_body(next((event for _, event in events), {}))

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the texts to embed."""
        given = listed(request.get("requests")) or [request]
        for entry in given:
            yield from content_of(mapping(entry).get("content"), "user")
        for entry in listed(request.get("instances")):
            yield from content_of(mapping(entry).get("content"), "user")


def _statistics(body: Json) -> Json:
    """The statistics of each embedding (Vertex), as a usage; empty where one of them lacks its count."""
    entries = [*listed(body.get("predictions")), *listed(body.get("embeddings")), body.get("embedding")]
    total = 0
    for entry in entries:
        if entry is None:
            continue
        found = mapping(mapping(entry).get("embeddings")) or mapping(entry)
        statistics = mapping(found.get("statistics"))
        count = statistics.get("token_count", statistics.get("tokenCount"))
        if not isinstance(count, (int, float)) or isinstance(count, bool) or count != int(count) or count < 0:
            return {}
        total += int(count)
    return {"promptTokenCount": total} if total else {}
