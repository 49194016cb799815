"""Values as JSON, whatever their texts hold."""

from typing import Any

import msgspec

__all__ = ["encode_json"]

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


def _writable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_writable(key): _writable(item) for key, item in value.items()}
    return [_writable(item) for item in value] if isinstance(value, list | tuple) else value
