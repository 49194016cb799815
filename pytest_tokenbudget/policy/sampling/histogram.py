"""How costs spread: bins with counts, for a line of bars."""

from collections.abc import Iterable
from decimal import Decimal
from math import log
from typing import Final

from pytest_tokenbudget.model.figures import Bin, Histogram
from pytest_tokenbudget.policy.sampling.interval import rounded

__all__ = ["Bin", "Histogram", "histogram_of"]

_BINS: Final = 12
_WIDE: Final = 20
"""From this ratio of the dearest to the cheapest on, bins are equal in ratio and not in dollars."""


def histogram_of(costs: Iterable[Decimal]) -> Histogram:
    """The histogram of some costs in US dollars."""
    values = sorted(costs)
    if not values or values[0] == values[-1]:
        return Histogram(scale="linear", bins=_same(values))
    positive = [value for value in values if value]
    zeros = values[: len(values) - len(positive)]
    if positive[-1] < _WIDE * positive[0]:
        return Histogram(scale="linear", bins=_bins(values, [float(value) for value in values], logarithmic=False))
    spread = _bins(positive, [log(value) for value in positive], logarithmic=True)
    return Histogram(scale="log", bins=(*_same(zeros), *spread))


def _same(values: list[Decimal]) -> tuple[Bin, ...]:
    return (Bin(low=values[0], high=values[-1], count=len(values)),) if values else ()


def _bins(values: list[Decimal], places: list[float], *, logarithmic: bool) -> tuple[Bin, ...]:
    first, last = places[0], places[-1]
    number = min(_BINS, len(values))
    width = (last - first) / number
    if width <= 0:  # they differ by less than a float can tell
        return _same(values)
    counts = [0] * number
    for place in places:
        counts[min(int((place - first) / width), number - 1)] += 1
    ratio = (float(values[-1]) / float(values[0])) if logarithmic else 0.0

    def edge(index: int) -> Decimal:
        if index in {0, number}:
            return values[0] if index == 0 else values[-1]
        if logarithmic:
            return rounded(float(values[0]) * ratio ** (index / number))
        return rounded(first + index * width)

    return tuple(Bin(low=edge(index), high=edge(index + 1), count=count) for index, count in enumerate(counts))
