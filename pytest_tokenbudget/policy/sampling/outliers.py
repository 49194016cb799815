"""Tasks that cost far more than the others.

The rule, on a logarithmic scale, since costs multiply: above the median by more than 3 × 1.4826 × MAD (three standard
deviations, if logarithms were normal), and by more than half of it. At least five tasks that cost something are needed.
"""

from collections.abc import Iterable
from math import log
from statistics import median
from typing import Final

from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.policy.sampling.figures import Costly

__all__ = ["outliers_of"]

_FEWEST: Final = 5
_DEVIATIONS: Final = 3 * 1.4826
_LEAST: Final = log(1.5)


def outliers_of(samples: Iterable[Sample]) -> tuple[Costly, ...]:
    """The outliers, the dearest first; tasks that cost nothing or an unknown amount neither count nor are any."""
    costly = [Costly(id=sample.id, cost=sample.cost) for sample in samples if sample.cost]
    if len(costly) < _FEWEST:
        return ()
    logs = [log(entry.cost) for entry in costly]
    middle = median(logs)
    deviation = median(abs(value - middle) for value in logs)
    reach = max(_DEVIATIONS * deviation, _LEAST)
    above = [entry for entry, value in zip(costly, logs, strict=True) if value - middle > reach * (1 + 1e-12)]
    return tuple(sorted(above, key=lambda entry: (-entry.cost, entry.id)))
