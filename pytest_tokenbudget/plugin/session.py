"""One test session: its settings, its meter, and the run that comes out of it. Knows no pytest."""

import subprocess
import time
from collections.abc import Callable, Sequence
from os import getpid
from pathlib import Path
from typing import Final

import msgspec

from pytest_tokenbudget import __version__
from pytest_tokenbudget.config.limits import Statement
from pytest_tokenbudget.config.precedence import resolve_budget
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Outcome, Task
from pytest_tokenbudget.policy.budget import Leniency
from pytest_tokenbudget.pricing import DEFAULT_AS_OF, PriceTable
from pytest_tokenbudget.store.runfile import write_run
from pytest_tokenbudget.store.spool import Spool, clear_spools, recover_tasks
from pytest_tokenbudget.tokens import COUNTER, count
from pytest_tokenbudget.wire import read

__all__ = ["Session", "new_session_name"]

_UNFINISHED: Final = (
    "The session has not finished: what it had measured up to then is kept beside this file and read with it."
)
_encode = msgspec.json.Encoder(enc_hook=dict).encode
_decode = msgspec.json.Decoder(tuple[Task, ...]).decode


def new_session_name() -> str:
    """A name that no other session of this machine has."""
    return f"{time.time_ns():x}-{getpid():x}"


class Session:
    """What is measured in one process, and (in the process that reports) collected from all of them.

    Attributes:
        settings: The session's settings.
        meter: Takes in exchanges.
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
        self._prices = PriceTable(
            as_of=settings.as_of or DEFAULT_AS_OF,
            as_of_source=settings.as_of_source,
            overrides=settings.prices,
            unknown_model=settings.unknown_model,
            free_hosts=settings.free_hosts,
            hosts=settings.hosts,
        )
        self._spool = Spool(self.out, name, worker, self._announce)
        self._leniency = Leniency(
            unknown_model=settings.unknown_model != "error", missing_usage=settings.missing_usage != "error"
        )
        self.meter = Meter(self._read, self._spool.keep)
        self._marked: dict[str, Sequence[Statement]] = {}
        self._last: TaskMeter | None = None
        self._closed: list[Task] = []
        self._tasks: dict[str, Task] = {}
        self._fixtures: dict[str, Task] = {}
        self._deaths: list[str] = []
        self.partial: list[str] = []

    def _read(self, exchange: Exchange) -> Call | Skipped:
        found = read(exchange, count)
        return self._prices.charge(found) if isinstance(found, Call) else found

    def mark(self, task_id: str, statements: Sequence[Statement]) -> None:
        """Take what a task's markers state."""
        self._marked[task_id] = statements

    def is_marked(self, task_id: str) -> bool:
        """Whether the task has a marker of ours."""
        return task_id in self._marked

    def start(self, task_id: str) -> TaskMeter:
        """Begin a task, or another attempt at the one that ended last."""
        last = self._last
        if last is not None and last.id == task_id:
            last.restart()
            task = last
        else:
            budget, named = resolve_budget(self.settings, task_id, self._marked.get(task_id, ()))
            task = TaskMeter(task_id, budget, named=named, leniency=self._leniency)
        self.meter.enter(task)
        self._last = task
        return task

    def task_of(self, task_id: str) -> TaskMeter:
        """The running task; begun now, where measuring began in the middle of a test."""
        current = self.meter.current
        if current is not None and current.id == task_id:
            return current
        if self._last is not None and self._last.id == task_id:
            return self._last
        return self.start(task_id)

    def end(self, task: TaskMeter, outcome: Outcome) -> Task:
        """End an attempt at a task."""
        self.meter.enter(None)
        closed = task.close(outcome)
        self._keep_outcome(task.id, outcome)
        self._closed.append(closed)
        return closed

    def fixture(self, name: str, kind: str) -> TaskMeter:
        """A meter for one execution of a fixture that is wider than a test; workers each execute their own."""
        where = "" if self.worker == "main" else f", {self.worker}"
        return TaskMeter(f"{name} [{kind}{where}]", Budget())

    def end_fixture(self, task: TaskMeter) -> None:
        """End a wider fixture; one that made no call leaves no trace."""
        if task.exchanges:
            self._keep_outcome(task.id, "fixture")
            self._closed.append(task.close("fixture"))

    def _keep_outcome(self, task_id: str, outcome: Outcome) -> None:
        try:
            self._spool.ended(task_id, outcome)
        except OSError:
            return  # the calls are in memory; a full disk shows when the run file is written

    def ship(self) -> str:
        """The tasks that ended since the last time, as text for the process that reports; empty if none matters."""
        tasks = tuple(task for task in self._closed if _matters(task) or task.id in self._marked)
        self._closed.clear()
        return _encode(tasks).decode() if tasks else ""

    def ship_rest(self) -> str:
        """What is left when the session ends, calls outside of any test included."""
        self.end_fixture(self.meter.outside)
        self._spool.close()
        return self.ship()

    def collect(self, shipped: str) -> None:
        """Take in tasks; of a task that was rerun, the last counts."""
        for task in _decode(shipped):
            (self._fixtures if task.outcome == "fixture" else self._tasks)[task.id] = task

    def worker_died(self, worker: str) -> None:
        """Note that a worker's process ended on its own; what it kept is taken in at the end."""
        self._deaths.append(worker)

    def finish(self) -> Run | None:
        """Write the run file, if anything was measured.

        Raises:
            RunFileError: It cannot be written.
        """
        for task in recover_tasks(self.out, self._name):
            if task.id not in self._tasks and task.id not in self._fixtures:
                self._tasks[task.id] = task
        if not self._tasks and not self._fixtures:
            return None
        run = self._run()
        write_run(self.out, run)
        clear_spools(self.out)
        return run

    def _announce(self) -> None:
        try:
            write_run(self.out, self._run(unfinished=self._name))
        except RunFileError as error:
            raise OSError(str(error)) from error

    def _run(self, unfinished: str | None = None) -> Run:
        incomplete = [_UNFINISHED] if unfinished else []
        incomplete += [f"Worker {worker} died." for worker in self._deaths]
        incomplete += [
            f"{task.id}: the process ended inside this test." for task in self._tasks.values() if task.outcome == "died"
        ]
        incomplete += [
            f"{task.id}: {note}" for task in (*self._tasks.values(), *self._fixtures.values()) for note in task.notes
        ]
        return Run(
            tool_version=__version__,
            as_of=self._prices.as_of,
            as_of_source=self._prices.as_of_source,
            price_table=self._prices.identity,
            counter=COUNTER,
            mode=self.settings.mode,
            unfinished=unfinished,
            commit=None if unfinished else _commit(self._root),
            partial=tuple(self.partial),
            incomplete=tuple(incomplete),
            tasks=tuple(self._tasks[name] for name in sorted(self._tasks)),
            fixtures=tuple(self._fixtures[name] for name in sorted(self._fixtures)),
        )


def _matters(task: Task) -> bool:
    return bool(task.exchanges or task.earlier or task.budget.limits())


def _commit(root: Path, run: Callable[..., "subprocess.CompletedProcess[str]"] = subprocess.run) -> str | None:
    try:
        found = run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None
