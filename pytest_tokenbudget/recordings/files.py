"""Which files are meant by the paths that somebody gave."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pytest_tokenbudget.errors import RecordingError

__all__ = ["find_files"]

_SUFFIXES: Final = (".yaml", ".yml", ".json", ".har", ".yaml.gz", ".yml.gz", ".json.gz", ".har.gz")
_ORDINARY: Final = re.compile(r"\.[a-z][a-z0-9_+-]{0,11}~?", re.IGNORECASE)
"""What endings of names look like that say what a file is; `.1-mini]` of a test's parameters says nothing."""

_SNIFFED: Final = 1024
_BEGINNING: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:%.*\n|#.*\n|---[ \t]*\n|version: \d+\n|\s)*"
    rb"(?:(?:http_)?interactions:"
    rb"|\{\s*(?:\"(?:version|recorded_with)\"\s*:[^,{]*,\s*)?\"(?:(?:http_)?interactions|log)\"\s*:"
    rb"|\[\s*\{\s*\"scope\"\s*:)"
)
_NOT_RECORDINGS: Final = frozenset(
    {".git", ".hg", ".nox", ".tox", ".tokenbudget", ".venv", "__pycache__", "node_modules"}
)


def find_files(paths: Iterable[Path | str]) -> list[str]:
    """The files to read, in order, none twice.

    A file that is named is read whatever its name. A directory stands for the files in it and below that end like
    recordings (.yaml, .yml, .json, .har, each also with .gz), and for those without an ending that begin like one,
    sorted by path. A directory that cannot be listed stands for itself: whoever tries to read it learns why.

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
        for entry in entries:
            path = os.path.join(folder, entry)  # noqa: PTH118 - as above
            if entry.lower().endswith(_SUFFIXES) or (_says_nothing(entry) and _begins_like_one(path)):
                files.append(path)
    return iter(sorted([*files, *(str(error.filename) for error in unlisted)]))


def _says_nothing(name: str) -> bool:
    """Whether a name does not tell what the file is; hidden files are no recordings."""
    ending = os.path.splitext(name)[1]  # noqa: PTH122 - of a name alone
    return not name.startswith(".") and _ORDINARY.fullmatch(ending) is None


def _begins_like_one(path: str) -> bool:
    try:
        # a pipe would block
        if not os.path.isfile(path):  # noqa: PTH113 - as above
            return False
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return _BEGINNING.match(file.read(_SNIFFED)) is not None
    except OSError:
        return False
