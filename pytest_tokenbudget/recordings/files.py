"""Which files are meant by the paths that somebody gave."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pytest_tokenbudget.errors import RecordingError

__all__ = ["find_files"]

_SUFFIXES: Final = (".yaml", ".yml", ".json", ".har", ".yaml.gz", ".yml.gz", ".json.gz", ".har.gz")
_NOT_RECORDINGS: Final = frozenset(
    {".git", ".hg", ".nox", ".tox", ".tokenbudget", ".venv", "__pycache__", "node_modules"}
)


def find_files(paths: Iterable[Path | str]) -> list[str]:
    """The files to read, in order, none twice.

    A file that is named is read whatever its name. A directory stands for the files in it and below that end like
    recordings (.yaml, .yml, .json, .har, each also with .gz), sorted by path. A directory that cannot be listed stands
    for itself: whoever tries to read it learns why.

    Args:
        paths: Files and directories.

    Raises:
        RecordingError: A path does not exist.
    """
    found: dict[str, str] = {}
    for given in paths:
        path = os.fspath(given)
        if os.path.isdir(path):  # noqa: PTH112 - Path would write "./x" as "x": a source is named as it was given
            candidates: Iterable[str] = _below(path)
        elif os.path.lexists(path):
            candidates = [path]
        else:
            message = f"{path}: there is no such file or directory. Give a cassette, or a directory of cassettes."
            raise RecordingError(message)
        for candidate in candidates:
            found.setdefault(os.path.realpath(candidate), candidate)
    return list(found.values())


def _below(directory: str) -> Iterator[str]:
    files: list[str] = []
    unlisted: list[OSError] = []
    for folder, names, entries in os.walk(directory, onerror=unlisted.append):
        names[:] = [name for name in names if name not in _NOT_RECORDINGS]
        files += [os.path.join(folder, entry) for entry in entries if entry.lower().endswith(_SUFFIXES)]  # noqa: PTH118 - as above
    return iter(sorted([*files, *(str(error.filename) for error in unlisted)]))
