"""How a recording is named in reports: from the project's root, so that no machine's paths reach them."""

import os
from functools import lru_cache

__all__ = ["base_of_paths", "shown_path"]

_base: str | None = None


def base_of_paths(base: str | os.PathLike[str] | None) -> str | None:
    """Name recordings from another folder, `None` being the working one; returns the one before."""
    global _base
    before, _base = _base, None if base is None else os.fspath(base)
    return before


def shown_path(path: object) -> str:
    """A recording's path as reports name it, with forward slashes."""
    try:
        # the working folder counts for relative paths, and a test may change it
        return _relative(os.path.abspath(os.fspath(path)), _base or os.getcwd())  # type: ignore[call-overload]  # noqa: PTH100, PTH109 - ten times faster than pathlib
    except (TypeError, ValueError, OSError):  # a persister of the user's own may name recordings by other things
        return str(path)


@lru_cache(maxsize=1024)
def _relative(path: str, base: str) -> str:
    return os.path.relpath(path, base).replace(os.sep, "/")
