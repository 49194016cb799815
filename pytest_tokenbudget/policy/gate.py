"""May this be merged: one verdict over a comparison, read by the exit status, the comment and the summary alike.

Blocked is what is known for certain to be too much: a budget broken with its tolerance, or a rise over base by more
than a share *and* more than an amount. What is not known is incomplete, never green; what was over before and is not
worse now only warns; what somebody accepted is waived.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from re import DOTALL, escape, fullmatch
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.config.waivers import Waiver
from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.policy.compare import Benched, Comparison, TaskDiff

__all__ = ["STATUSES", "GateState", "GateVerdict", "Reason", "ReasonKind", "gate"]

GateState = Literal["pass", "warn", "waived", "blocked", "incomplete", "no_base"]
"""pass · warn: nothing to stop for · waived: somebody accepted what would block · blocked · incomplete: something that
could block is not known · no_base: there is nothing to compare with, though that is required."""

STATUSES: Final[dict[GateState, int]] = {
    "pass": 0,
    "warn": 0,
    "waived": 0,
    "blocked": 10,
    "incomplete": 11,
    "no_base": 12,
}
"""Exit statuses."""

_SEVERITY: Final[tuple[GateState, ...]] = ("pass", "warn", "waived", "no_base", "incomplete", "blocked")

_OTHER_PRICES: Final = (
    "The budgets of {} were judged at other prices than those in force now. To have them judged at these, run pytest "
    "again."
)

ReasonKind = Literal[
    "budget", "benchmark", "regression", "suite", "unknown", "estimate", "partial", "run", "empty", "base", "lock"
]
"""budget: a limit is broken · benchmark: a benchmark blocks, or decides nothing · regression: a task rose over base ·
suite: the sum of all did · unknown: a cost is not known · estimate: a band spans what blocks · partial, run, empty: not
all was measured · base, lock: what is compared with is missing or stale."""


class Reason(Struct, frozen=True, kw_only=True):
    """One thing that the gate found.

    Attributes:
        kind: What it is.
        state: What it comes to alone.
        task: The task, if it is about one.
        text: A sentence with what is wrong, for what no figures of the comparison say.
        waiver: The waiver that covers it, or the one that lapsed.
    """

    kind: ReasonKind
    state: GateState
    task: str = ""
    text: str = ""
    waiver: Waiver | None = None


class GateVerdict(Struct, frozen=True, kw_only=True):
    """The decision.

    Attributes:
        state: May it be merged.
        reasons: What was found, the gravest first.
    """

    state: GateState
    reasons: tuple[Reason, ...] = ()

    @property
    def status(self) -> int:
        """The exit status."""
        return STATUSES[self.state]


def gate(
    comparison: Comparison,
    rules: GateRules,
    waivers: Sequence[Waiver] = (),
    *,
    today: date,
    findings: Sequence[Reason] = (),
) -> GateVerdict:
    """Decide on a comparison.

    Args:
        comparison: Base and head.
        rules: What they are held against.
        waivers: What was accepted.
        today: The day on which waivers are read.
        findings: What whoever gathered the two sides found: a base that is missing or stale.
    """
    reasons = [*findings, *_measured(comparison)]
    for task in comparison.tasks:
        found = _of_task(task, rules) if task.benched is None else _of_benchmark(task.id, task.benched, rules)
        reasons += [_waived(reason, _each(task), waivers, today) for reason in found]
    if not any(reason.kind == "regression" for reason in reasons):
        reasons += _of_suite(comparison, rules)
    changes = {task.id: abs(task.change or ZERO) for task in comparison.tasks}
    ordered = sorted(
        reasons,
        key=lambda reason: (
            -_SEVERITY.index(reason.state),
            reason.kind not in {"budget", "benchmark"},  # what the headline speaks of first
            -changes.get(reason.task, ZERO),
        ),
    )
    return GateVerdict(state=ordered[0].state if ordered else "pass", reasons=tuple(ordered))


def _measured(comparison: Comparison) -> Iterator[Reason]:
    head = comparison.head
    if not head.tasks:
        yield Reason(kind="empty", state="incomplete", text="No task was measured: a run without any decides nothing.")
    for reason in head.partial:
        yield Reason(kind="partial", state="incomplete", text=f"Only a part of the suite ran: {reason}.")
    for sentence in head.incomplete:
        yield Reason(kind="run", state="incomplete", text=sentence)
    if count := sum(map(_is_judged_otherwise, comparison.tasks)):
        yield Reason(kind="run", state="warn", text=_OTHER_PRICES.format("1 task" if count == 1 else f"{count} tasks"))


def _is_judged_otherwise(task: TaskDiff) -> bool:
    """Whether a budget was judged at a cost that is another at the prices in force now."""
    if task.head is None or task.head.usd is None or task.head.is_estimate:
        return False
    if task.benched is not None:
        figures = task.benched.run.result.figures
        told = task.benched.pairs is None or task.benched.pairs.n == figures.n
        return told and figures.total is not None and figures.total != task.head.usd
    return any(
        found.limit == "usd" and found.value is not None and found.value != task.head.usd
        for found in task.verdict.findings
    )


def _of_task(task: TaskDiff, rules: GateRules) -> Iterator[Reason]:
    if task.head is None:
        return
    state = task.verdict.state
    if state in {"blocked", "critical"}:
        yield Reason(kind="budget", state="warn" if _was_over(task) else "blocked", task=task.id)
    elif state in {"unknown", "unmeasured"} or task.head.usd is None:
        worst = task.verdict.worst
        text = worst.reason if worst is not None and worst.reason else "Its cost is not known."
        yield Reason(kind="unknown", state="incomplete", task=task.id, text=text)
    elif state == "inconclusive":
        yield Reason(kind="estimate", state="incomplete", task=task.id)
    elif state == "over":
        yield Reason(kind="budget", state="warn", task=task.id)
    rise = _regression(task, rules)
    if rise is not None:
        yield rise


def _of_benchmark(name: str, benched: Benched, rules: GateRules) -> Iterator[Reason]:
    verdict = benched.run.result.verdict
    state = verdict.state
    if state == "block" and all(why == "unknown_cost" for why in verdict.decided_by):
        yield Reason(kind="benchmark", state="incomplete", task=name)  # as of any task: nobody knows
    elif state == "block":
        yield Reason(kind="benchmark", state="warn" if _were_over(benched) else "blocked", task=name)
    elif state == "inconclusive":
        yield Reason(kind="benchmark", state="incomplete", task=name)
    pairs = benched.pairs
    if pairs is None or pairs.regression is None:
        return
    sure = benched.run.plan.rule == "point" or pairs.regression.sign == "up"
    if sure and _is_too_much(pairs.base, pairs.head, rules):
        yield Reason(kind="regression", state="blocked", task=name)


def _were_over(benched: Benched) -> bool:
    """Whether a benchmark's tasks were over their budget on base already, and are not worse now."""
    pairs, budget = benched.pairs, benched.run.plan.usd
    if pairs is None or budget is None or set(benched.run.result.verdict.decided_by) != {"above"}:
        return False
    limit = EXACT.multiply(budget, EXACT.add(Decimal(1), benched.run.plan.tolerance))
    return pairs.base > EXACT.multiply(limit, Decimal(pairs.n)) and pairs.head <= pairs.base and not pairs.only_head


