"""The limits of a budget as a marker or a file states them."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.config.place import refuse, unknown_key
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.money import dollars

__all__ = ["FIELDS", "Statement", "read_fraction", "read_statement"]


class Statement(Struct, frozen=True, kw_only=True):
    """What one place says about a task's budget.

    Attributes:
        values: `Budget` fields that were stated; everything else is left to other places.
        place: Where it stands, for messages and for the budget's origins.
    """

    values: Mapping[str, object]
    place: str


def read_fraction(value: object) -> Decimal:
    """Read `0.2` or `20%` as two tenths.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        message = f"{value!r} is neither a fraction such as 0.2 nor a percentage such as 20%"
        raise ValueError(message)
    text = str(value).strip()
    try:
        number = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        message = f"{value!r} is neither a fraction such as 0.2 nor a percentage such as 20%"
        raise ValueError(message) from None
    if not number.is_finite() or number < 0:
        message = f"{value!r} is below zero or no number"
        raise ValueError(message)
    return number / 100 if text.endswith("%") else number


def _whole(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        message = f"{value!r} is not a whole number of zero or more"
        raise ValueError(message)
    return Decimal(value)


def _number(value: object) -> Decimal:
    try:
        return dollars(value)
    except ValueError:
        message = f"{value!r} is not a number of zero or more"
        raise ValueError(message) from None


def _share(value: object) -> Decimal:
    share = read_fraction(value)
    if share > 1:
        message = f"{value!r} is not a share from 0 to 1 (or 0% to 100%)"
        raise ValueError(message)
    return share


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        message = f"{value!r} is neither true nor false"
        raise ValueError(message)
    return value


def _label(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        message = f"{value!r} is not a name"
        raise ValueError(message)
    return value


FIELDS: Final[Mapping[str, Callable[[object], object]]] = {
    "usd": dollars,
    "tokens": _whole,
    "input_tokens": _whole,
    "output_tokens": _whole,
    "thinking_tokens": _whole,
    "steps": _whole,
    "tokens_per_step": _number,
    "cache_hit_rate": _share,
    "seconds": _number,
    "tolerance": read_fraction,
    "allow_no_calls": _flag,
    "workflow": _label,
    "team": _label,
}


def read_statement(stated: Mapping[str, object], place: str, places: Mapping[str, str] | None = None) -> Statement:
    """Check what a marker or a file says about a budget.

    Args:
        stated: Keys and values as written.
        place: Where it stands.
        places: A closer place for single keys (a file's lines), if known.

    Raises:
        ConfigError: A key is unknown or a value out of range; the message names its place and what is allowed.
    """
    values: dict[str, object] = {}
    for key, value in stated.items():
        where = (places or {}).get(key, place)
        if key not in FIELDS:
            raise unknown_key(where, key, FIELDS, "limit or label")
        if value is None:
            continue
        try:
            values[key] = FIELDS[key](value)
        except ValueError as error:
            raise refuse(where, f"`{key}`: {error}.") from None
    return Statement(values=values, place=place)


def budget_of(statements: tuple[Statement, ...]) -> Budget:
    """Merge statements field by field; the first that states a field wins."""
    merged: dict[str, object] = {}
    origins: dict[str, str] = {}
    for statement in statements:
        for key, value in statement.values.items():
            if key not in merged:
                merged[key] = value
                origins[key] = statement.place
    return Budget(**merged, origins=tuple(sorted(origins.items())))  # type: ignore[arg-type]  # read_statement checked each
