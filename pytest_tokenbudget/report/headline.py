"""The two sentences of a run: whether its budgets were kept, and what it cost."""

from collections import Counter
from datetime import UTC
from typing import Final

from pytest_tokenbudget.meter.session import OUTSIDE
from pytest_tokenbudget.model.budget import SEVERITY, State
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.view import SYMBOLS, cost_text, lost

__all__ = ["cost_sentence", "verdict_sentence"]

_LEADS: Final[dict[State, str]] = {
    "within": "Within budget",
    "over": "Within tolerance",
    "inconclusive": "Undecided",
    "unknown": "Budget unchecked",
    "unmeasured": "Budget unchecked",
    "blocked": "Budget broken",
    "critical": "Budget broken",
}
_OBSERVED: Final = " Observed only: under --tokenbudget=enforce these tests would fail."

_WORDS: Final[dict[State, str]] = {
    "critical": "more than three times over",
    "blocked": "over",
    "unmeasured": "not measured",
    "unknown": "of unknown use",
    "inconclusive": "inconclusive",
    "over": "over but tolerated",
    "within": "within",
}


def verdict_sentence(run: Run) -> tuple[State, str] | None:
    """The worst verdict and how many tasks have which, in one sentence; `None` where nothing was limited."""
    judged = [task for task in run.tasks if task.verdict.blocks or (task.calls and task.verdict.state != "unlimited")]
    if not judged:
        return None
    counts = Counter(task.verdict.state for task in judged)
    states = sorted(counts, key=SEVERITY.index, reverse=True)
    worst = states[0]
    blocked = any(task.verdict.blocks for task in judged)
    whole = _counted(len(judged), "task")
    first = whole if len(states) == 1 else f"{counts[worst]} of {whole}"
    lead = _LEADS[worst]
    # the lead has said it: within budget, 3 of 3 tasks
    parts = [first if worst == "within" else f"{first} {_WORDS[worst]}"]
    parts += [f"{counts[state]} {_WORDS[state]}" for state in states[1:]]
    limits = " (as far as measured)" if run.incomplete and not blocked else ""
    observed = _OBSERVED if blocked and run.mode == "observe" else ""
    return worst, f"{SYMBOLS[worst]} {lead}{limits}: {', '.join(parts)}.{observed}"


def cost_sentence(run: Run) -> str:
    """What the run cost, what was paid for it, and at which prices."""
    totals = run.totals
    if not totals.calls:
        return "No model call was measured."
    replayed = totals.calls - totals.sent
    how = []
    if replayed:
        how.append(f"{_counted(replayed, 'call')} replayed")
    if totals.drifted:
        how.append(f"{totals.drifted} of them drifted")
    if totals.sent:
        how.append(f"{totals.sent} sent" if how else f"{_counted(totals.sent, 'call')} sent")
    every = (*run.tasks, *run.fixtures)
    more = " + ?" if totals.cost is not None and any(lost(task) or task.escaped for task in every) else ""
    paid = amounts.usd(totals.incurred)
    if totals.unknown_sent or any(task.possibly_billed for task in every):
        paid = f"{paid} + ?" if totals.incurred else "an unknown amount"
    attempts = " in all attempts" if any(task.earlier for task in run.tasks) else ""
    return (
        f"{_who(run)} cost {cost_text(totals)}{more}{attempts}; this run paid {paid} ({', '.join(how)}). "
        f"Prices of {_instant(run)} ({printable(run.as_of_source)})."
    )


def _who(run: Run) -> str:
    tasks = sum(bool(task.calls or task.earlier) for task in run.tasks)
    outside = [task for task in run.fixtures if task.id.startswith(OUTSIDE)]
    fixtures = sum(bool(task.calls) for task in run.fixtures) - sum(bool(task.calls) for task in outside)
    parts = [_counted(tasks, "task")] if tasks else []
    parts += [_counted(fixtures, "fixture")] if fixtures else []
    parts += ["calls outside of any test"] if _calls(outside) else []
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _calls(tasks: list[Task]) -> int:
    return sum(len(task.calls) for task in tasks)


def _instant(run: Run) -> str:
    moment = run.as_of.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment.hour or moment.minute else f"{moment:%Y-%m-%d}"


def _counted(count: int, what: str) -> str:
    return f"{amounts.tokens(count)} {what}" if count == 1 else f"{amounts.tokens(count)} {what}s"
