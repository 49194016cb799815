"""The section that ends pytest's output."""

from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.budget import State
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.report.view import Row, headline, rows

__all__ = ["TITLE", "Line", "summary"]

TITLE: Final = "token budget"
_QUIET_ROWS: Final = 10
_COLUMNS: Final = ("task", "steps", "tokens in (cached)", "out", "cost", "budget")
_MARKUP: Final[dict[State, dict[str, bool]]] = {
    "over": {"yellow": True},
    "inconclusive": {"yellow": True},
    "unknown": {"red": True},
    "unmeasured": {"red": True},
    "blocked": {"red": True},
    "critical": {"red": True},
}


class Line(Struct, frozen=True):
    """A line of text and pytest's markup for it; meaning never rests on colour alone."""

    text: str
    markup: dict[str, bool] = {}


def summary(run: Run, *, width: int, verbosity: int = 0) -> list[Line]:
    """The lines of the section, without its title; empty where there is nothing to say.

    Tasks within their budget are listed up to ten, the costliest first, unless `-v` asks for all.

    Args:
        run: The run.
        width: Columns of the terminal.
        verbosity: pytest's own, -1 for `-q`.
    """
    if not (run.totals.calls or any(task.budget.limits() for task in run.tasks) or run.incomplete):
        return []
    telling = rows((*run.tasks, *run.fixtures))
    quiet = [row for row in telling if row.state in {"within", "unlimited"}]
    most = len(quiet) if verbosity > 0 else 0 if verbosity < 0 else _QUIET_ROWS
    shown = [row for row in telling if row not in quiet] + quiet[:most]
    lines = _table(shown, width) if shown else []
    if len(quiet) > most and verbosity >= 0:
        lines.append(Line(f" … and {len(quiet) - most} more tasks, none over budget (-v lists them)"))
    lines.append(Line(f" {headline(run)}"))
    lines += [
        Line(f" {row.symbol} {_short(row.task)}: {reason}", _markup(row)) for row in shown for reason in row.reasons
    ]
    if run.mode == "observe" and any(task.verdict.blocks for task in run.tasks):
        lines.append(Line(" Observed only: under --tokenbudget=enforce these tests would fail."))
    lines += [Line(f" Incomplete: {reason}", {"red": True}) for reason in run.incomplete]
    return lines


def _table(shown: list[Row], width: int) -> list[Line]:
    cells = [(row.task, row.steps, row.tokens_in, row.tokens_out, row.cost, row.budget) for row in shown]
    rest = [max(len(name), *(len(cell[index]) for cell in cells)) for index, name in enumerate(_COLUMNS) if index]
    room = width - sum(rest) - 2 * len(rest) - len("  ✗ ")
    first = max(len("task"), min(max(len(cell[0]) for cell in cells), max(room, 24)))
    lines = [Line(_line(" ", _COLUMNS, first, rest))]
    for row, cell in zip(shown, cells, strict=True):
        lines.append(Line(_line(row.symbol, (_fitted(cell[0], first), *cell[1:]), first, rest), _markup(row)))
    return lines


def _line(symbol: str, cells: tuple[str, ...], first: int, rest: list[int]) -> str:
    columns = [f"{cell:>{size}}" for cell, size in zip(cells[1:], rest, strict=True)]
    return f" {symbol} {cells[0]:<{first}}  {'  '.join(columns)}".rstrip()


def _fitted(text: str, size: int) -> str:
    # the end of a node id tells tests apart
    return text if len(text) <= size else f"…{text[-(size - 1) :]}"


def _short(task: str) -> str:
    return task.rpartition("::")[2]


def _markup(row: Row) -> dict[str, bool]:
    return _MARKUP.get(row.state, {})
