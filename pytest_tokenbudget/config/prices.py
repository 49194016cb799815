"""The user's own prices, as `tokenbudget.yml` states them."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.config.place import refuse, unknown_key
from pytest_tokenbudget.model.money import dollars
from pytest_tokenbudget.model.usage import CLASSES

__all__ = ["NAMES", "OTHER_CLASSES", "PRICED", "PriceOverride", "read_price"]

NAMES: Final = ("provider", "host", "tier")
OTHER_CLASSES: Final = ("cache_read_audio", "cache_read_image", "input_video", "output_video")
"""Classes that some providers count and that usage has no field for; they can have a price all the same."""

PRICED: Final = (*CLASSES, *OTHER_CLASSES)
_KEYS: Final = (*PRICED, *NAMES, "fees")


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


def read_price(
    model: str, entry: Mapping[str, object], place: str, places: Mapping[str, str] | None = None
) -> PriceOverride:
    """Check one entry under `prices:`.

    Args:
        model: The model's name or pattern.
        entry: Keys and values as written.
        place: Where it stands.
        places: A closer place for each key, which names the key (a file's lines), if known.

    Raises:
        ConfigError: A class is unknown, an amount is none, or nothing is priced at all.
    """
    closer = {key: (places or {}).get(key, f"{place}: `{key}`") for key in entry}
    for key in entry:
        if key not in _KEYS:
            raise unknown_key((places or {}).get(key, place), key, _KEYS, "token class")
    fees = entry.get("fees")
    if not isinstance(fees, dict | None):
        raise refuse(closer["fees"], f"{fees!r} is not a mapping such as {{web_search: 0.01}}.")
    rates = {name: _amount(entry[name], closer[name]) for name in PRICED if name in entry}
    if not rates and not fees:
        raise refuse(place, "prices nothing. State at least `input` and `output`, in US dollars per million tokens.")
    return PriceOverride(
        model=model,
        provider=_name(entry, "provider", closer),
        host=_name(entry, "host", closer),
        tier=_name(entry, "tier", closer),
        rates=MappingProxyType(rates),
        fees=MappingProxyType(
            {name: _amount(fee, f"{closer['fees']}: `{name}`") for name, fee in (fees or {}).items()}
        ),
        place=place,
    )


def _name(entry: Mapping[str, object], key: str, places: Mapping[str, str]) -> str | None:
    value = entry.get(key)
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise refuse(places[key], f"{value!r} is not a name.")
    return value


def _amount(value: object, place: str) -> Decimal:
    try:
        return dollars(value)
    except ValueError as error:
        raise refuse(place, f"{error}.") from None
