"""The limits of a budget as a marker or a file states them."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.config.kinds import DOLLARS, FLAG, FRACTION, LABEL, NUMBER, SHARE, WHOLE, Kind
from pytest_tokenbudget.config.place import refuse, unknown_key
from pytest_tokenbudget.model.budget import Budget

__all__ = ["FIELDS", "Statement", "budget_of", "read_statement"]


class Statement(Struct, frozen=True, kw_only=True):
    """What one place says about a task's budget.

    Attributes:
        values: `Budget` fields that were stated; everything else is left to other places.
        place: Where it stands, for messages and for the budget's origins.
    """

    values: Mapping[str, object]
    place: str


FIELDS: Final[Mapping[str, Kind]] = {
    "usd": DOLLARS,
    "tokens": WHOLE,
    "input_tokens": WHOLE,
    "output_tokens": WHOLE,
    "thinking_tokens": WHOLE,
    "steps": WHOLE,
    "tokens_per_step": NUMBER,
    "cache_hit_rate": SHARE,
    "seconds": NUMBER,
    "tolerance": FRACTION,
    "allow_no_calls": FLAG,
    "workflow": LABEL,
    "team": LABEL,
}


def read_statement(stated: Mapping[str, object], place: str, places: Mapping[str, str] | None = None) -> Statement:
    """Check what a marker or a file says about a budget.

    Args:
        stated: Keys and values as written.
        place: Where it stands.
        places: A closer place for each key, which names the key (a file's lines), if known.

    Raises:
        ConfigError: A key is unknown or a value out of range; the message names its place and what is allowed.
    """
    values: dict[str, object] = {}
    for key, value in stated.items():
        if key not in FIELDS:
            raise unknown_key((places or {}).get(key, place), key, FIELDS, "limit or label")
        if value is None:
            continue
        try:
            values[key] = FIELDS[key].read(value)
        except ValueError as error:
            raise refuse((places or {}).get(key, f"{place}: `{key}`"), f"{error}.") from None
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
