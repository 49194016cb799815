"""The samples that a benchmark draws from: the rows of a file, or what a callable gives, each with a key of its own."""

import csv
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Final

from msgspec import DecodeError, Struct, json

from pytest_tokenbudget.config.place import refuse

__all__ = ["SUFFIXES", "Row", "called_rows", "read_rows"]

_ID: Final = "id"
_MOST_SHOWN: Final = 40


class Row(Struct, frozen=True, kw_only=True):
    """One sample as it was given.

    Attributes:
        key: Its `id` field, else its number, from 1. No other row has it.
        value: What the test is given: an object's fields as a dictionary, or whatever stands there.
    """

    key: str
    value: Any


def read_rows(path: Path, shown: str) -> tuple[Row, ...]:
    """Read every row of a data file: JSON lines, CSV with a header, or a list in YAML or JSON.

    Args:
        path: The file.
        shown: Its name in messages.

    Raises:
        ConfigError: It cannot be read, a line is broken, it holds no row, or two rows have one id; the message names
            the line.
    """
    reader = SUFFIXES.get(path.suffix.lower())
    if reader is None:
        raise refuse(shown, f"is no file of samples. Its name must end with one of {', '.join(SUFFIXES)}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(shown, f"is not UTF-8 text ({error.reason} at byte {error.start}).") from error
    except (OSError, ValueError) as error:  # no path may hold a NUL
        raise refuse(shown, f"cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    return _keyed(reader(text, shown), shown)


def called_rows(give: Callable[[], Iterable[Any]], shown: str) -> tuple[Row, ...]:
    """Take the samples that a callable gives; it must give the same ones whenever it is asked.

    Raises:
        ConfigError: It failed, gives nothing that can be iterated over, no row, or two rows of one id.
    """
    try:
        given = give()
        values = None if isinstance(given, Coroutine) else list(given)
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise refuse(shown, f"failed: {said}.") from error
    if isinstance(given, Coroutine):
        given.close()
    if values is None:
        raise refuse(shown, "is asynchronous. Give samples by a plain function.")
    return _keyed(((f"{shown}: sample {number}", value) for number, value in enumerate(values, 1)), shown)


def _keyed(placed: Iterable[tuple[str, Any]], shown: str) -> tuple[Row, ...]:
    rows: list[Row] = []
    places: dict[str, tuple[str, str]] = {}
    for number, (place, value) in enumerate(placed, 1):
        key = _key(value, number, place)
        alike = key.casefold()  # recordings are files, and many machines ignore case in their names
        if alike in places:
            other, where = places[alike]
            what = "is also that" if other == key else "is, but for its case, that"
            raise refuse(place, f"the id {key!r:.{_MOST_SHOWN}} {what} of {where}. Give every sample an id of its own.")
        places[alike] = key, place
        rows.append(Row(key=key, value=value))
    if not rows:
        raise refuse(shown, "holds no sample.")
    return tuple(rows)


def _key(value: object, number: int, place: str) -> str:
    if not isinstance(value, dict) or _ID not in value:
        return str(number)
    found = value[_ID]
    if isinstance(found, bool) or not isinstance(found, (str, int)) or not str(found).strip():
        raise refuse(place, f"the id {found!r:.{_MOST_SHOWN}} is neither a text nor a whole number.")
    return str(found)


def _json_lines(text: str, shown: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            place = f"{shown}:{number}"
            try:
                yield place, json.decode(line)
            except (DecodeError, RecursionError) as error:
                raise refuse(place, f"is not JSON: {error}. Each line must hold one sample.") from error


def _csv(text: str, shown: str) -> Iterator[tuple[str, Any]]:
    if csv.field_size_limit() < len(text):
        csv.field_size_limit(len(text))  # a ticket may be long; the file is in memory already
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    names: list[str] = []
    try:
        for row in rows:
            place = f"{shown}:{rows.line_num}"
            if not row:
                continue
            if not names:
                names = row
                if twice := next((name for name in names if names.count(name) > 1), None):
                    raise refuse(place, f"names the column {twice!r} twice.")
                continue
            if len(row) != len(names):
                fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
                raise refuse(place, f"has {fields}, and the header {len(names)}.")
            yield place, dict(zip(names, row, strict=True))
    except csv.Error as error:
        place = f"{shown}:{rows.line_num}"
        raise refuse(place, f"is not CSV: {error}.") from error


def _yaml(text: str, shown: str) -> Iterator[tuple[str, Any]]:
    import yaml  # costs 20 ms; only those pay whose samples are in YAML

    try:
        # composing first would give lines; nesting is bounded by libyaml itself
        values = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, OverflowError, AttributeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or error
        raise refuse(f"{shown}:{mark.line + 1}" if mark else shown, f"is not YAML: {what}.") from error
    yield from _listed(values, shown)


def _json(text: str, shown: str) -> Iterator[tuple[str, Any]]:
    try:
        values = json.decode(text)
    except (DecodeError, RecursionError) as error:
        raise refuse(shown, f"is not JSON: {error}.") from error
    yield from _listed(values, shown)


_KINDS: Final[dict[type, str]] = {dict: "a mapping", str: "a text", NoneType: "nothing", bool: "true or false"}


def _listed(values: object, shown: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(values, list):
        raise refuse(shown, f"holds {_KINDS.get(type(values), 'a number')}, not a list of samples.")
    for number, value in enumerate(values, 1):
        yield f"{shown}: sample {number}", value


SUFFIXES: Final[dict[str, Callable[[str, str], Iterator[tuple[str, Any]]]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": _json,
}
"""How each kind of file is read: its text to the place and value of every row."""
