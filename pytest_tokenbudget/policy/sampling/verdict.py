"""May this be released: a benchmark held against its budgets, by the point rule or by the confident one.

point (the default): the mean of what was measured is above budget × (1 + tolerance), or it is not; equal passes.
confident: blocks only where the whole interval is above that, passes only where it is not above, else more samples are
needed. A part of the samples decides nothing, unless what it spent already breaks the budget of all of them. An unknown
cost never passes. No success at all means infinite dollars per success, which blocks.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import ceil
from typing import Final, Literal

from pytest_tokenbudget.model.benchmark import BenchmarkState, BenchmarkVerdict, Ground, Rules, Why
from pytest_tokenbudget.model.money import EXACT
from pytest_tokenbudget.policy.sampling.early import Decision
from pytest_tokenbudget.policy.sampling.figures import INFINITE, Figures
from pytest_tokenbudget.policy.sampling.interval import Interval
from pytest_tokenbudget.policy.sampling.intervals import FEWEST_UNITS

__all__ = ["judge_benchmark"]

_ONE: Final = Decimal(1)


def judge_benchmark(
    figures: Figures,
    rules: Rules,
    *,
    mean: Interval,
    per_success: Interval,
    units: int | None = None,
    early: Decision | None = None,
) -> BenchmarkVerdict:
    """Decide on a benchmark.

    Args:
        figures: What was measured.
        rules: What it is held against.
        mean: The interval of the mean.
        per_success: The interval of dollars per success.
        units: How many independent samples, or clusters of them, the intervals rest on; by default all samples.
        early: The decision on which it stopped; it counts only where fewer samples than planned were taken.
    """
    stopped = early if early is not None and not rules.partial and figures.n < early.of else None
    grounds = tuple(_grounds(figures, rules, (mean, per_success), figures.n if units is None else units, stopped))
    states = {ground.state for ground in grounds}
    state: BenchmarkState = "block" if "block" in states else "inconclusive" if "inconclusive" in states else "pass"
    return BenchmarkVerdict(state=state, rule=rules.rule, grounds=grounds, early=stopped)


def _grounds(
    figures: Figures, rules: Rules, intervals: Sequence[Interval], units: int, early: Decision | None
) -> Iterator[Ground]:
    n = figures.n
    missing = max((rules.planned or 0) - n, 0)
    if rules.partial:
        yield Ground(measure="samples", state="inconclusive", why="partial", n=n, needed=missing or None)
    elif not n:
        yield Ground(measure="samples", state="inconclusive", why="no_samples", n=n, needed=missing or None)
    elif early is not None:
        yield _stopped(figures, rules, early)
    elif missing:
        spent = _broken(figures, rules, rules.planned or n)
        yield spent or Ground(measure="samples", state="inconclusive", why="unfinished", n=n, needed=missing)
    else:
        yield from _of_budgets(figures, rules, intervals, units)


def _stopped(figures: Figures, rules: Rules, early: Decision) -> Ground:
    by_success = early.kind == "evidence_per_success"
    return Ground(
        measure="per_success" if by_success else "samples" if early.kind == "spent" else "mean",
        state=early.state,
        why="early",
        n=figures.n,
        value=figures.per_success if by_success else figures.mean,
        budget=rules.per_success if by_success else rules.budget,
        limit=early.limit,
        needed=early.of - early.at if early.state == "inconclusive" else None,
    )


def _broken(figures: Figures, rules: Rules, samples: int) -> Ground | None:
    """That what is known already breaks the budget of so many samples, whatever the rest of them cost."""
    limit = _limit(rules.budget, rules.tolerance)
    if limit is None or figures.known <= EXACT.multiply(limit, Decimal(samples)):
        return None
    return Ground(
        measure="mean",
        state="block",
        why="above",
        n=figures.n,
        value=figures.mean,
        budget=rules.budget,
        limit=limit,
    )


def _of_budgets(figures: Figures, rules: Rules, intervals: Sequence[Interval], units: int) -> Iterator[Ground]:
    if figures.unknown:
        broken = _broken(figures, rules, figures.n)
        yield broken or Ground(measure="samples", state=rules.unknown, why="unknown_cost", n=figures.n)
        return
    if not figures.successes:
        yield Ground(
            measure="per_success",
            state="block",
            why="no_success",
            n=figures.n,
            value=INFINITE,
            budget=rules.per_success,
            limit=_limit(rules.per_success, rules.tolerance),
        )
    of_mean, of_success = intervals
    if rules.budget is not None:
        yield _held("mean", figures, figures.n, rules.budget, rules, of_mean, units)
    if rules.per_success is not None and figures.successes:
        yield _held("per_success", figures, figures.successes, rules.per_success, rules, of_success, units)
    if rules.budget is None and rules.per_success is None and figures.successes:
        yield Ground(measure="mean", state="pass", why="no_budget", n=figures.n, value=figures.mean)


def _held(
    measure: Literal["mean", "per_success"],
    figures: Figures,
    count: int,
    budget: Decimal,
    rules: Rules,
    interval: Interval,
    units: int,
) -> Ground:
    limit = EXACT.multiply(budget, EXACT.add(_ONE, rules.tolerance))
    # products are exact, quotients are not
    within = figures.known <= EXACT.multiply(budget, Decimal(count))
    above = figures.known > EXACT.multiply(limit, Decimal(count))
    state: BenchmarkState = "block" if above else "pass"
    why: Why = "above" if above else "within" if within else "tolerated"
    value = figures.mean if measure == "mean" else figures.per_success
    needed = None
    if rules.rule == "confident":
        low, high = interval.low, interval.high
        clear = (low is not None and low > limit) if above else (high is not None and high <= limit)
        if units < FEWEST_UNITS:
            state, why, needed = "inconclusive", "few_samples", ceil(figures.n * FEWEST_UNITS / units) - figures.n
        elif not clear:
            state, why, needed = "inconclusive", "straddles", _needed(figures.n, value, limit, low if above else high)
    return Ground(
        measure=measure,
        state=state,
        why=why,
        n=figures.n,
        value=value,
        budget=budget,
        limit=limit,
        low=interval.low,
        high=interval.high,
        needed=needed,
    )


def _needed(n: int, value: Decimal | None, limit: Decimal, bound: Decimal | None) -> int | None:
    """An interval narrows with the root of n: how many more samples until it ends at the limit."""
    if value is None or bound is None or value == limit:
        return None
    reach, margin = abs(float(bound) - float(value)), abs(float(value) - float(limit))
    return max(ceil(n * (reach / margin) ** 2) - n, 1) if margin else None


def _limit(budget: Decimal | None, tolerance: Decimal) -> Decimal | None:
    return None if budget is None else EXACT.multiply(budget, EXACT.add(_ONE, tolerance))
