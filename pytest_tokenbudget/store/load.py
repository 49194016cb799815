"""Reading a run file back, also that of a session whose process died."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.benchmark import Drawn
from pytest_tokenbudget.model.budget import LIMITS, Budget, Verdict
from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.money import dollars
from pytest_tokenbudget.model.run import SCHEMA, Recording, Run
from pytest_tokenbudget.model.task import Attempt, Outcome, Stray, Task, TaskCall
from pytest_tokenbudget.store.attempts import died_in, merge_attempts
from pytest_tokenbudget.store.benchmarks import benchmark_from_record
from pytest_tokenbudget.store.portions import portion_from_record
from pytest_tokenbudget.store.records import run_call_from_record
from pytest_tokenbudget.store.regular import read_regular
from pytest_tokenbudget.store.spool import recover_tasks

__all__ = ["BudgetFields", "load_run", "run_from_record", "task_from_json"]

_NO_BUDGET: Final = Budget()


class BudgetFields(msgspec.Struct):
    """A task's limits as its file has them."""

    usd: Decimal | None = None
    tokens: Decimal | None = None
    input_tokens: Decimal | None = None
    output_tokens: Decimal | None = None
    thinking_tokens: Decimal | None = None
    steps: Decimal | None = None
    tokens_per_step: Decimal | None = None
    cache_hit_rate: Decimal | None = None
    seconds: Decimal | None = None
    tolerance: Decimal = _NO_BUDGET.tolerance
    allow_no_calls: bool = False
    origins: dict[str, str] = {}

    def budget(self, workflow: str | None, team: str | None, place: str) -> Budget:
        """The limits, with the labels that stand beside them.

        Raises:
            RunFileError: One is no number that a limit can be.
        """
        for name in (*LIMITS, "tolerance"):
            try:
                dollars(getattr(self, name) or 0)
            except ValueError as error:
                message = f"{place}: its budget's `{name}` is {getattr(self, name)!s:.40}, which no limit can be."
                raise RunFileError(message) from error
        return Budget(
            **{name: getattr(self, name) for name in LIMITS},
            tolerance=self.tolerance,
            allow_no_calls=self.allow_no_calls,
            workflow=workflow,
            team=team,
            origins=tuple(sorted(self.origins.items())),
        )


class _AttemptFields(msgspec.Struct):
    outcome: Outcome
    verdict: Verdict
    calls: list[dict[str, Any]]


class _TaskFields(msgspec.Struct):
    id: str
    outcome: Outcome
    budget: BudgetFields
    verdict: Verdict
    calls: list[dict[str, Any]]
    exchanges: int = 0
    workflow: str | None = None
    team: str | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    strays: tuple[Stray, ...] = ()
    earlier: list[_AttemptFields] = []
    portions: list[dict[str, Any]] = []
    sample: Drawn | None = None


class _RunFields(msgspec.Struct):
    tool_version: str
    as_of: datetime
    as_of_source: str
    price_table: str
    counter: str
    mode: str
    tasks: list[_TaskFields]
    fixtures: list[_TaskFields]
    commit: str | None = None
    unfinished: str | None = None
    partial: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    recordings: tuple[Recording, ...] = ()
    orphans: tuple[str, ...] = ()
    failed: int = 0
    benchmarks: list[dict[str, Any]] = []


def load_run(path: Path) -> Run:
    """Read a run file; of a session whose process died, what it kept up to then.

    Raises:
        RunFileError: There is none, it is cut off, or of another schema; the message says what to do.
    """
    try:
        raw = msgspec.json.decode(read_regular(path))
    except FileNotFoundError as error:
        message = f"{path}: there is no run file. Run pytest first; a run without model calls writes none."
        raise RunFileError(message) from error
    except RecursionError as error:
        raise _unreadable(str(path), ValueError("it is nested too deeply")) from error
    except (OSError, ValueError) as error:  # msgspec's errors, bytes that are no UTF-8, numbers of too many digits
        raise _unreadable(str(path), error) from error
    run = run_from_record(raw, str(path))
    kept = recover_tasks(path, run.unfinished) if run.unfinished else ()
    recovered = merge_attempts(entry.task for entry in kept).values()
    return replace(
        run,
        incomplete=(*run.incomplete, *died_in(recovered)),
        tasks=_sorted((*run.tasks, *(task for task in recovered if task.outcome != "fixture"))),
        fixtures=_sorted((*run.fixtures, *(task for task in recovered if task.outcome == "fixture"))),
    )


