"""May a benchmark stop now: decided sample by sample, in the order in which they are drawn.

Two kinds of reasons. *Curtailment* is exact: what is already spent breaks the budget of all N tasks, or, where every
task has an enforced cap, not even that much for every task that is left would. *Evidence* is about the true mean, with
an error of at most alpha however often it is looked at (see `evidence`).
"""

from decimal import Decimal
from math import log
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.model.benchmark import Decision, DecisionKind
from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.policy.sampling.evidence import Wealth

__all__ = ["Decision", "DecisionKind", "EarlyStop", "Stopping"]


_ONE: Final = Decimal(1)


class Stopping(Struct, frozen=True, kw_only=True):
    """What a benchmark is held against while it runs.

    Attributes:
        budget: US dollars that a task may cost on average; `None` where only success has a budget.
        per_success: US dollars that a success may cost, if that has a budget.
        tolerance: How far over a budget still passes.
        planned: How many samples are planned.
        cap: US dollars that no task can exceed, where that is enforced before the send; otherwise `None`.
        spend: US dollars that the benchmark may spend on itself, if there is a bound.
        alpha: The error of what evidence decides.
    """

    budget: Decimal | None = None
    per_success: Decimal | None = None
    tolerance: Decimal = Decimal("0.20")
    planned: int
    cap: Decimal | None = None
    spend: Decimal | None = None
    alpha: float = 0.05


class EarlyStop:
    """Takes samples in their order and says when enough is known; each takes time and memory that do not grow.

    A decision is kept: what is added later changes it no more. An unknown cost counts as the least that it can be
    against blocking, and forbids passing. So does a task above the cap, which then was not enforced.

    Args:
        rules: What the samples are held against.
    """

    def __init__(self, rules: Stopping) -> None:
        self.rules = rules
        self.decision: Decision | None = None
        self.added = 0
        self.known = ZERO
        self.spent = ZERO
        self.may_pass = rules.budget is not None and rules.per_success is None and rules.cap is not None
        self._limit = _tolerated(rules.budget, rules.tolerance)
        self._success_limit = _tolerated(rules.per_success, rules.tolerance)
        self._dear = Wealth(float(self._limit)) if self._limit else None
        self._dear_success = Wealth(float(self._success_limit)) if self._success_limit else None
        self._cheap = self._wealth_of_passing()
        tests = (self._dear is not None) + (self._dear_success is not None)
        self._enough = -log(rules.alpha) + log(max(tests, 1))

    def _wealth_of_passing(self) -> Wealth | None:
        if not self.may_pass or self._limit is None or self.rules.cap is None or self.rules.cap <= self._limit:
            return None
        return Wealth(float(self.rules.cap - self._limit))

    def add(self, sample: Sample, *, paid: Decimal | None = None) -> Decision | None:
        """Add the next sample.

        Args:
            sample: In the order that the seed fixes.
            paid: US dollars that it really cost now, such as 0 in replay; by default its cost.

        Returns:
            The decision, from the sample on that it fell at.
        """
        self.added += 1
        cost = sample.cost
        cap = self.rules.cap
        if cost is None or (cap is not None and cost > cap):
            self.may_pass = False
        least = ZERO if cost is None else cost
        self.known = EXACT.add(self.known, least)
        self.spent = EXACT.add(self.spent, least if paid is None else paid)
        if self.decision is None:
            self._weigh(float(least), success=sample.success)
            self.decision = self._decide()
        return self.decision

    @property
    def log_evidence(self) -> float | None:
        """The evidence that the mean is above what is tolerated: ln W so far; `None` without a budget above 0."""
        return None if self._dear is None else self._dear.log

    def _weigh(self, cost: float, *, success: bool) -> None:
        if self._dear is not None:
            self._dear.add(cost - self._dear.most_lost)
        if self._dear_success is not None:
            self._dear_success.add(cost - self._dear_success.most_lost * success)
        if self._cheap is not None and self._limit is not None:
            self._cheap.add(float(self._limit) - cost)

    def _decide(self) -> Decision | None:
        return self._curtailed() or self._evident() or self._used_up()

    def _curtailed(self) -> Decision | None:
        if self._limit is None:
            return None
        whole = EXACT.multiply(self._limit, Decimal(self.rules.planned))
        if self.known > whole:
            return self._decision("block", "curtailed", self._limit)
        if self.may_pass and self.rules.cap is not None:
            left = EXACT.multiply(self.rules.cap, Decimal(max(self.rules.planned - self.added, 0)))
            if EXACT.add(self.known, left) <= whole:
                return self._decision("pass", "curtailed", self._limit)
        return None

    def _evident(self) -> Decision | None:
        if self._dear is not None and self._limit is not None and self._dear.log >= self._enough:
            return self._decision("block", "evidence", self._limit, self._dear.log)
        if self._dear_success is not None and self._success_limit is not None:
            wealth = self._dear_success.log
            if wealth >= self._enough:
                return self._decision("block", "evidence_per_success", self._success_limit, wealth)
        if self.may_pass and self._cheap is not None and self._limit is not None:
            wealth = self._cheap.log
            if wealth >= -log(self.rules.alpha):
                return self._decision("pass", "evidence", self._limit, wealth)
        return None

    def _used_up(self) -> Decision | None:
        spend = self.rules.spend
        if spend is None or self.added >= self.rules.planned:
            return None
        # the next task may cost its cap, and a bound on spending is kept before the send
        if self.spent >= spend or EXACT.add(self.spent, self.rules.cap or ZERO) > spend:
            return self._decision("inconclusive", "spent", spend)
        return None

    def _decision(
        self,
        state: Literal["pass", "block", "inconclusive"],
        kind: DecisionKind,
        limit: Decimal,
        log_evidence: float | None = None,
    ) -> Decision:
        return Decision(
            state=state,
            kind=kind,
            at=self.added,
            of=self.rules.planned,
            known=self.known,
            limit=limit,
            log_evidence=log_evidence,
        )


def _tolerated(budget: Decimal | None, tolerance: Decimal) -> Decimal | None:
    return None if budget is None else EXACT.multiply(budget, EXACT.add(_ONE, tolerance))
