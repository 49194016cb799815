"""How far a mean may be off, as the spread that as many independent samples would need for it."""

from collections.abc import Sequence
from math import sqrt

from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.policy.sampling.figures import Figures
from pytest_tokenbudget.policy.sampling.student import ratio_error
from pytest_tokenbudget.policy.sampling.units import units_of

__all__ = ["independent_cv"]


def independent_cv(samples: Sequence[Sample], figures: Figures) -> float | None:
    """The coefficient of variation that as many independent samples would have, were their mean as uncertain as this.

    Without clusters it is that of the costs. With them, it follows from the cluster-robust error of the mean: samples
    of one customer tell less than as many of different ones.

    Args:
        samples: The samples.
        figures: Their figures.

    Returns:
        It; `None` where the costs' own is unknown, or there is but one cluster.
    """
    if figures.cv is None or not figures.mean or all(sample.cluster is None for sample in samples):
        return figures.cv
    units = units_of(samples)
    if len(units) < 2:  # noqa: PLR2004 - one cluster says nothing of others
        return None
    error = ratio_error([unit.cost for unit in units], [float(unit.count) for unit in units])
    return error / float(figures.mean) * sqrt(figures.n)
