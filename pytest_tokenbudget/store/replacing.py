"""Writing a text file whole: a reader sees the one before or this one, never half of it."""

import os
from contextlib import suppress
from pathlib import Path

from pytest_tokenbudget.errors import LockError

__all__ = ["write_whole"]


def write_whole(path: Path, text: str) -> None:
    """Replace a file.

    Raises:
        LockError: It cannot be written; the message names it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        message = f"{path}: it cannot be written: {error.strerror or error}. Name another with --output."
        raise LockError(message) from error
