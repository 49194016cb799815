"""Intervals of the mean cost and of dollars per successful task: bootstrap where scipy is there, else Student's t."""

from collections.abc import Sequence
from typing import Final

from pytest_tokenbudget.policy.sampling import bootstrap
from pytest_tokenbudget.policy.sampling.interval import Interval, Method, rounded
from pytest_tokenbudget.policy.sampling.student import ratio_error, t_quantile
from pytest_tokenbudget.policy.sampling.units import Unit

__all__ = ["FEWEST_UNITS", "mean_interval", "per_success_interval", "ratio_interval"]

FEWEST_UNITS: Final = 10
"""With fewer samples, or clusters of them, nothing is resampled and no rule that needs an interval decides."""

_NEVER_EMPTY: Final = 20
"""With so many units above 0, no resample in a hundred million has none of them."""


def mean_interval(
    units: Sequence[Unit], *, confidence: float = 0.95, seed: int = 0, resample: bool | None = None
) -> Interval:
    """The interval of the mean cost of a task.

    Args:
        units: Of `units_of`.
        confidence: Of each bound on its own.
        seed: Of the resampling.
        resample: Whether to use scipy; `None` means where it is installed.
    """
    return ratio_interval(
        [unit.cost for unit in units],
        [float(unit.count) for unit in units],
        confidence=confidence,
        seed=seed,
        resample=resample,
        floor=0.0,
    )


def per_success_interval(
    units: Sequence[Unit], *, confidence: float = 0.95, seed: int = 0, resample: bool | None = None
) -> Interval:
    """The interval of dollars per successful task: Σ cost ÷ Σ successes, each task's two numbers drawn together.

    Where successes are few, it is successes per dollar that are resampled, so that nothing is divided by none of them;
    a bound of zero successes per dollar leaves the dollars unbounded.

    Args:
        units: Of `units_of`.
        confidence: Of each bound on its own.
        seed: Of the resampling.
        resample: Whether to use scipy; `None` means where it is installed.
    """
    costs, successes = [unit.cost for unit in units], [float(unit.successes) for unit in units]
    if not any(successes):
        return Interval(low=None, high=None, confidence=confidence, method="none")
    if _never_empty(successes):
        return ratio_interval(costs, successes, confidence=confidence, seed=seed, resample=resample, floor=0.0)
    if len(units) >= FEWEST_UNITS and _never_empty(costs) and _wanted(resample=resample):
        bounds = bootstrap.ratio_bounds(successes, costs, confidence, seed)
        if bounds is not None:
            least, most = bounds
            return Interval(
                low=rounded(1 / most),
                high=rounded(1 / least) if least > 0 else None,
                confidence=confidence,
                method="bca",
            )
    return ratio_interval(costs, successes, confidence=confidence, seed=seed, resample=False, floor=0.0)


def ratio_interval(
    above: Sequence[float],
    below: Sequence[float],
    *,
    confidence: float,
    seed: int,
    resample: bool | None = None,
    floor: float | None = None,
) -> Interval:
    """The interval of Σ above ÷ Σ below over units that are drawn together.

    Args:
        above: One number for each unit.
        below: One for each unit; their sum is above 0.
        confidence: Of each bound on its own.
        seed: Of the resampling.
        resample: Whether to use scipy; `None` means where it is installed.
        floor: What the ratio cannot be less than, if anything.
    """
    if len(above) < 2:  # noqa: PLR2004 - one sample says nothing of its spread
        return Interval(low=None, high=None, confidence=confidence, method="none")
    ratio = sum(above) / sum(below)
    if all(upper == above[0] and lower == below[0] for upper, lower in zip(above, below, strict=True)):
        return _interval(ratio, ratio, confidence, "constant")
    if len(above) >= FEWEST_UNITS and _wanted(resample=resample):
        bounds = bootstrap.ratio_bounds(above, below, confidence, seed)
        if bounds is not None:
            return _interval(*bounds, confidence, "bca")
    reach = t_quantile(confidence, len(above) - 1) * ratio_error(above, below)
    low = ratio - reach if floor is None else max(ratio - reach, floor)
    return _interval(low, ratio + reach, confidence, "student")


def _interval(low: float, high: float, confidence: float, method: Method) -> Interval:
    return Interval(low=rounded(low), high=rounded(high), confidence=confidence, method=method)


def _never_empty(values: Sequence[float]) -> bool:
    positive = sum(value > 0 for value in values)
    return positive == len(values) or positive >= _NEVER_EMPTY


def _wanted(*, resample: bool | None) -> bool:
    return bootstrap.available() if resample is None else resample
