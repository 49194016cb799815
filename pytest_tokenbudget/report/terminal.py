"""The section that ends pytest's output."""

from collections import Counter
from collections.abc import Sequence
from decimal import Context, localcontext
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.benchmark import BenchmarkRun, BenchmarkState
from pytest_tokenbudget.model.budget import State
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.hygiene import sweep
from pytest_tokenbudget.report.benchmark_lines import AS_TYPED, benchmark_paragraphs
from pytest_tokenbudget.report.columns import columns, ended, left, printable, right, wrapped
from pytest_tokenbudget.report.drift_lines import change_texts, doubt_texts, settling_texts
from pytest_tokenbudget.report.headline import cost_sentence, verdict_sentence
from pytest_tokenbudget.report.names import listed, of_test
from pytest_tokenbudget.report.stray_lines import stray_texts, traffic_sentence
from pytest_tokenbudget.report.unused import contradiction_texts, unused_sentence
from pytest_tokenbudget.report.view import Row, rows

__all__ = ["TITLE", "Line", "summary"]

TITLE: Final = "token budget"
_QUIET_ROWS: Final = 10
_MOST_REASONS: Final = 10
_MOST_CHANGES: Final = 5
_NARROWEST_TASK: Final = 16
_ROOM_FOR_TASK: Final = 28
_LAYOUTS: Final[tuple[dict[str, str], ...]] = (
    {"steps": "steps", "tokens_in": "tokens in (cached)", "tokens_out": "out", "cost": "cost", "budget": "budget"},
    {"steps": "steps", "tokens_in": "in (cached)", "tokens_out": "out", "cost": "cost", "budget": "budget"},
    {"steps": "steps", "tokens_in": "in (cached)", "cost": "cost", "budget": "budget"},
    {"steps": "steps", "cost": "cost", "budget": "budget"},
    {"cost": "cost", "budget": "budget"},
)
"""Fields of a row with their headers, from the widest terminal to the narrowest: cost and budget stay."""

_MARKUP: Final[dict[State, dict[str, bool]]] = {
    "within": {"green": True},
    "over": {"yellow": True},
    "inconclusive": {"yellow": True},
    "unknown": {"red": True},
    "unmeasured": {"red": True},
    "blocked": {"red": True},
    "critical": {"red": True},
}

_BENCHMARK_MARKUP: Final[dict[BenchmarkState, dict[str, bool]]] = {
    "pass": {"green": True},
    "inconclusive": {"yellow": True},
    "block": {"red": True},
}


class Line(Struct, frozen=True):
    """A line of text and pytest's markup for it; meaning never rests on colour alone."""

    text: str
    markup: dict[str, bool] = {}


def summary(run: Run, *, width: int, verbosity: int = 0, run_file: str = "") -> list[Line]:
    """The lines of the section, without its title; empty where there is nothing to say.

    Tasks that kept their budget are listed up to ten, the costliest first, unless `-v` asks for all.

    Args:
        run: The run.
        width: Columns of the terminal.
        verbosity: pytest's own, -1 for `-q`.
        run_file: Where the run was written, to be named where something went wrong.
    """
    every = (*run.tasks, *run.fixtures)
    telling = any(task.verdict.blocks or task.strays for task in every)
    if not (run.totals.calls or run.incomplete or run.benchmarks or telling):
        return []
    with localcontext(Context(prec=28)):  # a test may have left another one behind
        return list(_summary(run, width, verbosity, run_file))


def _summary(run: Run, width: int, verbosity: int, run_file: str) -> list[Line]:
    every = rows(task for task in (*run.tasks, *run.fixtures) if task.drawn is None)
    telling = [row for row in every if _tells(row)]
    quiet = sorted((row for row in every if not _tells(row) and (row.called or verbosity > 0)), key=_costliest)
    most = len(quiet) if verbosity > 0 else 0 if verbosity < 0 else _QUIET_ROWS
    shown = telling + quiet[:most]
    lines = []
    verdict = verdict_sentence(run)
    if verdict is not None:
        lines += _paragraph(verdict[1], width, _MARKUP.get(verdict[0], {}))
    if shown:
        lines += _table(shown, width)
    if len(quiet) > most >= _QUIET_ROWS:
        lines.append(Line(f" … and {len(quiet) - most} more, none of them over budget (-v lists them)"))
    for benchmark in run.benchmarks:
        lines += _benchmark(benchmark, width, verbosity)
    lines += _paragraph(cost_sentence(run), width, {})
    tasks = (*run.tasks, *run.fixtures)
    if traffic := traffic_sentence(tasks):
        lines += _paragraph(traffic, width, {})
    lines += _reasons(shown, width, verbosity)
    lines += _capped([(text, _MARKUP[state]) for text, state in stray_texts(tasks)], width, verbosity)
    lines += _drift(telling if verbosity < 0 else every, run, width, verbosity)
    lines += _capped([(text, _MARKUP["over"]) for text in contradiction_texts(tasks)], width, verbosity, _MOST_CHANGES)
    if (unused := unused_sentence(sweep(run))) and verbosity >= 0:
        lines += _paragraph(unused, width, {})
    if run.partial and verbosity > 0:
        lines += _paragraph(f"A part of the suite ran: {printable(', '.join(run.partial))}.", width, {})
    lines += _capped([(f"Incomplete: {printable(why)}", {"red": True}) for why in run.incomplete], width, verbosity)
    if run_file and (telling or run.incomplete):
        lines.append(Line(f" Every call is in {printable(run_file)}"))
    return lines


