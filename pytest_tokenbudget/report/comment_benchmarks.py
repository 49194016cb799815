"""The comment's part on benchmarks: what each decided, and folded, the figures that this rests on."""

from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.policy.compare import Benched, Comparison
from pytest_tokenbudget.report.benchmark_lines import figure_rows, told_lines
from pytest_tokenbudget.report.benchmark_text import (
    caution_texts,
    error_text,
    failure_texts,
    grounds_text,
    hint_text,
    pairs_text,
    settling_text,
)
from pytest_tokenbudget.report.markdown import code, code_in_summary, details, plain, table
from pytest_tokenbudget.report.names import of_test

__all__ = ["benchmark_parts"]

_MOST: Final = 10
_SYMBOLS: Final = {"pass": "🟢", "inconclusive": "🟠", "block": "🔴"}
_WORDS: Final = {"pass": "passes", "inconclusive": "is undecided", "block": "is blocked"}


def benchmark_parts(comparison: Comparison) -> list[list[str]]:
    """A block of lines for each benchmark, folded; of more than ten, the rest are counted."""
    benched = [task.benched for task in comparison.tasks if task.benched is not None]
    found = [details(_title(each), list(_lines(each))) for each in benched[:_MOST]]
    if len(benched) > _MOST:
        found.append([f"{len(benched) - _MOST} more benchmarks are in the run file."])
    return found


def _title(benched: Benched) -> str:
    run = benched.run
    state = run.result.verdict.state
    return f"{_SYMBOLS[state]} Benchmark {code_in_summary(of_test(run.plan.id))} {_WORDS[state]}"


def _lines(benched: Benched) -> Iterator[str]:
    run = benched.run
    yield plain(f"{_capital(grounds_text(run))}.", 600)
    if command := settling_text(run):
        yield ""
        yield f"To settle it: {code(command, 500)}"
    if hint := hint_text(run):
        yield ""
        yield plain(hint, 600)
    if failures := failure_texts(run):
        yield ""
        yield from (f"- {plain(text, 600)}" for text in failures)
    rows = figure_rows(run)
    if rows:
        yield ""
        cells = [[name, plain(value, 80), plain(beside, 200)] for name, value, beside in rows]
        yield from table(("a task costs", "", "95% at either end"), "lrl", cells)
        yield ""
    yield from (f"- {plain(text, 600)}" for text in told_lines(run, gap="·"))  # spaces in a row are one in Markdown
    if benched.pairs is not None and benched.pairs.n:
        yield f"- Beside the base: {plain(pairs_text(benched.pairs), 600)}."
    if errors := error_text(run):
        yield f"- {plain(errors, 600)}"
    yield from (f"- {plain(text, 600)}" for text in caution_texts(run))


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
