"""How a recording is named in reports: from the project's root, so that no machine's paths reach them."""

import os

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
        name = os.fsdecode(path)  # type: ignore[arg-type]
        base = _base or os.getcwd()  # noqa: PTH109 - this runs for every call, and pathlib takes ten times as long
        if name.startswith(base + os.sep) and ".." not in name:
            return name[len(base) + 1 :].replace(os.sep, "/")
        # the working folder counts for relative paths, and a test may change it
        return os.path.relpath(os.path.abspath(name), base).replace(os.sep, "/")  # noqa: PTH100 - as above
    except (TypeError, ValueError, OSError):  # a persister of the user's own may name recordings by other things
        return str(path)
