"""A JSON body taken apart: its messages, tools and long texts one by one, its short values, and what says nothing."""

from typing import Any, Final

import msgspec
from msgspec import Raw

from pytest_tokenbudget.traffic.volatile import Volatile, decode, take_ids

__all__ = ["BodyParts", "without_ids"]

_LONGEST_VALUE: Final = 64
_FALSE: Final = Raw(b"false")
_NULL: Final = Raw(b"null")


_elements: Final = msgspec.json.Decoder(list[Raw]).decode
_fields: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class BodyParts:
    """A JSON body taken apart.

    Attributes:
        parts: Each field that holds messages or the like, with these; and each long value.
        values: Each short value, with its field.
        left_out: What was left out.
        model: The model asked, if it says.
        stream: Whether a stream is asked for.
    """

    __slots__ = ("left_out", "model", "parts", "stream", "values")

    def __init__(self, body: bytes, volatile: Volatile) -> None:
        """Take a body apart.

        Raises:
            msgspec.DecodeError: It is no JSON.
        """
        self.parts: list[tuple[str, list[Raw]]] = []
        self.values: list[tuple[str, bytes]] = []
        self.left_out: list[Any] = []
        self.model, self.stream = "", False
        if body.lstrip()[:1] != b"{":
            self.parts.append(("", [Raw(_canonical(body))]))
            return
        fields, self.left_out = volatile.take(body)
        for name in sorted(fields):
            raw = fields[name]
            if _starts(raw, b"{"):
                # one level deeper are Gemini's instructions and the settings of generation
                self.values.append((name, b"{}"))
                inner = _fields(raw)
                for key in sorted(inner):
                    self._add(f"{name}.{key}", inner[key])
            else:
                self._add(name, raw)
        if "model" in fields:
            model = decode(fields["model"])
            self.model = model if isinstance(model, str) else ""
        self.stream = fields.get("stream", _FALSE) not in (_FALSE, _NULL)

    def _add(self, name: str, raw: Raw) -> None:
        """Add a field; of a list each element, unless it is one of numbers."""
        elements = _elements(raw) if _starts(raw, b"[") else None
        if elements is None or (elements and not _starts(elements[0], b'{["')):
            text = _canonical(raw)
            if len(text) > _LONGEST_VALUE:
                self.parts.append((name, [raw]))
            else:
                self.values.append((name, text))
        else:
            self.values.append((name, b"[]"))
            self.parts.append((name, elements))


def _starts(raw: Raw, letters: bytes) -> bool:
    return memoryview(raw)[0] in letters


def _canonical(raw: Raw | bytes) -> bytes:
    return _encode(decode(raw))


def without_ids(raw: Raw) -> tuple[bytes, tuple[str, ...]]:
    """A part's canonical text without the ids in it; and these."""
    value = decode(raw)
    ids: list[str] = []
    if isinstance(value, dict):
        take_ids(value, ids)
    return _encode(value), tuple(ids)
