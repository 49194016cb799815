"""Voyage embeddings: text by the token, images and videos by the pixel (voyageai SDK 0.5; docs.voyageai.com, 2026)."""

import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Final

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire.cohere_prompt import cohere_parts
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_prompt import plain_parts

__all__ = ["VoyageEmbeddings"]

_PATH: Final = re.compile(r"/v\d/(?:contextualized|multimodal)?embeddings")
_PIXELS: Final = ("image_pixels", "video_pixels")


class VoyageEmbeddings:
    """`POST /v1/embeddings`, `/v1/contextualizedembeddings` and `/v1/multimodalembeddings` at Voyage."""

    api = "voyageai.embeddings"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        if endpoint.method != "POST" or endpoint.provider != "voyageai":
            return False
        return _PATH.fullmatch(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response; `total_tokens` also counts pixels, where there are any."""
        counts = Counts()
        told = mapping(body.get("usage"))
        key = "text_tokens" if "text_tokens" in told else "total_tokens"
        counts.known = key in told
        tokens = counts.take(told, key)
        for name in _PIXELS:
            counts.fee(name, counts.take(told, name))
        usage = Usage(input=tokens, fees=MappingProxyType(counts.fees))
        status, usage = counts.status(usage, cut=False, missing="no usage in the response", by_the_piece=True)
        return Reading(status=status, usage=usage, model=text(body.get("model")), notes=tuple(counts.notes))

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - protocol
        """Read an event that carries a whole body; no provider streams embeddings."""
        return self.read_body(next((event for _, event in events), {}))

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield what is to be embedded: texts, lists of texts, or contents of text and media."""
        for entry in listed(request.get("inputs")):
            if isinstance(entry, list):
                yield from plain_parts(entry)
        yield from plain_parts(request.get("input"))
        yield from cohere_parts(
            {"inputs": [entry for entry in listed(request.get("inputs")) if isinstance(entry, dict)]}
        )
