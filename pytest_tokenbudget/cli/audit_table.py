"""An audit as a table on a terminal."""

import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.pricing import Explanation
from pytest_tokenbudget.report.audit import Audit
from pytest_tokenbudget.report.audit_view import AuditRow, details, rows, sentences
from pytest_tokenbudget.report.price_entries import price_entries

__all__ = ["new_console", "print_audit"]

_COLUMNS: Final = ("recording", "calls", "tokens in (cached)", "out", "cost")
_GAP: Final = 2
_PIPED_WIDTH: Final = 160
_NARROWEST: Final = 12


def new_console() -> Console:
    """A console on standard output, as wide as the terminal; wide enough for long names in a file or a pipe."""
    return Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH, highlight=False)


def print_audit(
    audit: Audit, console: Console, *, explain: Callable[[Call], Explanation] | None = None, verbose: bool = False
) -> None:
    """Print a row for each recording, then what they cost in all and what is not in the sum.

    Args:
        audit: The audit.
        console: Where to.
        explain: How a call's cost comes about, where the price entries shall be listed.
        verbose: Whether to list skipped items and notes.
    """
    shown = rows(audit)
    if shown:
        console.print(_table(shown, console.width))
    for sentence in sentences(audit):
        _line(console, sentence, style="yellow" if sentence.startswith("?") else "")
    further = details(audit)
    if verbose and further:
        console.print()
        for line in further:
            _line(console, line)
    elif further:
        _line(console, "--verbose lists what was skipped, and the notes on calls.")
    if explain is not None:
        console.print()
        for line in price_entries(audit.calls, explain):
            _line(console, line)


def _table(shown: list[AuditRow], width: int) -> Table:
    cells = [(row.recording, row.calls, row.tokens_in, row.tokens_out, row.cost) for row in shown]
    sizes = [max(len(name), *(len(cell[column]) for cell in cells)) for column, name in enumerate(_COLUMNS)]
    room = max(width - sum(sizes[1:]) - _GAP * len(_COLUMNS), _NARROWEST)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_edge=False)
    for column, name in enumerate(_COLUMNS):
        table.add_column(f" {name}" if not column else name, justify="right" if column else "left", no_wrap=True)
    for cell, row in zip(cells, shown, strict=True):
        first = Text(f" {_fitted(cell[0], room)}")
        table.add_row(first, *(Text(text) for text in cell[1:]), style=None if row.known else "yellow")
    return table


def _fitted(text: str, size: int) -> str:
    # the end of a path tells recordings apart
    return text if len(text) <= size else f"…{text[-(size - 1) :]}"


def _line(console: Console, text: str, *, style: str = "") -> None:
    # names hold brackets, which rich would take for its markup
    console.print(Text(f" {text}", style=style), soft_wrap=True)
