"""Entries of HAR archives (HTTP Archive 1.2), as Polly.js and browsers write them.

Polly.js keeps the chunks of a body that came encoded apart: its text is then a JSON list of base64 or hexadecimal
strings (@pollyjs/adapter-node-http 6, `getBodyFromChunks`; before version 5 marked `_isBinary`).
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings.message import (
    bytes_of,
    from_base64,
    from_hex,
    headers_of,
    instant,
    mapping_of,
    status_of,
    url_of,
)
from pytest_tokenbudget.recordings.unreadable import COST_UNKNOWN

__all__ = ["is_har_entry", "read_har_entry"]

_CHUNK: Final = re.compile(rb"([0-9a-fA-F]{1,8})(?:;[^\r\n]*)?\r\n")


def is_har_entry(found: Mapping[Any, Any], response: Mapping[Any, Any]) -> bool:
    """Whether an interaction is an entry of a HAR archive."""
    return "startedDateTime" in found or isinstance(response.get("content"), dict)


def read_har_entry(
    found: Mapping[Any, Any], request: Mapping[Any, Any], response: Mapping[Any, Any], source: str, index: int
) -> Exchange | Skipped:
    """Read one entry; a request that got no answer is skipped, and so is a WebSocket session."""
    url, method = request.get("url"), request.get("method")
    status = status_of(response.get("status"))
    if "_webSocketMessages" in found or found.get("_resourceType") == "websocket":
        reason = f"a WebSocket session, not HTTP: it is not read, and {COST_UNKNOWN}"
    elif not isinstance(url, str) or not isinstance(method, str):
        reason = f"an entry whose request names no URL or no method: {COST_UNKNOWN}"
    elif status is None:
        reason = f"a request that got no answer (status {str(response.get('status'))[:8]}): {COST_UNKNOWN}"
    else:
        headers = headers_of(response.get("headers"))
        sent = headers_of(request.get("headers"))
        return Exchange(
            method=method.upper(),
            url=url_of(url),
            request_headers=sent,
            request_body=_body(mapping_of(request.get("postData")), request, sent),
            status=status,
            response_headers=headers,
            response_body=_dechunked(_body(mapping_of(response.get("content")), response, headers), headers),
            obtained="replayed",
            source=source,
            index=index,
            started_at=instant(found.get("startedDateTime")),
        )
    return Skipped(reason=reason, source=source, index=index)


def _body(content: Mapping[Any, Any], message: Mapping[Any, Any], headers: Mapping[str, str]) -> bytes:
    text = content.get("text")
    if not isinstance(text, str):
        return bytes_of(text)
    form = content.get("encoding")
    marked = form in {"base64", "hex"} or content.get("_isBinary") or message.get("_isBinary")
    if text.startswith('["') and (marked or "content-encoding" in headers):
        try:
            parts = msgspec.json.decode(text, type=list[str])
        except msgspec.DecodeError:
            return bytes_of(text)
        return b"".join(_unpacked(part, form) for part in parts)
    return _unpacked(text, form) if marked else bytes_of(text)


def _unpacked(text: str, form: object) -> bytes:
    found = None if form == "base64" else from_hex(text)
    return from_base64(text) if found is None else found


def _dechunked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Undo the transfer's chunks, where a proxy has recorded them as part of the body."""
    if "chunked" not in headers.get("transfer-encoding", "") or not _CHUNK.match(body):
        return body
    parts: list[bytes] = []
    position = 0
    while size := _CHUNK.match(body, position):
        start = size.end()
        position = start + int(size[1], 16)
        parts.append(body[start:position])
        if position == start:
            return b"".join(parts)
        position += len(b"\r\n")
    # no last chunk: cut off, or never in chunks
    return b"".join(parts) if position >= len(body) else body
