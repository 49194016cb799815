"""vcrpy's requests and responses as exchanges."""

import os
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from pytest_tokenbudget.model.exchange import Exchange, Obtained

__all__ = ["exchange_of", "same_request", "shown_path"]


def exchange_of(
    request: Any,
    response: Mapping[str, Any],
    obtained: Obtained,
    *,
    source: str | None = None,
    index: int | None = None,
    started_at: datetime | None = None,
    seconds: float | None = None,
) -> Exchange:
    """Build an exchange from a vcrpy request and the response dictionary that stubs pass to a cassette."""
    status = response.get("status")
    body = response.get("body")
    return Exchange(
        method=request.method,
        url=request.uri,
        request_body=_bytes(request.body),
        request_headers=_headers(request.headers),
        # recordings of old httpx stubs are flat
        status=int(status["code"] if isinstance(status, Mapping) else response.get("status_code", 0)),
        response_headers=_headers(response.get("headers") or {}),
        response_body=_bytes(body.get("string") if isinstance(body, Mapping) else response.get("content")),
        obtained=obtained,
        source=shown_path(source) if source else None,
        index=index,
        started_at=started_at,
        seconds=seconds,
    )


def same_request(sent: Any, recorded: Any) -> bool:
    """Whether two vcrpy requests ask the same: equal method and URL, and equal bodies, as bytes or as JSON."""
    if sent.method != recorded.method or sent.uri != recorded.uri:
        return False
    left, right = _bytes(sent.body), _bytes(recorded.body)
    if left == right:
        return True
    try:
        return bool(msgspec.json.decode(left) == msgspec.json.decode(right))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _headers(headers: Any) -> dict[str, str]:
    found = {}
    for name, value in headers.items():
        first = value[0] if isinstance(value, (list, tuple)) and value else value
        found[_text(name).lower()] = _text(first)
    return found


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    if isinstance(body, (dict, list)):
        return msgspec.json.encode(body)
    if hasattr(body, "read"):
        return _bytes(body.read())
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    return b"".join(_bytes(part) for part in body)


@lru_cache(maxsize=1024)
def shown_path(path: str) -> str:
    """A recording's path below the working folder, so that no machine's paths reach a report."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return path if relative.startswith("..") else relative.replace(os.sep, "/")
