"""The folder of what belongs to this machine: runs, journals and locks, which git is told to pass over."""

from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["make_folder"]

_OWN: Final = ".tokenbudget"
_IGNORED: Final = "# Made by pytest-tokenbudget: what is in here belongs to this machine.\n*\n"


def make_folder(path: Path) -> None:
    """Make a folder with those above it; where one of them is `.tokenbudget`, git passes it over from then on.

    Args:
        path: The folder, which may be there.

    Raises:
        OSError: It cannot be made.
    """
    path.mkdir(parents=True, exist_ok=True)
    for folder in (path, path.parent):
        if folder.name == _OWN:
            with suppress(OSError), (folder / ".gitignore").open("x", encoding="utf-8") as file:
                file.write(_IGNORED)
