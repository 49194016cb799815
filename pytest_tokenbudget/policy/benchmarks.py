"""A benchmark in a comparison: its samples are folded into one task, whose cost is theirs together.

Nobody decides by one sample of a hundred. What the benchmark costs, why that changed and whether it may are told once;
the samples that both sides measured are compared in pairs.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.benchmark import BenchmarkRun, Drawn
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.model.usage import NO_USAGE
from pytest_tokenbudget.policy.causes import summed
from pytest_tokenbudget.policy.compare import Benched, Comparison, TaskCost, TaskDiff
from pytest_tokenbudget.policy.sampling.pairs import Pairs, pairs_of

__all__ = ["folded"]

_NOT_MEASURED: Final = TaskCost(usd=None, low=None, high=None)


def folded(comparison: Comparison) -> Comparison:
    """Fold the samples of each of head's benchmarks into one task, in the benchmark's name.

    What changed is told of the samples that both sides measured: neither a sample that was not, nor another number of
    them, is a change in cost.
    """
    known = {run.plan.id: run for run in comparison.head.benchmarks}
    if not known:
        return comparison
    before = {} if comparison.base is None else comparison.base.tasks
    every = {**before, **comparison.head.tasks}
    drawn = {name: use.drawn for name, use in every.items() if use.drawn is not None}
    samples: dict[str, list[TaskDiff]] = {}
    rest = []
    for task in comparison.tasks:
        benchmark = drawn[task.id].benchmark if task.id in drawn else _of_base(task, known)
        if benchmark in known:
            samples.setdefault(benchmark, []).append(_measured(task, drawn))
        else:
            rest.append(task)
    rest += [_folded(found, known[name], drawn) for name, found in samples.items()]
    return replace(comparison, tasks=tuple(sorted(rest, key=lambda task: task.id)))


def _measured(task: TaskDiff, drawn: Mapping[str, Drawn]) -> TaskDiff:
    """A sample that was not measured is not there, whatever it cost up to then."""
    place = drawn.get(task.id)
    return replace(task, head=None, causes=()) if place is not None and place.unmeasured else task


def _of_base(task: TaskDiff, known: Mapping[str, BenchmarkRun]) -> str:
    """The benchmark whose sample a task was that is no more: it was called by the test and the sample's key."""
    test, bracket, _ = task.id.partition("[")
    return test if task.head is None and bracket and test in known else ""


def _folded(samples: Sequence[TaskDiff], run: BenchmarkRun, drawn: Mapping[str, Drawn]) -> TaskDiff:
    both = [task for task in samples if task.base is not None and task.head is not None]
    told = both or [task for task in samples if task.head is not None]
    same = all(task.movement == "unchanged" for task in told)
    return TaskDiff(
        id=run.plan.id,
        movement="unchanged" if same and told else "changed" if both else "new",
        base=_together([task.base for task in both if task.base is not None]),
        head=_together([task.head for task in told if task.head is not None]) or _NOT_MEASURED,
        causes=summed(cause for task in both for cause in task.causes),
        budget=Budget(workflow=run.plan.workflow, team=run.plan.team, tolerance=run.plan.tolerance),
        benched=Benched(run=run, pairs=_pairs(samples, run, drawn)),
    )


def _together(costs: Sequence[TaskCost]) -> TaskCost | None:
    if not costs:
        return None
    return TaskCost(
        usd=_sum([cost.usd for cost in costs]),
        low=_sum([cost.low for cost in costs]),
        high=_sum([cost.high for cost in costs]),
        calls=sum(cost.calls for cost in costs),
        drifted=sum(cost.drifted for cost in costs),
        usage=sum((cost.usage for cost in costs), NO_USAGE),
        portions=tuple(portion for cost in costs for portion in cost.portions),
        models=tuple(model for cost in costs for model in cost.models),
    )


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total = EXACT.add(total, amount)
    return total


def _pairs(samples: Sequence[TaskDiff], run: BenchmarkRun, drawn: Mapping[str, Drawn]) -> Pairs | None:
    before = [_sample(task, task.base, drawn) for task in samples if task.base is not None]
    after = [_sample(task, task.head, drawn) for task in samples if task.head is not None]
    if not any(task.base is not None and task.head is not None for task in samples):
        return None
    return pairs_of(before, after, tolerance=run.plan.tolerance, seed=run.plan.seed)


def _sample(task: TaskDiff, cost: TaskCost, drawn: Mapping[str, Drawn]) -> Sample:
    cluster = drawn[task.id].cluster if task.id in drawn else ""
    return Sample(id=task.id, cost=cost.usd, success=True, cluster=cluster or None)
