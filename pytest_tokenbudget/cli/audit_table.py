"""An audit as a table on a terminal."""

import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.text import Text

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.pricing import Explanation
from pytest_tokenbudget.report.audit import Audit
from pytest_tokenbudget.report.audit_view import AuditRow, details, rows, sentences
from pytest_tokenbudget.report.columns import columns, ended, left, printable, right
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
        _print_table(console, shown)
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


def _print_table(console: Console, shown: list[AuditRow]) -> None:
    """Print a line for each row. Only the recording's name is cut: half a figure would be another one."""
    cells = [(printable(row.recording), row.calls, row.tokens_in, row.tokens_out, row.cost) for row in shown]
    sizes = [max(columns(name), *(columns(cell[at]) for cell in cells)) for at, name in enumerate(_COLUMNS)]
    room = max(console.width - 1 - sum(sizes[1:]) - _GAP * (len(_COLUMNS) - 1), _NARROWEST)
    sizes[0] = min(sizes[0], room)
    _line(console, _aligned(_COLUMNS, sizes), style="bold")
    for cell, row in zip(cells, shown, strict=True):
        _line(console, _aligned(cell, sizes), style="" if row.known else "yellow")


def _aligned(cells: tuple[str, ...], sizes: list[int]) -> str:
    figures = [right(cell, size) for cell, size in zip(cells[1:], sizes[1:], strict=True)]
    return (" " * _GAP).join([left(ended(cells[0], sizes[0]), sizes[0]), *figures])


def _line(console: Console, text: str, *, style: str = "") -> None:
    # names hold brackets, which rich would take for its markup
    console.print(Text(f" {printable(text)}", style=style), soft_wrap=True)
