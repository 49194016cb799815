"""Server-sent events (WHATWG HTML, section 9.2) whose data is JSON."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pytest_tokenbudget.wire.framing import DecodeError, decode_json

__all__ = ["Events", "decode_events"]

_BOM = b"\xef\xbb\xbf"


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


def decode_events(body: bytes) -> Events:
    """Take a stream apart; an event at its end counts even where the blank line after it is lacking."""
    found = Events(events=[])
    name = ""
    data: list[bytes] = []
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
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
