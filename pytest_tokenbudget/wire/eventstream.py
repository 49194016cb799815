"""AWS's binary event streams (`application/vnd.amazon.eventstream`), taken apart into events.

A message is a prelude (its length, that of its headers, a CRC-32 of both), headers, a payload, and a CRC-32 of all
before it; numbers are big-endian (smithy.io, "Amazon Event Stream Specification", read 2026-11).
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from struct import Struct as Layout
from typing import Final
from zlib import crc32

from msgspec import Struct

__all__ = ["Frames", "decode_frames", "is_framed"]

_PRELUDE: Final = Layout(">III").unpack_from
_CHECKSUM: Final = Layout(">I").unpack_from
_LENGTH: Final = Layout(">H").unpack_from
_SMALLEST: Final = 16
_HEAD: Final = 12
_CHECKED: Final = 8
"""Bytes of the prelude, and those of them that its checksum covers."""

_LABEL: Final = "amazon.eventstream"
_TEXT: Final = 7
_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_COUNTED: Final = frozenset({6, 7})
"""Header values: of a size that their type fixes, or with their length in front (bytes and text)."""


class Frames(Struct, kw_only=True):
    """The events of a stream, in order.

    Attributes:
        events: (event type, payload) pairs; the payloads are not decoded.
        errors: The types of the exceptions and errors that stand in the stream.
        broken: How many messages are damaged.
        cut: Whether the stream ends within a message, or cannot be followed further.
    """

    events: list[tuple[str, bytes]]
    errors: list[str]
    broken: int = 0
    cut: bool = False


def is_framed(body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether a body is such a stream: by its first bytes, or by its label where it says nothing else."""
    if len(body) >= _SMALLEST and crc32(body[:_CHECKED]) == _CHECKSUM(body, _CHECKED)[0]:
        return True
    return _LABEL in headers.get("content-type", "") and body[:1] not in {b"{", b"[", b"<"}


def decode_frames(body: bytes) -> Frames:
    """Take a stream apart. What is damaged is counted and left out; nothing raises."""
    found = Frames(events=[], errors=[])
    events = found.events
    start, end = 0, len(body)
    while start < end:
        if end - start < _SMALLEST:
            found.cut = True
            break
        total, size, told = _PRELUDE(body, start)
        stop = start + total
        # this checksum vouches for the prelude too, whose own says only whether to trust the length
        if stop <= end and total >= size + _SMALLEST and crc32(body[start : stop - 4]) == _CHECKSUM(body, stop - 4)[0]:
            inside = start + _HEAD + size
            kind, name = _head(body[start + _HEAD : inside])
            if kind == "event":
                events.append((name, body[inside : stop - 4]))
            else:
                found.errors.append(name)
        elif crc32(body[start : start + _CHECKED]) != told or total < size + _SMALLEST:
            # where the next message begins is not known any more
            found.broken += 1
            found.cut = True
            break
        elif stop > end:
            found.cut = True
            break
        else:
            found.broken += 1
        start = stop
    return found


@lru_cache(maxsize=256)
def _head(block: bytes) -> tuple[str, str]:
    """The kind and the name in a message's headers; a stream repeats a handful of them."""
    told = dict(_texts(block))
    kind = told.get(":message-type", "event")
    name = told.get(":event-type") or told.get(":exception-type") or told.get(":error-code") or ""
    return kind, name


def _texts(block: bytes) -> Iterator[tuple[str, str]]:
    """Yield the headers whose value is text; the checksum has vouched for them, not for their form."""
    position, end = 0, len(block)
    while position < end:
        stop = position + 1 + block[position]
        name = block[position + 1 : stop].decode("utf-8", "replace")
        if stop >= end:
            return
        sort, position = block[stop], stop + 1
        if sort in _COUNTED and position + 2 <= end:
            start = position + 2
            position = start + _LENGTH(block, position)[0]
            if sort == _TEXT:
                yield name, block[start:position].decode("utf-8", "replace")
        elif sort in _SIZES:
            position += _SIZES[sort]
        else:
            return
