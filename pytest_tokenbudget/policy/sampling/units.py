"""What is resampled: single samples, clusters of them, or random groups where there are thousands."""

from collections.abc import Iterable, Sequence
from math import fsum
from random import Random
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.sample import Sample

__all__ = ["Unit", "units_of"]

_MOST: Final = 2_000
_GROUPS: Final = 1_000


class Unit(Struct, frozen=True, kw_only=True, gc=False):
    """The sums over samples that are drawn together.

    Attributes:
        cost: US dollars.
        count: How many samples.
        successes: How many of them succeeded.
    """

    cost: float
    count: int
    successes: int


def units_of(samples: Iterable[Sample], seed: int = 0) -> tuple[Unit, ...]:
    """The units of some samples, in an order that the samples' own does not change.

    Samples of one cluster are one unit (Miller, arXiv 2411.00640); a sample without a cluster is its own. More than
    2,000 units are put together at random into 1,000 groups: sums of groups are independent too, have the same mean,
    and take a fraction of the time to resample.

    Args:
        samples: Of known cost.
        seed: Decides which units form a group.
    """
    clusters: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        key = ("sample", sample.id) if sample.cluster is None else ("cluster", sample.cluster)
        clusters.setdefault(key, []).append(sample)
    units = [_unit(clusters[key]) for key in sorted(clusters)]
    if len(units) <= _MOST:
        return tuple(units)
    Random(seed).shuffle(units)  # noqa: S311 - statistics, no secret
    return tuple(_joined(units[start::_GROUPS]) for start in range(_GROUPS))


def _unit(samples: Sequence[Sample]) -> Unit:
    return Unit(
        cost=fsum(float(sample.cost) for sample in samples if sample.cost is not None),
        count=len(samples),
        successes=sum(sample.success for sample in samples),
    )


def _joined(units: Sequence[Unit]) -> Unit:
    return Unit(
        cost=fsum(unit.cost for unit in units),
        count=sum(unit.count for unit in units),
        successes=sum(unit.successes for unit in units),
    )
