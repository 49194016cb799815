"""What is listed: every price entry with its rates in each context, at an instant."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.pricing.context import PriceContext
from pytest_tokenbudget.pricing.entries import card_at, contexts_of, starts_of
from pytest_tokenbudget.pricing.genai import data_source, listed_models, unreadable
from pytest_tokenbudget.pricing.overrides import card_of, matches
from pytest_tokenbudget.pricing.rates import RateCard
from pytest_tokenbudget.pricing.uplift import uplifts_of

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

__all__ = ["Listing", "Offer", "listings", "near_names", "own_listings"]

_MOST_NEAR = 4


class Offer(Struct, frozen=True, kw_only=True):
    """What an entry charges in one context.

    Attributes:
        context: Such as `tier:flex` or `speed:fast`; empty for an ordinary call.
        card: The rates; `None` where there are none.
        note: Why there are none.
    """

    context: str = ""
    card: RateCard | None = None
    note: str = ""


class Listing(Struct, frozen=True, kw_only=True):
    """One price entry.

    Attributes:
        entry: The provider and the model id, or the name of a price of the user's own.
        source: Whose entry it is.
        offers: Its contexts, the ordinary one first.
        coming: Days after the instant on which one of its prices changes or begins.
        uplifts: Multipliers that may apply, as (when, factor).
    """

    entry: str
    source: str
    offers: tuple[Offer, ...]
    coming: tuple[date, ...] = ()
    uplifts: tuple[tuple[str, Decimal], ...] = ()


def listings(as_of: datetime, *, provider: str | None = None, name: str | None = None) -> tuple[Listing, ...]:
    """The entries of the price data, by provider and model.

    Args:
        as_of: An aware instant.
        provider: Only this one's; those that it lists by reference are found by their name.
        name: A model as a request names it, or a pattern with `*` and `?` for `<model>` or `<provider>/<model>`.

    Raises:
        PriceError: The installed genai-prices is not as we know it.
    """
    try:
        return tuple(_listing(owner, model, as_of) for owner, model in _chosen(provider, name))
    except Exception as error:
        raise unreadable(error) from error


def _chosen(provider: str | None, name: str | None) -> "Iterator[tuple[str, ModelInfo]]":
    if name is None or "*" in name or "?" in name:
        for owner, model in listed_models(provider):
            if name is None or matches(model.id, name) or matches(f"{owner}/{model.id}", name):
                yield owner, model
        return
    first, slash, rest = name.partition("/")
    found = list(listed_models(provider, name))
    if slash and provider in {None, first}:
        found += listed_models(first, rest)
    yield from {(owner, model.id): (owner, model) for owner, model in found}.values()


def _listing(owner: str, model: "ModelInfo", as_of: datetime) -> Listing:
    today = as_of.astimezone(UTC).date()
    return Listing(
        entry=f"{owner}/{model.id}",
        source=data_source(),
        offers=tuple(_offer(owner, model, context, as_of) for context in contexts_of(model)),
        coming=tuple(day for day in starts_of(model) if day > today),
        uplifts=uplifts_of(owner, model.id, as_of),
    )


def _offer(owner: str, model: "ModelInfo", context: PriceContext, as_of: datetime) -> Offer:
    price = card_at(model, owner, context, as_of, data_source())
    label = " ".join(context.labels)
    return Offer(context=label, card=price) if isinstance(price, RateCard) else Offer(context=label, note=price.note)


def own_listings(overrides: Iterable[PriceOverride], name: str | None = None) -> tuple[Listing, ...]:
    """The user's own prices as entries, in the order of their rank.

    Args:
        overrides: The user's own prices, the strongest source first.
        name: Only those that price this model, or whose name a pattern matches.
    """
    return tuple(
        Listing(
            entry=override.model,
            source=override.place,
            offers=(Offer(context=_conditions(override), card=card_of(override)),),
        )
        for override in overrides
        if name is None or matches(name, override.model) or matches(override.model, name)
    )


def _conditions(override: PriceOverride) -> str:
    stated = (("provider", override.provider), ("host", override.host), ("tier", override.tier))
    return " ".join(f"{key}:{value}" for key, value in stated if value)


def near_names(name: str, provider: str | None = None) -> tuple[str, ...]:
    """The listed models whose names are most like one that nobody lists, the nearest first."""
    import difflib  # only when something is not found

    ids = dict.fromkeys(model.id for _, model in listed_models(provider))
    wanted = name.strip("*?").rpartition("/")[2]
    near = difflib.get_close_matches(wanted, ids, n=_MOST_NEAR, cutoff=0.5)
    return tuple(near) or tuple(found for found in ids if wanted and wanted.lower() in found.lower())[:_MOST_NEAR]
