"""What the summary says about drifted tasks: each change once, what it costs, and what to type."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from pytest_tokenbudget.model.budget import State
from pytest_tokenbudget.model.money import ZERO
from pytest_tokenbudget.policy.folding import folded, shape_of
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.drifting import Drifting, estimate_text, record_command, volatile_text
from pytest_tokenbudget.report.view import Row

__all__ = ["change_texts", "doubt_texts", "settling_texts"]

_MOST_TYPED = 3

Names = Callable[[Sequence[Row]], str]
"""Names some rows for the eye, the first few of many."""

Text = tuple[str, State]


def change_texts(rows: Sequence[Row], names: Names) -> Iterator[Text]:
    """One line for each change, with the tasks that share it.

    Args:
        rows: Rows of the summary, in its order.
        names: How tasks are named.
    """
    by_change: dict[tuple[str, str, bool], list[Row]] = {}
    for row in rows:
        found = row.drifting
        if found is not None:
            by_change.setdefault((row.symbol, f"{found.what}{found.unbounded}", found.whole), []).append(row)
    for alike in by_change.values():
        yield _change(alike, names), alike[0].state


def doubt_texts(rows: Sequence[Row], names: Names, *, every: bool) -> Iterator[Text]:
    """What changes at every run, and what makes bands wide; each once, with the tasks that share it.

    Args:
        rows: Rows of the summary, in its order.
        names: How tasks are named.
        every: Whether reasons are told that decide nothing.
    """
    for name, affected in _shared(rows, lambda found: found.volatile):
        yield f"! {names(affected)}: {volatile_text(name)}", "over"
    undecided = [row for row in rows if every or row.state == "inconclusive"]
    told = [(row, reason) for row in undecided if row.drifting for reason in _reasons(row.drifting)]
    for alike in {shape_of(reason): None for _, reason in told}:
        affected = list({row.id: row for row, reason in told if shape_of(reason) == alike}.values())
        for reason in folded(reason for _, reason in told if shape_of(reason) == alike):
            yield f"≈ {names(affected)}: {reason.rstrip('.')}.", affected[0].state


def _reasons(found: Drifting) -> Sequence[str]:
    return () if found.unbounded else found.reasons


def _change(rows: Sequence[Row], names: Names) -> str:
    first = rows[0].drifting
    if first is None:
        return ""
    lead = f"{rows[0].symbol} {names(rows)}: {first.what}"
    if len(rows) == 1:
        return f"{lead}{first.calls}; {estimate_text(first, rows[0].edges)}."
    if first.unbounded:
        return f"{lead}; {first.unbounded}."
    low = sum((row.drifting.low for row in rows if row.drifting), ZERO)
    more = "" if first.whole else " + ?"
    return f"{lead}; estimates of {amounts.usd_range(low, _sum(rows))}{more} together."


def _sum(rows: Sequence[Row]) -> Decimal | None:
    total = ZERO
    for row in rows:
        if row.drifting is None or row.drifting.high is None:
            return None
        total += row.drifting.high
    return total


def _shared(rows: Sequence[Row], said: Callable[[Drifting], Sequence[str]]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        for text in said(row.drifting) if row.drifting else ():
            found.setdefault(text, []).append(row)
    return list(found.items())


def settling_texts(rows: Sequence[Row], foreign: frozenset[str]) -> Iterator[str]:
    """The commands that record drifted tests again, what that would cost; first those that decide a verdict.

    Args:
        rows: Rows of the summary.
        foreign: Recordings that are pytest-recording's or the user's own to record.
    """
    tests = [row for row in rows if row.is_test]
    drifted = [row for row in tests if row.drifting and row.id.isprintable()]
    for own in (True, False):
        of_kind = [row for row in drifted if row.drifting and own == foreign.isdisjoint(row.drifting.sources)]
        undecided = [row for row in of_kind if row.state == "inconclusive"]
        others = [row for row in of_kind if row.state != "inconclusive"]
        if undecided:
            yield f"Settle it: {_typed(undecided, tests, own=own)}"
        if others:
            yield f"Record {'it' if len(others) == 1 else 'them'} again: {_typed(others, tests, own=own)}"


def _typed(rows: Sequence[Row], tests: Sequence[Row], *, own: bool) -> str:
    targets = [row.id for row in rows]
    if len(targets) > _MOST_TYPED:
        targets = list(dict.fromkeys(target.partition("::")[0] for target in targets))
        rows = [row for row in tests if row.id.partition("::")[0] in targets]
    costs = [row.totals.cost for row in rows]
    known = sum((cost for cost in costs if cost is not None), ZERO)
    about = f"   (about {amounts.usd(known)}{' + ?' if None in costs else ''})" if known else ""
    return f"{record_command(targets, own=own)}{about}"
