"""Server-sent events (WHATWG HTML, section 9.2) whose data is JSON."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pytest_tokenbudget.wire.framing import DecodeError, decode_json

__all__ = ["Events", "decode_events"]

_BOM = b"\xef\xbb\xbf"
_LAST = 3
"""How many lines of data at the end are always read: `[DONE]`, the last word, and the one before it if that is cut."""


class Events(msgspec.Struct, kw_only=True):
    """The events of a stream, in order.

    Attributes:
        events: (event name, decoded data) pairs.
        done: Whether `data: [DONE]` was seen.
        broken: How many events carried no JSON object.
        lost_usage: Whether one of those speaks of usage.
    """

    events: list[tuple[str, Mapping[str, Any]]]
    done: bool = False
    broken: int = 0
    lost_usage: bool = False


def decode_events(body: bytes, telling: tuple[bytes, ...] = ()) -> Events:
    """Take a stream apart; an event at its end counts even where the blank line after it is lacking.

    Args:
        body: The stream.
        telling: Where a format says so, what the data of an event of interest contains, one of these. Of the others
            only the first and the last are decoded.
    """
    found = Events(events=[])
    name = ""
    data: list[bytes] = []
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if telling:
        body = _of_interest(body, telling)
    for line in [*body.removeprefix(_BOM).split(b"\n"), b""]:
        if line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
        elif not line:
            if data:
                _take(found, name, data[0] if len(data) == 1 else b"\n".join(data))
                data = []
            name = ""
    return found


def _of_interest(body: bytes, telling: tuple[bytes, ...]) -> bytes:
    """The first event of a stream, those that contain a sign, and the last: the others are not even taken apart."""
    tail = len(body)
    for _ in range(_LAST):
        at = body.rfind(b"\ndata:", 0, tail)
        if at < 0:
            return body
        tail = at
    tail = _start(body, tail)
    kept = {0: _end(body, body.find(b"data:"))}
    if tail <= kept[0]:
        return body
    for sign in telling:
        at = body.find(sign, kept[0], tail)
        while at >= 0:
            start, end = _start(body, at), _end(body, at)
            kept[start] = end
            at = body.find(sign, end, tail)
    return b"".join([*(body[start:end] for start, end in sorted(kept.items())), body[tail:]])


def _start(body: bytes, at: int) -> int:
    found = body.rfind(b"\n\n", 0, at)
    return 0 if found < 0 else found + 2


def _end(body: bytes, at: int) -> int:
    found = body.find(b"\n\n", at)
    return len(body) if found < 0 else found + 2


def _take(found: Events, name: str, data: bytes) -> None:
    said = data.strip()
    if not said:  # kept alive
        return
    if said == b"[DONE]":
        found.done = True
        return
    try:
        value = decode_json(data)
    except DecodeError:
        value = None
    if isinstance(value, dict):
        found.events.append((name, value))
    else:
        found.broken += 1
        found.lost_usage = found.lost_usage or b'"usage"' in data
