"""Text as it stands in a terminal: nothing invisible, and wide characters take two columns."""

from collections.abc import Iterator
from typing import Final
from unicodedata import combining, east_asian_width

__all__ = ["columns", "ended", "left", "opened", "printable", "right", "wrapped"]

_GAP: Final = "…"


def printable(text: str) -> str:
    """The text with everything that moves the cursor, hides or reorders text written out as Python escapes."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def columns(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    return len(text) if text.isascii() else sum(map(_size, text))


def _size(sign: str) -> int:
    return 0 if combining(sign) else 2 if east_asian_width(sign) in {"W", "F"} else 1


def opened(text: str, most: int) -> str:
    """The beginning of a text, as much as fits."""
    if columns(text) <= most:
        return text
    return f"{''.join(_fitting(iter(text), most - 1))}{_GAP}"


def ended(text: str, most: int) -> str:
    """The end of a text, as much as fits: the end of a node id tells tests apart."""
    if columns(text) <= most:
        return text
    kept = "".join(reversed(list(_fitting(reversed(text), most - 1))))
    return f"{_GAP}{kept.lstrip(''.join(sign for sign in kept if combining(sign)))}"


def _fitting(signs: Iterator[str], most: int) -> Iterator[str]:
    taken = 0
    for sign in signs:
        taken += _size(sign)
        if taken > most:
            return
        yield sign


def left(text: str, size: int) -> str:
    """The text at the left of a column."""
    return text + " " * (size - columns(text))


def right(text: str, size: int) -> str:
    """The text at the right of a column."""
    return " " * (size - columns(text)) + text


def wrapped(text: str, width: int, *, first: str, further: str) -> list[str]:
    """A paragraph in lines; a word longer than a line stays whole, so that it can be copied.

    Args:
        text: Words.
        width: Columns of a line.
        first: What opens the first line.
        further: What opens every further one.
    """
    lines: list[str] = []
    line, words = first, 0
    for word in text.split():
        if words and columns(line) + 1 + columns(word) > width:
            lines.append(line)
            line, words = further, 0
        line += f" {word}" if words else word
        words += 1
    return [*lines, line]
