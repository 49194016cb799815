"""Limits from evidence: what recorded runs took, with a margin, rounded up to numbers that a person would write.

A limit is suggested only where every run tells what the task took. A task that died, failed before its end, drifted or
has an unknown cost is named, with the reason, instead of being given a limit that is too low. A benchmark is one entry:
its limits are for the mean of its samples and for a success, and none judges a single sample.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Context, Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.benchmark import BenchmarkRun
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.money import EXACT
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task

__all__ = ["PER_SUCCESS", "SUGGESTED", "Evidence", "Suggestion", "rounded_up", "suggest"]

SUGGESTED: Final = ("usd", "tokens", "steps")
"""The limits that are suggested: what a task costs, how much it says, how often it asks."""

PER_SUCCESS: Final = "usd_per_success"
"""The limit that is suggested for a benchmark beside `usd`; its place is the marker `token_benchmark`."""

_WHOLE: Final = frozenset({"tokens", "steps"})
_DIGITS: Final = 2
_ONE: Final = Decimal(1)
_DIVISION: Final = Context(prec=28)
_BROKEN: Final = frozenset({"blocked", "critical"})
_OUTCOMES: Final = {
    "died": "its process died",
    "skipped": "it was skipped",
    "xfailed": "it failed, as expected: its calls may not be all",
    "rerun": "it was not finished",
}


class Evidence(Struct, frozen=True, kw_only=True):
    """What the runs took of one thing, and the limit that follows.

    Attributes:
        limit: The limit's name.
        low: The least that a run took.
        high: The most.
        suggested: The limit.
        bound: The limit that the task has now, `None` where it has none.
    """

    limit: str
    low: Decimal
    high: Decimal
    suggested: Decimal
    bound: Decimal | None = None

    @property
    def headroom(self) -> Decimal | None:
        """The share of the limit of now that the most expensive run left over; negative where it went above."""
        if self.bound is None or not self.bound:
            return None
        return _DIVISION.subtract(_ONE, _DIVISION.divide(self.high, self.bound))


class Suggestion(Struct, frozen=True, kw_only=True):
    """What is suggested for one task.

    Attributes:
        task: Its node id.
        runs: How many runs have it.
        evidence: A limit for each thing that it took anything of; empty where nothing is suggested.
        reason: Why nothing is suggested, otherwise empty.
        budget: Its limits in the last run that has it.
        is_benchmark: Whether it is a benchmark, and not a task: its limits are for the mean of its samples.
    """

    task: str
    runs: int
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""
    budget: Budget = Budget()
    is_benchmark: bool = False


def suggest(runs: Sequence[Run], margin: Decimal) -> tuple[Suggestion, ...]:
    """Suggest limits for every task of some runs, and for every benchmark instead of its samples, by node id.

    Args:
        runs: Recorded runs, the oldest first.
        margin: What is added to the most that a run took, as a share: 0.2 is 20%.
    """
    found: dict[str, list[Task]] = {}
    for run in runs:
        for task in run.tasks:
            if task.drawn is None:
                found.setdefault(task.id, []).append(task)
    suggestions = [_suggestion(task, tasks, margin) for task, tasks in found.items()]
    benchmarks: dict[str, list[BenchmarkRun]] = {}
    for run in runs:
        for benchmark in run.benchmarks:
            benchmarks.setdefault(benchmark.plan.id, []).append(benchmark)
    suggestions += [_of_benchmark(name, measured, margin) for name, measured in benchmarks.items()]
    return tuple(sorted(suggestions, key=lambda suggestion: suggestion.task))


def _of_benchmark(name: str, runs: Sequence[BenchmarkRun], margin: Decimal) -> Suggestion:
    reasons = dict.fromkeys(reason for run in runs if (reason := _reason_of_benchmark(run)))
    if reasons:
        return Suggestion(task=name, runs=len(runs), reason="; ".join(reasons), is_benchmark=True)
    figures, plan = [run.result.figures for run in runs], runs[-1].plan
    means = [each.mean for each in figures if each.mean is not None]
    successes = [each.per_success for each in figures if each.per_success is not None and each.per_success.is_finite()]
    evidence = [_evidence("usd", means, margin, plan.usd)]
    if len(successes) == len(runs):
        evidence.append(_evidence(PER_SUCCESS, successes, margin, plan.usd_per_success))
    return Suggestion(task=name, runs=len(runs), evidence=tuple(evidence), is_benchmark=True)


def _reason_of_benchmark(run: BenchmarkRun) -> str:
    """Why a benchmark's figures are no evidence; empty where they are."""
    figures = run.result.figures
    if figures.n < run.plan.samples:
        return f"{figures.n} of its {run.plan.samples} samples were measured"
    if figures.unknown or figures.mean is None:
        return f"the cost of {len(figures.unknown)} of its samples is unknown"
    return "" if figures.mean else "its samples cost nothing"


def _suggestion(task_id: str, tasks: Sequence[Task], margin: Decimal) -> Suggestion:
    budget = tasks[-1].budget
    reasons = dict.fromkeys(reason for task in tasks if (reason := _reason(task)))
    if reasons:
        return Suggestion(task=task_id, runs=len(tasks), reason="; ".join(reasons), budget=budget)
    evidence = tuple(
        _evidence(limit, values, margin, getattr(budget, limit))
        for limit in SUGGESTED
        if max(values := [_value(limit, task) for task in tasks]) > 0
    )
    reason = "" if evidence else "its calls cost nothing and took no tokens"
    return Suggestion(task=task_id, runs=len(tasks), evidence=evidence, reason=reason, budget=budget)


def _evidence(limit: str, values: Sequence[Decimal], margin: Decimal, bound: Decimal | None) -> Evidence:
    suggested = rounded_up(EXACT.multiply(max(values), EXACT.add(_ONE, margin)), whole=limit in _WHOLE)
    return Evidence(limit=limit, low=min(values), high=max(values), suggested=suggested, bound=bound)


def _reason(task: Task) -> str:
    """Why a task's figures are no evidence; empty where they are."""
    totals = task.totals
    if task.outcome in _OUTCOMES:
        return _OUTCOMES[task.outcome]
    if task.outcome == "failed" and task.verdict.state not in _BROKEN:
        return "it failed: its calls may not be all"
    if task.exchanges != totals.calls + len(task.skipped):
        return "not every exchange could be read"
    if not totals.calls:
        return "it made no model call"
    if totals.drifted:
        return f"{totals.drifted} of its calls drifted from their recording"
    if totals.unknown:
        return f"{totals.unknown} of its calls have an unknown cost"
    return ""


def _value(limit: str, task: Task) -> Decimal:
    totals = task.totals
    match limit:
        case "usd":
            return totals.known
        case "tokens":
            return Decimal(totals.usage.total)
        case _:
            return Decimal(totals.steps)


def rounded_up(value: Decimal, *, whole: bool = False) -> Decimal:
    """The next number upwards with two significant digits: 0.0437 is 0.044, 25,311 is 26,000; at most 10% more.

    Args:
        value: Above 0.
        whole: Whether the number must be whole.
    """
    exponent = value.adjusted() - _DIGITS + 1
    step = _ONE.scaleb(max(exponent, 0) if whole else exponent)
    rounded = value.quantize(step, rounding=ROUND_CEILING, context=EXACT)
    return Decimal(f"{rounded.normalize(EXACT):f}")
