"""A benchmark as one value: its figures, their intervals, and the verdict."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from pytest_tokenbudget.model.benchmark import Benchmark, Rules
from pytest_tokenbudget.model.figures import Caution, Intervals
from pytest_tokenbudget.model.money import dollars
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.policy.sampling import bootstrap
from pytest_tokenbudget.policy.sampling.early import Decision
from pytest_tokenbudget.policy.sampling.error_rates import error_rates
from pytest_tokenbudget.policy.sampling.figures import Figures, figures_of
from pytest_tokenbudget.policy.sampling.histogram import histogram_of
from pytest_tokenbudget.policy.sampling.intervals import FEWEST_UNITS, mean_interval, per_success_interval
from pytest_tokenbudget.policy.sampling.ordering import quantile_interval
from pytest_tokenbudget.policy.sampling.outliers import outliers_of
from pytest_tokenbudget.policy.sampling.plan import detectable_effect
from pytest_tokenbudget.policy.sampling.slices import slices_of
from pytest_tokenbudget.policy.sampling.spread import independent_cv
from pytest_tokenbudget.policy.sampling.units import units_of
from pytest_tokenbudget.policy.sampling.verdict import judge_benchmark

__all__ = ["Benchmark", "Caution", "Intervals", "benchmark_of"]

_WIDE: Final = 2.0
_LEAST_EFFICIENCY: Final = Decimal("0.18")
_MOST_INFLATION: Final = Decimal("1.4")


def benchmark_of(
    samples: Iterable[Sample],
    budget: Decimal | float | str | None = None,
    *,
    rules: Rules | None = None,
    ideal_steps: Decimal | int | None = None,
    early: Decision | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    resample: bool | None = None,
) -> Benchmark:
    """Judge samples as a benchmark; their order does not matter.

    Args:
        samples: Each task once; one that made no call costs 0.
        budget: US dollars that a task may cost on average; shorthand for `rules=Rules(budget=…)`.
        rules: All that it is held against.
        ideal_steps: The steps that a task should take.
        early: The decision on which an `EarlyStop` stopped it.
        confidence: Of each bound of an interval on its own; 0.95 is what one-sided decisions at 5% need.
        seed: Of the resampling: equal samples and seed give equal figures.
        resample: Whether to bootstrap by scipy; `None` means where it is installed. Without, intervals are Student's
            and say so.

    Raises:
        ValueError: Two samples have one id, the budget is no amount, or there are two budgets.
    """
    every = sorted(samples, key=lambda sample: sample.id)
    _refuse_twice(every)
    held = _rules(budget, rules)
    figures = figures_of(every, ideal_steps=None if ideal_steps is None else Decimal(ideal_steps))
    complete = figures.total is not None and figures.n > 0
    units = units_of(every, seed) if complete else ()
    ordered = sorted(sample.cost for sample in every if sample.cost is not None) if complete else []
    clusters = _clusters(every)
    by_order = ordered if clusters is None else []  # its samples are independent
    found = Intervals(
        mean=mean_interval(units, confidence=confidence, seed=seed, resample=resample),
        per_success=per_success_interval(units, confidence=confidence, seed=seed, resample=resample),
        median=quantile_interval(by_order, 0.5, confidence),
        p90=quantile_interval(by_order, 0.9, confidence),
        p95=quantile_interval(by_order, 0.95, confidence),
    )
    errors = None
    if clusters is None and figures.cv is not None and figures.n >= FEWEST_UNITS and held.budget is not None:
        errors = error_rates(figures.cv, figures.n, float(held.tolerance))
    return Benchmark(
        rules=held,
        figures=figures,
        intervals=found,
        slices=slices_of(every),
        outliers=outliers_of(every),
        histogram=histogram_of(sample.cost for sample in every if sample.cost is not None),
        errors=errors,
        cautions=tuple(_cautions(figures, held, found, len(units), independent_cv(every, figures))),
        verdict=judge_benchmark(
            figures, held, mean=found.mean, per_success=found.per_success, units=len(units), early=early
        ),
        clusters=clusters,
    )


def _clusters(samples: Sequence[Sample]) -> int | None:
    """How many clusters there are, one for each sample that is in none; `None` where all of them are in none."""
    named = {sample.cluster for sample in samples} - {None}
    return len(named) + sum(sample.cluster is None for sample in samples) if named else None


def _refuse_twice(samples: list[Sample]) -> None:
    for one, next_one in pairwise(samples):
        if one.id == next_one.id:
            message = f"two samples have the id {one.id!r}: each task counts once."
            raise ValueError(message)


def _rules(budget: Decimal | float | str | None, rules: Rules | None) -> Rules:
    if rules is None:
        return Rules(budget=None if budget is None else dollars(budget))
    if budget is not None:
        message = "state the budget once: as an argument, or in the rules."
        raise ValueError(message)
    return rules


def _cautions(figures: Figures, rules: Rules, intervals: Intervals, units: int, spread: float | None) -> list[Caution]:
    found: list[Caution] = []
    if figures.cv is not None and figures.cv > _WIDE:
        found.append(Caution(kind="spread", value=figures.cv))
    if spread is not None and figures.n and (seen := detectable_effect(spread, figures.n)) > rules.tolerance:
        found.append(Caution(kind="blunt", value=seen))
    if intervals.mean.method == "student" and units >= FEWEST_UNITS and not bootstrap.available():
        found.append(Caution(kind="no_scipy", value=float(units)))
    if figures.n >= FEWEST_UNITS > units > 0:
        found.append(Caution(kind="few_clusters", value=float(units)))
    efficiency, inflation = figures.token_efficiency, figures.step_inflation
    if efficiency is not None and efficiency <= _LEAST_EFFICIENCY:
        found.append(Caution(kind="token_efficiency", value=float(efficiency)))
    if inflation is not None and inflation >= _MOST_INFLATION:
        found.append(Caution(kind="step_inflation", value=float(inflation)))
    return found
