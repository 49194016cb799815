"""Costs that somebody accepted, for a while and up to a bound."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.config.documents import Document
from pytest_tokenbudget.config.entries import listed, read_entry
from pytest_tokenbudget.config.kinds import DAY, DOLLARS, LABEL, Kind
from pytest_tokenbudget.config.place import refuse

__all__ = ["FIELDS", "Waiver", "read_waivers"]

FIELDS: Final[Mapping[str, Kind]] = {
    "task": LABEL,
    "usd": DOLLARS,
    "reason": LABEL,
    "until": DAY,
    "approver": LABEL,
}
_EXAMPLE: Final = (
    '{task: "tests/test_faq.py::test_hours", usd: 0.75, reason: a new tool, until: 2026-12-31, approver: kim}'
)


class Waiver(Struct, frozen=True, kw_only=True):
    """One entry under `waivers:`; all of it must be stated.

    Attributes:
        task: The task's id, or a pattern with `*` and `?`.
        usd: What the task may cost: above it the waiver lapses.
        reason: Why it was accepted.
        until: The last day on which it holds.
        approver: Who accepted it.
        place: Where it stands.
    """

    task: str
    usd: Decimal
    reason: str
    until: date
    approver: str
    place: str = ""


def read_waivers(document: Document) -> tuple[Waiver, ...]:
    """The waivers that a file states, in its order.

    Raises:
        ConfigError: One lacks a key, or has one of the wrong kind; the message names its line.
    """
    return tuple(_read(entry, place) for place, entry in listed(document, "waivers", _EXAMPLE))


def _read(entry: Mapping[str, object], place: str) -> Waiver:
    values = read_entry(entry, FIELDS, place, "key")
    for key in FIELDS:
        if key not in values:
            raise refuse(place, f"states no `{key}`. A waiver is written like {_EXAMPLE}.")
    return Waiver(place=place, **values)  # type: ignore[arg-type]  # read_entry checked each
