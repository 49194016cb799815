"""A line now and then while a benchmark runs, so that nobody waits, or pays, without knowing what for."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from pytest_tokenbudget.model.benchmark import BenchmarkPlan
from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.sampling.outcome import sample_of
from pytest_tokenbudget.policy.sampling.running import Running
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.names import of_test

__all__ = ["Progress"]

_EVERY: Final = 2.0
"""Seconds between two lines on a terminal, and before the first: what is replayed in less needs none."""

_EVERY_IN_A_LOG: Final = 30.0


class Progress:
    """The benchmarks of a session, in the process that reports."""

    def __init__(self, write: Callable[[str], None], *, is_watched: bool) -> None:
        """Prepare.

        Args:
            write: Prints a line.
            is_watched: Whether a person watches, and not a log.
        """
        self._write = write
        self._every = _EVERY if is_watched else _EVERY_IN_A_LOG
        self._last = time.monotonic()
        self._lines: dict[str, _Line] = {}

    def take(self, tasks: Iterable[Task], plans: Callable[[], Iterable[BenchmarkPlan]]) -> None:
        """Take in tasks that ended, and print where enough time has passed since the last line.

        Args:
            tasks: Tasks; those that are no samples are passed over.
            plans: Gives the session's benchmarks.
        """
        drawn = [task for task in tasks if task.drawn is not None]
        for task in drawn:
            name = task.drawn.benchmark if task.drawn else ""
            self._lines.setdefault(name, _Line()).add(task)
        if not drawn or time.monotonic() - self._last < self._every:
            return
        self._last = time.monotonic()
        for plan in plans():
            line = self._lines.get(plan.id)
            if line is not None and 0 < line.running.n < plan.samples:
                self._write(line.text(plan))


class _Line:
    """One benchmark so far."""

    def __init__(self) -> None:
        self.running = Running()
        self._paid = ZERO

    def add(self, task: Task) -> None:
        if (sample := sample_of(task)) is not None:
            self.running.add(sample)
            self._paid = EXACT.add(self._paid, task.all_attempts.incurred)

    def text(self, plan: BenchmarkPlan) -> str:
        """`test_ticket: 20 of 100 samples, $0.021 a task ($0.017 to $0.026), $0.42 paid, within budget so far`."""
        mean, interval = self.running.mean, self.running.interval()
        band = ""
        if interval.low is not None and interval.method != "constant":
            band = f" ({amounts.usd_range(interval.low, interval.high)})"
        parts = [
            f"{amounts.tokens(self.running.n)} of {amounts.tokens(plan.samples)} samples",
            f"{amounts.usd(mean)} a task{band}",
            f"{amounts.usd(self._paid)} paid",
        ]
        if plan.usd is not None and mean is not None:
            over = mean > plan.usd * (1 + plan.tolerance)
            parts.append("over budget so far" if over else "within budget so far")
        return f"{printable(of_test(plan.id))}: {', '.join(parts)}"
