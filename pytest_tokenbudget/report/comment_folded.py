"""What a comment folds away: where a change comes from, what else was found, and what to type next."""

from decimal import Decimal
from typing import Final

from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.policy.causes import Cause, label_of, told
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff
from pytest_tokenbudget.policy.gate import GateVerdict
from pytest_tokenbudget.report.amounts import signed_usd
from pytest_tokenbudget.report.cause_text import cause_title
from pytest_tokenbudget.report.comment_next import next_steps
from pytest_tokenbudget.report.gate_text import SYMBOLS, reason_text
from pytest_tokenbudget.report.group_lines import GROUP_HEADS, changed_groups, group_amounts
from pytest_tokenbudget.report.markdown import code, details, plain, table
from pytest_tokenbudget.report.names import of_test

__all__ = ["folded_parts"]

_NAMED: Final = 3


def folded_parts(
    comparison: Comparison, verdict: GateVerdict, command: str, foreign: frozenset[str], *, most: int
) -> list[list[str]]:
    """The parts as blocks of lines, empty where there is nothing to say.

    Args:
        comparison: Base and head.
        verdict: The decision.
        command: What runs the tests.
        foreign: Recordings that are not ours to make.
        most: How many lines each part may list.
    """
    parts = _Folded(comparison, verdict)
    return [
        parts.causes(most),
        parts.groups(most),
        parts.reasons(most),
        next_steps(comparison, verdict, command, foreign, most=most),
    ]


class _Folded:
    def __init__(self, comparison: Comparison, verdict: GateVerdict) -> None:
        self._comparison, self._verdict = comparison, verdict
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

    def groups(self, most: int) -> list[str]:
        """Sums by workflow, team and model, of those that changed."""
        found = changed_groups(self._comparison)
        rows = []
        for by, changed in found.items():
            rows += [
                [by if not number else "", code(group.name) if group.name else "none", *group_amounts(group)]
                for number, group in enumerate(changed[:most])
            ]
            if len(changed) > most:
                rows.append(["", f"and {len(changed) - most} more", "", "", ""])
        by_what = " and ".join(filter(None, (", ".join(list(found)[:-1]), *list(found)[-1:])))
        return details(f"By {by_what}", table(("by", "", *GROUP_HEADS), "llrrr", rows)) if rows else []

    def reasons(self, most: int) -> list[str]:
        rest = [reason for reason in self._verdict.reasons[1:] if reason.state != "pass"]  # the footer says those
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


def _of(task: TaskDiff, cause: Cause) -> Decimal:
    return next((own.usd for own in task.causes if (own.kind, own.name) == (cause.kind, cause.name)), ZERO)
