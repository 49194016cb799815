"""Entries of nock's recordings (Node.js): a list of requests with their replies, in JSON.

A reply is what it decodes to as JSON, text, hexadecimal digits where it is binary (nock 13 and later say
`responseIsBinary`), or a list of such where it came encoded (nock, `lib/recorder.js`).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings.message import bytes_of, from_hex, headers_of, status_of, url_of
from pytest_tokenbudget.recordings.unreadable import COST_UNKNOWN

__all__ = ["is_nock_entry", "read_nock_entry"]

_KEYS: Final = ("scope", "path")


def is_nock_entry(found: Mapping[Any, Any]) -> bool:
    """Whether an interaction is an entry of a nock recording."""
    return all(key in found for key in _KEYS)


def read_nock_entry(found: Mapping[Any, Any], source: str, index: int) -> Exchange | Skipped:
    """Read one entry; what is no reply to a request is skipped."""
    scope, path, method = found.get("scope"), found.get("path"), found.get("method", "GET")
    status = status_of(found.get("status", 200))
    if not isinstance(scope, str) or not isinstance(path, str) or not isinstance(method, str) or status is None:
        reason = f"a nock entry whose scope, path, method or status is none: {COST_UNKNOWN}"
        return Skipped(reason=reason, source=source, index=index)
    return Exchange(
        method=method.upper(),
        url=url_of(scope.rstrip("/") + path),
        request_headers=headers_of(found.get("reqheaders")),
        request_body=_body(found.get("body")),
        status=status,
        response_headers=headers_of(found.get("rawHeaders") or found.get("headers")),
        response_body=_body(found.get("response")),
        obtained="replayed",
        source=source,
        index=index,
    )


def _body(value: object) -> bytes:
    if isinstance(value, str):
        return from_hex(value) or bytes_of(value)
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        parts = [from_hex(part) for part in value]
        if None not in parts:
            return b"".join(part or b"" for part in parts)
        return msgspec.json.encode(value)  # an answer in JSON that is a list of texts
    return bytes_of(value)
