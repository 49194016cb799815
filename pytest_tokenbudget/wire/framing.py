"""From bytes to JSON: content encodings, and bodies unlike their content type."""

import gzip
import importlib
import io
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Final, cast

import msgspec

__all__ = ["DecodeError", "decode_json", "is_stream", "unpacked"]

_decode: Final = msgspec.json.Decoder().decode
_GZIP: Final = b"\x1f\x8b"
_MOST_UNPACKED: Final = 256 << 20
_DENSEST: Final = 1032
"""Deflate cannot pack a run tighter (zlib.net, "Technical details"): a smaller body needs no guard."""

_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_EVENT_STARTS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_DECODERS: Final = {
    "br": (("brotli", "decompress"), ("brotlicffi", "decompress")),
    "zstd": (("compression.zstd", "decompress"), ("zstandard", "decompress"), ("backports.zstd", "decompress")),
}
"""Where to look for a decoder of an encoding, in order: (module, function)."""


class DecodeError(ValueError):
    """A body is not what its headers say; the message is a sentence for the call's notes."""


def unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Undo the content encoding.

    Recorders keep the header and store the body decoded, or the reverse: what the bytes are decides, not the header.

    Raises:
        DecodeError: The body is damaged, or in an encoding that nothing installed here can undo.
    """
    if body[:2] == _GZIP:
        return _gunzipped(body)
    if body[:4] == _ZSTD:
        return _by_module("zstd", body)
    encoding = headers.get("content-encoding")
    if not encoding or not body or _is_plain(body):
        return body
    name = encoding.strip().lower()
    if name == "deflate":
        for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
            try:
                return zlib.decompressobj(window).decompress(body, _MOST_UNPACKED)
            except zlib.error:
                continue
    return _by_module("br", body) if name == "br" else body


def is_stream(body: bytes, headers: Mapping[str, str]) -> tuple[bool, str | None]:
    """Whether a body is a stream of server-sent events, by its first bytes; and a note where its label says otherwise.

    Raises:
        DecodeError: It is a web page.
    """
    label = headers.get("content-type", "")
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in {b"{", b"["}:
        return False, "labelled as a stream, but it is one JSON body" if "event-stream" in label else None
    if start.startswith(_EVENT_STARTS):
        return True, "labelled as JSON, but it is a stream of events" if "json" in label else None
    if start[:1] == b"<" or (start and "text/html" in label):
        message = "it is a web page, not an answer of the API"
        raise DecodeError(message)
    return "event-stream" in label, None


def decode_json(body: bytes) -> object:
    """Decode JSON.

    Raises:
        DecodeError: It is none; the message says where it breaks.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not body.strip():
            message = "the body is empty"
        else:
            lenient = _leniently(body)
            if lenient is not None:
                return lenient
            message = f"the body is not JSON ({error})"
        raise DecodeError(message) from error


def _leniently(body: bytes) -> object:
    """What real senders get past the standard library: a byte-order mark, half of a surrogate pair, and NaN.

    NaN becomes a text: as null it would be a count that is absent, and so 0.
    """
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=str)
        return _decode(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _is_plain(body: bytes) -> bool:
    start = body[:64].lstrip()
    return start[:1] in {b"{", b"["} or start.startswith(_EVENT_STARTS)


def _gunzipped(body: bytes) -> bytes:
    try:
        if len(body) * _DENSEST <= _MOST_UNPACKED:
            return gzip.decompress(body)
        found = gzip.GzipFile(fileobj=io.BytesIO(body)).read(_MOST_UNPACKED + 1)
    except EOFError:  # cut off: what was received before is still worth reading
        return _salvaged(body)
    except (OSError, zlib.error) as error:
        message = f"the gzip body is damaged ({error})"
        raise DecodeError(message) from error
    if len(found) > _MOST_UNPACKED:
        message = f"the gzip body unpacks to more than {_MOST_UNPACKED >> 20} MB"
        raise DecodeError(message)
    return found


def _salvaged(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, _MOST_UNPACKED)
    except zlib.error as error:
        message = f"the gzip body is damaged ({error})"
        raise DecodeError(message) from error


def _by_module(encoding: str, body: bytes) -> bytes:
    for module, function in _DECODERS[encoding]:
        try:
            decode = cast("Callable[[bytes], bytes]", getattr(importlib.import_module(module), function))
        except (ImportError, AttributeError):
            continue
        try:
            return decode(body)
        except Exception as error:  # each library has errors of its own
            message = f"the {encoding} body is damaged ({error})"
            raise DecodeError(message) from error
    package = {"br": "brotli", "zstd": "zstandard"}[encoding]
    message = f"the body is encoded as {encoding}, which needs the package {package}"
    raise DecodeError(message)
