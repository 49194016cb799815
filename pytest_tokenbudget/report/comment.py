"""The pull request's comment: may I merge, how much more does it cost, where, why, what to do.

Nothing unchanged takes a line. Never longer than a forge accepts: details go first, then rows, one by one, and what was
left out is counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.policy.causes import Cause, Told, told
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff
from pytest_tokenbudget.policy.gate import GateVerdict
from pytest_tokenbudget.report.amounts import signed_percent, signed_usd, usd, usd_range
from pytest_tokenbudget.report.cause_text import cause_sentence
from pytest_tokenbudget.report.comment_folded import folded_parts
from pytest_tokenbudget.report.gate_text import (
    SYMBOLS,
    cost_of_task,
    headline,
    of_budget,
    reason_text,
    symbol_of,
    task_count,
)
from pytest_tokenbudget.report.markdown import code, plain, table
from pytest_tokenbudget.report.names import below_shared_folder, of_test

__all__ = ["LONGEST", "About", "comment", "marker"]

LONGEST: Final = 60_000
"""Bytes of UTF-8; a forge takes 65,536 characters, and some count bytes."""

_SHORT: Final = 7
_ROWS: Final = 25
_MOST_ROWS: Final = 400
"""More have no room in any case."""

_DIVISION: Final = Context(prec=28)
_HEADS: Final = ("task", "base", "head", "change", "of budget", "largest cause")


class About(Struct, frozen=True, kw_only=True):
    """What a comment says beside the comparison.

    Attributes:
        key: Tells several comments on one pull request apart.
        head: The commit that was measured, if known.
        run: What CI calls this run.
        base: How the base was chosen, or why there is none.
        base_age: Days since the base's commit was made, if known.
        as_of: The instant whose prices were used for both sides.
        paid: US dollars that the run really paid; `None` where unknown.
        volumes: Tasks a month, by workflow.
        command: What runs the tests.
    """

    key: str = "default"
    head: str = ""
    run: str = ""
    base: str = ""
    base_age: Decimal | None = None
    as_of: datetime
    paid: Decimal | None = ZERO
    volumes: Mapping[str, Decimal] = {}
    command: str = "pytest"


def marker(key: str) -> str:
    """How our comments of one key begin, so that the next run finds them."""
    return f"<!-- tokenbudget key={_word(key)} "


def _word(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum() or letter in "._-")[:64]


def comment(comparison: Comparison, verdict: GateVerdict, about: About) -> str:
    """The comment as Markdown of at most `LONGEST` bytes."""
    writer = _Writer(comparison, verdict, about)
    rows = min(len(comparison.moved), _MOST_ROWS)
    for folded, most in ((_ROWS, rows), (5, rows), (0, rows), (0, _ROWS), (0, 5), (0, 1), (0, 0)):
        text = writer.write(rows=min(most, rows), folded=folded)
        if len(text.encode()) <= LONGEST:
            return text
    return text.encode()[:LONGEST].decode("utf-8", "ignore")


class _Writer:
    def __init__(self, comparison: Comparison, verdict: GateVerdict, about: About) -> None:
        self._comparison, self._verdict, self._about = comparison, verdict, about
        self._tasks = {task.id: task for task in comparison.tasks}
        names = [task.id for task in comparison.tasks]
        self._names = dict(zip(names, below_shared_folder(names), strict=True))

    def write(self, *, rows: int, folded: int) -> str:
        """The comment with so many rows in its table and, in each part that is folded, so many lines."""
        about, moved = self._about, self._comparison.moved
        facts = [f"{name}={value}" for name, value in (("head", _word(about.head)[:_SHORT]), ("run", _word(about.run)))]
        facts = [fact for fact in facts if not fact.endswith("=")]
        lines = [
            f"{marker(about.key)}{' '.join([*facts, '-->'])}",
            f"### {SYMBOLS[self._verdict.state]} {headline(self._comparison, self._verdict)}",
        ]
        blocks: list[list[str]] = []
        if moved or self._verdict.reasons:
            blocks += [self._lead(), self._table(moved, rows), self._counts(moved, rows), self._monthly()]
            if folded:
                blocks += folded_parts(self._comparison, self._verdict, about.command, most=folded)
        text = "\n".join(lines)
        for block in blocks:
            if block:
                text += "\n\n" + "\n".join(block)
        return f"{text}\n{'' if not any(blocks) else chr(10)}<sub>{self._footer()}</sub>\n"

    def _lead(self) -> list[str]:
        """The gravest reason, and what made it so."""
        if not self._verdict.reasons:
            return []
        reason = self._verdict.reasons[0]
        task = self._tasks.get(reason.task)
        text = reason_text(reason, task, lambda name: code(of_test(name)))
        if task is not None:
            text = f"**{text}** {self._why(task)}".rstrip()
        return [text if task is not None else plain(text, 600)]

    def _why(self, task: TaskDiff) -> str:
        found = self._told(task).causes
        if not found or task.change is None:
            return ""
        sentence = self._sentence(found[0], task)
        share = f"{signed_usd(found[0].usd)} of its {signed_usd(task.change)}"
        return f"{sentence[0].upper()}{sentence[1:]}: {share}."

    def _told(self, task: TaskDiff) -> Told:
        return told(task.causes, task.base.usd or ZERO if task.base is not None else ZERO)

    def _sentence(self, cause: Cause, task: TaskDiff) -> str:
        before = task.base.portions if task.base is not None else ()
        after = task.head.portions if task.head is not None else ()
        return cause_sentence(cause, before, after, code)

    def _table(self, moved: Sequence[TaskDiff], most: int) -> list[str]:
        shown = [task for task in self._listed(moved) if task is not None][:most]
        return table(_HEADS, "lrrrrl", [self._row(task) for task in shown]) if shown else []

    def _listed(self, moved: Sequence[TaskDiff]) -> Iterator[TaskDiff]:
        """Tasks that something was found of, the gravest first; then what moved."""
        seen = dict.fromkeys(reason.task for reason in self._verdict.reasons if reason.task in self._tasks)
        yield from (self._tasks[name] for name in seen)
        yield from (task for task in moved if task.id not in seen)

    def _row(self, task: TaskDiff) -> list[str]:
        symbol = symbol_of(task, self._verdict)
        before = usd(task.base.usd) if task.base is not None else "new"
        name = code(self._names[task.id])
        if task.was:
            name = f"{name} (was {code(of_test(task.was))})"
        return [
            f"{symbol} {name}",
            before if self._comparison.base is not None else "",
            cost_of_task(task, bold=symbol == SYMBOLS["blocked"]),
            self._change(task),
            of_budget(task),
            self._cause(task),
        ]

    def _change(self, task: TaskDiff) -> str:
        if self._comparison.base is None:
            return ""
        share = signed_percent(task.relative) if task.relative is not None else ""
        return f"{signed_usd(task.change)} ({share})" if share else signed_usd(task.change)

    def _cause(self, task: TaskDiff) -> str:
        found = self._told(task)
        text = "; ".join(self._sentence(cause, task) for cause in found.causes[:1])
        if found.offsetting:
            return f"causes that offset each other: {text}"
        return text

    def _counts(self, moved: Sequence[TaskDiff], rows: int) -> list[str]:
        comparison = self._comparison
        listed = len(list(self._listed(moved)))
        quiet = len(comparison.tasks) - listed
        measured = [task for task in comparison.tasks if task.head is not None]
        estimates = [task for task in measured if task.head is not None and task.head.is_estimate]
        unknown = sum(task.head is not None and task.head.usd is None for task in measured)
        parts = [
            f"{listed - rows} more rows are left out." if listed > rows and rows else "",
            f"{quiet} other {'task' if quiet == 1 else 'tasks'} unchanged." if quiet else "",
            (
                f"{task_count(len(measured) - len(estimates) - unknown)} measured, {_estimated(estimates)}, "
                f"{unknown or 'none'} unknown. This run paid {usd(self._about.paid)}."
            ),
        ]
        return [" ".join(filter(None, parts))]

    def _monthly(self) -> list[str]:
        """What the change comes to in a month, by workflow, where its volume is declared."""
        found = []
        for workflow, volume in self._about.volumes.items():
            named = [task for task in self._comparison.tasks if task.budget.workflow == workflow]
            tasks = [task for task in named if task.base is not None and task.head is not None]
            changes = [task.change for task in tasks if task.change is not None]
            if not tasks or len(changes) < len(tasks) or not any(changes):
                continue
            total = ZERO
            for change in changes:
                total = EXACT.add(total, change)
            month = EXACT.multiply(_DIVISION.divide(total, Decimal(len(tasks))), volume)
            mean = "its task" if len(tasks) == 1 else f"the mean of its {len(tasks)} tasks"
            found.append(
                f"**At {volume:,f} tasks a month: about {_rounded(month)} for {code(workflow)}** "
                f"({mean}; volume from {code('tokenbudget.yml')})."
            )
        return found

    def _footer(self) -> str:
        about, base = self._about, self._comparison.base
        parts = []
        if base is not None:
            age = f" ({_days(about.base_age)} old)" if about.base_age is not None else ""
            parts.append(f"base {code(base.commit[:_SHORT] if base.commit else base.label)}{age}")
        else:
            parts.append(plain(about.base.rstrip(".") or "no base"))
        if about.head:
            parts.append(f"head {code(about.head[:_SHORT])}")
        parts.append(f"prices of {about.as_of.date().isoformat()}{' on both sides' if base is not None else ''}")
        quiet = not (self._comparison.moved or self._verdict.reasons)
        parts.append(f"this run paid {usd(about.paid)}" if quiet else "updated with every push")
        return " · ".join(parts)


def _rounded(amount: Decimal) -> str:
    """A change in three digits: what rests on a volume that somebody wrote down is no exact figure."""
    rough = amount.quantize(Decimal(1).scaleb(amount.adjusted() - 2)) if amount else amount
    return signed_usd(rough).removesuffix(".00")


def _estimated(estimates: Sequence[TaskDiff]) -> str:
    if not estimates:
        return "none estimated"
    if len(estimates) == 1 and (head := estimates[0].head) is not None and head.low is not None:
        return f"1 estimated (≈ {usd_range(head.low, head.high)})"
    return f"{len(estimates)} estimated"


def _days(age: Decimal) -> str:
    days = int(age)
    return "less than a day" if not days else "1 day" if days == 1 else f"{days} days"
