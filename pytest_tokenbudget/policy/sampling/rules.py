"""What a benchmark is held against, and the decision on it with its reasons in numbers."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from pytest_tokenbudget.policy.sampling.early import Decision

__all__ = ["BenchmarkState", "BenchmarkVerdict", "Ground", "Measure", "Rule", "Rules", "Why"]

BenchmarkState = Literal["pass", "block", "inconclusive"]
Rule = Literal["point", "confident"]
Measure = Literal["samples", "mean", "per_success"]
Why = Literal[
    "within",
    "tolerated",
    "above",
    "straddles",
    "few_samples",
    "no_success",
    "unknown_cost",
    "partial",
    "unfinished",
    "no_samples",
    "no_budget",
    "early",
]
"""within: not above the budget · tolerated: above it, inside the tolerance · above: above that, too · straddles: the
interval is on both sides of the limit · few_samples: too few (or too few clusters) for an interval that decides ·
no_success · unknown_cost · partial: a selection ran · unfinished: fewer samples than planned, and nothing decided ·
no_samples · no_budget: nothing to be held against · early: stopped early; the decision says how."""


class Rules(Struct, frozen=True, kw_only=True):
    """What a benchmark is held against.

    Attributes:
        budget: US dollars that a task may cost on average, if that has a budget.
        per_success: US dollars of all tasks that a success may cost, if that has a budget.
        tolerance: How far over a budget still passes; 0.20 is 20%.
        rule: `point` or `confident`.
        planned: How many samples were planned; `None` where any number is all.
        partial: Why only a selection ran, such as `-k`; empty for all of them.
        unknown: What a sample of unknown cost means: `block`, or `inconclusive` where unknown costs only warn.
    """

    budget: Decimal | None = None
    per_success: Decimal | None = None
    tolerance: Decimal = Decimal("0.20")
    rule: Rule = "point"
    planned: int | None = None
    partial: tuple[str, ...] = ()
    unknown: Literal["block", "inconclusive"] = "block"


class Ground(Struct, frozen=True, kw_only=True):
    """One reason of a verdict, in numbers.

    Attributes:
        measure: What was judged.
        state: The decision on it.
        why: Its kind.
        n: How many samples there are.
        value: US dollars that were measured; `Infinity` without a success, `None` where unknown.
        budget: US dollars that it may be.
        limit: US dollars above which it is blocked: budget × (1 + tolerance).
        low: US dollars that it is at least, by its interval.
        high: US dollars that it is at most, by its interval.
        needed: How many more samples would settle it, about; `None` where no number would, or none is needed.
    """

    measure: Measure
    state: BenchmarkState
    why: Why
    n: int
    value: Decimal | None = None
    budget: Decimal | None = None
    limit: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    needed: int | None = None


class BenchmarkVerdict(Struct, frozen=True, kw_only=True):
    """The decision on a benchmark, made once; every printer reads it.

    Attributes:
        state: The worst of its grounds: block, then inconclusive, then pass.
        rule: By which rule.
        grounds: The reasons, at least one.
        early: The decision that stopped it early, if one did.
    """

    state: BenchmarkState
    rule: Rule
    grounds: tuple[Ground, ...]
    early: Decision | None = None

    @property
    def needed(self) -> int | None:
        """How many more samples would settle all that is inconclusive, about; `None` where no number would."""
        wanted = [ground.needed for ground in self.grounds if ground.state == "inconclusive"]
        known = [count for count in wanted if count is not None]
        return max(known) if known and len(known) == len(wanted) else None
