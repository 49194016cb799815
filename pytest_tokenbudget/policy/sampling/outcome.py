"""What came of a benchmark: its tasks as samples, in the order of the draw, judged by what was asked of it."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from pytest_tokenbudget.model.benchmark import NO_CALLS, BenchmarkPlan, BenchmarkRun, Decision, Rules
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.sampling.benchmark import benchmark_of
from pytest_tokenbudget.policy.sampling.early import EarlyStop, Stopping
from pytest_tokenbudget.policy.sampling.failures import failures_of
from pytest_tokenbudget.policy.sampling.tasks import samples_of
from pytest_tokenbudget.policy.unknowns import unknown_price_reasons, unknown_usage_reasons

__all__ = ["outcome_of", "sample_of", "stopping_of"]

_MOST_REASONS = 3


def outcome_of(
    plan: BenchmarkPlan, tasks: Iterable[Task], *, partial: Sequence[str] = (), warns: bool = False
) -> BenchmarkRun:
    """Judge a benchmark by the tasks of a run; their order does not matter.

    Where samples are missing, those that were measured before the first one that is missing may still have decided, for
    they are the beginning of a random draw. A selection of somebody's is none. A sample without a model call costs
    nothing; where there is no call in any of them, nothing was measured.

    Args:
        plan: What was asked.
        tasks: The run's tasks; those of other benchmarks, and of none, are passed over.
        partial: Why only a part of the suite ran, such as `-k`: it may have left out samples.
        warns: Whether an unknown cost only warns.
    """
    drawn = sorted(
        (task for task in tasks if task.drawn is not None and task.drawn.benchmark == plan.id),
        key=lambda task: (task.drawn.place if task.drawn else 0, task.id),
    )
    chosen = tuple(partial) if len(drawn) < plan.samples else ()
    placed = [(task.drawn.place, sample) for task in drawn if task.drawn and (sample := sample_of(task)) is not None]
    reasons = {task.drawn.unmeasured for task in drawn if task.drawn and task.drawn.unmeasured}
    if placed and not any(task.exchanges or task.strays for task in drawn):
        placed, reasons = [], {*reasons, NO_CALLS}
    complete = len(placed) >= plan.samples
    rules = Rules(
        budget=plan.usd,
        per_success=plan.usd_per_success,
        tolerance=plan.tolerance,
        rule=plan.rule,
        planned=plan.samples,
        partial=() if complete else chosen,
        unknown="inconclusive" if warns else "block",
    )
    result = benchmark_of(
        (sample for _, sample in placed),
        rules=rules,
        ideal_steps=plan.ideal_steps,
        early=None if complete or chosen else _decided(plan, placed),
        seed=plan.seed,
    )
    unmeasured = tuple(sorted(reasons))
    unknown = _unknown(drawn) if result.figures.unknown else ()
    failures = failures_of(task.drawn.failure for task in drawn if task.drawn)
    return BenchmarkRun(plan=plan, result=result, unmeasured=unmeasured, unknown=unknown, failures=failures)


def _unknown(tasks: Iterable[Task]) -> tuple[str, ...]:
    """Why costs are unknown, each reason once."""
    calls = [entry for task in tasks if task.totals.unknown for entry in task.calls]
    reasons = (*unknown_usage_reasons(calls, lenient=False), *unknown_price_reasons(calls, lenient=False))
    return tuple(dict.fromkeys(text for _, text in reasons))[:_MOST_REASONS]


def sample_of(task: Task) -> Sample | None:
    """A task as a sample; `None` where it is none, or was not measured."""
    if task.drawn is None or task.drawn.unmeasured:
        return None
    found = next(iter(samples_of([task])), None)
    return None if found is None else replace(found, cluster=task.drawn.cluster or None)


def stopping_of(plan: BenchmarkPlan) -> Stopping:
    """What a benchmark is held against while it runs."""
    return Stopping(
        budget=plan.usd,
        per_success=plan.usd_per_success,
        tolerance=plan.tolerance,
        planned=plan.samples,
        spend=plan.spend,
    )


def _decided(plan: BenchmarkPlan, placed: Sequence[tuple[int, Sample]]) -> Decision | None:
    early = EarlyStop(stopping_of(plan))
    for expected, (place, sample) in enumerate(placed):
        if place != expected:
            return None
        if (decision := early.add(sample, paid=Decimal(0))) is not None:
            return decision
    return None
