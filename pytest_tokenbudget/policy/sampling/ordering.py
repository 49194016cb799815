"""Quantiles of a sample and their exact intervals, from the order of the samples alone: no law is assumed.

The k-th smallest of n costs lies above the true p-quantile with the probability that fewer than k of n draws fall
below it, which is binomial (Conover, Practical Nonparametric Statistics, 1999, section 3.2).
"""

from collections.abc import Sequence
from decimal import Decimal
from math import ceil, exp, lgamma, log, log1p
from typing import Final

from pytest_tokenbudget.model.money import EXACT
from pytest_tokenbudget.policy.sampling.interval import Interval

__all__ = ["fewest_for_upper", "median", "quantile", "quantile_interval", "ranks"]

_HALF: Final = Decimal("0.5")
_ROUNDING: Final = 1e-12
"""What is exactly as much as is wanted, is enough."""


def median(ordered: Sequence[Decimal]) -> Decimal:
    """The middle of ascending values, or the mean of the two in the middle."""
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return EXACT.multiply(EXACT.add(ordered[middle - 1], ordered[middle]), _HALF)


def quantile(ordered: Sequence[Decimal], share: float) -> Decimal:
    """The smallest of ascending values that at least this share of them does not exceed: always one that was seen.

    Args:
        ordered: Ascending values, at least one.
        share: 0.9 for p90.
    """
    return ordered[max(ceil(len(ordered) * share - _ROUNDING), 1) - 1]


def quantile_interval(ordered: Sequence[Decimal], share: float, confidence: float = 0.95) -> Interval:
    """The p-quantile between two values that were seen; a bound that so few samples cannot give is `None`.

    Args:
        ordered: Ascending values.
        share: 0.9 for p90.
        confidence: Of each bound on its own.
    """
    low, high = ranks(len(ordered), share, confidence)
    return Interval(
        low=None if low is None else ordered[low - 1],
        high=None if high is None else ordered[high - 1],
        confidence=confidence,
        method="order",
    )


def ranks(n: int, share: float, confidence: float = 0.95) -> tuple[int | None, int | None]:
    """Which of n ascending values, counted from 1, bound the p-quantile from below and from above.

    Args:
        n: How many values.
        share: 0.9 for p90.
        confidence: Of each bound on its own.
    """
    low = high = None
    enough = confidence - _ROUNDING
    below = 0.0  # the probability that at most k of n values are below the quantile
    for k in range(n):
        missed = below  # that at most k - 1 are: then the k-th smallest is above the quantile
        if k and 1 - missed >= enough:
            low = k
        below += _binomial(k, n, share)
        if high is None and below >= enough:
            high = k + 1
    if n and 1 - below >= enough:
        low = n
    return low, high


def fewest_for_upper(share: float, confidence: float = 0.95) -> int:
    """From how many samples on the largest one bounds the p-quantile from above: 29 for p90, 59 for p95."""
    return ceil(log1p(-confidence) / log(share))


def _binomial(k: int, n: int, share: float) -> float:
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(share) + (n - k) * log1p(-share))
