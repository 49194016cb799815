"""How near two requests are to each other, by what they share: messages first, then the words of what changed.

A changed system prompt leaves the messages equal, and a changed message leaves the others: counting the parts that two
requests do not share finds the recorded step of a loop. Words decide among recordings that share as many.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.traffic.canonical import Form
from pytest_tokenbudget.traffic.words import Words

__all__ = ["FARTHEST", "Apart", "Comparison"]

_PART: Final = 4
"""What a message counts for, where a short value such as a temperature counts for 1."""

_STEPS: Final = 8
"""Texts are alike in eighths: what is less is chance, and then the order of the recording decides."""

_CHANCE: Final = 1
"""How many words two texts share by chance, such as a number."""

_MOST_COMPARED: Final = 12


class Apart(Struct, frozen=True, gc=False, order=True):
    """How far two requests are from each other.

    Attributes:
        steps: What they do not share, in eighths of a short value.
        uneven: By how many parts one is longer.
        words: How many words of what changed they do not share.
    """

    steps: int
    uneven: int
    words: int

    def is_nearer(self, other: "Apart", *, first: bool) -> bool:
        """Whether a recording is nearer than another.

        Args:
            other: How far the other one is.
            first: Whether it comes before the other in the recording, which decides where they are as near.
        """
        if (self.steps, self.uneven) != (other.steps, other.uneven):
            return (self.steps, self.uneven) < (other.steps, other.uneven)
        if abs(self.words - other.words) > _CHANCE:
            return self.words < other.words
        return first

    @property
    def is_near(self) -> bool:
        """Whether no more than some words of one part changed."""
        return self.steps <= _PART


FARTHEST: Final = Apart(1 << 62, 0, 0)


class Comparison:
    """A request beside recorded ones."""

    __slots__ = ("_parts", "_values", "form")

    def __init__(self, form: Form) -> None:
        self.form = form
        self._parts = {*form.parts}
        self._values = {*form.values}

    def least(self, recorded: Form) -> Apart:
        """How far a recorded request is at least, whatever the words of what changed."""
        uneven = abs(len(self.form.parts) - len(recorded.parts))
        theirs = {*recorded.parts}
        shared = len(self._parts & theirs)
        values = max(len(self._values), len(recorded.values)) - len(self._values.intersection(recorded.values))
        longer, shorter = max(len(self._parts), len(theirs)), min(len(self._parts), len(theirs))
        # a changed part is a little nearer to another than to none, and never as near as an equal one
        return Apart(_STEPS * values + _PART * (_STEPS * (longer - shorter) + shorter - shared), uneven, 0)

    def distance(self, recorded: Form, words: Callable[[int], Words]) -> Apart:
        """How far a recorded request is.

        Args:
            recorded: The recorded one.
            words: Gives the words of a part.
        """
        least = self.least(recorded)
        theirs = {*recorded.parts}
        steps, different = least.steps, 0
        unshared = min(len(self._parts), len(theirs)) - len(self._parts & theirs)
        steps += _PART * (_STEPS - 1) * unshared
        for mine, other in _pairs(self.form, recorded, self._parts, theirs):
            left, right = words(self.form.parts[mine]), words(recorded.parts[other])
            most, both = max(len(left), len(right), 1), len(left & right)
            steps -= _PART * min(_STEPS * both // most, _STEPS - 1)
            different += most - both
        return Apart(steps, least.uneven, different)


def _pairs(sent: Form, recorded: Form, ours: set[int], theirs: set[int]) -> list[tuple[int, int]]:
    """What only one has beside what only the other has, of the same field and in order."""
    left = _unshared(sent, theirs)
    right = _unshared(recorded, ours)
    found = [pair for name, places in left.items() for pair in zip(places, right.get(name, ()), strict=False)]
    return found[:_MOST_COMPARED]


def _unshared(form: Form, others: set[int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, part in enumerate(form.parts):
        if part not in others:
            found.setdefault(form.names[place], []).append(place)
    return found
