"""How many samples it takes to see an effect of a wanted size, from the spread of a pilot, and what they would cost.

n = (z(1 - alpha) + z(power))² · cv² ÷ effect², one-sided: 154.6 · cv² to see +20% with 80% power at 5%.
"""

from decimal import Context, Decimal
from math import ceil, sqrt
from statistics import NormalDist
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.policy.sampling.figures import Figures

__all__ = ["SamplePlan", "detectable_effect", "plan_of", "samples_needed"]

_DIVISION: Final = Context(prec=28)
_ALMOST: Final = 1e-9


class SamplePlan(Struct, frozen=True, kw_only=True):
    """What a benchmark would take; nothing was run for it.

    Attributes:
        effect: The rise of the mean that is to be seen, as a share: 0.2 is +20%.
        power: How often it is seen where it is there.
        alpha: How often one is seen where there is none.
        pilot: How many samples the pilot has.
        cv: Its coefficient of variation; `None` where its costs are unknown or too few.
        mean: US dollars of its tasks, `None` where unknown.
        needed: How many samples are needed; at least 2; `None` where the spread is unknown.
        cost: US dollars of those, at the pilot's mean.
        seen_by_pilot: The smallest effect that as many samples as the pilot has can see.
        seen_by_hundred: The smallest that 100 can see.
    """

    effect: float
    power: float
    alpha: float
    pilot: int
    cv: float | None
    mean: Decimal | None
    needed: int | None
    cost: Decimal | None
    seen_by_pilot: float | None
    seen_by_hundred: float | None


def plan_of(
    pilot: Figures, *, effect: float = 0.2, power: float = 0.8, alpha: float = 0.05, cv: float | None = None
) -> SamplePlan:
    """The plan of a benchmark, from the figures of a pilot.

    Args:
        pilot: Its figures.
        effect: The rise of the mean that is to be seen, above 0: 0.2 is +20%.
        power: How often it shall be seen where it is there, between 0 and 1.
        alpha: How often one may be seen where there is none, between 0 and 1.
        cv: The spread to reckon with, where samples come in clusters: that of `independent_cv`; by default the costs'.
    """
    cv, mean = pilot.cv if cv is None else cv, pilot.mean
    needed = None if cv is None else samples_needed(cv, effect=effect, power=power, alpha=alpha)
    return SamplePlan(
        effect=effect,
        power=power,
        alpha=alpha,
        pilot=pilot.n,
        cv=cv,
        mean=mean,
        needed=needed,
        cost=None if needed is None or mean is None else _DIVISION.multiply(mean, Decimal(needed)),
        seen_by_pilot=None if cv is None else detectable_effect(cv, pilot.n, power=power, alpha=alpha),
        seen_by_hundred=None if cv is None else detectable_effect(cv, 100, power=power, alpha=alpha),
    )


def samples_needed(cv: float, *, effect: float = 0.2, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many samples it takes to see an effect: 14 at cv 0.3, 39 at 0.5, 155 at 1, 967 at 2.5.

    Args:
        cv: The costs' coefficient of variation.
        effect: The rise of the mean, above 0.
        power: How often it shall be seen where it is there.
        alpha: How often one may be seen where there is none.
    """
    return max(ceil((_deviations(power, alpha) * cv / effect) ** 2 - _ALMOST), 2)


def detectable_effect(cv: float, n: int, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest rise of the mean that n samples see with this power, as a share."""
    return _deviations(power, alpha) * cv / sqrt(n)


def _deviations(power: float, alpha: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha) + normal.inv_cdf(power)
