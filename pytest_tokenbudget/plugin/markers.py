"""Reading `@pytest.mark.token_budget(...)`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pytest

from pytest_tokenbudget.config.limits import Statement, read_statement
from pytest_tokenbudget.config.place import refuse
from pytest_tokenbudget.errors import ConfigError

__all__ = ["MARKER", "read_markers"]

MARKER: Final = "token_budget"


def read_markers(items: Iterable[pytest.Item]) -> Iterator[tuple[pytest.Item, Sequence[Statement]]]:
    """What the markers of each marked test state, the closest first.

    Raises:
        ConfigError: Markers are wrong; each is named with its test once.
    """
    known: dict[int, Statement | None] = {}  # parameters share one mark: read and complain once
    wrong: list[str] = []
    for item in items:
        statements = []
        for mark in _closest_first(item):
            if id(mark) not in known:
                try:
                    known[id(mark)] = _read(mark, item)
                except ConfigError as error:
                    known[id(mark)] = None
                    wrong.append(str(error))
            statement = known[id(mark)]
            if statement is not None:
                statements.append(statement)
        if statements:
            yield item, statements
    if wrong:
        raise ConfigError("\n".join(wrong))


def _closest_first(item: pytest.Item) -> list[pytest.Mark]:
    marks = list(item.iter_markers(MARKER))
    if len(marks) > 1 and (parameters := getattr(item, "callspec", None)):
        # pytest puts what pytest.param(marks=…) says behind the function's own marks, though it is the closer word
        own = {id(mark) for mark in parameters.marks}
        marks.sort(key=lambda mark: id(mark) not in own)
    return marks


def _read(mark: pytest.Mark, item: pytest.Item) -> Statement:
    path, line, _ = item.location
    place = f"{path}:{line + 1 if line is not None else '?'}: @pytest.mark.{MARKER} of {item.name}"
    if mark.args:
        shown = ", ".join(map(repr, mark.args))
        raise refuse(place, f"({shown}) names no limit. Write for example usd=0.30.")
    return read_statement(mark.kwargs, place)
