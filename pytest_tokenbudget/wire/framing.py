"""From bytes to JSON: content encodings, server-sent events, and bodies unlike their content type."""

import gzip
import zlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

__all__ = ["DecodeError", "Events", "decode_events", "decode_json", "is_stream", "unpacked"]

_decode = msgspec.json.Decoder().decode
_GZIP_MAGIC: Final = b"\x1f\x8b"


class DecodeError(ValueError):
    """A body is not what its headers say; the message is a sentence for the call's notes."""


def unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Undo the content encoding.

    Recorders keep the header and store the body decoded, or the reverse: what the bytes are decides, not the header.

    Raises:
        DecodeError: The body is cut off or in an encoding that we cannot undo.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if body[:2] == _GZIP_MAGIC:
        try:
            return gzip.decompress(body)
        except (OSError, EOFError, zlib.error) as error:
            message = f"the gzip body is damaged ({error})"
            raise DecodeError(message) from error
    if encoding == "deflate":
        for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
            try:
                return zlib.decompress(body, window)
            except zlib.error:
                continue
    return body


def is_stream(body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether a body is a stream of server-sent events, by its content type or by its first bytes."""
    if "text/event-stream" in headers.get("content-type", ""):
        return body.lstrip()[:1] != b"{"
    return body[:6] in {b"data: ", b"event:"} or body[:5] == b"data:"


def decode_json(body: bytes) -> object:
    """Decode JSON.

    Raises:
        DecodeError: It is none; the message says where it breaks.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"the body is not JSON ({error})" if body.strip() else "the body is empty"
        raise DecodeError(message) from error


class Events(msgspec.Struct, kw_only=True):
    """The events of a stream, in order.

    Attributes:
        events: (event name, decoded data) pairs.
        done: Whether `data: [DONE]` was seen.
        broken: How many events carried no JSON object.
    """

    events: list[tuple[str, Mapping[str, Any]]]
    done: bool = False
    broken: int = 0


def decode_events(body: bytes) -> Events:
    """Decode server-sent events (WHATWG HTML, section 9.2) whose data is JSON."""
    found = Events(events=[])
    name = ""
    data: list[bytes] = []
    for line in [*body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"), b""]:
        if line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
        elif not line and data:
            _take(found, name, data[0] if len(data) == 1 else b"\n".join(data))
            name, data = "", []
    return found


def _take(found: Events, name: str, data: bytes) -> None:
    if data == b"[DONE]":
        found.done = True
        return
    try:
        value = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found.broken += 1
        return
    if isinstance(value, dict):
        found.events.append((name, value))
    else:
        found.broken += 1
