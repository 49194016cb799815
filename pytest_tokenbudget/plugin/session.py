"""One test session: its settings, its meter, and the run that comes out of it. Knows no pytest."""

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from os import getpid
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget import __version__
from pytest_tokenbudget.config.limits import Statement
from pytest_tokenbudget.config.precedence import resolve_budget
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.meter.session import OUTSIDE, Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.run import INTERRUPTED, Run
from pytest_tokenbudget.model.task import Outcome, Stray, Task, TaskCall
from pytest_tokenbudget.plugin.gathering import Gathering
from pytest_tokenbudget.plugin.sampling import Sampling
from pytest_tokenbudget.policy.budget import Leniency
from pytest_tokenbudget.policy.contradictions import contradictions
from pytest_tokenbudget.policy.hygiene import recordings_of
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.store.runfile import write_run
from pytest_tokenbudget.store.sampled import SampleBoard
from pytest_tokenbudget.store.spool import Spool, clear_spools, recover_tasks
from pytest_tokenbudget.tokens import COUNTER, count
from pytest_tokenbudget.wire import read

__all__ = ["Session", "new_session_name"]

_MAIN: Final = "main"
_UNFINISHED: Final = (
    "The session has not finished: what it had measured up to then is kept beside this file and read with it."
)


def new_session_name() -> str:
    """A name that no other session of this machine has."""
    return f"{time.time_ns():x}-{getpid():x}"


