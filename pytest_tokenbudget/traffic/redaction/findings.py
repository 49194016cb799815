"""What was found, and what stands in its place."""

import re
from typing import Final, NamedTuple

__all__ = ["PLACEHOLDERS", "Span", "placeholder", "spliced"]

PLACEHOLDERS: Final = re.compile(
    rb"REDACTED-(?:[a-z0-9]{1,12}-){0,2}"
    rb"(?:authorization|body|cookie|credentials|custom|id|jwt|key|password|secret|signature|token)"
)
"""What `placeholder` writes, and no more: a secret may follow right behind it."""


class Span(NamedTuple):
    """A part of a text that may not be kept.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        kind: What it is, such as `anthropic-key`.
        instead: What takes its place, where that is not the kind's placeholder: a packed text, packed again.
    """

    start: int
    end: int
    kind: str
    instead: bytes | None = None


def placeholder(kind: str) -> bytes:
    """What stands for every secret of a kind."""
    return b"REDACTED-" + kind.encode()


def spliced(data: bytes, spans: list[Span]) -> bytes:
    """The text with something harmless in the place of each span; they are in order and apart."""
    parts: list[bytes] = []
    at = 0
    for span in spans:
        parts += data[at : span.start], placeholder(span.kind) if span.instead is None else span.instead
        at = span.end
    return b"".join([*parts, data[at:]])
