"""From the text of a prompt's part to a segment, which keeps its measure and not its text."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

from pytest_tokenbudget.model.prompt import Part, Segment

__all__ = ["segments"]

_MOST_KEPT: Final = 512
_LONGEST_KEPT: Final = 20_000
"""An agent sends the same system prompt, tools and past messages at every step: their measure is remembered, of 512
parts of up to 20,000 characters at a time, at most some ten megabytes."""

_kept: Final[dict[Callable[[str], int], dict[Part, Segment]]] = {}
"""What is remembered, by what counted."""


def segments(parts: Iterable[Part], count: Callable[[str], int]) -> tuple[Segment, ...]:
    """Measure the parts of a prompt.

    Args:
        parts: The parts, with their text.
        count: Counts the tokens of a text; not asked about opaque parts, which have 0.
    """
    known = _kept.get(count)
    if known is None or len(known) >= _MOST_KEPT:
        _kept.clear()  # counters do not change within a session
        known = _kept[count] = {}
    return tuple([known.get(part) or _measured(part, count, known) for part in parts])


def _measured(part: Part, count: Callable[[str], int], known: dict[Part, Segment]) -> Segment:
    digest = sha256(part.text.encode()).hexdigest()[:16]
    tokens = 0 if part.opaque else count(part.text)
    found = Segment(part.kind, part.name, digest, len(part.text), tokens)
    if len(part.text) <= _LONGEST_KEPT:
        known[part] = found
    return found
