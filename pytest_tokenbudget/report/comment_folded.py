"""What a comment folds away: where a change comes from, what else was found, how to settle, reproduce and accept."""

from collections.abc import Sequence
from decimal import Decimal
from shlex import quote as shell_quote
from typing import Final

from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.policy.causes import Cause, label_of, told
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff
from pytest_tokenbudget.policy.gate import GateVerdict
from pytest_tokenbudget.policy.suggest import rounded_up
from pytest_tokenbudget.report.amounts import signed_usd, usd
from pytest_tokenbudget.report.cause_text import cause_title
from pytest_tokenbudget.report.gate_text import SYMBOLS, reason_text
from pytest_tokenbudget.report.markdown import code, details, plain, table
from pytest_tokenbudget.report.names import of_test

__all__ = ["folded_parts"]

_SHORT: Final = 7
_NAMED: Final = 3
_TYPED: Final = 8
"""Tests that a command names; of more, the whole suite is recorded again."""


def folded_parts(comparison: Comparison, verdict: GateVerdict, command: str, *, most: int) -> list[list[str]]:
    """The parts as blocks of lines, empty where there is nothing to say.

    Args:
        comparison: Base and head.
        verdict: The decision.
        command: What runs the tests.
        most: How many lines each part may list.
    """
    parts = _Folded(comparison, verdict, command)
    return [parts.causes(most), parts.reasons(most), parts.next_steps()]


class _Folded:
    def __init__(self, comparison: Comparison, verdict: GateVerdict, command: str) -> None:
        self._comparison, self._verdict, self._command = comparison, verdict, command
        self._tasks = {task.id: task for task in comparison.tasks}

    def causes(self, most: int) -> list[str]:
        causes = self._comparison.causes
        found = told(causes, self._comparison.total("base") or ZERO)
        if not found.causes:
            return []
        rows = [
            [cause_title(cause, code), label_of(cause.kind), signed_usd(cause.usd), self._where(cause)]
            for cause in found.causes[:most]
        ]
        total = ZERO
        for cause in causes:
            total = EXACT.add(total, cause.usd)
        left = total
        for cause in found.causes[:most]:
            left = EXACT.subtract(left, cause.usd)
        smaller = len(causes) - len(rows)
        if smaller:
            rows.append([f"{smaller} smaller", "", signed_usd(left), ""])
        estimated = any(task.head is not None and task.head.is_estimate for task in self._comparison.moved)
        rows.append(["**sum**", "", f"**{signed_usd(total)}**", "≈" if estimated else "exact"])
        return details(
            f"Where the {signed_usd(total)} comes from", table(("cause", "kind", "change", "in"), "llrl", rows)
        )

    def _where(self, cause: Cause) -> str:
        names = [
            code(of_test(task.id))
            for task in sorted(self._comparison.tasks, key=lambda task: -abs(_of(task, cause)))
            if _of(task, cause)
        ]
        more = len(names) - _NAMED
        return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")

    def reasons(self, most: int) -> list[str]:
        rest = self._verdict.reasons[1:]
        if not rest:
            return []
        lines = []
        for reason in rest[:most]:
            task = self._tasks.get(reason.task)
            text = reason_text(reason, task, lambda name: code(of_test(name))) if task else plain(reason.text, 400)
            lines.append(f"- {SYMBOLS[reason.state]} {text}")
        if len(rest) > most:
            lines.append(f"- and {len(rest) - most} more")
        return details("What else was found", lines)

    def next_steps(self) -> list[str]:
        """How to settle an estimate, to see the same locally, and to accept it."""
        lines: list[str] = []
        drifted = [task for task in self._comparison.tasks if task.head is not None and task.head.is_estimate]
        if drifted:
            lines += [*self._record_again(drifted), ""]
        if self._comparison.base is not None:
            lines += [f"Reproduce: {code(f'{self._command} && tokenbudget diff {self._base_name()}')}", ""]
        blocked = [reason.task for reason in self._verdict.reasons if reason.state == "blocked" and reason.task]
        if blocked:
            lines += ["Accept, in `tokenbudget.yml`:", "", *_waiver(self._tasks[blocked[0]])]
        if not lines:
            return []
        titles = [*(["settle the estimate"] if drifted else []), "reproduce", *(["accept"] if blocked else [])]
        return details(" · ".join(titles).capitalize(), lines if lines[-1] else lines[:-1])

    def _record_again(self, drifted: Sequence[TaskDiff]) -> list[str]:
        total = ZERO
        for task in drifted:
            total = EXACT.add(total, (task.head.usd if task.head is not None else None) or ZERO)
        names = [shell_quote(_one_line(task.id)) for task in drifted] if len(drifted) <= _TYPED else []
        again = " ".join([self._command, *names, "--tokenbudget-record=all"])
        what = code(of_test(drifted[0].id)) if len(drifted) == 1 else f"{len(drifted)} tests"
        return [f"Record {what} again (about {usd(total)}):", "", code(again, 2000)]

    def _base_name(self) -> str:
        base = self._comparison.base
        return base.commit[:_SHORT] if base is not None and base.commit else "origin/main"


def _of(task: TaskDiff, cause: Cause) -> Decimal:
    return next((own.usd for own in task.causes if (own.kind, own.name) == (cause.kind, cause.name)), ZERO)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _waiver(task: TaskDiff) -> list[str]:
    cost = (task.head.usd if task.head is not None else None) or ZERO
    # what cannot be shown is matched by a wildcard: the id must name its task wherever it is pasted
    pattern = "".join(letter if letter.isprintable() and letter not in '`"\\' else "?" for letter in task.id[:400])
    return [
        "```yaml",
        "waivers:",
        f'  - task: "{pattern}"',
        f"    usd: {rounded_up(cost)}",
        "    reason: …",
        "    until: …",
        "    approver: …",
        "```",
    ]
