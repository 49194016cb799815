"""From the text of a prompt's part to a segment, which keeps its measure and not its text."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Final

from pytest_tokenbudget.model.prompt import Part, Segment

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
    return tuple([_segment(part, part.text, count) for part in parts])


def _segment(part: Part, text: str, count: Callable[[str], int]) -> Segment:
    size = len(text)
    if part.opaque:
        digest, tokens = _digest(text), 0
    else:
        digest, tokens = _remembered(count, text) if size <= _LONGEST_KEPT else _measure(count, text)
    return Segment(part.kind, part.name, digest, size, tokens)


def _measure(count: Callable[[str], int], text: str) -> tuple[str, int]:
    return _digest(text), count(text)


_remembered = lru_cache(maxsize=_KEPT)(_measure)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
