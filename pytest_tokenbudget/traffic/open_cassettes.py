"""Which cassettes are open: vcrpy patches clients for the whole process, so that every thread uses the innermost."""

from collections.abc import Callable
from functools import wraps
from typing import Any

__all__ = ["innermost", "note_openings", "sends_nothing"]

_open: list[tuple[object, Any]] = []


def innermost() -> Any:
    """The cassette that was opened last and is still open, or `None`."""
    return _open[-1][1] if _open else None


def sends_nothing(cassette: Any) -> bool:
    """Whether a cassette's record mode is `none`."""
    mode = getattr(cassette, "record_mode", None)
    return getattr(mode, "value", mode) == "none"


def note_openings(decorator: Any) -> None:
    """Follow what vcrpy's `CassetteContextDecorator` opens and closes; however a cassette is used, it is by that."""
    if getattr(decorator.__enter__, "_notes_openings", False):
        return
    enter: Callable[..., Any] = decorator.__enter__
    leave: Callable[..., Any] = decorator.__exit__

    @wraps(enter)
    def opened(self: Any) -> Any:
        cassette = enter(self)
        _open.append((self, cassette))
        return cassette

    @wraps(leave)
    def closed(self: Any, *raised: Any) -> Any:
        try:
            return leave(self, *raised)
        finally:
            # not always the innermost: tasks and threads overlap
            for position in reversed(range(len(_open))):
                if _open[position][0] is self:
                    del _open[position]
                    break

    opened._notes_openings = True  # type: ignore[attr-defined]  # noqa: SLF001 - a mark of ours
    decorator.__enter__ = opened
    decorator.__exit__ = closed
