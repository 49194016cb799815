"""The figures of a benchmark: what its tasks cost, what success costs, and what drove it.

An unknown cost makes every dollar figure unknown; it never counts as $0. What is known is kept beside it.
"""

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from math import fsum, sqrt
from typing import Final

from pytest_tokenbudget.model.figures import INFINITE, Costly, Figures
from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.model.usage import NO_USAGE
from pytest_tokenbudget.policy.sampling.ordering import median, quantile

__all__ = ["INFINITE", "Costly", "Figures", "figures_of", "ideal_steps_of"]


_DIVISION: Final = Context(prec=28)
_WORST: Final = 5
_P10: Final = 0.1


def figures_of(samples: Iterable[Sample], *, ideal_steps: Decimal | None = None) -> Figures:
    """The figures of some samples, whatever their order.

    Args:
        samples: At most once each.
        ideal_steps: The steps that a task should take, above 0.

    Raises:
        ValueError: The ideal is 0 or less.
    """
    if ideal_steps is not None and ideal_steps <= 0:
        message = f"{ideal_steps} ideal steps: a task takes at least some."
        raise ValueError(message)
    every = tuple(samples)
    n = len(every)
    costs = sorted(sample.cost for sample in every if sample.cost is not None)
    known = _sum(costs)
    successes = sum(sample.success for sample in every)
    usage = sum((sample.usage for sample in every), NO_USAGE)
    steps = sum(sample.steps for sample in every)
    complete = n > 0 and len(costs) == n
    return Figures(
        n=n,
        known=known,
        unknown=tuple(sorted(sample.id for sample in every if sample.cost is None)),
        total=known if len(costs) == n else None,
        mean=_ratio(known, n) if complete else None,
        median=median(costs) if complete else None,
        p90=quantile(costs, 0.9) if complete else None,
        p95=quantile(costs, 0.95) if complete else None,
        worst=_worst(every),
        cv=_variation(costs) if complete else None,
        successes=successes,
        success_rate=_ratio(Decimal(successes), n) if n else None,
        per_success=(_ratio(known, successes) if successes else INFINITE) if complete else None,
        usage=usage,
        steps=steps,
        cache_hit_rate=_share(usage.cache_read, usage.total_input),
        token_efficiency=_share(_useful(every), usage.total_input + usage.total_output),
        ideal_steps=ideal_steps,
        step_inflation=_ratio(Decimal(steps), EXACT.multiply(ideal_steps, Decimal(n))) if ideal_steps and n else None,
    )


def ideal_steps_of(history: Iterable[int]) -> Decimal | None:
    """Ideal steps where nobody states them: the p10 of those of tasks that passed; `None` where that is 0 or nothing.

    Args:
        history: Steps of tasks that passed, of earlier runs.
    """
    steps = sorted(Decimal(count) for count in history)
    ideal = quantile(steps, _P10) if steps else ZERO
    return ideal if ideal > 0 else None


def _sum(costs: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for cost in costs:
        total = EXACT.add(total, cost)
    return total


def _ratio(amount: Decimal, count: Decimal | int) -> Decimal:
    return _DIVISION.divide(amount, Decimal(count))


def _share(part: int, whole: int) -> Decimal | None:
    return _ratio(Decimal(part), whole) if whole else None


def _worst(samples: Iterable[Sample]) -> tuple[Costly, ...]:
    priced = [Costly(id=sample.id, cost=sample.cost) for sample in samples if sample.cost is not None]
    return tuple(sorted(priced, key=lambda costly: (-costly.cost, costly.id))[:_WORST])


def _variation(costs: Sequence[Decimal]) -> float | None:
    if len(costs) < 2:  # noqa: PLR2004 - one sample has no spread
        return None
    if costs[0] == costs[-1]:
        return 0.0
    values = [float(cost) for cost in costs]
    mean = fsum(values) / len(values)
    return sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1)) / mean


def _useful(samples: Iterable[Sample]) -> int:
    return sum(max(sample.usage.total_output - sample.failed_output, 0) for sample in samples if sample.success)
