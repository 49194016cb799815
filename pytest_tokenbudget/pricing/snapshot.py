"""Price lists as files: exported, read back, compared with another day's or another version's."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_tokenbudget.errors import PriceError
from pytest_tokenbudget.model.money import dollars, dollars_text
from pytest_tokenbudget.pricing.catalog import Listing, Offer
from pytest_tokenbudget.pricing.overrides import matches
from pytest_tokenbudget.pricing.rates import EXACT, FEE, RateCard, Rates

__all__ = ["SCHEMA", "PriceList", "only", "price_list", "read_snapshot", "snapshot_json"]

SCHEMA: Final = "tokenbudget/prices/1"


class PriceList(msgspec.Struct, frozen=True, kw_only=True):
    """Prices that can be compared.

    Attributes:
        as_of: The instant that they are of.
        source: Whose data they are.
        lines: By entry and context: US dollars per million tokens by class, and each by the fee's name.
    """

    as_of: datetime
    source: str
    lines: Mapping[tuple[str, str], Mapping[str, Decimal]]


def price_list(found: Iterable[Listing], as_of: datetime, source: str) -> PriceList:
    """Listed entries as a list that can be compared; a context without a price has a line without prices.

    Args:
        found: The entries.
        as_of: The instant that they are of.
        source: Whose data they are.
    """
    lines = {
        (listing.entry, offer.context): _prices(offer.card) if offer.card else {}
        for listing in found
        for offer in listing.offers
    }
    return PriceList(as_of=as_of, source=source, lines=lines)


def _prices(card: RateCard) -> dict[str, Decimal]:
    found = _per_million(card.rates)
    for tier in card.long_prompts:
        found |= {_above(name, tier.above): rate for name, rate in _per_million(tier.rates).items()}
    return found | {FEE + name: rate for name, rate in sorted(card.fees.items())}


def _above(name: str, threshold: int) -> str:
    return f"{name} above {threshold:,}"


def _per_million(rates: Rates) -> dict[str, Decimal]:
    return {name: rate.scaleb(6, EXACT) for name, rate in rates.stated()}


def snapshot_json(found: Iterable[Listing], as_of: datetime, as_of_source: str, source: str) -> bytes:
    """Entries as JSON, schema `tokenbudget/prices/1`: rates in US dollars per million tokens, fees each, as text."""
    record = {
        "schema": SCHEMA,
        "as_of": as_of.isoformat(),
        "as_of_source": as_of_source,
        "source": source,
        "entries": [_record(listing, offer) for listing in found for offer in listing.offers],
    }
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def _record(listing: Listing, offer: Offer) -> dict[str, Any]:
    card = offer.card
    return {
        "entry": listing.entry,
        "context": offer.context,
        "source": listing.source,
        "effective": card.effective.isoformat() if card and card.effective else None,
        "rates": _texts(_per_million(card.rates)) if card else {},
        "long_prompts": [
            {"above": tier.above, "rates": _texts(_per_million(tier.rates))}
            for tier in (card.long_prompts if card else ())
        ],
        "fees": _texts(card.fees) if card else {},
        "unpriced": offer.note or None,
        "coming": [day.isoformat() for day in listing.coming],
        "multipliers": {when: str(factor) for when, factor in listing.uplifts},
    }


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: dollars_text(amount) for name, amount in amounts.items()}


class _Tier(msgspec.Struct):
    above: int
    rates: dict[str, str]


class _Entry(msgspec.Struct):
    entry: str
    context: str
    rates: dict[str, str]
    long_prompts: list[_Tier] = []
    fees: dict[str, str] = {}


class _Snapshot(msgspec.Struct):
    schema: str
    as_of: datetime
    source: str
    entries: list[_Entry]


def read_snapshot(path: Path) -> PriceList:
    """Read a list that was exported, by this version or another one.

    Raises:
        PriceError: There is none, or it is of another schema.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Snapshot)
        if found.schema != SCHEMA:
            message = f"{path}: this is {found.schema!r}, not a price list of schema {SCHEMA!r}."
            raise PriceError(message)
        lines = {(entry.entry, entry.context): _read(entry) for entry in found.entries}
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        message = f"{path}: no price list can be read: {error}. Type: tokenbudget prices export {path}"
        raise PriceError(message) from error
    return PriceList(as_of=found.as_of, source=found.source, lines=lines)


def only(prices: PriceList, *, name: str | None = None, provider: str | None = None) -> PriceList:
    """The part of a list that is of one provider, or of models of a name or a pattern with `*` and `?`."""

    def wanted(entry: str) -> bool:
        owner, _, model = entry.partition("/")
        return provider in {None, owner} and (name is None or matches(model, name) or matches(entry, name))

    return msgspec.structs.replace(prices, lines={key: line for key, line in prices.lines.items() if wanted(key[0])})


def _read(entry: _Entry) -> dict[str, Decimal]:
    found = {name: dollars(text) for name, text in entry.rates.items()}
    for tier in entry.long_prompts:
        found |= {_above(name, tier.above): dollars(text) for name, text in tier.rates.items()}
    return found | {FEE + name: dollars(text) for name, text in sorted(entry.fees.items())}
