"""What a comparison needs of a run file; the calls, which are nearly all of it, are passed over unread.

A task's portions are the sums of its calls. The calls themselves are read only where a part of them is not in those
sums: where one drifted, or is of unknown cost or usage.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Raw, Struct

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.benchmark import Drawn
from pytest_tokenbudget.model.budget import Verdict
from pytest_tokenbudget.model.money import dollars
from pytest_tokenbudget.model.run import SCHEMA, Recording, Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.snapshot import Snapshot, TaskUse, snapshot_of_run, use_of_task
from pytest_tokenbudget.store.benchmarks import benchmark_from_record
from pytest_tokenbudget.store.load import BudgetFields, load_run, task_from_json
from pytest_tokenbudget.store.portions import PortionFields, portion_of
from pytest_tokenbudget.store.regular import read_regular

__all__ = ["Judged", "judged_of_run", "load_judged"]


class Judged(Struct, frozen=True, kw_only=True):
    """A run as a comparison reads it.

    Attributes:
        side: What its tasks used.
        as_of: The instant whose prices were used.
        as_of_source: Who chose it.
        paid: US dollars that the run really paid; `None` where unknown.
        foreign: Recordings that are not ours to make: pytest-recording's, or the user's own.
    """

    side: Snapshot
    as_of: datetime
    as_of_source: str
    paid: Decimal | None
    foreign: frozenset[str]


class _Totals(Struct):
    incurred_usd: str | None


class _Run(Struct):
    schema: str
    as_of: datetime
    as_of_source: str
    counter: str
    price_table: str
    totals: _Totals
    tasks: list[Raw]
    fixtures: list[Raw]
    commit: str | None = None
    unfinished: str | None = None
    partial: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    recordings: tuple[Recording, ...] = ()
    benchmarks: list[dict[str, Any]] = []


class _Task(Struct):
    id: str
    budget: BudgetFields
    verdict: Verdict
    call_count: int
    drifted: int
    unknown: int
    portions: list[PortionFields] = []
    workflow: str | None = None
    team: str | None = None
    sample: Drawn | None = None


_run = msgspec.json.Decoder(_Run)
_task = msgspec.json.Decoder(_Task)


def load_judged(path: Path) -> Judged:
    """Read what a comparison needs of a run file.

    Raises:
        RunFileError: There is none, it is cut off, of another schema, or contradicts itself; the message says what.
    """
    try:
        fields = _run.decode(read_regular(path))
        if fields.schema == SCHEMA and fields.unfinished is None:
            uses = [_use(raw, path.name) for raw in (*fields.tasks, *fields.fixtures)]
            return _judged(fields, uses, path.name)
    except (OSError, ValueError, RecursionError):  # reading all of it says what is wrong
        pass
    return judged_of_run(load_run(path), path.name)


def judged_of_run(run: Run, label: str) -> Judged:
    """A run that was read whole.

    Args:
        run: It.
        label: What to call it.
    """
    return Judged(
        side=snapshot_of_run(run, label),
        as_of=run.as_of,
        as_of_source=run.as_of_source,
        paid=None if run.totals.unknown_sent else run.totals.incurred,
        foreign=_foreign(run.recordings),
    )


def _judged(fields: _Run, uses: Sequence[TaskUse], label: str) -> Judged:
    paid = fields.totals.incurred_usd
    tasks = {use.id: use for use in uses}
    if len(tasks) < len(uses):
        name = next(name for name, count in Counter(use.id for use in uses).items() if count > 1)
        raise _contradicting(label, name, "two tasks have this name")
    return Judged(
        side=Snapshot(
            label=label,
            commit=fields.commit,
            counter=fields.counter,
            tasks=MappingProxyType(tasks),
            partial=fields.partial,
            incomplete=fields.incomplete,
            benchmarks=tuple(benchmark_from_record(record, label) for record in fields.benchmarks),
            prices=fields.price_table,
        ),
        as_of=fields.as_of,
        as_of_source=fields.as_of_source,
        paid=None if paid is None else dollars(paid),
        foreign=_foreign(fields.recordings),
    )


def _use(raw: Raw, place: str) -> TaskUse:
    fields = _task.decode(raw)
    if fields.drifted or fields.unknown or fields.call_count != sum(portion.calls for portion in fields.portions):
        return _use_of_calls(task_from_json(raw, place), place)
    return TaskUse(
        id=fields.id,
        portions=tuple(map(portion_of, fields.portions)),
        budget=fields.budget.budget(fields.workflow, fields.team, f"{place}: {fields.id}"),
        verdict=fields.verdict,
        drawn=fields.sample,
    )


def _use_of_calls(task: Task, place: str) -> TaskUse:
    """What a task used some of whose calls are in no sum: all others must be, or they would cost nothing."""
    if not task.adds_up:
        raise _contradicting(place, task.id, "its `portions` are not the sums of its calls")
    return use_of_task(task)


def _contradicting(place: str, task: str, why: str) -> RunFileError:
    return RunFileError(f"{place}: {task}: {why}. Run pytest again to write the run file anew.")


def _foreign(recordings: Sequence[Recording]) -> frozenset[str]:
    return frozenset(recording.source for recording in recordings if not recording.own)
