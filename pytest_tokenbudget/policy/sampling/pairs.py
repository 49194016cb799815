"""Base and head on the same samples: their differences vary far less than their costs do."""

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from math import fsum, hypot
from statistics import NormalDist
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.model.money import EXACT
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.policy.sampling.interval import Interval, rounded
from pytest_tokenbudget.policy.sampling.intervals import ratio_interval
from pytest_tokenbudget.policy.sampling.student import ratio_error, t_quantile

__all__ = ["Difference", "Pairs", "pairs_of"]

_DIVISION: Final = Context(prec=28)
_ONE: Final = Decimal(1)

Sign = Literal["up", "down", "unclear"]
"""up: the whole interval is above 0 · down: below · unclear: neither."""


class Difference(Struct, frozen=True, kw_only=True):
    """A mean difference in US dollars a task.

    Attributes:
        mean: The difference of the means.
        interval: Of the paired differences.
        sign: What that interval says.
        detectable: The smallest true difference that as many pairs see with 80% power at 5%; `None` of one pair.
        unpaired: The interval that the same samples give when nobody pairs them (Welch's t).
        detectable_unpaired: What they see then.
    """

    mean: Decimal
    interval: Interval
    sign: Sign
    detectable: Decimal | None
    unpaired: Interval
    detectable_unpaired: Decimal | None


class Pairs(Struct, frozen=True, kw_only=True):
    """Two runs of the same samples.

    Attributes:
        n: How many samples both have, with a known cost.
        base: US dollars of those on base.
        head: US dollars of those on head.
        dearer: How many of them cost more on head.
        cheaper: How many cost less.
        difference: head - base; `None` where there is no pair.
        regression: head - (1 + tolerance) × base: above 0, head costs more than is tolerated.
        only_base: Ids that head does not have.
        only_head: Ids that base does not have.
        unknown: Ids of samples that both have, but whose cost is unknown on a side.
    """

    n: int
    base: Decimal
    head: Decimal
    dearer: int
    cheaper: int
    difference: Difference | None = None
    regression: Difference | None = None
    only_base: tuple[str, ...] = ()
    only_head: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def pairs_of(
    base: Iterable[Sample],
    head: Iterable[Sample],
    *,
    tolerance: Decimal = Decimal("0.20"),
    confidence: float = 0.95,
    seed: int = 0,
    resample: bool | None = None,
) -> Pairs:
    """Pair two runs by their samples' ids.

    Args:
        base: The samples as they were.
        head: The samples as they are.
        tolerance: How much more head may cost.
        confidence: Of each bound on its own.
        seed: Of the resampling.
        resample: Whether to use scipy; `None` means where it is installed.
    """
    before, after = {sample.id: sample for sample in base}, {sample.id: sample for sample in head}
    shared = sorted(before.keys() & after.keys())
    pairs = {
        name: (was, now)
        for name in shared
        if (was := before[name].cost) is not None and (now := after[name].cost) is not None
    }
    costs = tuple(pairs.values())
    clusters = _clusters(after[name] for name in pairs)
    plain = (_ONE, EXACT.add(_ONE, tolerance))
    found = [_difference(costs, factor, clusters, confidence, seed, resample) if costs else None for factor in plain]
    return Pairs(
        n=len(costs),
        base=_sum(was for was, _ in costs),
        head=_sum(now for _, now in costs),
        dearer=sum(now > was for was, now in costs),
        cheaper=sum(now < was for was, now in costs),
        difference=found[0],
        regression=found[1],
        only_base=tuple(sorted(before.keys() - after.keys())),
        only_head=tuple(sorted(after.keys() - before.keys())),
        unknown=tuple(name for name in shared if name not in pairs),
    )


def _clusters(samples: Iterable[Sample]) -> tuple[int, ...]:
    """Which unit each sample belongs to; those without a cluster are their own."""
    found: dict[tuple[str, str], int] = {}
    keys = [("sample", sample.id) if sample.cluster is None else ("cluster", sample.cluster) for sample in samples]
    return tuple(found.setdefault(key, len(found)) for key in keys)


def _difference(
    costs: Sequence[tuple[Decimal, Decimal]],
    factor: Decimal,
    clusters: Sequence[int],
    confidence: float,
    seed: int,
    resample: bool | None,  # noqa: FBT001 - handed on by position
) -> Difference:
    now = [after for _, after in costs]
    was = [EXACT.multiply(factor, before) for before, _ in costs]
    paired = [EXACT.subtract(after, before) for after, before in zip(now, was, strict=True)]
    counts, differences, *apart = (_by_unit(clusters, values) for values in ([_ONE] * len(costs), paired, now, was))
    interval = ratio_interval(differences, counts, confidence=confidence, seed=seed, resample=resample)
    enough = len(counts) >= 2  # noqa: PLR2004 - one pair says nothing of its spread
    errors = [ratio_error(values, counts) for values in (differences, *apart)] if enough else None
    mean = _DIVISION.divide(_sum(paired), Decimal(len(costs)))
    return Difference(
        mean=mean,
        interval=interval,
        sign=_sign(interval),
        detectable=None if errors is None else _detectable(errors[0]),
        unpaired=_welch(float(mean), None if errors is None else errors[1:], len(counts), confidence),
        detectable_unpaired=None if errors is None else _detectable(hypot(*errors[1:])),
    )


def _by_unit(clusters: Sequence[int], values: Sequence[Decimal]) -> list[float]:
    sums: dict[int, list[float]] = {unit: [] for unit in clusters}
    for unit, value in zip(clusters, values, strict=True):
        sums[unit].append(float(value))
    return [fsum(parts) for parts in sums.values()]


def _sign(interval: Interval) -> Sign:
    if interval.low is not None and interval.low > 0:
        return "up"
    return "down" if interval.high is not None and interval.high < 0 else "unclear"


def _detectable(error: float) -> Decimal:
    normal = NormalDist()
    return rounded((normal.inv_cdf(0.95) + normal.inv_cdf(0.8)) * error)


def _welch(mean: float, errors: Sequence[float] | None, units: int, confidence: float) -> Interval:
    if errors is None:
        return Interval(low=None, high=None, confidence=confidence, method="none")
    error = hypot(*errors)
    if not error:
        return Interval(low=rounded(mean), high=rounded(mean), confidence=confidence, method="constant")
    freedom = (units - 1) / fsum((part / error) ** 4 for part in errors)
    reach = t_quantile(confidence, freedom) * error
    return Interval(low=rounded(mean - reach), high=rounded(mean + reach), confidence=confidence, method="student")


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
