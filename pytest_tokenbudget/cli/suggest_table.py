"""Suggested limits as a table on a terminal."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_tokenbudget.policy.suggest import Suggestion
from pytest_tokenbudget.report.suggest_view import COLUMNS, rows, unsuggested

__all__ = ["print_suggestions"]

_FIGURES: Final = frozenset({"seen", "suggested"})
_GAP: Final = 2


def print_suggestions(found: Sequence[Suggestion], sentences: Sequence[str], console: Console) -> None:
    """Print a row for each limit, then what is not suggested and why, then what the evidence is.

    Args:
        found: What is suggested.
        sentences: On the evidence.
        console: Where to.
    """
    shown = rows(found)
    if shown:
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_edge=False)
        for name in COLUMNS:
            table.add_column(name, justify="right" if name in _FIGURES else "left", overflow="fold")
        for row in shown:
            table.add_row(*(Text(cell) for cell in row))
        console.print(table)
    for sentence in unsuggested(found):
        console.print(Text(f"? {sentence}", style="yellow"), soft_wrap=True)
    for sentence in sentences:
        console.print(Text(sentence), soft_wrap=True)
    if shown:
        console.print(Text("To paste them: --format marker, or --format yaml."), soft_wrap=True)