def _benchmark(run: BenchmarkRun, width: int, verbosity: int) -> list[Line]:
    paragraphs = list(benchmark_paragraphs(run, verbose=verbosity > 0))
    lines = []
    for text, state in paragraphs if verbosity >= 0 else paragraphs[:1]:
        markup = _BENCHMARK_MARKUP.get(state, {}) if state else {}
        if text.startswith(AS_TYPED) or (text.startswith("  ") and len(text) < width):
            lines.append(Line(f" {text}", markup))  # a table's row keeps its columns
        elif text.startswith("  "):
            lines += [Line(line, markup) for line in wrapped(text, width, first="   ", further="   ")]
        else:
            lines += _paragraph(text, width, markup)
    return lines


def _tells(row: Row) -> bool:
    return row.state not in {"within", "unlimited"}


def _costliest(row: Row) -> tuple[object, ...]:
    return (not row.called, -row.totals.known, row.id)


def _paragraph(text: str, width: int, markup: dict[str, bool]) -> list[Line]:
    return [Line(line, markup) for line in wrapped(text, width, first=" ", further="   ")]


def _table(shown: Sequence[Row], width: int) -> list[Line]:
    longest = max(len("task"), *(columns(row.task) for row in shown))
    limited = any(row.budget for row in shown)
    for every in _LAYOUTS:
        layout = {field: header for field, header in every.items() if limited or field != "budget"}
        cells = [tuple(layout.values()), *(tuple(getattr(row, field) for field in layout) for row in shown)]
        sizes = [max(map(columns, column)) for column in zip(*cells, strict=True)]
        room = width - len(" ✗ ") - sum(size + 2 for size in sizes)
        if room >= min(longest, _ROOM_FOR_TASK):
            break
    first = min(longest, max(room, _NARROWEST_TASK))
    lines = [Line(_line(" ", "task", first, cells[0], sizes))]
    for row, cell in zip(shown, cells[1:], strict=True):
        lines.append(Line(_line(row.symbol, ended(row.task, first), first, cell, sizes), _markup(row)))
    return lines


def _line(symbol: str, task: str, first: int, cells: Sequence[str], sizes: Sequence[int]) -> str:
    others = "".join(f"  {right(cell, size)}" for cell, size in zip(cells, sizes, strict=True))
    return f" {symbol} {left(task, first)}{others}".rstrip()


def _markup(row: Row) -> dict[str, bool]:
    return _MARKUP[row.state] if _tells(row) else {}


def _reasons(shown: Sequence[Row], width: int, verbosity: int) -> list[Line]:
    """Each reason once, with the tasks that share it."""
    shared: dict[tuple[str, str], list[Row]] = {}
    for row in shown:
        for reason in row.reasons:
            shared.setdefault((row.symbol, reason), []).append(row)
    names = _Names(shown)
    texts = [(f"{symbol} {names(found)}: {reason}", _markup(found[0])) for (symbol, reason), found in shared.items()]
    return _capped(texts, width, verbosity)


def _drift(rows: Sequence[Row], run: Run, width: int, verbosity: int) -> list[Line]:
    names = _Names(rows)
    changes = [(text, _MARKUP.get(state, {})) for text, state in change_texts(rows, names)]
    doubts = [(text, _MARKUP.get(state, {})) for text, state in doubt_texts(rows, names, every=verbosity > 0)]
    foreign = frozenset(recording.source for recording in run.recordings if not recording.own)
    # on lines of their own, to be copied
    commands = [Line(f"   {text}") for text in settling_texts(rows, foreign)]
    capped = (_capped(texts, width, verbosity, _MOST_CHANGES) for texts in (changes, doubts))
    return [*(line for lines in capped for line in lines), *commands]


class _Names:
    """Names tasks as short as they stay apart."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._own = Counter(of_test(row.task) for row in rows)

    def __call__(self, rows: Sequence[Row]) -> str:
        return listed([name if self._own[name := of_test(row.task)] == 1 else row.task for row in rows])


def _capped(
    texts: Sequence[tuple[str, dict[str, bool]]], width: int, verbosity: int, most: int = _MOST_REASONS
) -> list[Line]:
    most = len(texts) if verbosity > 0 else most
    lines = [line for text, markup in texts[:most] for line in _paragraph(text, width, markup)]
    if len(texts) > most:
        lines.append(Line(f" … and {len(texts) - most} more (-v lists them)"))
    return lines
