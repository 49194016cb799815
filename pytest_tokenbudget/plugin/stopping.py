"""No sample is paid for that decides nothing any more: while a benchmark is recorded, it stops once it is decided.

Samples count in the order of the draw, whichever worker measures them and however long they take: what is quick is also
cheap, and counting it first would decide by luck.
"""

from collections.abc import Mapping

from pytest_tokenbudget.model.benchmark import BenchmarkPlan, Decision
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.sampling.early import EarlyStop
from pytest_tokenbudget.policy.sampling.outcome import sample_of, stopping_of
from pytest_tokenbudget.store.sampled import SampleBoard, SampleLine

__all__ = ["EarlyStops"]


class EarlyStops:
    """The benchmarks of a session that are being paid for, in one of its processes."""

    def __init__(self, plans: Mapping[str, BenchmarkPlan], board: SampleBoard) -> None:
        """Prepare.

        Args:
            plans: The benchmarks by id.
            board: Where all processes post their samples.
        """
        self._plans = plans
        self._board = board
        self._stops: dict[str, _InOrder] = {}

    def ended(self, task: Task) -> None:
        """Take in a sample that this process measured."""
        sample = sample_of(task)
        if sample is None or task.drawn is None:
            return
        totals = task.all_attempts
        paid = None if totals.unknown_sent or task.possibly_billed else totals.incurred
        self._board.post(
            SampleLine(
                benchmark=task.drawn.benchmark,
                place=task.drawn.place,
                cost=sample.cost,
                paid=paid,
                success=sample.success,
            )
        )

    def decision(self, benchmark: str) -> Decision | None:
        """The decision on a benchmark, if what all processes measured up to now allows one."""
        for line in self._board.news():
            if line.benchmark in self._plans:
                self._of(line.benchmark).take(line)
        return self._of(benchmark).decision if benchmark in self._plans else None

    def _of(self, benchmark: str) -> "_InOrder":
        if benchmark not in self._stops:
            self._stops[benchmark] = _InOrder(EarlyStop(stopping_of(self._plans[benchmark])))
        return self._stops[benchmark]


class _InOrder:
    """One benchmark's samples, weighed in the order of the draw."""

    def __init__(self, early: EarlyStop) -> None:
        self._early = early
        self._waiting: dict[int, SampleLine] = {}
        self._next = 0

    @property
    def decision(self) -> Decision | None:
        return self._early.decision

    def take(self, line: SampleLine) -> None:
        if line.place >= self._next:
            self._waiting[line.place] = line
        while (found := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            sample = Sample(id=str(found.place), cost=found.cost, success=found.success)
            self._early.add(sample, paid=found.paid)
