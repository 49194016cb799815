"""The gate's decision in words: one sentence for the verdict, one for each reason."""

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Final

from pytest_tokenbudget.model.money import EXACT
from pytest_tokenbudget.policy.compare import Benched, Comparison, TaskDiff
from pytest_tokenbudget.policy.gate import GateState, GateVerdict, Reason
from pytest_tokenbudget.report.amounts import limit_usd, percent, signed_percent, signed_usd, usd, usd_range
from pytest_tokenbudget.report.benchmark_text import grounds_text, pairs_text
from pytest_tokenbudget.report.cause_text import Quote

__all__ = ["SYMBOLS", "cost_of_task", "headline", "of_budget", "reason_text", "samples_text", "symbol_of", "task_count"]

SYMBOLS: Final[dict[GateState, str]] = {
    "pass": "🟢",
    "warn": "🟡",
    "waived": "🟡",
    "blocked": "🔴",
    "incomplete": "🟠",
    "no_base": "🟠",
}
"""One for each state; each comes with a word."""

_DIVISION: Final = Context(prec=28)
_ONE: Final = Decimal(1)


def headline(comparison: Comparison, verdict: GateVerdict) -> str:
    """The verdict in one sentence, without markup: may it be merged, and how much more does it cost."""
    suite = _suite(comparison)
    match verdict.state:
        case "blocked":
            return f"Blocked: {_blocked(comparison, verdict)}; {suite}"
        case "incomplete":
            return f"Incomplete: {_incomplete(verdict)}; {suite}"
        case "no_base":
            return f"Incomplete: there is nothing to compare with; {suite}"
        case "waived":
            count = len({reason.task for reason in verdict.reasons if reason.state == "waived"})
            return f"Waived: {task_count(count)} over what is allowed, as accepted; {suite}"
        case "warn" if {reason.kind for reason in verdict.reasons if reason.state == "warn"} == {"lock"}:
            return f"{_passed(comparison)}; the lock is stale"
        case "warn":
            return f"Within tolerance: {_warned(verdict)}; {suite}"
        case _:
            return _passed(comparison)


def _passed(comparison: Comparison) -> str:
    total = usd(comparison.total("head"))
    tasks = task_count(sum(task.head is not None for task in comparison.tasks))
    if not comparison.moved:
        unchanged = "unchanged" if comparison.base is not None else "measured"
        return f"Agent cost {unchanged}: {tasks} within budget, {total} a run"
    return f"{_suite(comparison, opening=True)}: {tasks} within budget, {total} a run"


def _suite(comparison: Comparison, *, opening: bool = False) -> str:
    head, base = comparison.total("head"), comparison.total("base")
    who = "Agent cost" if opening else "the suite costs"
    if head is None:
        return f"{who} an unknown amount"
    if comparison.base is None or base is None:
        return f"{who} {usd(head)} a run"
    change = EXACT.subtract(head, base)
    if not change:
        return f"{who} as much as before" if not opening else f"{who} unchanged"
    share = f" ({signed_percent(_DIVISION.divide(change, base))})" if base else ""
    return f"{who} {signed_usd(change)} a run{share}"


def _blocked(comparison: Comparison, verdict: GateVerdict) -> str:
    blocking = [reason for reason in verdict.reasons if reason.state == "blocked"]
    tasks = {task.id: task for task in comparison.tasks}
    over = [tasks[reason.task] for reason in blocking if reason.kind == "budget"]
    benched = {reason.task: tasks[reason.task] for reason in blocking if reason.kind == "benchmark"}
    risen = [tasks[reason.task] for reason in blocking if reason.kind == "regression"]
    if over:
        worst = max(over, key=lambda task: _over(task) or Decimal(0))
        share = _over(worst)
        by = f" {percent(share)} over budget" if share is not None else " over budget"
        return f"{task_count(len(over))} {_is(over)}{by if len(over) == 1 else ' over budget'}"
    if benched:
        return _benched_text(list(benched.values()))
    if risen:
        share = risen[0].relative
        by = f" {percent(share)}" if len(risen) == 1 and share is not None else ""
        return f"{task_count(len(risen))} {'costs' if len(risen) == 1 else 'cost'}{by} more than before"
    return "many small rises add up"


def _benched_text(tasks: Sequence[TaskDiff]) -> str:
    """`a benchmark's tasks cost 36% over budget`."""
    if len(tasks) > 1:
        return f"{len(tasks)} benchmarks do not keep what is allowed"
    run = tasks[0].benched.run if tasks[0].benched is not None else None
    above = [] if run is None else [each for each in run.result.verdict.grounds if each.why in {"above", "early"}]
    if not above or not above[0].budget or above[0].value is None:
        return "a benchmark does not keep what is allowed"
    over = EXACT.subtract(_DIVISION.divide(above[0].value, above[0].budget), _ONE)
    return f"a benchmark's {'tasks' if above[0].measure == 'mean' else 'successes'} cost {percent(over)} over budget"


def _over(task: TaskDiff) -> Decimal | None:
    if task.budget.usd is None or task.head is None or task.head.usd is None or not task.budget.usd:
        return None
    share = EXACT.subtract(_DIVISION.divide(task.head.usd, task.budget.usd), _ONE)
    return share if share > 0 else None


def _is(tasks: Sequence[TaskDiff]) -> str:
    return "is" if len(tasks) == 1 else "are"


