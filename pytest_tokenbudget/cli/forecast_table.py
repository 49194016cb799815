"""Rows of figures and what is said of them, on a terminal."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["print_rows"]

_GAP: Final = 2


def print_rows(
    columns: Sequence[str], rows: Iterable[Sequence[str]], sentences: Iterable[str], console: Console
) -> None:
    """Print a table whose first column names what the others count, then sentences.

    Args:
        columns: The heads.
        rows: A cell for each head.
        sentences: What follows, and what it rests on.
        console: Where to.
    """
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_edge=False)
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    for sentence in sentences:
        console.print(Text(sentence), soft_wrap=True)
