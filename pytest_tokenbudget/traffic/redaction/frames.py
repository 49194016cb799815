"""AWS's binary event streams, taken apart into payloads and put together again with their checksums."""

from struct import Struct as Layout
from typing import Final, NamedTuple
from zlib import crc32

__all__ = ["Frame", "frames_of", "joined"]

_PRELUDE: Final = Layout(">III")
_LENGTHS: Final = Layout(">II")
_CHECKSUM: Final = Layout(">I")
_SMALLEST: Final = 16


class Frame(NamedTuple):
    """One message, or what stands in the stream and is none.

    Attributes:
        headers: Its headers, packed as they came; `None` where it is no message.
        payload: Its payload, or the bytes that are no message.
    """

    headers: bytes | None
    payload: bytes


def frames_of(body: bytes) -> list[Frame]:
    """The messages of a stream; from the first damaged one on, the rest as one piece."""
    found: list[Frame] = []
    at = 0
    while len(body) - at >= _SMALLEST:
        total, size, _ = _PRELUDE.unpack_from(body, at)
        stop = at + total
        if stop > len(body) or total < size + _SMALLEST:
            break
        if crc32(body[at : stop - 4]) != _CHECKSUM.unpack_from(body, stop - 4)[0]:
            break
        inside = at + _PRELUDE.size + size
        found.append(Frame(body[at + _PRELUDE.size : inside], body[inside : stop - 4]))
        at = stop
    if at < len(body):
        found.append(Frame(None, body[at:]))
    return found


def joined(frames: list[Frame]) -> bytes:
    """The stream again."""
    return b"".join(
        frame.payload if frame.headers is None else _packed(frame.headers, frame.payload) for frame in frames
    )


def _packed(headers: bytes, payload: bytes) -> bytes:
    lengths = _LENGTHS.pack(_SMALLEST + len(headers) + len(payload), len(headers))
    message = b"".join([lengths, _CHECKSUM.pack(crc32(lengths)), headers, payload])
    return message + _CHECKSUM.pack(crc32(message))
