"""The only reader of the environment."""

import os
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

__all__ = ["Variable", "current_test", "environment", "inherited"]

_PREFIX: Final = "TOKENBUDGET_"


class Variable(Struct, frozen=True):
    """An environment variable that is set."""

    name: str
    value: str


def environment() -> Mapping[str, Variable]:
    """Our variables by what they set: `TOKENBUDGET_AS_OF` sets `as_of`, and `TOKENBUDGET` alone the mode.

    Empty variables count as absent.
    """
    found = {
        name[len(_PREFIX) :].lower(): Variable(name, value)
        for name, value in os.environ.items()
        if name.startswith(_PREFIX) and value
    }
    if mode := os.environ.get("TOKENBUDGET"):
        found.setdefault("mode", Variable("TOKENBUDGET", mode))
    return found


def current_test() -> str | None:
    """The node id that pytest says is running, without its phase; `None` outside a test."""
    text = os.environ.get("PYTEST_CURRENT_TEST")
    return text.rpartition(" (")[0] or None if text else None


def inherited(*, without: tuple[str, ...]) -> dict[str, str]:
    """The environment for a child process, without the variables whose names begin so (in any case of letters)."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(without)}
