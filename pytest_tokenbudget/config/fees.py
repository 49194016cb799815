"""Fees by the piece that no price list holds: calls of external APIs, tools, and what a provider counts."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.config.documents import Document
from pytest_tokenbudget.config.entries import listed, read_entry
from pytest_tokenbudget.config.kinds import DOLLARS, LABEL, Kind
from pytest_tokenbudget.config.place import refuse

__all__ = ["FIELDS", "GOES_WITH", "SUBJECTS", "Fee", "read_fees"]

FIELDS: Final[Mapping[str, Kind]] = {
    "host": LABEL,
    "path": LABEL,
    "tool": LABEL,
    "fee": LABEL,
    "provider": LABEL,
    "name": LABEL,
    "usd": DOLLARS,
}
SUBJECTS: Final = ("host", "tool", "fee")
"""What a fee is for: exactly one of them is stated."""

GOES_WITH: Final = {"path": "host", "name": "host", "provider": "fee"}
_EXAMPLE: Final = "{host: api.tavily.com, path: /search, usd: 0.008, name: tavily_search}"


class Fee(Struct, frozen=True, kw_only=True):
    """One entry under `fees:`.

    Attributes:
        host: Requests to hosts of this name or pattern, which are no model calls, cost this much each.
        path: Only those whose path is this, or matches this pattern; goes with `host`.
        tool: Each call of a tool of this name or pattern, as a model asks for it, costs this much.
        fee: What a provider counts under this name, such as `web_search_preview`, costs this much each.
        provider: Only calls priced as this provider; goes with `fee`.
        name: What a request is called in reports; the host where none is given; goes with `host`.
        usd: US dollars each.
        place: Where it stands.
    """

    host: str | None = None
    path: str | None = None
    tool: str | None = None
    fee: str | None = None
    provider: str | None = None
    name: str | None = None
    usd: Decimal
    place: str

    @property
    def label(self) -> str:
        """The name under which it is counted."""
        return self.name or self.host or self.tool or self.fee or ""


def read_fees(document: Document) -> tuple[Fee, ...]:
    """The fees that a file states, in its order.

    Raises:
        ConfigError: One has no amount, is for nothing or for several things, or contradicts another of its name.
    """
    found = tuple(_read(entry, place) for place, entry in listed(document, "fees", _EXAMPLE))
    _check_names(fee for fee in found if fee.host is not None)
    return found


def _read(entry: Mapping[str, object], place: str) -> Fee:
    values = read_entry(entry, FIELDS, place, "key")
    subjects = [key for key in SUBJECTS if key in values]
    if len(subjects) != 1:
        stated = " and ".join(f"`{key}`" for key in subjects) or "nothing"
        raise refuse(place, f"is for {stated}. State one of `host`, `tool` and `fee`, such as {_EXAMPLE}.")
    for key, needed in GOES_WITH.items():
        if key in values and needed not in values:
            raise refuse(place, f"`{key}` goes with `{needed}`.")
    if "usd" not in values:
        raise refuse(place, "states no `usd`: US dollars each.")
    return Fee(place=place, **values)  # type: ignore[arg-type]  # read_entry checked each


def _check_names(fees: Iterable[Fee]) -> None:
    seen: dict[str, Fee] = {}
    for fee in fees:
        first = seen.setdefault(fee.label, fee)
        if first.usd != fee.usd:
            raise refuse(
                fee.place,
                f"`{fee.label}` costs {fee.usd} here and {first.usd} at {first.place}: name them differently.",
            )
