"""Prices for calls: which rate card applies, and what the call costs at it."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.errors import PriceError
from pytest_tokenbudget.model.call import SEVERAL_PROMPTS, Call
from pytest_tokenbudget.model.money import ZERO, dollars_text
from pytest_tokenbudget.pricing.as_of import DEFAULT_AS_OF, RELEASE
from pytest_tokenbudget.pricing.context import PriceContext, Unpriced, context_of
from pytest_tokenbudget.pricing.explanation import Explanation, rows_of
from pytest_tokenbudget.pricing.genai import installed_version, knows, list_price
from pytest_tokenbudget.pricing.overrides import card_of, host_matches, override_for
from pytest_tokenbudget.pricing.rates import EXACT, RateCard, cost_of, priced_part, unpriced_in
from pytest_tokenbudget.pricing.uplift import UPLIFTS, with_geo, with_region

__all__ = ["PriceTable"]

_NOTHING_BILLED: Final = frozenset({"error", "unbilled"})
_USAGE_UNKNOWN: Final = frozenset({"missing", "unsupported", "partial"})
_REPORTED_TOLERANCE: Final = Decimal("0.005")
_NO_TABLE: Final = "price_table"
_AZURE: Final = "azure"
_GLOBAL: Final = "Azure does not tell a deployment's type: priced as Global Standard"
_LONG_PROMPT: Final = "long_prompt"
_SUMMED: Final = "rates differ by a prompt's length, and the usage adds up several prompts"
_NO_HOSTS: Final[Mapping[str, str]] = MappingProxyType({})

Key = tuple[str, str, str, str | None, str | None, str | None, tuple[tuple[str, str], ...]]


class _Found(Struct, frozen=True, kw_only=True):
    """What applies to calls of one kind: a rate card, nothing to pay, or why neither is known."""

    card: RateCard | None = None
    free: bool = False
    unpriced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class PriceTable:
    """Prices calls, all of them as of one instant.

    Attributes:
        as_of: The instant whose prices are used.
        as_of_source: Who chose it.
    """

    def __init__(
        self,
        *,
        as_of: datetime = DEFAULT_AS_OF,
        as_of_source: str = RELEASE,
        overrides: tuple[PriceOverride, ...] = (),
        unknown_model: Literal["error", "warn", "free"] = "error",
        free_hosts: tuple[str, ...] = (),
        hosts: Mapping[str, str] = _NO_HOSTS,
    ) -> None:
        """Make a table; price data is loaded when a call first needs it.

        Args:
            as_of: An aware instant.
            as_of_source: Who chose it.
            overrides: The user's own prices, the strongest source first.
            unknown_model: `free` makes a model without a price cost $0; otherwise its cost is unknown, and the
                budget's rules decide whether that fails or warns.
            free_hosts: Hosts, by name or pattern, whose calls cost nothing. Ollama's own API always does.
            hosts: Hosts, by name or pattern, to the id of the provider whose prices apply there.

        Raises:
            PriceError: The instant has no time zone.
        """
        if as_of.tzinfo is None:
            message = f"as_of {as_of.isoformat()} ({as_of_source}) has no time zone. Write {as_of.isoformat()}Z."
            raise PriceError(message)
        self.as_of = as_of
        self.as_of_source = as_of_source
        self._overrides = overrides
        self._unknown_model = unknown_model
        self._free_hosts = free_hosts
        self._hosts = hosts
        self._found: dict[Key, _Found] = {}

    @cached_property
    def identity(self) -> str:
        """A text that is equal where prices are equal: data, instant, overrides, multipliers and rules."""
        stated = [
            [[o.model, o.provider, o.host, o.tier, _texts(o.rates), _texts(o.fees)] for o in self._overrides],
            [self._unknown_model, self._free_hosts, list(self._hosts.items()), _texts(UPLIFTS)],
        ]
        digest = blake2b(json.dumps(stated).encode(), digest_size=6).hexdigest()
        return f"genai-prices {installed_version()} as of {self.as_of.isoformat()} #{digest}"

    def charge(self, call: Call) -> Call:
        """The call with its cost, or with what of it has no price.

        An error or an unbilled call costs $0. Where usage is missing, partial or unreadable the cost is unknown, and
        so it is, with a note, where the price data cannot be read: the call was made all the same.
        """
        if call.status != "exact":
            return replace(call, cost=ZERO if call.status in _NOTHING_BILLED else None, unpriced=())
        found = self._find(call)
        card = found.card
        if card is None:
            return _noted(replace(call, cost=ZERO if found.free else None, unpriced=found.unpriced), found.notes)
        if _straddles(call, card):
            return _noted(replace(call, cost=None, unpriced=(_LONG_PROMPT,)), (*found.notes, _SUMMED))
        cost = cost_of(call.usage, card)
        if cost is None:
            return _noted(replace(call, cost=None, unpriced=unpriced_in(call.usage, card)), found.notes)
        priced = replace(call, cost=cost, unpriced=())
        if call.reported_cost is None and not found.notes:
            return priced
        return _noted(priced, (*found.notes, *_difference(cost, call.reported_cost)))

    def lower_bound(self, call: Call) -> Decimal:
        """US dollars that a call costs at least: what is known of its usage and has a price."""
        if call.status in _NOTHING_BILLED:
            return ZERO
        card = self._find(call).card
        if card is None:
            return ZERO
        return priced_part(call.usage, replace(card, long_prompts=()) if _straddles(call, card) else card)

    def explain(self, call: Call) -> Explanation:
        """How the call's cost comes about."""
        charged = self.charge(replace(call, notes=()))
        if call.status in _NOTHING_BILLED:
            why = f"HTTP {call.http_status}" if call.status == "error" else "an unbilled endpoint"
            note = f"{why}: nothing is billed"
            return Explanation(
                entry=None, source=None, as_of=self.as_of, as_of_source=self.as_of_source, cost=ZERO, notes=(note,)
            )
        found = self._find(call)
        card = found.card
        tier = card.tier_for(call.usage) if card else None
        unread = (f"usage is {call.status}: the cost is unknown",) if call.status in _USAGE_UNKNOWN else ()
        gratis = (f"{call.host} costs nothing",) if found.free and not found.notes else ()
        return Explanation(
            entry=card.entry if card else None,
            source=card.source if card else None,
            as_of=self.as_of,
            as_of_source=self.as_of_source,
            effective=card.effective if card else None,
            long_prompt=tier.above if tier else None,
            factors=card.factors if card else (),
            rows=rows_of(call.usage, card),
            cost=charged.cost,
            unpriced=charged.unpriced,
            notes=(*unread, *gratis, *charged.notes),
        )

    def _find(self, call: Call) -> _Found:
        key = (
            call.provider,
            call.host,
            call.api,
            call.model_served,
            call.model_asked,
            call.tier,
            call.price_context,
        )
        found = self._found.get(key)
        if found is None:
            try:
                found = self._look_up(call)
            except PriceError as error:
                found = _Found(unpriced=(_NO_TABLE,), notes=(str(error),))
            self._found[key] = found
        return found

    def _look_up(self, call: Call) -> _Found:
        provider = self._provider(call)
        context, factors = with_geo(provider, context_of(call))
        override = override_for(self._overrides, call, provider, context)
        if override is not None:
            return _applied(card_of(override), factors, ())
        if call.api.startswith("ollama.") or any(host_matches(call.host, pattern) for pattern in self._free_hosts):
            return _Found(free=True)
        return self._listed(call, provider, context, factors)

    def _provider(self, call: Call) -> str:
        named = (provider for pattern, provider in self._hosts.items() if host_matches(call.host, pattern))
        return next(named, call.provider)

    def _listed(
        self, call: Call, provider: str, context: PriceContext, factors: tuple[tuple[str, Decimal], ...]
    ) -> _Found:
        names = [name for name in dict.fromkeys((call.model_served, call.model_asked)) if name]
        for name in names:
            price = list_price(provider, name, context, self.as_of)
            if price is None:
                continue
            if isinstance(price, RateCard):
                price = with_region(call.host, price.entry.partition("/")[2], price)
            notes = () if name == names[0] else (f"priced as {name}, the model asked for: {names[0]} is not listed",)
            if provider == _AZURE:
                notes = (*notes, _GLOBAL)
            if isinstance(price, RateCard):
                return _applied(price, factors, notes)
            return self._without(price, notes)
        if not knows(provider):
            why = f"no price list is known for {provider or 'a call without a host'}"
        else:
            why = f"{provider} lists no model {' or '.join(names)}" if names else "neither side named a model"
        return self._without(Unpriced(("model",), why), ())

    def _without(self, reason: Unpriced, notes: tuple[str, ...]) -> _Found:
        if reason.what == ("model",) and self._unknown_model == "free":
            return _Found(free=True, notes=(*notes, f"counted as free by `unknown_model: free`: {reason.note}"))
        return _Found(unpriced=reason.what, notes=(*notes, reason.note))


def _straddles(call: Call, card: RateCard) -> bool:
    """Whether a usage is long enough for other rates only as the sum of several prompts, which may each be short."""
    return SEVERAL_PROMPTS in call.price_context and card.tier_for(call.usage) is not None


def _applied(card: RateCard, factors: tuple[tuple[str, Decimal], ...], notes: tuple[str, ...]) -> _Found:
    for reason, factor in factors:
        card = card.times(reason, factor)
    return _Found(card=card, notes=(*notes, *card.notes))


def _difference(cost: Decimal, reported: Decimal | None) -> tuple[str, ...]:
    if reported is None:
        return ()
    apart = EXACT.subtract(cost, reported).copy_abs()
    if apart <= EXACT.multiply(reported, _REPORTED_TOLERANCE):
        return ()
    return (f"the provider reports ${dollars_text(reported)}, our prices make it ${dollars_text(cost)}",)


def _noted(call: Call, notes: tuple[str, ...]) -> Call:
    new = tuple(note for note in notes if note not in call.notes)
    return call.noted(*new) if new else call


def _texts(amounts: Mapping[str, Decimal]) -> list[tuple[str, str]]:
    return [(name, dollars_text(amount)) for name, amount in sorted(amounts.items())]
