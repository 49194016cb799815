"""No sample is paid for that decides nothing any more: while a benchmark is recorded, it stops once it is decided.

Samples count in the order of the draw, whichever worker measures them and however long they take: what is quick is also
cheap, and counting it first would decide by luck. Money that is spent is spent, whatever came of it.
"""

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from pytest_tokenbudget.model.benchmark import BenchmarkPlan, Decision
from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.sampling.early import EarlyStop, Stopping
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
        """Take in a sample that this process measured, or paid for in vain."""
        if task.drawn is None:
            return
        sample = sample_of(task)
        paid = task.all_attempts.incurred
        if sample is None and not paid:
            return
        self._board.post(
            SampleLine(
                benchmark=task.drawn.benchmark,
                place=task.drawn.place,
                cost=None if sample is None else sample.cost,
                paid=paid,
                success=sample is not None and sample.success,
                measured=sample is not None,
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
            self._stops[benchmark] = _InOrder(stopping_of(self._plans[benchmark]))
        return self._stops[benchmark]


class _InOrder:
    """One benchmark's samples, weighed in the order of the draw; what they cost counts at once."""

    def __init__(self, rules: Stopping) -> None:
        self._rules = rules
        self._early = EarlyStop(replace(rules, spend=None))
        self._waiting: dict[int, SampleLine] = {}
        self._next = 0
        self._paid: dict[int, Decimal] = {}
        self._spent = ZERO

    @property
    def decision(self) -> Decision | None:
        return self._early.decision or self._used_up()

    def _used_up(self) -> Decision | None:
        spend, planned = self._rules.spend, self._rules.planned
        if spend is None or self._spent < spend or len(self._paid) >= planned:
            return None
        at = len(self._paid)
        return Decision(state="inconclusive", kind="spent", at=at, of=planned, known=self._spent, limit=spend)

    def take(self, line: SampleLine) -> None:
        # a later attempt's line holds what those before it cost
        self._spent = EXACT.add(EXACT.subtract(self._spent, self._paid.get(line.place, ZERO)), line.paid)
        self._paid[line.place] = line.paid
        if line.measured and line.place >= self._next:
            self._waiting[line.place] = line
        while (found := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            self._early.add(Sample(id=str(found.place), cost=found.cost, success=found.success), paid=found.paid)
