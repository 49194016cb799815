"""The pull request's comment: may I merge, how much more does it cost, where, why, what to do.

Nothing unchanged takes a line. Never longer than a forge accepts: rows go one by one, then details and the last rows,
and what was left out is counted.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.money import ZERO
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff
from pytest_tokenbudget.policy.gate import GateVerdict
from pytest_tokenbudget.report.amounts import usd, usd_range
from pytest_tokenbudget.report.comment_benchmarks import benchmark_parts
from pytest_tokenbudget.report.comment_folded import folded_parts
from pytest_tokenbudget.report.comment_monthly import monthly
from pytest_tokenbudget.report.comment_rows import Rows, main_cause
from pytest_tokenbudget.report.gate_text import SYMBOLS, headline, reason_text, task_count
from pytest_tokenbudget.report.markdown import code, plain
from pytest_tokenbudget.report.names import of_test
from pytest_tokenbudget.report.price_change_text import prices_block

__all__ = ["LONGEST", "About", "comment", "has_news", "marker"]

LONGEST: Final = 60_000
"""Bytes of UTF-8; a forge takes 65,536 characters, and some count bytes."""

_SHORT: Final = 7
_ROWS: Final = 25
"""So many rows are worth more than details."""

_LINES: Final = (25, 5, 0)
"""Lines of each part that is folded."""


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
        is_run: Whether a run is judged; where two locks are compared, nothing was paid for it.
        volumes: Tasks a month, by workflow.
        command: What runs the tests.
        foreign: Recordings that are not ours to make: pytest-recording's, or the user's own.
    """

    key: str = "default"
    head: str = ""
    run: str = ""
    base: str = ""
    base_age: Decimal | None = None
    as_of: datetime
    paid: Decimal | None = ZERO
    is_run: bool = True
    volumes: Mapping[str, Decimal] = {}
    command: str = "pytest"
    foreign: frozenset[str] = frozenset()


def marker(key: str) -> str:
    """How our comments of one key begin, so that the next run finds them."""
    return f"<!-- tokenbudget key={_word(key)} "


def _word(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum() or letter in "._-")[:64]


def has_news(comparison: Comparison, verdict: GateVerdict) -> bool:
    """Whether there is more to say than that all is as it was."""
    prices = comparison.prices
    return bool(comparison.moved or verdict.reasons or (prices is not None and prices.models))


def comment(comparison: Comparison, verdict: GateVerdict, about: About) -> str:
    """The comment as Markdown of at most `LONGEST` bytes."""
    writer = _Writer(comparison, verdict, about)
    for lines in _LINES:
        least = min(_ROWS, writer.rows.most) if lines else 0
        if writer.fits(least, lines):
            return writer.write(rows=_most(least, writer, lines), folded=lines)
    return writer.write(rows=0, folded=0).encode()[:LONGEST].decode("utf-8", "ignore")


def _most(least: int, writer: "_Writer", lines: int) -> int:
    """As many rows as there is room for, where the least of them fit."""
    low, high = least, writer.rows.most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if writer.fits(middle, lines) else (low, middle - 1)
    return low


class _Writer:
    def __init__(self, comparison: Comparison, verdict: GateVerdict, about: About) -> None:
        self._comparison, self._verdict, self._about = comparison, verdict, about
        self.rows = Rows(comparison, verdict)
        self._folded = cache(lambda most: folded_parts(comparison, verdict, about.command, about.foreign, most=most))

    def fits(self, rows: int, folded: int) -> bool:
        """Whether the comment is short enough then."""
        return len(self.write(rows=rows, folded=folded).encode()) <= LONGEST

    def write(self, *, rows: int, folded: int) -> str:
        """The comment with so many rows in its table and, in each part that is folded, so many lines."""
        blocks: list[Sequence[str]] = []
        if self._has_news:
            left_out = len(self.rows.tasks) - rows
            more = (
                f"{left_out} more {'row is' if left_out == 1 else 'rows are'} left out. " if left_out and rows else ""
            )
            blocks = [self._lead, self.rows.table(rows), [f"{more}{self._counts}"], self._monthly]
        blocks += prices_block(self._comparison.prices, most=folded)
        if folded:
            blocks += self._benchmarks
        if folded and self._has_news:
            blocks += self._folded(folded)
        text = self._head + "".join("\n\n" + "\n".join(block) for block in blocks if block)
        return f"{text}\n{'' if not any(blocks) else chr(10)}<sub>{self._footer}</sub>\n"

    @property
    def _has_news(self) -> bool:
        return bool(self._comparison.moved or self._verdict.reasons)

    @cached_property
    def _head(self) -> str:
        """The marker and the verdict."""
        about = self._about
        facts = [f"{name}={value}" for name, value in (("head", _word(about.head)[:_SHORT]), ("run", _word(about.run)))]
        facts = [fact for fact in facts if not fact.endswith("=")]
        return (
            f"{marker(about.key)}{' '.join([*facts, '-->'])}\n"
            f"### {SYMBOLS[self._verdict.state]} {headline(self._comparison, self._verdict)}"
        )

    @cached_property
    def _lead(self) -> Sequence[str]:
        """The gravest reason, and what made it so."""
        if not self._verdict.reasons:
            return ()
        reason = self._verdict.reasons[0]
        task = next((task for task in self.rows.tasks if task.id == reason.task), None)
        text = reason_text(reason, task, lambda name: code(of_test(name)))
        if task is None:
            return (plain(text, 600),)
        return (f"**{text}** {main_cause(task)}".rstrip(),)

    @cached_property
    def _monthly(self) -> Sequence[str]:
        return tuple(monthly(self._comparison, self._about.volumes))

    @cached_property
    def _benchmarks(self) -> Sequence[Sequence[str]]:
        return benchmark_parts(self._comparison)

    @cached_property
    def _counts(self) -> str:
        """What is not in the table, and how well all of it is known."""
        quiet = len(self._comparison.tasks) - len(self.rows.tasks)
        costs = [(task, task.head) for task in self._comparison.tasks if task.head is not None]
        estimates = [task for task, head in costs if head.is_estimate and head.usd is not None]
        unknown = sum(head.usd is None for _, head in costs)
        parts = [
            f"{quiet} other {'task' if quiet == 1 else 'tasks'} {self._quietly}." if quiet else "",
            (
                f"{task_count(len(costs) - len(estimates) - unknown)} measured, {_estimated(estimates)}, "
                f"{unknown or 'none'} unknown."
            ),
            f"This run paid {usd(self._about.paid)}." if self._about.is_run else "",
        ]
        return " ".join(filter(None, parts))

    @property
    def _quietly(self) -> str:
        return "unchanged" if self._comparison.base is not None else "within budget"

    @cached_property
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
        if about.is_run:
            parts.append("updated with every push" if self._has_news else f"this run paid {usd(about.paid)}")
        return " · ".join(parts)


def _estimated(estimates: Sequence[TaskDiff]) -> str:
    if not estimates:
        return "none estimated"
    if len(estimates) == 1 and (head := estimates[0].head) is not None and head.low is not None:
        return f"1 estimated (≈ {usd_range(head.low, head.high)})"
    return f"{len(estimates)} estimated"


def _days(age: Decimal) -> str:
    days = int(age)
    return "less than a day" if not days else "1 day" if days == 1 else f"{days} days"
