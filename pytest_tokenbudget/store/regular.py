"""Reading files that are files: a pipe never ends, and neither does a device."""

from pathlib import Path

__all__ = ["read_regular"]


def read_regular(path: Path) -> bytes:
    """A file's content; where a link leads does not matter.

    Raises:
        OSError: There is none, it cannot be read, or it is no regular file.
    """
    if path.exists() and not path.is_file():
        message = "it is no regular file"
        raise OSError(message)
    return path.read_bytes()
