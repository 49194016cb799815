"""Ranking documents, as Jina and Voyage do it and servers such as vLLM imitate it.

The usage is one sum of tokens, all of it input (docs.voyageai.com and jina.ai, "Reranker", 2026); servers that imitate
Cohere bill searches instead.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.wire.cohere import billed_units
from pytest_tokenbudget.wire.cohere_prompt import ranked_parts
from pytest_tokenbudget.wire.counts import Counts, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_usage import openai_usage

__all__ = ["RERANK", "Rerank"]

_PATH: Final = re.compile(r".*/v\d/rerank")


class Rerank:
    """`POST …/v1/rerank`."""

    def __init__(self, provider: str) -> None:
        """Read it at Voyage (`voyageai`), or, as `jina`, wherever it is spoken."""
        self.api = f"{provider}.rerank"
        self._anywhere = provider == "jina"
        self._provider = provider

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        if endpoint.method != "POST" or not (self._anywhere or endpoint.provider == self._provider):
            return False
        return _PATH.fullmatch(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        counts = Counts()
        told, meta = mapping(body.get("usage")), mapping(body.get("meta"))
        if mapping(meta.get("billed_units")):
            usage = billed_units(meta, counts)
        else:
            whole = {"total_tokens": told.get("total_tokens", told.get("prompt_tokens")), "completion_tokens": 0}
            usage = openai_usage(whole if told else {}, counts)
        status, usage = counts.status(usage, cut=False, missing="no usage in the response", by_the_piece=True)
        return Reading(
            status=status,
            usage=usage,
            model=text(body.get("model")),
            response_id=text(body.get("id")),
            notes=tuple(counts.notes),
        )

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - protocol
        """Read an event that carries a whole body; no provider streams a ranking."""
        return self.read_body(next((event for _, event in events), {}))

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the query and the documents."""
        return ranked_parts(request)


RERANK: Final = (Rerank("voyageai"), Rerank("jina"))
