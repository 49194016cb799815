"""What two sides of a comparison have in common, whether they were a run or a lock: each task's use, without prices."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.benchmark import BenchmarkRun, Drawn
from pytest_tokenbudget.model.budget import UNLIMITED, Budget, Verdict
from pytest_tokenbudget.model.call import UNKNOWN_STATUSES
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task

__all__ = ["Snapshot", "TaskUse", "snapshot_of_run", "use_of_task"]

_NO_TASKS: Final[Mapping[str, "TaskUse"]] = MappingProxyType({})


class TaskUse(Struct, frozen=True, kw_only=True):
    """What one task used.

    Attributes:
        id: The task.
        portions: Its calls by rate card.
        unknown: How many of its calls have an unknown usage, and are in no portion.
        budget: Its limits, where the side is a run.
        verdict: The decision against them, where the side is a run.
        drifted: The task itself, where the side is a run and calls of it drifted.
        drawn: Its place in a benchmark, where the side is a run and it is a sample.
    """

    id: str
    portions: tuple[Portion, ...]
    unknown: int = 0
    budget: Budget = Budget()
    verdict: Verdict = UNLIMITED
    drifted: Task | None = None
    drawn: Drawn | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """One side.

    Attributes:
        label: What it is, for people: `tokenbudget.lock of 4be01aa`, `.tokenbudget/run.json`.
        commit: The commit that it belongs to, if known.
        counter: What counted its prompt parts.
        tasks: What each task used, by its id.
        partial: Why only a part of the suite ran; empty for all of it, and for a lock.
        incomplete: What went wrong while measuring, in sentences.
        benchmarks: What its benchmarks decided, where the side is a run.
        prices: What a run was priced with, as in `Run.price_table`; empty for a lock, which holds no price.
    """

    label: str
    commit: str | None = None
    counter: str
    tasks: Mapping[str, TaskUse] = _NO_TASKS
    partial: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    benchmarks: tuple[BenchmarkRun, ...] = ()
    prices: str = ""


def snapshot_of_run(run: Run, label: str) -> Snapshot:
    """A run as one side; wider fixtures count as tasks, for what they cost is as real."""
    return Snapshot(
        label=label,
        commit=run.commit,
        counter=run.counter,
        tasks=MappingProxyType({task.id: use_of_task(task) for task in (*run.tasks, *run.fixtures)}),
        partial=run.partial,
        incomplete=run.incomplete,
        benchmarks=run.benchmarks,
        prices=run.price_table,
    )


def use_of_task(task: Task) -> TaskUse:
    """What a task of a run used."""
    unknown = sum(entry.call.status in UNKNOWN_STATUSES for entry in task.calls)
    return TaskUse(
        id=task.id,
        portions=task.portions,
        unknown=unknown,
        budget=task.budget,
        verdict=task.verdict,
        drifted=task if task.totals.drifted else None,
        drawn=task.drawn,
    )