def _each(task: TaskDiff) -> Decimal | None:
    """US dollars of a task, of a benchmark's on average: what waivers are held against."""
    if task.benched is not None:
        return task.benched.run.result.figures.mean
    return None if task.head is None else task.head.usd


def _was_over(task: TaskDiff) -> bool:
    """Whether the task was over its limit in dollars on base already, and is not worse now."""
    bound, change = task.budget.usd, task.change
    if bound is None or change is None or task.base is None or task.base.usd is None:
        return False
    others = any(f.state in {"blocked", "critical"} for f in task.verdict.findings if f.limit != "usd")
    return not others and task.base.usd > bound and change <= 0


def _regression(task: TaskDiff, rules: GateRules) -> Reason | None:
    if task.base is None or task.head is None or task.base.usd is None or task.head.usd is None:
        return None
    # what happened to be cached when it was recorded is luck: it never blocks
    luck = sum((cause.usd for cause in task.causes if cause.kind == "warm"), ZERO)
    before = EXACT.add(task.base.usd, max(luck, ZERO))
    low = task.head.low if task.head.low is not None else ZERO
    if _is_too_much(before, low, rules):
        return Reason(kind="regression", state="blocked", task=task.id)
    if task.head.is_estimate and (task.head.high is None or _is_too_much(before, task.head.high, rules)):
        return Reason(kind="estimate", state="incomplete", task=task.id)
    return None


def _is_too_much(before: Decimal, after: Decimal, rules: GateRules) -> bool:
    rise = EXACT.subtract(after, before)
    return rise > rules.floor and rise > EXACT.multiply(before, rules.regression)


def _of_suite(comparison: Comparison, rules: GateRules) -> Iterator[Reason]:
    """Many small rises, none of which blocks alone; tasks of one side alone are no rise."""
    both = [
        (task.base.usd, task.head.low)
        for task in comparison.tasks
        if task.benched is None
        and task.base is not None
        and task.head is not None
        and task.base.usd is not None
        and task.head.low is not None
    ]
    before, after = ZERO, ZERO
    for old, new in both:
        before, after = EXACT.add(before, old), EXACT.add(after, new)
    if _is_too_much(before, after, rules):
        yield Reason(kind="suite", state="blocked")


def _waived(reason: Reason, cost: Decimal | None, waivers: Sequence[Waiver], today: date) -> Reason:
    if reason.state != "blocked" or cost is None:
        return reason
    for waiver in waivers:
        if not _covers(waiver.task, reason.task):
            continue
        if today > waiver.until:
            text = f"The waiver in {waiver.place} ended on {waiver.until.isoformat()}."
        elif cost > waiver.usd:
            text = f"The waiver in {waiver.place} has lapsed: it covers less than the task costs now."
        else:
            return replace(reason, state="waived", waiver=waiver)
        reason = replace(reason, waiver=waiver, text=text)
    return reason


def _covers(pattern: str, task: str) -> bool:
    if pattern == task:
        return True
    return fullmatch(escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), task, DOTALL) is not None
