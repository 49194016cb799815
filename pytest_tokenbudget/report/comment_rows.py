"""The rows of a comment's table: the tasks that something is to be said of, the gravest first."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from pytest_tokenbudget.model.money import ZERO
from pytest_tokenbudget.policy.causes import Cause, Told, told
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff
from pytest_tokenbudget.policy.gate import GateVerdict
from pytest_tokenbudget.report.amounts import signed_percent, signed_usd, usd
from pytest_tokenbudget.report.cause_text import cause_sentence
from pytest_tokenbudget.report.gate_text import SYMBOLS, cost_of_task, of_budget, samples_text, symbol_of
from pytest_tokenbudget.report.markdown import cell, code, table
from pytest_tokenbudget.report.names import below_shared_folder, of_test

__all__ = ["Rows", "main_cause"]

_HEADS: Final = ("task", "base", "head", "change", "of budget", "largest cause")
_ALIGN: Final = "lrrrrl"
_MOST: Final = 400
"""More have no room in any case."""


class Rows:
    """The rows, written once however many of them are shown.

    Args:
        comparison: Base and head.
        verdict: The decision.
    """

    def __init__(self, comparison: Comparison, verdict: GateVerdict) -> None:
        self._comparison, self._verdict = comparison, verdict
        names = [task.id for task in comparison.tasks]
        self._names = dict(zip(names, below_shared_folder(names), strict=True))

    @cached_property
    def tasks(self) -> Sequence[TaskDiff]:
        """Tasks that something was found of, the gravest first; then what moved."""
        known = {task.id: task for task in self._comparison.tasks}
        found = dict.fromkeys(reason.task for reason in self._verdict.reasons if reason.task in known)
        return (
            *(known[name] for name in found),
            *(task for task in self._comparison.moved if task.id not in found),
        )

    @property
    def most(self) -> int:
        """How many rows could be shown."""
        return min(len(self.tasks), _MOST)

    def table(self, most: int) -> list[str]:
        """The table with its first rows; nothing where there are none."""
        head = table(_HEADS, _ALIGN, [])
        return [*head, *self._lines[:most]] if most and self.tasks else []

    @cached_property
    def _lines(self) -> list[str]:
        return [f"| {' | '.join(map(cell, self._row(task)))} |" for task in self.tasks[:_MOST]]

    def _row(self, task: TaskDiff) -> list[str]:
        symbol = symbol_of(task, self._verdict)
        before = usd(task.base.usd) if task.base is not None else "new"
        name = code(self._names[task.id])
        if task.benched is not None:
            name = f"{name} ({samples_text(task.benched)})"
        if task.was:
            name = f"{name} (was {code(of_test(task.was))})"
        return [
            f"{symbol} {name}",
            before if self._comparison.base is not None else "",
            cost_of_task(task, bold=symbol == SYMBOLS["blocked"]),
            self._change(task),
            of_budget(task),
            _cause(task),
        ]

    def _change(self, task: TaskDiff) -> str:
        if self._comparison.base is None:
            return ""
        share = signed_percent(task.relative) if task.relative is not None else ""
        return f"{signed_usd(task.change)} ({share})" if share else signed_usd(task.change)


def main_cause(task: TaskDiff) -> str:
    """A task's largest cause as a sentence with its share; empty where none is worth one."""
    found = _told(task).causes
    if not found or task.change is None:
        return ""
    sentence = _sentence(found[0], task)
    share = f"{signed_usd(found[0].usd)} of its {signed_usd(task.change)}"
    return f"{sentence[0].upper()}{sentence[1:]}: {share}."


def _cause(task: TaskDiff) -> str:
    found = _told(task)
    text = "; ".join(_sentence(cause, task) for cause in found.causes[:1])
    return f"causes that offset each other: {text}" if found.offsetting else text


def _told(task: TaskDiff) -> Told:
    return told(task.causes, task.base.usd or ZERO if task.base is not None else ZERO)


def _sentence(cause: Cause, task: TaskDiff) -> str:
    before = task.base.portions if task.base is not None else ()
    after = task.head.portions if task.head is not None else ()
    return cause_sentence(cause, before, after, code)
