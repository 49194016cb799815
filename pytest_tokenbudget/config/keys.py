"""Every setting by its key: how each is read, and what its value may be."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pytest_tokenbudget.config.limits import read_fraction
from pytest_tokenbudget.config.place import refuse, unknown_key
from pytest_tokenbudget.config.settings import MODES

__all__ = ["SCALARS", "read_as_of", "read_scalar"]


def _choice(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value is False and "off" in allowed:  # YAML 1.1 reads a bare `off` as false
            return "off"
        if value not in allowed:
            message = f"{value!r} is not one of {', '.join(allowed)}"
            raise ValueError(message)
        return str(value)

    return read


def read_as_of(value: object) -> datetime:
    """Read a date or an instant; a date means its first moment in UTC.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day, tzinfo=UTC)
    elif isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            message = f"{value!r} is neither a date such as 2026-11-01 nor an instant such as 2026-11-01T12:00:00Z"
            raise ValueError(message) from None
    else:
        message = f"{value!r} is not a date"
        raise ValueError(message)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _path(value: object) -> Path:
    if not isinstance(value, str) or not value.strip():
        message = f"{value!r} is not the path of a file"
        raise ValueError(message)
    return Path(value)


def _patterns(value: object) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
        message = f"{value!r} is not a list of host names such as [localhost:8000, '*.internal']"
        raise ValueError(message)
    return tuple(items)


def _names(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) and text for text in (*value, *value.values())):
        message = f"{value!r} is not a mapping of hosts to providers such as {{'localhost:4000': openai}}"
        raise ValueError(message)
    return MappingProxyType(dict(value))


SCALARS: Final[Mapping[str, Callable[[object], object]]] = {
    "mode": _choice(*MODES),
    "out": _path,
    "as_of": read_as_of,
    "tolerance": read_fraction,
    "unknown_model": _choice("error", "warn", "free"),
    "missing_usage": _choice("error", "warn"),
    "free_hosts": _patterns,
    "hosts": _names,
}
"""Settings with one value each; budgets, workflows and prices have structure of their own."""


def read_scalar(key: str, value: object, place: str, allowed: Mapping[str, object] | None = None) -> object:
    """Check one setting.

    Raises:
        ConfigError: The key is unknown, or its value not allowed; the message names the place.
    """
    if key not in SCALARS:
        raise unknown_key(place, key, allowed or SCALARS, "setting")
    try:
        return SCALARS[key](value)
    except ValueError as error:
        raise refuse(place, f"{error}.") from None
