"""Prices and their changes as tables on a terminal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_tokenbudget.pricing.catalog import Listing
from pytest_tokenbudget.pricing.changes import EntryChange
from pytest_tokenbudget.report import prices_diff, prices_view

__all__ = ["print_changes", "print_prices"]

_MOST_IN_FULL: Final = 6
_GAP: Final = 2
_WRAPPED: Final = frozenset({"also", prices_diff.COLUMNS[2]})
_TEXT_COLUMNS: Final = _WRAPPED | {"", "entry", "since"}


def print_prices(found: Sequence[Listing], console: Console, as_of: datetime) -> None:
    """Print a few entries in full, more of them in a line each.

    Args:
        found: The entries.
        console: Where to.
        as_of: The instant whose prices they have.
    """
    if len(found) > _MOST_IN_FULL:
        _print_table(console, prices_view.COLUMNS, [prices_view.line(listing) for listing in found])
        return
    for listing in found:
        shown = prices_view.block(listing, as_of)
        console.print(Text(shown.title, style="bold"), soft_wrap=True)
        if shown.rows:
            _print_table(console, shown.columns, shown.rows)
        for sentence in shown.sentences:
            console.print(Text(f"  {sentence}"), soft_wrap=True)
        console.print()


def print_changes(changes: Sequence[EntryChange], console: Console) -> None:
    """Print a row for each entry that changed, in the order given."""
    _print_table(console, prices_diff.COLUMNS, [prices_diff.diff_row(change) for change in changes])


def _print_table(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_edge=False)
    for index, name in enumerate(columns):
        is_text = name in _TEXT_COLUMNS
        wraps = name in _WRAPPED
        table.add_column(
            name,
            justify="left" if is_text else "right",
            no_wrap=not wraps,
            # names give way before figures do
            min_width=None if wraps or not index else max(len(name), *(len(row[index]) for row in rows)),
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
