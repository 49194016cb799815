"""The user's own prices, as `tokenbudget.yml` states them."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.config.place import refuse, unknown_key
from pytest_tokenbudget.model.money import dollars
from pytest_tokenbudget.model.usage import CLASSES

__all__ = ["PriceOverride", "read_price"]

_KEYS: Final = (*CLASSES, "provider", "host", "tier", "fees")


class PriceOverride(Struct, frozen=True, kw_only=True):
    """One entry under `prices:`.

    Attributes:
        model: A model's name, or a pattern in which `*` and `?` are wildcards.
        provider: Only calls priced as this provider, if given.
        host: Only calls to hosts of this name or pattern, if given.
        tier: Only calls served in this tier, such as `flex`; where none is given, only calls of the standard tier.
        rates: US dollars per million tokens, by class.
        fees: US dollars per use, by the fee's name.
        place: Where it stands.
    """

    model: str
    provider: str | None = None
    host: str | None = None
    tier: str | None = None
    rates: Mapping[str, Decimal]
    fees: Mapping[str, Decimal] = MappingProxyType({})
    place: str


def read_price(model: str, entry: Mapping[str, object], place: str) -> PriceOverride:
    """Check one entry under `prices:`.

    Raises:
        ConfigError: A class is unknown, an amount is none, or nothing is priced at all.
    """
    for key in entry:
        if key not in _KEYS:
            raise unknown_key(place, key, _KEYS, "token class")
    fees = entry.get("fees") or {}
    if not isinstance(fees, dict):
        raise refuse(place, f"`fees`: {fees!r} is not a mapping such as {{web_search: 0.01}}.")
    rates = {name: entry[name] for name in CLASSES if name in entry}
    if not rates and not fees:
        raise refuse(place, "prices nothing. State at least `input` and `output`, in US dollars per million tokens.")
    return PriceOverride(
        model=model,
        provider=_name(entry, "provider", place),
        host=_name(entry, "host", place),
        tier=_name(entry, "tier", place),
        rates=_amounts(rates, place),
        fees=_amounts(fees, place),
        place=place,
    )


def _name(entry: Mapping[str, object], key: str, place: str) -> str | None:
    value = entry.get(key)
    if value is not None and not (isinstance(value, str) and value):
        raise refuse(place, f"`{key}`: {value!r} is not a name.")
    return value


def _amounts(stated: Mapping[str, object], place: str) -> Mapping[str, Decimal]:
    found = {}
    for name, value in stated.items():
        try:
            found[str(name)] = dollars(value)
        except ValueError as error:
            raise refuse(place, f"`{name}`: {error}.") from None
    return MappingProxyType(found)
