"""What `tokenbudget doctor` found, on a terminal."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_tokenbudget.cli.doctor_scan import Examined, Secret
from pytest_tokenbudget.report.columns import printable

__all__ = ["print_findings"]

_GAP: Final = 2
_TO_DO: Final = (
    "Revoke these keys where they were issued: they stay in the repository's history, whatever is changed now.",
    "Then record these tests again, or take the secrets out of the files by hand. vcrpy's filter_headers and",
    "filter_query_parameters, and before_record_request for bodies, keep them out of what pytest-recording writes.",
)


def print_findings(files: Sequence[Examined], problems: Sequence[str], console: Console) -> None:
    """Print a row for each place of each file, then what to do, then what is wrong with the set-up.

    Args:
        files: What was looked through.
        problems: What is wrong with the set-up.
        console: Where to.
    """
    found = [secret for file in files for secret in file.secrets]
    if found:
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_edge=False)
        for name in ("recording", "interaction", "where", "what"):
            table.add_column(name, overflow="fold")
        for row in _rows(found):
            table.add_row(*(Text(printable(cell)) for cell in row))
        console.print(table)
    affected = sum(bool(file.secrets) for file in files)
    _line(console, f"{_counted(len(found), 'secret')} in {affected} of {_counted(len(files), 'recording')}.")
    for sentence in _TO_DO if found else ():
        _line(console, sentence)
    for file in files:
        if file.unread is not None:
            _line(console, f"? {file.source} cannot be read, and may hold anything: {file.unread}", style="yellow")
    for problem in problems:
        _line(console, f"! {problem}", style="yellow")


def _rows(found: Iterable[Secret]) -> list[tuple[str, str, str, str]]:
    """A row for each place of each file; interactions that repeat it are counted."""
    places: dict[tuple[str, str, str], list[int | None]] = {}
    for secret in found:
        where = f"{secret.part} {secret.place}" if secret.part else secret.place
        places.setdefault((secret.source, where, secret.kind), []).append(secret.index)
    return [(source, _positions(indexes), where, kind) for (source, where, kind), indexes in places.items()]


def _positions(indexes: list[int | None]) -> str:
    first = "" if indexes[0] is None else str(indexes[0])
    return f"{first} and {len(indexes) - 1:,} more" if len(indexes) > 1 else first


def _counted(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def _line(console: Console, text: str, *, style: str = "") -> None:
    console.print(Text(printable(text), style=style), soft_wrap=True)
