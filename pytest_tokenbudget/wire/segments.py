"""From the text of a prompt's part to a segment, which keeps its measure and not its text."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Final

from pytest_tokenbudget.model.call import Segment
from pytest_tokenbudget.wire.format import Part

__all__ = ["segments"]

_KEPT: Final = 512
_LONGEST_KEPT: Final = 20_000
"""An agent sends the same system prompt, tools and past messages at every step: their measure is remembered, for the
last 512 texts of up to 20,000 characters, at most some ten megabytes."""


def segments(parts: Iterable[Part], count: Callable[[str], int]) -> tuple[Segment, ...]:
    """Measure the parts of a prompt.

    Args:
        parts: The parts, with their text.
        count: Counts the tokens of a text; not asked about opaque parts, which have 0.
    """
    measured = []
    for part in parts:
        text = part.text
        if part.opaque:
            digest, tokens = _digest(text), 0
        elif len(text) <= _LONGEST_KEPT:
            digest, tokens = _remembered(count, text)
        else:
            digest, tokens = _measure(count, text)
        measured.append(Segment(part.kind, part.name, digest, len(text), tokens))
    return tuple(measured)


def _measure(count: Callable[[str], int], text: str) -> tuple[str, int]:
    return _digest(text), count(text)


_remembered = lru_cache(maxsize=_KEPT)(_measure)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()[:16]
