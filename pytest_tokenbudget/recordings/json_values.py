"""JSON that may be cut off: all of it, or the items of its list before the break."""

import json
import re
from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.recordings.unreadable import broken_at

__all__ = ["items_before_break", "load_json"]

# the standard library's decoder: unlike msgspec it takes lone surrogates, which recorders do write
_DECODER: Final = json.JSONDecoder()
_BETWEEN: Final = re.compile(r"[\s,]*")


def load_json(text: str) -> object:
    """The document.

    Raises:
        UnreadableError: It is no JSON.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}"
        raise broken_at(place, error.msg) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or thousands of brackets
        place = "an unknown line"
        raise broken_at(place, str(error)) from error


def items_before_break(text: str, key: str | None) -> Iterator[object]:
    """Yield the items of a list, as many as are whole.

    Args:
        text: A document that `load_json` refused.
        key: The key before the list; `None` where the list is the whole.
    """
    start = re.match(r"\s*\[", text) if key is None else re.search(rf'"{re.escape(key)}"\s*:\s*\[', text)
    position = start.end() if start else len(text)
    while (between := _BETWEEN.match(text, position)) and between.end() < len(text):
        try:
            item, position = _DECODER.raw_decode(text, between.end())
        except (ValueError, RecursionError):
            return
        yield item
