"""Price entries as a person reads them: rates in US dollars per million tokens, then what else decides."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.usage import CLASSES
from pytest_tokenbudget.pricing import RateCard, Rates
from pytest_tokenbudget.pricing.catalog import Listing, Offer
from pytest_tokenbudget.report import amounts

__all__ = ["COLUMNS", "SAME", "PriceBlock", "block", "line", "summary"]

COLUMNS: Final = ("entry", "input", "cache read", "cache write", "output", "since", "also")
"""Of `line`."""

SAME: Final = {"thinking": "output", "input_image": "input"}
"""Classes that mostly cost what another one does: their rate is shown only where it differs."""

_MILLION: Final = 1_000_000
_STANDARD: Final = "standard"
_SHORT: Final = ("input", "cache_read", "cache_write", "output")


class PriceBlock(Struct, frozen=True, kw_only=True):
    """One entry with all that it states.

    Attributes:
        title: The entry, and whose it is.
        columns: The classes that it prices, after an empty name for the rows' own names.
        rows: A context or a prompt's length, then a rate for each class.
        sentences: Fees, multipliers, what has no price, what changes and when.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]


def block(listing: Listing, as_of: datetime) -> PriceBlock:
    """An entry in full.

    Args:
        listing: The entry.
        as_of: The instant whose prices it has.
    """
    cards = [(offer.context or _STANDARD, offer.card) for offer in listing.offers if offer.card]
    used = _used(card for _, card in cards)
    rows = [row for label, card in cards for row in _rows(label, card, used)]
    return PriceBlock(
        title=f"{listing.entry} ({listing.source})",
        columns=("", *(_words(name) for name in used)),
        rows=tuple(rows),
        sentences=tuple(_sentences(listing, as_of)),
    )


def _used(cards: Iterable[RateCard]) -> list[str]:
    """The classes that have a price somewhere; thinking and images only where theirs is not that of output or input."""
    every = [rates for card in cards for rates in (card.rates, *(tier.rates for tier in card.long_prompts))]
    further = sorted({name for rates in every for name in rates.other})
    return [
        name
        for name in (*CLASSES, *further)
        if any(rates.of(name) is not None for rates in every)
        and any(rates.of(name) != rates.of(SAME.get(name, "")) for rates in every)
    ]


def _rows(label: str, card: RateCard, used: Sequence[str]) -> Iterable[tuple[str, ...]]:
    since = f" since {card.effective}" if card.effective else ""
    yield (label + since, *_cells(card.rates, used))
    for tier in card.long_prompts:
        yield (f"  prompts above {amounts.tokens(tier.above)}", *_cells(tier.rates, used))


def _cells(rates: Rates, used: Sequence[str]) -> Iterable[str]:
    return (_rate(rates.of(name)) for name in used)


def _rate(rate: Decimal | None) -> str:
    return "" if rate is None else amounts.limit_usd(rate * _MILLION)


def _sentences(listing: Listing, as_of: datetime) -> Iterable[str]:
    seen = set()
    for offer in listing.offers:
        card = offer.card
        fees = ", ".join(f"{_words(name)} {amounts.limit_usd(usd)}" for name, usd in card.fees.items()) if card else ""
        if fees and fees not in seen:
            seen.add(fees)
            yield f"fees{_of(offer)}, each: {fees}"
        yield from ((f"note: {note}" for note in card.notes) if card and not offer.context else ())
        if card is None:
            yield f"unpriced: {offer.note}"
    standard = listing.offers[0].card
    lacking = [_words(name) for name in CLASSES if standard is not None and standard.rates.of(name) is None]
    if lacking:
        yield f"no price for: {', '.join(lacking)}"
    for when, factor in listing.uplifts:
        yield f"{when}: ×{factor}"
    for day in listing.coming:
        yield f"a price changes or begins on {day}: tokenbudget prices diff {as_of:%Y-%m-%d} {day}"


def _of(offer: Offer) -> str:
    return f" of {offer.context}" if offer.context else ""


def line(listing: Listing) -> tuple[str, ...]:
    """An entry in one line, by `COLUMNS`."""
    first, *others = listing.offers
    also = [offer.context for offer in others if offer.card]
    if first.card is None:
        return (listing.entry, *("?" for _ in _SHORT), "", first.note)
    also += [f"above {amounts.tokens(tier.above)}" for tier in first.card.long_prompts]
    also += [f"changes {day}" for day in listing.coming]
    rates = (_rate(first.card.rates.of(name)) for name in _SHORT)
    return (listing.entry, *rates, str(first.card.effective or ""), ", ".join(also))


def summary(count: int, as_of: datetime, as_of_source: str, source: str) -> str:
    """What the figures are, in a sentence."""
    entries = f"{amounts.tokens(count)} {'entry' if count == 1 else 'entries'}"
    return (
        f"{entries} at prices of {as_of.date().isoformat()} ({as_of_source}), from {source}; "
        "US dollars per million tokens."
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
