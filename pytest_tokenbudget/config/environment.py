"""The only reader of the environment."""

import os
from collections.abc import Mapping
from typing import Final

__all__ = ["current_test", "environment", "in_ci", "inherited"]

PREFIX: Final = "TOKENBUDGET_"


def environment() -> Mapping[str, str]:
    """Our variables without their prefix, names in lower case: `TOKENBUDGET_AS_OF` is `as_of`.

    `TOKENBUDGET` alone is the mode. Empty variables count as absent.
    """
    found = {
        name[len(PREFIX) :].lower(): value for name, value in os.environ.items() if name.startswith(PREFIX) and value
    }
    if mode := os.environ.get("TOKENBUDGET"):
        found.setdefault("mode", mode)
    return found


def current_test() -> str | None:
    """The node id that pytest says is running, without its phase; `None` outside a test."""
    text = os.environ.get("PYTEST_CURRENT_TEST")
    return text.rpartition(" (")[0] or None if text else None


def in_ci() -> bool:
    """Whether this is a CI job, by the variable that every forge sets."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def inherited(*, without: tuple[str, ...]) -> dict[str, str]:
    """The environment for a child process, without the variables whose names begin so (in any case of letters)."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(without)}
