"""A run as rows to print: sorted, formatted, one symbol per state."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.budget import SEVERITY, Finding, State
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task, Totals
from pytest_tokenbudget.report import amounts

__all__ = ["LIMIT_WORDS", "SYMBOLS", "Row", "budget_text", "headline", "rows"]

SYMBOLS: Final[dict[State, str]] = {
    "unlimited": "·",
    "within": "✓",
    "over": "!",
    "inconclusive": "~",
    "unknown": "?",
    "unmeasured": "∅",
    "blocked": "✗",
    "critical": "✗",
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
    """One task, ready to print."""

    task: str
    state: State
    symbol: str
    steps: str
    tokens_in: str
    tokens_out: str
    cost: str
    budget: str
    reasons: tuple[str, ...]


def rows(tasks: Iterable[Task]) -> list[Row]:
    """Tasks as rows: those that fail first, then by severity, then the costliest."""
    ordered = sorted(tasks, key=lambda task: (-SEVERITY.index(task.verdict.state), -task.totals.known, task.id))
    return [_row(task) for task in ordered]


def _row(task: Task) -> Row:
    totals = task.totals
    usage = totals.usage
    about = "≈ " if totals.drifted else ""
    cached = "" if usage.cache_hit_rate is None else f" ({amounts.percent(usage.cache_hit_rate)})"
    worst = task.verdict.worst
    bound = worst.bound if worst is not None and worst.limit == "usd" else None
    return Row(
        task=task.id,
        state=task.verdict.state,
        symbol=SYMBOLS[task.verdict.state],
        steps=str(totals.steps),
        tokens_in=f"{about}{amounts.tokens(usage.total_input)}{cached}" if totals.calls else "-",
        tokens_out=f"{about}{amounts.tokens(usage.total_output)}" if totals.calls else "-",
        cost=f"{about}{cost_text(totals, bound)}" if totals.calls else "-",
        budget=budget_text(task),
        reasons=tuple(dict.fromkeys(finding.reason for finding in task.verdict.findings if finding.reason)),
    )


def cost_text(totals: Totals, bound: Decimal | None = None) -> str:
    """A cost; where a part of it is unknown, what is known and a question mark."""
    if totals.cost is not None:
        return amounts.usd(totals.cost, limit=bound)
    return f"{amounts.usd(totals.known)} + ?" if totals.known else "?"


def budget_text(task: Task) -> str:
    """What the deciding limit says: `247% of $0.30`, `14 of 12 steps`."""
    finding = _deciding(task)
    if finding is None or finding.bound is None:
        return ""
    if finding.limit == "usd":
        if finding.value is None or not finding.bound:
            return f"of {amounts.limit_usd(finding.bound)}"
        edge = 1 + task.budget.tolerance
        return f"{amounts.percent(finding.value / finding.bound, edge=edge)} of {amounts.limit_usd(finding.bound)}"
    value = amounts.measured(finding.limit, finding.value, bound=finding.bound)
    joint = "of at least" if finding.limit == "cache_hit_rate" else "of"
    return f"{value} {joint} {amounts.measured(finding.limit, finding.bound)}{LIMIT_WORDS[finding.limit]}"


def _deciding(task: Task) -> Finding | None:
    bounded = [finding for finding in task.verdict.findings if finding.bound is not None]
    return max(bounded, key=lambda finding: SEVERITY.index(finding.state), default=None)


def headline(run: Run) -> str:
    """What the run cost, what was paid for it, and at which prices, in one sentence or two."""
    totals = run.totals
    count = len(run.tasks)
    parts: list[str] = []
    for number, word in (
        (totals.calls - totals.sent, "replayed"),
        (totals.sent, "sent"),
    ):
        if number:
            parts.append(f"{number} {'call' if number == 1 else 'calls'} {word}" if not parts else f"{number} {word}")
    if totals.drifted:
        parts.append(f"{totals.drifted} of them drifted" if totals.drifted > 1 else "1 of them drifted")
    paid = "an unknown amount" if totals.unknown_sent else amounts.usd(totals.incurred)
    how = f" ({', '.join(parts)})" if parts else ""
    return (
        f"{count} {'task' if count == 1 else 'tasks'} cost {cost_text(totals)}; this run paid {paid}{how}. "
        f"Prices of {run.as_of.date().isoformat()} ({run.as_of_source})."
    )
