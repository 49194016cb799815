"""Sentences that differ in nothing but their numbers, said once."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["folded", "shape_of"]

_NUMBER: Final = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?![\w-]|\.\w)")
"""A number that stands alone, and not one in a model's name."""


def shape_of(sentence: str) -> str:
    """The sentence without its numbers."""
    return _NUMBER.sub("#", sentence)


def folded(sentences: Iterable[str]) -> Iterator[str]:
    """Each sentence once; those that differ in numbers as one, with the range and in how many calls it was said.

    Args:
        sentences: What was said of calls, one after the other.
    """
    by_shape: dict[str, list[str]] = {}
    for sentence in sentences:
        by_shape.setdefault(shape_of(sentence), []).append(sentence)
    for alike in by_shape.values():
        first = alike[0]
        if all(other == first for other in alike):
            yield first
        else:
            yield f"In {len(alike)} calls, {first[:1].lower()}{_with_ranges(alike)[1:]}"


def _with_ranges(alike: list[str]) -> str:
    ranges = iter([_range(numbers) for numbers in zip(*map(_NUMBER.findall, alike), strict=True)])
    return _NUMBER.sub(lambda _: next(ranges), alike[0])


def _range(numbers: Iterable[str]) -> str:
    ordered = sorted(set(numbers), key=lambda number: float(number.replace(",", "")))
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"