def run_from_record(raw: object, place: str) -> Run:
    """Read a run back from the JSON values of its file.

    Args:
        raw: What the file holds.
        place: The file, for messages.

    Raises:
        RunFileError: It is of another schema, or a field is missing or of the wrong type.
    """
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        found = raw.get("schema") if isinstance(raw, dict) else type(raw).__name__
        message = f"{place}: this is {found!r:.80}, not a run file of schema {SCHEMA!r}. Run pytest again to write one."
        raise RunFileError(message)
    try:
        fields = msgspec.convert(raw, _RunFields)
    except msgspec.ValidationError as error:
        raise _unreadable(place, error) from error
    name = Path(place).name
    return Run(
        tool_version=fields.tool_version,
        as_of=fields.as_of,
        as_of_source=fields.as_of_source,
        price_table=fields.price_table,
        counter=fields.counter,
        mode=fields.mode,
        commit=fields.commit,
        unfinished=fields.unfinished,
        partial=fields.partial,
        incomplete=fields.incomplete,
        tasks=_sorted(_load_task(task, f"{name}: {task.id}") for task in fields.tasks),
        fixtures=_sorted(_load_task(task, f"{name}: {task.id}") for task in fields.fixtures),
        recordings=fields.recordings,
        orphans=fields.orphans,
        failed=fields.failed,
        benchmarks=tuple(
            benchmark_from_record(record, f"{name}: benchmarks[{index}]")
            for index, record in enumerate(fields.benchmarks)
        ),
    )


def task_from_json(raw: bytes | msgspec.Raw, place: str) -> Task:
    """Read one task of a run file.

    Args:
        raw: The task as JSON.
        place: The file, for messages.

    Raises:
        RunFileError: A field is missing or of the wrong type.
        msgspec.ValidationError: The same, of the task's own fields.
    """
    fields = msgspec.json.decode(raw, type=_TaskFields)
    return _load_task(fields, f"{place}: {fields.id}")


def _unreadable(place: str, error: Exception) -> RunFileError:
    return RunFileError(f"{place}: the run file cannot be read: {error}. Run pytest again to write a new one.")


def _sorted(tasks: Iterable[Task]) -> tuple[Task, ...]:
    return tuple(sorted(tasks, key=lambda task: task.id))


def _load_task(fields: _TaskFields, place: str) -> Task:
    return Task(
        id=fields.id,
        outcome=fields.outcome,
        calls=_load_calls(fields.calls, place),
        skipped=fields.skipped,
        exchanges=fields.exchanges,
        budget=fields.budget.budget(fields.workflow, fields.team, place),
        verdict=fields.verdict,
        earlier=tuple(
            Attempt(
                outcome=attempt.outcome,
                calls=_load_calls(attempt.calls, place),
                verdict=attempt.verdict,
            )
            for attempt in fields.earlier
        ),
        notes=fields.notes,
        strays=fields.strays,
        portions=tuple(
            portion_from_record(record, place=f"{place}: portions[{index}]")
            for index, record in enumerate(fields.portions)
        ),
        drawn=fields.sample,
    )


def _load_calls(records: Sequence[Mapping[str, Any]], place: str) -> tuple[TaskCall, ...]:
    return tuple(run_call_from_record(record, place=f"{place}: calls[{index}]") for index, record in enumerate(records))
