"""One HTTP request and its response, with how it was obtained."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

__all__ = ["Exchange", "Obtained", "RecordedRequest"]

Obtained = Literal["live", "recorded", "replayed", "drifted"]
"""live: sent, not stored · recorded: sent and stored · replayed: answered from a recording of this very request ·
drifted: answered from a recording of another request."""

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class RecordedRequest(Struct, frozen=True, kw_only=True, gc=False):
    """The request that a recorded response answered.

    Attributes:
        url: The whole URL.
        body: The body as sent, still encoded as its headers say.
        headers: Names in lower case.
    """

    url: str
    body: bytes = b""
    headers: Mapping[str, str] = _NO_HEADERS


class Exchange(Struct, frozen=True, kw_only=True, gc=False):
    """One HTTP request and its response.

    Attributes:
        method: The HTTP method, upper case.
        url: The whole URL.
        request_body: The request's body as sent, still encoded as its headers say.
        status: The HTTP status of the response.
        response_headers: Response headers, names in lower case; of a repeated header the first value.
        response_body: The response's body as received, still encoded as its headers say.
        request_headers: Request headers, names in lower case.
        obtained: How we came by the response.
        recorded: Where that is `drifted`, the request that the response answered.
        source: The recording's path as given, if any.
        index: Its position in that recording, from 0, if any.
        started_at: When the request was sent, if known.
        seconds: How long it took, if it was sent just now.
    """

    method: str
    url: str
    request_body: bytes = b""
    request_headers: Mapping[str, str] = _NO_HEADERS
    status: int
    response_headers: Mapping[str, str] = _NO_HEADERS
    response_body: bytes = b""
    obtained: Obtained
    recorded: RecordedRequest | None = None
    source: str | None = None
    index: int | None = None
    started_at: datetime | None = None
    seconds: float | None = None
