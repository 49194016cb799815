"""How near two requests are to each other, by what they share: messages first, then the words of what changed.

A changed system prompt leaves the messages equal, and a changed message leaves the others: counting the parts that two
requests do not share finds the recorded step of a loop. Words decide among recordings that share as many.
"""

from collections.abc import Callable, Sequence
from typing import Final

from pytest_tokenbudget.traffic.canonical import Form

__all__ = ["FARTHEST", "NEAR", "Apart", "Words", "distance", "words_of"]

_PART: Final = 4
"""What a message counts for, where a short value such as a temperature counts for 1."""

_STEPS: Final = 8
"""Texts are alike in eighths: what is less is chance, and then the order of the recording decides."""

Apart = tuple[int, int]

FARTHEST: Final[Apart] = (1 << 62, 0)
NEAR: Final = _PART * _STEPS // 4
"""How far apart requests are that differ in a quarter of one message."""

_MOST_COMPARED: Final = 12
_SHORT: Final = 2048
_WINDOWS: Final = 16
_WINDOW: Final = 128
_FEW: Final = 24

_BETWEEN_WORDS: Final = bytes.maketrans(b'"{}[],:\\/()\n\r\t', b" " * 14)
_BETWEEN_PHRASES: Final = bytes.maketrans(b'"{}[]:;.,!?\\\n', b"\n" * 13)

Words = frozenset[bytes]


def words_of(text: bytes) -> Words:
    """What a text is compared by: its words; of a long one its phrases, or words here and there where it has none."""
    if len(text) <= _SHORT:
        return _spelled(text)
    phrases = text.translate(_BETWEEN_PHRASES).split(b"\n")
    if len(phrases) > _FEW and len(phrases) * 400 > len(text):
        return frozenset(phrases)
    step = (len(text) - _WINDOW) // (_WINDOWS - 1)
    return _spelled(b" ".join([text[start : start + _WINDOW] for start in range(0, step * _WINDOWS, step)]))


def _spelled(text: bytes) -> Words:
    words = text.translate(_BETWEEN_WORDS).split()
    if len(words) * 32 > len(text):
        return frozenset(words)
    # written without spaces
    return frozenset([text[start : start + 4] for start in range(max(1, len(text) - 3))])


def distance(
    sent: Form, recorded: Form, words: Callable[[int, int], tuple[Words, Words]], worst: Apart
) -> Apart | None:
    """How far a recorded request is from the one sent.

    Args:
        sent: The request.
        recorded: The recorded one.
        words: Gives the words of a part of the one and of a part of the other, by their places.
        worst: The distance of another recording that comes first.

    Returns:
        What they do not share, and by how many parts one is longer; `None` where that is not less than the worst.
    """
    ours, theirs = set(sent.parts), set(recorded.parts)
    shared = len(ours & theirs)
    longer = max(len(ours), len(theirs))
    apart = _PART * (longer - shared) + max(len(sent.values), len(recorded.values))
    apart -= len(sent.values & recorded.values)
    apart *= _STEPS
    uneven = abs(len(sent.parts) - len(recorded.parts))
    pairs = _pairs(sent, recorded, ours, theirs) if shared < longer else ()
    if (apart - _PART * _STEPS * len(pairs), uneven) >= worst:
        return None
    apart -= _PART * sum([_alike(*words(mine, other)) for mine, other in pairs])
    return (apart, uneven) if (apart, uneven) < worst else None


def _pairs(sent: Form, recorded: Form, ours: set[int], theirs: set[int]) -> Sequence[tuple[int, int]]:
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


def _alike(left: Words, right: Words) -> int:
    return _STEPS * len(left & right) // max(len(left), len(right), 1)
