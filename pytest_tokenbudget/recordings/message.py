"""Headers and bodies of recorded messages, in whatever form recorders leave them.

Bodies stand as text, bytes (`!!binary`), under `string` (vcrpy), as base64 under `base64_string` (vcrpy's JSON, Ruby's
VCR), parsed under `parsed_body` (pydantic-ai's serializer), directly parsed, or under `content` beside a `status_code`
(vcrpy below 6 on httpx). Content encodings are left for `wire` to undo.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

__all__ = [
    "body_of",
    "bytes_of",
    "from_base64",
    "from_hex",
    "headers_of",
    "instant",
    "mapping_of",
    "status_of",
    "text_of",
    "url_of",
]

_STATUSES: Final = range(100, 600)
_DIGITS: Final = re.compile("[0-9]{3}")
_BYTE: Final = range(256)
_HEX: Final = re.compile(r"(?:[0-9a-f]{2}){8,}|(?:[0-9A-F]{2}){8,}")


def mapping_of(value: object) -> Mapping[Any, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> object:
    """Bytes as text, which is what they are in URLs and headers (`!binary`); any other value as it is."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def url_of(text: str) -> str:
    """A URL that can be printed: JSON can name half of a surrogate pair, which nobody can."""
    return text.encode("utf-8", "replace").decode()


def status_of(value: object) -> int | None:
    """An HTTP status, as a number or as digits; `None` where it is none."""
    code = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value
    return code if isinstance(code, int) and code in _STATUSES else None


def instant(value: object) -> datetime | None:
    """A point in time in ISO 8601, with its time zone."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def headers_of(headers: object) -> dict[str, str]:
    """Header names in lower case, each with its first value.

    Args:
        headers: A mapping, a list of pairs, of `name` and `value` (HAR), or of both in turn (nock).
    """
    found: dict[str, str] = {}
    for name, value in _pairs(headers):
        first = value[0] if isinstance(value, list) and value else value
        key, said = text_of(name), text_of(first)
        if isinstance(key, str) and said is not None and not isinstance(said, (list, dict)):
            found.setdefault(key.lower(), str(said))
    return found


def _pairs(headers: object) -> Iterator[tuple[object, object]]:
    if isinstance(headers, dict):
        yield from headers.items()
    elif isinstance(headers, list):
        if all(isinstance(entry, str) for entry in headers):
            yield from zip(headers[::2], headers[1::2], strict=False)
        for entry in headers:
            if isinstance(entry, list) and len(entry) == len(("name", "value")):
                yield entry[0], entry[1]
            elif isinstance(entry, dict):
                yield entry.get("name"), entry.get("value")


def body_of(message: Mapping[Any, Any]) -> bytes:
    """The body of a request or a response of a cassette, in whichever form it stands."""
    if "parsed_body" in message:
        return bytes_of(message["parsed_body"])
    body = message.get("body", message.get("content"))
    if isinstance(body, dict):
        if "string" in body:
            body = body["string"]
        elif isinstance(packed := body.get("base64_string"), (str, bytes)):
            return from_base64(packed)
    return bytes_of(body)


def bytes_of(body: object) -> bytes:
    """A body's bytes: text and bytes as they are, numbers and parts joined, anything else as JSON."""
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    if isinstance(body, bytes):
        return body
    if body is None:
        return b""
    if isinstance(body, list):
        if all(isinstance(item, int) and item in _BYTE for item in body):
            return bytes(body)
        if all(isinstance(item, (str, bytes)) for item in body):
            return b"".join(map(bytes_of, body))
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError):
        # text that no JSON can carry, such as half a surrogate pair; `wire` says that the body is none
        return b""


def from_base64(text: str | bytes) -> bytes:
    """The bytes that base64 stands for; none where it is no base64."""
    try:
        return b64decode(text)
    except ValueError:
        return b""


def from_hex(text: str) -> bytes | None:
    """The bytes that hexadecimal digits stand for; `None` where the text is anything else."""
    return bytes.fromhex(text) if _HEX.fullmatch(text) else None
