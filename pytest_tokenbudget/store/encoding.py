"""Values as JSON, whatever their texts hold."""

from collections.abc import Iterator
from typing import Any

import msgspec

__all__ = ["encode_json", "laid_out"]

_encode = msgspec.json.Encoder(enc_hook=dict).encode


def encode_json(value: object) -> bytes:
    """Encode plain values or our structs.

    File names that are no UTF-8, and with them node ids, hold half surrogate pairs, which no JSON can carry: those
    are written out with a backslash.
    """
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(_writable(msgspec.to_builtins(value, enc_hook=dict)))


def laid_out(value: object, depth: int) -> Iterator[bytes]:
    """Plain values as JSON whose objects and lists stand a key or an item to a line, down to a depth; below it in one.

    Args:
        value: The values.
        depth: How many levels are opened.
    """
    return _opened(value, depth, b"\n")


def _opened(value: object, depth: int, line: bytes) -> Iterator[bytes]:
    if not (depth and value and isinstance(value, dict | list)):
        yield encode_json(value)
        return
    is_dict = isinstance(value, dict)
    inner = line + b" "
    yield b"{" if is_dict else b"["
    for number, item in enumerate(value):
        yield b"," + inner if number else inner
        if is_dict:
            yield encode_json(item) + b": "
        yield from _opened(value[item] if is_dict else item, depth - 1, inner)
    yield line + (b"}" if is_dict else b"]")


def _writable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_writable(key): _writable(item) for key, item in value.items()}
    return [_writable(item) for item in value] if isinstance(value, list | tuple) else value
