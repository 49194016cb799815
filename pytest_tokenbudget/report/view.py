"""A run as rows to print: sorted, formatted, one symbol per state."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.budget import SEVERITY, Finding, State
from pytest_tokenbudget.model.task import Task, Totals
from pytest_tokenbudget.policy.unknowns import escape_reason
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.drifting import Drifting, drifting, without_drift
from pytest_tokenbudget.report.names import below_shared_folder

__all__ = ["LIMIT_WORDS", "SYMBOLS", "Row", "budget_text", "cost_text", "crossed", "lost", "rows", "tokens_text"]

SYMBOLS: Final[dict[State, str]] = {
    "unlimited": "·",
    "within": "✓",
    "over": "!",
    "inconclusive": "~",
    "unknown": "?",
    "unmeasured": "∅",
    "blocked": "✗",
    "critical": "‼",
}

LIMIT_WORDS: Final = {
    "usd": "",
    "tokens": " tokens",
    "input_tokens": " input tokens",
    "output_tokens": " output tokens",
    "thinking_tokens": " thinking tokens",
    "steps": " steps",
    "tokens_per_step": " tokens per step",
    "cache_hit_rate": " cache hits",
    "seconds": "",
}


class Row(Struct, frozen=True, kw_only=True):
    """One task, ready to print.

    Attributes:
        id: The task's id as pytest takes it.
        task: The same for the eye: without the folder that all tasks share, nothing hidden in it.
        state: The verdict.
        symbol: Its symbol.
        called: Whether the task made a model call at all.
        totals: Its figures, to sort and to sum by.
        steps: Billed generating calls.
        tokens_in: Input tokens with the cached share.
        tokens_out: Output tokens, thinking included.
        cost: US dollars; a question mark for what is not known.
        budget: The deciding limit and how it was used.
        reasons: What a reader should know, in sentences.
        drifting: How its calls drifted; `None` where none did.
        edges: Amounts in US dollars that its limit makes decisive.
        is_test: Whether pytest can be asked for it by its id: not so for wider fixtures.
    """

    id: str
    task: str
    state: State
    symbol: str
    called: bool
    totals: Totals
    steps: str
    tokens_in: str
    tokens_out: str
    cost: str
    budget: str
    reasons: tuple[str, ...]
    drifting: Drifting | None = None
    edges: tuple[Decimal, ...] = ()
    is_test: bool = True


def rows(tasks: Iterable[Task]) -> list[Row]:
    """Tasks as rows: those that fail first, then by severity, then the costliest."""
    ordered = sorted(tasks, key=lambda task: (-SEVERITY.index(task.verdict.state), -task.totals.known, task.id))
    names = below_shared_folder([task.id for task in ordered])
    return [_row(task, name) for task, name in zip(ordered, names, strict=True)]


def _row(task: Task, name: str) -> Row:
    totals = task.totals
    usage = totals.usage
    about = "≈ " if totals.drifted else ""
    unread = lost(task) or task.escaped > 0
    whole = not (totals.unknown_usage or unread)
    cached = "" if usage.cache_hit_rate is None else f" ({amounts.percent(usage.cache_hit_rate)})"
    deciding = _deciding(task)
    bound = crossed(deciding, task) if deciding is not None and deciding.limit == "usd" else None
    cost = cost_text(totals, bound)
    called = bool(totals.calls or unread)
    return Row(
        id=task.id,
        task=name,
        state=task.verdict.state,
        symbol=SYMBOLS[task.verdict.state] if called or task.verdict.blocks else SYMBOLS["unlimited"],
        called=called,
        totals=totals,
        steps=str(totals.steps) if called else "-",
        tokens_in=f"{about}{tokens_text(usage.total_input, whole=whole, cached=cached)}" if called else "-",
        tokens_out=f"{about}{tokens_text(usage.total_output, whole=whole)}" if called else "-",
        cost=f"{cost}{' + ?' if unread and totals.cost is not None else ''}" if called else "-",
        budget=budget_text(task) if called else "no model call",
        reasons=tuple(_reasons(task)),
        drifting=drifting(task),
        edges=() if task.budget.usd is None else (task.budget.usd, task.budget.usd * (1 + task.budget.tolerance)),
        is_test=task.outcome != "fixture",
    )


def lost(task: Task) -> bool:
    """Whether an exchange passed that could not be read: its cost is in no sum."""
    return task.exchanges > len(task.calls) + len(task.skipped)


def crossed(finding: Finding, task: Task) -> Decimal | None:
    """The bound that a value must not seem to stand on: the tolerated one where it is beyond that, else the limit."""
    value = finding.low if finding.value is None else finding.value
    if value is None or finding.bound is None:
        return finding.bound
    if finding.limit == "cache_hit_rate":
        tolerated = finding.bound * (1 - task.budget.tolerance)
        return tolerated if value < tolerated else finding.bound
    tolerated = finding.bound * (1 + task.budget.tolerance)
    return tolerated if value > tolerated else finding.bound


def _reasons(task: Task) -> Iterable[str]:
    reasons = (_without_strays(without_drift(finding.reason, task), task) for finding in task.verdict.findings)
    yield from dict.fromkeys(printable(reason) for reason in reasons if reason)
    if task.earlier:
        before = sum((attempt.totals for attempt in task.earlier), Totals())
        attempts = "attempt before it" if len(task.earlier) == 1 else f"{len(task.earlier)} attempts before it"
        yield f"the last attempt is judged; the {attempts} cost {cost_text(before)} more."


def _without_strays(reason: str, task: Task) -> str:
    # which stand in lines of their own
    return " ".join(reason.replace(escaped, "").split()) if (escaped := escape_reason(task.strays)) else reason


def tokens_text(count: int, *, whole: bool, cached: str = "") -> str:
    """A count of tokens; where a part of it is unknown, what is known and a question mark."""
    if whole:
        return f"{amounts.tokens(count)}{cached}"
    return f"{amounts.tokens(count)}{cached} + ?" if count else "?"


def cost_text(totals: Totals, bound: Decimal | None = None) -> str:
    """A cost, ≈ where it rests on drifted calls; where a part of it is unknown, what is known and a question mark."""
    about = "≈" if totals.drifted else ""
    if totals.cost is not None:
        return f"{about}{amounts.usd(totals.cost, limit=bound)}"
    return f"{about}{amounts.usd(totals.known)} + ?" if totals.known else amounts.UNKNOWN


def budget_text(task: Task) -> str:
    """What the deciding limit says: `247% of $0.30`, `14 of 12 steps`."""
    finding = _deciding(task)
    if finding is None or finding.bound is None:
        return ""
    exact = finding.value is None or finding.limit in {"steps", "seconds"}
    about = "≈ " if task.totals.drifted and not exact else ""
    value = finding.value
    if value is None and finding.low:
        about, value = "≥ ", finding.low
    if finding.limit == "usd":
        bound = amounts.limit_usd(finding.bound)
        if not finding.bound:
            return f"of {bound}"
        share = None if value is None else value / finding.bound
        return f"{about}{amounts.percent(share, edge=1 + task.budget.tolerance)} of {bound}"
    bound = f"{amounts.measured(finding.limit, finding.bound)}{LIMIT_WORDS[finding.limit]}"
    used = amounts.measured(finding.limit, value, bound=crossed(finding, task))
    return f"{about}{used} of {'at least ' if finding.limit == 'cache_hit_rate' else ''}{bound}"


def _deciding(task: Task) -> Finding | None:
    bounded = [finding for finding in task.verdict.findings if finding.bound is not None]
    return max(bounded, key=lambda finding: SEVERITY.index(finding.state), default=None)