class Session:
    """What is measured in one process, and (in the process that reports) collected from all of them.

    Attributes:
        settings: The session's settings.
        meter: Takes in exchanges.
        gathered: The tasks of every process, in the one that reports.
        partial: Why only a part of the suite ran.
        failed: How many tests failed, measured or not.
        sampling: Its benchmarks.
    """

    def __init__(self, root: Path, settings: Settings, *, name: str, worker: str) -> None:
        """Prepare a session; nothing is written before the first call.

        Args:
            root: The project's root.
            settings: The session's settings.
            name: The session's name, the same in every worker.
            worker: This process's name.
        """
        self.settings = settings
        self.worker = worker
        self.out = root / settings.out
        self._root = root
        self._name = name
        self._prices = PriceTable.of(settings)
        self._spool = Spool(self.out, name, worker, self._announce)
        self._leniency = Leniency(
            unknown_model=settings.unknown_model != "error", missing_usage=settings.missing_usage != "error"
        )
        outside = OUTSIDE if worker == _MAIN else f"{OUTSIDE} [{worker}]"
        stops = settings.drift == "error"
        self.meter = Meter(
            self._read, self._keep, outside, self._prices.charge, keep_stray=self._keep_stray, stops_drift=stops
        )
        self._marked: dict[str, Sequence[Statement]] = {}
        self.sampling = Sampling(settings, SampleBoard(self.out, name))
        self._running: TaskMeter | None = None
        self._ended: dict[str, TaskMeter] = {}
        self._executions: Counter[str] = Counter()
        self._closed: list[Task] = []
        self.gathered = Gathering()
        self.partial: list[str] = []
        self.failed = 0

    def _read(self, exchange: Exchange) -> Call | Skipped:
        found = read(exchange, count)
        if not isinstance(found, Call):
            return self._prices.external(exchange) or found
        # of a drifted request, the recorded answer's usage is another's
        wrong = tuple(contradictions(found, exchange)) if exchange.obtained == "replayed" else ()
        return found.noted(*wrong) if wrong else found

    def _keep(self, task: TaskMeter, entry: TaskCall) -> None:
        self._spool.keep(task.id, entry, is_fixture=task.is_fixture, drawn=task.drawn)

    def _keep_stray(self, task: TaskMeter, stray: Stray) -> None:
        self._spool.stray(task.id, stray, is_fixture=task.is_fixture)

    @property
    def has_marked(self) -> bool:
        """Whether any test is marked."""
        return bool(self._marked)

    def mark(self, task_id: str, statements: Sequence[Statement]) -> None:
        """Take what a task's markers state."""
        self._marked[task_id] = statements

    def marks_of(self, task_id: str) -> Sequence[Statement] | None:
        """What a task's markers state; `None` where it has none."""
        return self._marked.get(task_id)

    def remark(self, task: TaskMeter, statements: Sequence[Statement]) -> None:
        """Take what markers state that were added while the task was running."""
        self._marked[task.id] = statements
        task.replays = True
        budget, named = self._budget(task.id, statements)
        task.name(budget, named=named)

    def _budget(self, task_id: str, statements: Sequence[Statement]) -> tuple[Budget, bool]:
        drawn = self.sampling.of(task_id)
        if drawn is not None:
            budget, _ = resolve_budget(self.settings, drawn.benchmark, statements)
            return Budget(workflow=budget.workflow, team=budget.team), False
        return resolve_budget(self.settings, task_id, statements)

    def start(self, task_id: str) -> TaskMeter:
        """Begin a task, or another attempt at one that ended."""
        task = self._ended.pop(task_id, None)
        if task is not None:
            task.restart()
        else:
            budget, named = self._budget(task_id, self._marked.get(task_id, ()))
            task = TaskMeter(task_id, budget, named=named, leniency=self._leniency)
            task.replays = task_id in self._marked
        task.drawn = self.sampling.of(task_id)  # an attempt that could not be measured says nothing of the next one
        self.meter.enter(task)
        self._running = task
        return task

    def task_of(self, task_id: str) -> TaskMeter:
        """The running task; begun now, where measuring began in the middle of a test."""
        running = self._running
        return running if running is not None and running.id == task_id else self.start(task_id)

    def end(self, task: TaskMeter, outcome: Outcome) -> Task:
        """End an attempt at a task."""
        self.meter.enter(None)
        self._running = None
        if task.exchanges or task.strays or task.opened or task.budget.limits():
            self._ended[task.id] = task
        closed = self._summed(task.close(outcome))
        self._keep_outcome(task.id, outcome)
        self._closed.append(closed)
        self.sampling.ended(closed)
        return closed

    def fixture(self, name: str, kind: str) -> TaskMeter:
        """A meter for one execution of a fixture that is wider than a test; workers each execute their own."""
        self._executions[name] += 1
        count = self._executions[name]
        words = [kind, *([f"execution {count}"] if count > 1 else []), *([] if self.worker == _MAIN else [self.worker])]
        return TaskMeter(f"{name} [{', '.join(words)}]", is_fixture=True)

    def end_fixture(self, task: TaskMeter) -> None:
        """End a wider fixture; one that made no call leaves no trace."""
        if task.exchanges or task.strays or task.opened:
            self._keep_outcome(task.id, "fixture")
            self._closed.append(self._summed(task.close("fixture")))

    def _summed(self, task: Task) -> Task:
        """With its calls by rate card: what a comparison reads."""
        if not task.calls:
            return task
        return replace(task, portions=portions((entry.call for entry in task.calls), self._prices.above))

    def _keep_outcome(self, task_id: str, outcome: Outcome) -> None:
        try:
            self._spool.ended(task_id, outcome)
        except OSError:
            return  # the calls are in memory; a full disk shows when the run file is written

    def ship(self) -> str:
        """The tasks that ended since the last time, as text for the process that reports; empty if none matters."""
        tasks = (task for task in self._closed if _matters(task) or task.id in self._marked)
        text = self.gathered.pack(self.worker, tasks, self.sampling.ship(), for_itself=self.worker == _MAIN)
        self._closed.clear()
        return text

    def ship_rest(self) -> str:
        """What is left when the session ends: a test that was interrupted, calls outside of any test."""
        if self._running is not None:
            self.end(self._running, "died")
        self.end_fixture(self.meter.outside)
        self.meter.forget()
        self._spool.close()
        return self.ship()

    def collect(self, parcel: str) -> None:
        """Take in tasks that ended, in the process that reports."""
        self.sampling.collected(self.gathered.collect(parcel), self.gathered.plans)

    def finish(self) -> Run | None:
        """The run, if anything was measured, or if somebody waits for it.

        Somebody does who said where to write it; and where the session ended before a test ran, whoever reads the run
        file of the one before must not take it for this one's.
        """
        own = self.worker if self._spool.holds_only(self.gathered.entries(self.worker)) else None
        self.gathered.recover(recover_tasks(self.out, self._name, without=own))
        awaited = self.settings.out != Settings().out or (INTERRUPTED in self.partial and self.out.exists())
        return self._run() if self.gathered.tasks() or awaited else None

    def write(self, run: Run) -> None:
        """Write the run file, and drop what was kept until then.

        Raises:
            RunFileError: It cannot be written.
        """
        write_run(self.out, run)
        clear_spools(self.out, self._name)

    def _announce(self) -> None:
        try:
            write_run(self.out, self._run(unfinished=self._name))
        except RunFileError as error:
            raise OSError(str(error)) from error

    def _run(self, unfinished: str | None = None) -> Run:
        tasks = self.gathered.tasks()
        partial = (*self.partial, *self.gathered.partial())
        plans = () if unfinished else self.gathered.plans()
        return Run(
            tool_version=__version__,
            as_of=self._prices.as_of,
            as_of_source=self._prices.as_of_source,
            price_table=self._prices.identity,
            counter=COUNTER,
            mode=self.settings.mode,
            unfinished=unfinished,
            commit=None if unfinished else _commit(self._root),
            partial=partial,
            incomplete=(*([_UNFINISHED] if unfinished else ()), *self.gathered.incomplete()),
            tasks=tuple(task for task in tasks if task.outcome != "fixture"),
            fixtures=tuple(task for task in tasks if task.outcome == "fixture"),
            recordings=recordings_of(tasks),
            orphans=() if unfinished else self.gathered.orphans(),
            failed=self.failed,
            benchmarks=self.sampling.outcomes(plans, tasks, partial),
        )


def _matters(task: Task) -> bool:
    return bool(task.exchanges or task.strays or task.opened or task.earlier or task.budget.limits())


def _commit(root: Path, run: Callable[..., "subprocess.CompletedProcess[str]"] = subprocess.run) -> str | None:
    try:
        found = run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None