def _incomplete(verdict: GateVerdict) -> str:
    kinds = [reason.kind for reason in verdict.reasons if reason.state == "incomplete"]
    if "empty" in kinds:
        return "no task was measured"
    if "unknown" in kinds:
        count = kinds.count("unknown")
        return f"the cost of {task_count(count)} is not known"
    if "benchmark" in kinds:
        return f"{_count(kinds.count('benchmark'), 'benchmark')} decided nothing"
    if "estimate" in kinds:
        count = kinds.count("estimate")
        return f"{task_count(count)} must be recorded again to decide"
    return "not all of the suite was measured"


def _warned(verdict: GateVerdict) -> str:
    count = len({reason.task for reason in verdict.reasons if reason.state == "warn" and reason.task})
    return (
        f"{task_count(count)} over budget by less than is tolerated, or no worse than before" if count else "see below"
    )


def task_count(count: int) -> str:
    """A number of tasks, in words."""
    return _count(count, "task")


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def symbol_of(task: TaskDiff, verdict: GateVerdict) -> str:
    """A task's symbol: that of the gravest thing that was found of it."""
    found: GateState = next((reason.state for reason in verdict.reasons if reason.task == task.id), "pass")
    return SYMBOLS[found]


def cost_of_task(task: TaskDiff, *, bold: bool = False) -> str:
    """What a task costs now; estimated amounts with ≈."""
    if task.head is None:
        return "gone"
    limit = task.budget.usd
    text = usd(task.head.usd, limit=limit)
    if task.head.is_estimate:
        text = f"≈ {text}"
    return f"**{text}**" if bold and task.head.usd is not None else text


def of_budget(task: TaskDiff) -> str:
    """The share of its budget in dollars that a task uses."""
    if task.benched is not None:
        return _of_mean(task.benched)
    bound = task.budget.usd
    if bound is None or task.head is None:
        return ""
    if task.head.usd is None:
        return f"? of {limit_usd(bound)}"
    if not bound:
        return f"over {limit_usd(bound)}" if task.head.usd else limit_usd(bound)
    edge = EXACT.add(_ONE, task.budget.tolerance)
    return f"{percent(_DIVISION.divide(task.head.usd, bound), edge=edge)} of {limit_usd(bound)}"


def samples_text(benched: Benched) -> str:
    """How many samples a benchmark's costs are the sum of: `100 samples`, `40 of 100 samples`."""
    every = benched.run.result.figures.n
    told = benched.pairs.n + len(benched.pairs.unknown) if benched.pairs is not None else every
    return _count(every, "sample") if told == every else f"{told} of {_count(every, 'sample')}"


def _of_mean(benched: Benched) -> str:
    """The share of a benchmark's budget that its tasks use on average."""
    plan, mean = benched.run.plan, benched.run.result.figures.mean
    if not plan.usd:
        return ""
    if mean is None:
        return f"? of {limit_usd(plan.usd)} each"
    edge = EXACT.add(_ONE, plan.tolerance)
    return f"{percent(_DIVISION.divide(mean, plan.usd), edge=edge)} of {limit_usd(plan.usd)} each"


def reason_text(reason: Reason, task: TaskDiff | None, quote: Quote) -> str:
    """One reason as a sentence."""
    name = quote(reason.task) if reason.task else ""
    match reason.kind:
        case "budget" | "regression" if task is not None:
            text = _of_task(reason, task, name)
        case "estimate" if task is not None and task.head is not None and task.head.low is not None:
            band = usd_range(task.head.low, task.head.high)
            text = f"{name} was replayed from a recording made before its prompt changed: it costs {band}."
        case "benchmark" if task is not None and task.benched is not None:
            text = f"{name}: {grounds_text(task.benched.run)}."
            if reason.state == "warn":
                text += " It was over before, and is no worse now."
            if reason.state == "waived" and reason.waiver is not None:
                text += f" Accepted by {reason.waiver.approver} until {reason.waiver.until.isoformat()}."
        case "suite":
            text = "No task rose enough to block alone, but all of them together did."
        case _:
            text = f"{name}: {reason.text}" if name else reason.text
    if reason.waiver is not None and reason.text and reason.text not in text:
        text = f"{text} {reason.text}"
    return text


def _of_task(reason: Reason, task: TaskDiff, name: str) -> str:
    now = cost_of_task(task)
    if reason.kind == "regression" and task.benched is not None and task.benched.pairs is not None:
        return f"{name}: {pairs_text(task.benched.pairs)}."
    if reason.kind == "regression":
        before = usd(task.base.usd) if task.base is not None else "$0.00"
        return f"{name} costs {now}, and {before} before ({signed_percent(task.relative)})."
    worst = task.verdict.worst
    if task.budget.usd is not None and (worst is None or worst.limit == "usd"):
        text = f"{name} costs {now}, budget {limit_usd(task.budget.usd)}."
    elif worst is not None:
        text = f"{name} breaks its limit on {worst.limit.replace('_', ' ')}."
    else:
        text = f"{name} is over its budget."
    if reason.state == "warn" and task.verdict.state != "over":
        text += " It was over before, and is no worse now."
    if reason.state == "waived" and reason.waiver is not None:
        text += f" Accepted by {reason.waiver.approver} until {reason.waiver.until.isoformat()}."
    return text
