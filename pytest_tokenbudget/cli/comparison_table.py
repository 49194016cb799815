"""A comparison as a table on a terminal: what moved, why, and the verdict."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_tokenbudget.model.money import ZERO
from pytest_tokenbudget.policy.causes import told
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff
from pytest_tokenbudget.policy.gate import GateVerdict
from pytest_tokenbudget.report.amounts import signed_percent, signed_usd, usd
from pytest_tokenbudget.report.cause_text import cause_sentence
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.gate_text import cost_of_task, headline, of_budget, reason_text, samples_text, task_count
from pytest_tokenbudget.report.group_lines import changed_groups, group_amounts
from pytest_tokenbudget.report.names import below_shared_folder, of_test
from pytest_tokenbudget.report.price_change_text import prices_lines

__all__ = ["print_comparison", "print_verdict"]

_COLUMNS: Final = ("task", "base", "head", "change", "budget")
_SIGNS: Final = {"new": "+", "removed": "-", "renamed": ">", "changed": "~", "unchanged": " "}
_GROUPS: Final = 10
_STYLES: Final = {
    "blocked": "bold red",
    "incomplete": "yellow",
    "no_base": "yellow",
    "warn": "yellow",
    "waived": "yellow",
}


def print_comparison(comparison: Comparison, why: str, console: Console) -> None:
    """Print a row for each task that moved and below it why, then the sum.

    Args:
        comparison: Base and head.
        why: How the base was chosen, or why there is none.
        console: Where to.
    """
    moved = comparison.moved
    if moved:
        names = dict(zip((task.id for task in moved), below_shared_folder([task.id for task in moved]), strict=True))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
        for name in _COLUMNS:
            # the name stands behind a sign for what became of it
            header, side = (f"   {name}", "left") if name == "task" else (name, "right")
            table.add_column(header, justify=side, overflow="fold")  # type: ignore[arg-type]  # one of rich's words
        for task in moved:
            table.add_row(*(Text(cell) for cell in _row(task, names[task.id], has_base=comparison.base is not None)))
        console.print(table)
        for task in moved:
            for sentence in _why(task):
                console.print(Text(f" {printable(of_test(task.id))}: {sentence}"), soft_wrap=True)
    for by, changed in changed_groups(comparison).items():
        for group in changed[:_GROUPS]:
            before, after, change = group_amounts(group)
            name = f"{by} {printable(group.name)}" if group.name else f"no {by}"
            console.print(Text(f" {name}: {before} → {after}, {change}"), soft_wrap=True)
        if len(changed) > _GROUPS:
            console.print(Text(f" and {len(changed) - _GROUPS} more {by}s"), soft_wrap=True)
    for sentence in (*_sums(comparison, why), *map(printable, prices_lines(comparison.prices))):
        console.print(Text(f" {sentence}"), soft_wrap=True)


def _row(task: TaskDiff, name: str, *, has_base: bool) -> Sequence[str]:
    share = f" ({signed_percent(task.relative)})" if task.relative is not None else ""
    return (
        f" {_SIGNS[task.movement]} {name}{_was(task)}{_samples(task)}",
        (usd(task.base.usd) if task.base is not None else "new") if has_base else "",
        cost_of_task(task),
        f"{signed_usd(task.change)}{share}" if has_base else "",
        of_budget(task),
    )


def _was(task: TaskDiff) -> str:
    return f" (was {printable(of_test(task.was))})" if task.was else ""


def _samples(task: TaskDiff) -> str:
    return "" if task.benched is None else f" ({samples_text(task.benched)})"


def _why(task: TaskDiff) -> list[str]:
    if task.base is None or task.head is None:
        return []
    found = told(task.causes, task.base.usd or ZERO)
    before, after = task.base.portions, task.head.portions
    lines = [
        f"{signed_usd(cause.usd)} {printable(cause_sentence(cause, before, after, str))}" for cause in found.causes
    ]
    if lines and found.smaller:
        lines.append(f"{signed_usd(found.rest)} {found.smaller} smaller cause{'' if found.smaller == 1 else 's'}")
    return lines


def _sums(comparison: Comparison, why: str) -> list[str]:
    base, head = comparison.base, comparison.head
    quiet = sum(task.movement == "unchanged" for task in comparison.tasks)
    if base is None:
        return [f"{task_count(quiet)}: {usd(comparison.total('head'))} a run. {why}"]
    total = f"{usd(comparison.total('base'))} → {usd(comparison.total('head'))} a run"
    unchanged = f"{task_count(quiet)} unchanged. " if quiet else ""
    return [f"{unchanged}{total}; compared with {printable(base.label)} ({why}), {printable(head.label)} now."]


def print_verdict(comparison: Comparison, verdict: GateVerdict, console: Console) -> None:
    """Print the verdict, and each of its reasons."""
    console.print(Text(f" {headline(comparison, verdict)}", style=_STYLES.get(verdict.state, "green")), soft_wrap=True)
    tasks = {task.id: task for task in comparison.tasks}
    for reason in verdict.reasons:
        text = printable(reason_text(reason, tasks.get(reason.task), of_test))
        if text and reason.state != "pass":
            console.print(Text(f" {reason.state}: {text}", style=_STYLES.get(reason.state, "")), soft_wrap=True)
