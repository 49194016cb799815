"""Text that somebody else chose, inside our Markdown: it stays text, on one line, and short."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final
from unicodedata import category

__all__ = ["cell", "code", "code_in_summary", "details", "plain", "table"]

_LONGEST: Final = 160
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&$:])")
_TICKS: Final = re.compile(r"`+")


def plain(text: str, longest: int = _LONGEST) -> str:
    """Text as text: no markup, no mention, no link, no line break, nothing that turns the reading direction."""
    return _SPECIAL.sub(r"\\\1", _line(text, longest)).replace("\\@", "@\N{ZERO WIDTH NON-JOINER}")


def code(name: str, longest: int = _LONGEST) -> str:
    """A name as code, with as many backticks as it takes."""
    text = _line(name, longest) or "(empty)"
    fence = "`" * (max((len(ticks) for ticks in _TICKS.findall(text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def code_in_summary(name: str, longest: int = _LONGEST) -> str:
    """A name as code in the summary of `details`, where HTML is read and Markdown is not."""
    return f"<code>{escape(_line(name, longest)) or '(empty)'}</code>"


def _line(text: str, longest: int) -> str:
    # a name of a megabyte is cut before it is looked at
    cut = text[: longest + 1]
    shown = "".join(letter if category(letter)[0] not in "CZ" else " " for letter in cut)
    shown = " ".join(shown.split())
    return f"{shown[: longest - 1]}…" if len(text) > longest else shown


def cell(text: str) -> str:
    """Markdown inside a table: a bar ends a cell there, even inside code."""
    return text.replace("\\|", "|").replace("|", "\\|").replace("\n", " ")


def table(heads: Sequence[str], align: str, rows: Iterable[Sequence[str]]) -> list[str]:
    """A table's lines.

    Args:
        heads: The heads of its columns.
        align: A letter for each column: `l` or `r`.
        rows: Markdown, a cell for each column.
    """
    rule = "|".join({"l": ":--", "r": "--:"}[letter] for letter in align)
    lines = [f"| {' | '.join(heads)} |", f"|{rule}|"]
    lines += [f"| {' | '.join(map(cell, row))} |" for row in rows]
    return lines


def details(summary: str, lines: Sequence[str]) -> list[str]:
    """Lines that a reader unfolds.

    Args:
        summary: What is always shown, in HTML.
        lines: Markdown.
    """
    return [f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"]
