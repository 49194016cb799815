"""The tasks of all processes of a session, gathered in the one that reports."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from pytest_tokenbudget.model.benchmark import BenchmarkPlan
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.plugin.stock import Stock
from pytest_tokenbudget.store.attempts import died_in, merge_attempts
from pytest_tokenbudget.store.encoding import encode_json
from pytest_tokenbudget.store.spool import Recovered

__all__ = ["Gathering"]


class _Parcel(msgspec.Struct, frozen=True):
    worker: str
    tasks: tuple[Task, ...]
    plans: tuple[BenchmarkPlan, ...] = ()


_unpack = msgspec.json.Decoder(_Parcel).decode


class Gathering:
    """What workers (or this process alone) hand over, task by task."""

    def __init__(self) -> None:
        self._tasks: dict[str, dict[str, Task]] = {}
        self._deaths: list[str] = []
        self._stocks: list[Stock | None] = []
        self._packed: dict[str, _Parcel] = {}
        self._plans: dict[str, BenchmarkPlan] = {}

    def pack(
        self, worker: str, tasks: Iterable[Task], plans: tuple[BenchmarkPlan, ...] = (), *, for_itself: bool
    ) -> str:
        """Tasks as text for the process that reports; empty where there are none.

        Args:
            worker: Who measured them.
            tasks: The tasks.
            plans: The benchmarks that it collected, with its first tasks.
            for_itself: Whether this process is likely to be the one that reports, and need not read the text again.
        """
        found = tuple(tasks)
        if not found and not plans:
            return ""
        parcel = _Parcel(worker, found, plans)
        text = encode_json(parcel).decode()
        if for_itself:
            self._packed[text] = parcel
        return text

    def collect(self, parcel: str) -> tuple[Task, ...]:
        """Take in a worker's tasks; its later attempt at a task comes with those before.

        Returns:
            The tasks.
        """
        found = self._packed.pop(parcel, None) or _unpack(parcel)
        self._plans.update((plan.id, plan) for plan in found.plans)
        for task in found.tasks:
            by_worker = self._tasks.setdefault(task.id, {})
            by_worker.pop(found.worker, None)
            by_worker[found.worker] = task
        return found.tasks

    def plans(self) -> tuple[BenchmarkPlan, ...]:
        """The benchmarks that were collected, sorted by id."""
        return tuple(plan for _, plan in sorted(self._plans.items()))

    def recover(self, kept: Iterable[Recovered]) -> None:
        """Take in what processes kept on disk and did not live to hand over."""
        for worker, task in kept:
            by_worker = self._tasks.setdefault(task.id, {})
            if worker not in by_worker:
                self._tasks[task.id] = {worker: task, **by_worker}  # whoever tried again did so after this death
            elif task.outcome == "died" and by_worker[worker].outcome != "died":
                both = merge_attempts((by_worker[worker], replace(task, earlier=())))
                by_worker[worker] = both[task.id]

    def entries(self, worker: str) -> int:
        """How many calls and strays a worker handed over."""
        found = (by_worker[worker] for by_worker in self._tasks.values() if worker in by_worker)
        return sum(
            len(task.calls) + sum(len(attempt.calls) for attempt in task.earlier) + len(task.strays) for task in found
        )

    def take_stock(self, stock: Stock | None) -> None:
        """Take in which recordings a process found without a test; `None` where it began too late to know."""
        self._stocks.append(stock)

    def orphans(self) -> tuple[str, ...]:
        """Recordings that belong to no test, as far as every process knows."""
        stocks = [stock for stock in self._stocks if stock is not None]
        if len(stocks) < len(self._stocks):
            return ()
        unproven = {module for stock in stocks for module in stock.unproven}
        opened = {opened.source for task in self.tasks() for opened in task.opened}
        return tuple(sorted({file for stock in stocks for file in stock.orphans(unproven, opened)}))

    def worker_died(self, worker: str) -> None:
        """Note that a worker's process ended on its own."""
        self._deaths.append(worker)

    def tasks(self) -> tuple[Task, ...]:
        """Every task, wider fixtures included, sorted by id."""
        merged = merge_attempts(task for by_worker in self._tasks.values() for task in by_worker.values())
        return tuple(merged[name] for name in sorted(merged))

    def partial(self) -> tuple[str, ...]:
        """Why tests may be missing."""
        return tuple(f"worker {worker} died" for worker in self._deaths)

    def incomplete(self) -> tuple[str, ...]:
        """What went wrong while measuring, in sentences."""
        tasks = self.tasks()
        return (
            *(f"Worker {worker} died." for worker in self._deaths),
            *died_in(tasks),
            *(f"{task.id}: {note}" for task in tasks for note in task.notes),
        )
