"""A benchmark's mean and its interval while it runs: each sample takes time and memory that do not grow."""

from decimal import Context, Decimal
from math import sqrt
from typing import Final

from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.policy.sampling.interval import Interval, rounded
from pytest_tokenbudget.policy.sampling.student import t_quantile

__all__ = ["Running"]

_DIVISION: Final = Context(prec=28)


class Running:
    """What a line of progress shows; the verdict is that of `EarlyStop`, and at the end of `benchmark_of`.

    Attributes:
        n: How many samples.
        known: US dollars of those whose cost is known, exactly.
        unknown: How many have an unknown cost: then there is no mean.
        successes: How many succeeded.
    """

    def __init__(self) -> None:
        self.n = 0
        self.known = ZERO
        self.unknown = 0
        self.successes = 0
        self._mean = 0.0
        self._squares = 0.0

    def add(self, sample: Sample) -> None:
        """Add a sample, in whatever order."""
        self.n += 1
        self.successes += sample.success
        if sample.cost is None:
            self.unknown += 1
            return
        self.known = EXACT.add(self.known, sample.cost)
        # Welford, Technometrics 1962: sums of squares would cancel
        away = float(sample.cost) - self._mean
        self._mean += away / (self.n - self.unknown)
        self._squares += away * (float(sample.cost) - self._mean)

    @property
    def mean(self) -> Decimal | None:
        """US dollars of a task; `None` of no samples, or where a cost is unknown."""
        return None if self.unknown or not self.n else _DIVISION.divide(self.known, Decimal(self.n))

    def interval(self, confidence: float = 0.95) -> Interval:
        """Student's interval of the mean, which takes no resampling.

        Args:
            confidence: Of each bound on its own.
        """
        if self.unknown or self.n < 2:  # noqa: PLR2004 - one sample has no spread
            return Interval(low=None, high=None, confidence=confidence, method="none")
        reach = t_quantile(confidence, self.n - 1) * sqrt(max(self._squares, 0.0) / (self.n - 1) / self.n)
        return Interval(
            low=rounded(max(self._mean - reach, 0.0)),
            high=rounded(self._mean + reach),
            confidence=confidence,
            method="student" if reach else "constant",
        )
