"""A defect of ours, told so that it can be reported: where it happened, and nothing of what it happened to.

An error's own text may hold whatever it was about: a line of a recording, an address with a key in it, a variable of
CI. A log of CI is often public, so the text is shown only where somebody asks for it.
"""

import platform
import sys
from types import TracebackType
from typing import IO, Any, Final

import click

from pytest_tokenbudget import __version__

__all__ = ["CrashError"]

_REPORTS: Final = "https://github.com/pytest-tokenbudget/pytest-tokenbudget/issues"
_MOST_FRAMES: Final = 12


class CrashError(click.ClickException):
    """What no command foresaw, as click shows it; exit status 1.

    Args:
        error: It.
        command: What was typed, without its arguments.
    """

    exit_code = 1

    def __init__(self, error: Exception, command: str) -> None:
        super().__init__("\n".join(_lines(error, command)))

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it, to stderr unless a file is named."""
        click.echo(self.message, file=file, err=file is None)


def _lines(error: Exception, command: str) -> list[str]:
    return [
        f"tokenbudget: {command} crashed ({type(error).__name__}): a defect of it, and no verdict on your tests.",
        f"Please report this, with the lines below: {_REPORTS}",
        f" tokenbudget {__version__}, Python {platform.python_version()}, {sys.platform}",
        *(f" {frame}" for frame in _frames(error.__traceback__)),
        "What the error says is left out: it may hold something secret. To see it: tokenbudget --traceback …",
    ]


def _frames(trace: TracebackType | None) -> list[str]:
    """Where it happened, the innermost last: modules and lines, for a path tells whose machine it is."""
    frames = []
    while trace is not None:
        frame = trace.tb_frame
        frames.append(f"{frame.f_globals.get('__name__', '?')}:{trace.tb_lineno} {frame.f_code.co_name}")
        trace = trace.tb_next
    return frames[-_MOST_FRAMES:]
