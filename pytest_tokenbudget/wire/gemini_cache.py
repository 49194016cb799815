"""Gemini's explicit caches.

Creating one is billed as input, and keeping it by the hour: what is kept for how long is not known when it is created
(cloud.google.com, "Context caching overview", read 2026-11). So its usage is a lower bound.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire.counts import Counts, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.gemini_facts import gemini_prompt
from pytest_tokenbudget.wire.gemini_prompt import gemini_parts

__all__ = ["GeminiCache"]

_PATH: Final = re.compile(r".*/v\d\w*/(?:.*/)?cachedContents")
_STORED: Final = "a cache was created: its storage is billed by the hour until it is deleted, and not in the usage"


class GeminiCache:
    """`POST …/cachedContents`."""

    api = "gemini.cache"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return (
            endpoint.method == "POST" and endpoint.provider == "google" and _PATH.fullmatch(endpoint.path) is not None
        )

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        counts = Counts()
        told = mapping(body.get("usageMetadata"))
        counts.known = "totalTokenCount" in told
        usage = Usage(input=counts.take(told, "totalTokenCount"))
        counts.doubt(_STORED)
        status, usage = counts.status(usage, cut=False, missing="no usage in the response")
        model = text(body.get("model"))
        return Reading(
            status=status,
            usage=usage,
            model=model and model.rpartition("/")[2],
            response_id=text(body.get("name")),
            notes=tuple(counts.notes),
        )

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - protocol
        """Read an event that carries a whole body; no provider streams it."""
        return self.read_body(next((event for _, event in events), {}))

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield what is to be cached."""
        return gemini_parts(request)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return gemini_prompt(request)
