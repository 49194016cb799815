"""What a contract takes off the list price, and from when until when."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.config.documents import Document
from pytest_tokenbudget.config.entries import listed, read_entry
from pytest_tokenbudget.config.kinds import DAY, LABEL, PERCENT, Kind
from pytest_tokenbudget.config.place import refuse

__all__ = ["FIELDS", "REQUIRED", "Discount", "read_discounts"]

FIELDS: Final[Mapping[str, Kind]] = {
    "provider": LABEL,
    "model": LABEL,
    "percent": PERCENT,
    "from": DAY,
    "until": DAY,
}
REQUIRED: Final = ("provider", "percent")
_EXAMPLE: Final = "{provider: openai, percent: 12, from: 2026-01-01, until: 2026-12-31}"


class Discount(Struct, frozen=True, kw_only=True):
    """One entry under `discounts:`.

    Attributes:
        provider: Whose list prices it is taken off.
        model: Only models of this name or pattern, in which `*` and `?` are wildcards.
        percent: The share of the list price that is taken off, from more than 0 to 100.
        since: The first day, in UTC, on which it holds; written `from`.
        until: The last day, in UTC, on which it holds.
        place: Where it stands.
    """

    provider: str
    percent: Decimal
    model: str | None = None
    since: date | None = None
    until: date | None = None
    place: str


def read_discounts(document: Document) -> tuple[Discount, ...]:
    """The discounts that a file states, in its order.

    Raises:
        ConfigError: One names no provider or no percentage, or ends before it begins; the message names its line.
    """
    return tuple(_read(entry, place) for place, entry in listed(document, "discounts", _EXAMPLE))


def _read(entry: Mapping[str, object], place: str) -> Discount:
    values = read_entry(entry, FIELDS, place, "key")
    for key in REQUIRED:
        if key not in values:
            raise refuse(place, f"states no `{key}`. A discount is written like {_EXAMPLE}.")
    since, until = values.pop("from", None), values.get("until")
    if isinstance(since, date) and isinstance(until, date) and until < since:
        raise refuse(place, f"ends on {until} before it begins on {since}.")
    return Discount(since=since, place=place, **values)  # type: ignore[arg-type]  # read_entry checked each
