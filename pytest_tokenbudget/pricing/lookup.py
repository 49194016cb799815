"""Which rate card applies to a call: the user's own price, a free host, or the provider's list."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.config.deployments import Deployment
from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.errors import PriceError
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.pricing.context import PriceContext, Unpriced, context_of
from pytest_tokenbudget.pricing.deployments import deployment_for
from pytest_tokenbudget.pricing.fees import external_card, is_external, stated_fees
from pytest_tokenbudget.pricing.genai import knows, list_price
from pytest_tokenbudget.pricing.overrides import card_of, host_matches, override_for
from pytest_tokenbudget.pricing.rates import RateCard
from pytest_tokenbudget.pricing.uplift import with_geo, with_region

__all__ = ["Found", "Lookup", "Rules"]

_NO_TABLE: Final = "price_table"
_AZURE: Final = "azure"
_GLOBAL: Final = "Azure does not tell a deployment's type: priced as Global Standard"

Factors = tuple[tuple[str, Decimal], ...]
Key = tuple[str, str, str, str | None, str | None, str | None, tuple[tuple[str, str], ...], tuple[str, ...]]


class Rules(Struct, frozen=True, kw_only=True):
    """What the user states about prices.

    Attributes:
        overrides: Their own prices, the strongest source first.
        unknown_model: What a model without a price means.
        free_hosts: Hosts, by name or pattern, whose calls cost nothing.
        hosts: Hosts, by name or pattern, to the id of the provider whose prices apply there.
        deployments: Names that hide a model.
        fees: What external APIs, tools and counted things cost by the piece.
    """

    overrides: tuple[PriceOverride, ...]
    unknown_model: Literal["error", "warn", "free"]
    free_hosts: tuple[str, ...]
    hosts: Mapping[str, str]
    deployments: tuple[Deployment, ...]
    fees: tuple[Fee, ...]


class Found(Struct, frozen=True, kw_only=True):
    """What applies to calls of one kind: a rate card, nothing to pay, or why neither is known.

    Attributes:
        card: The rates.
        listed: Whether the rates are a provider's list price, rather than the user's own.
        free: Whether the calls cost nothing.
        unpriced: As in `Call.unpriced`.
        notes: What a reader of the cost should know.
    """

    card: RateCard | None = None
    listed: bool = False
    free: bool = False
    unpriced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Lookup:
    """Finds what applies to calls, once for each kind of them."""

    def __init__(self, rules: Rules, as_of: datetime) -> None:
        """Make a lookup; price data is loaded when a call first needs it.

        Args:
            rules: What the user states.
            as_of: The instant whose prices are used.
        """
        self._rules = rules
        self._as_of = as_of
        self._has_tools = any(fee.tool for fee in rules.fees)
        self._found: dict[Key, Found] = {}

    def find(self, call: Call) -> Found:
        """What applies to a call."""
        key = (
            call.provider,
            call.host,
            call.api,
            call.model_served,
            call.model_asked,
            call.tier,
            call.price_context,
            call.tools if self._has_tools else (),
        )
        found = self._found.get(key)
        if found is None:
            try:
                found = self._with_fees(self._look_up(call), call)
            except PriceError as error:
                found = Found(unpriced=(_NO_TABLE,), notes=(str(error),))
            self._found[key] = found
        return found

    def provider_of(self, call: Call) -> str:
        """Whose prices apply to a call."""
        named = (provider for pattern, provider in self._rules.hosts.items() if host_matches(call.host, pattern))
        return next(named, call.provider)

    def _look_up(self, call: Call) -> Found:
        if is_external(call):
            external = external_card(self._rules.fees, call)
            return Found(card=external, unpriced=() if external else ("model",))
        provider = self.provider_of(call)
        context, factors = with_geo(provider, context_of(call))
        names = [name for name in dict.fromkeys((call.model_served, call.model_asked)) if name]
        deployment = deployment_for(self._rules.deployments, call)
        known = [*names, deployment.model] if deployment else names
        override = override_for(self._rules.overrides, known, call.host, provider, context)
        if override is not None:
            return _applied(card_of(override), factors, ())
        free_hosts = self._rules.free_hosts
        if call.api.startswith("ollama.") or any(host_matches(call.host, pattern) for pattern in free_hosts):
            return Found(free=True)
        if deployment is None:
            return self._listed(call, provider, context, names, factors)
        if deployment.factor is not None:
            factors = (*factors, (f"deployment {deployment.name}", deployment.factor))
        found = self._listed(call, provider, context, [deployment.model], factors)
        return replace(found, notes=(f"priced as {deployment.model}, by {deployment.place}", *found.notes))

    def _listed(self, call: Call, provider: str, context: PriceContext, names: list[str], factors: Factors) -> Found:
        for name in names:
            price = list_price(provider, name, context, self._as_of)
            if price is None:
                continue
            if isinstance(price, RateCard):
                model = price.entry.partition("/")[2]
                price = with_region(call.host, provider, model, price, self._as_of)
            notes = () if name == names[0] else (f"priced as {name}, the model asked for: {names[0]} is not listed",)
            if isinstance(price, RateCard):
                if provider == _AZURE and not factors:  # the user's factor for a deployment stands for its type
                    notes = (*notes, _GLOBAL)
                return replace(_applied(price, factors, notes), listed=True)
            return self._without(price, notes)
        if not knows(provider):
            why = f"no price list is known for {provider or 'a call without a host'}"
        else:
            why = f"{provider} lists no model {' or '.join(names)}" if names else "neither side named a model"
        return self._without(Unpriced(("model",), why), ())

    def _without(self, reason: Unpriced, notes: tuple[str, ...]) -> Found:
        if reason.what == ("model",) and self._rules.unknown_model == "free":
            return Found(free=True, notes=(*notes, f"counted as free by `unknown_model: free`: {reason.note}"))
        return Found(unpriced=reason.what, notes=(*notes, reason.note))

    def _with_fees(self, found: Found, call: Call) -> Found:
        if found.card is None or not self._rules.fees or is_external(call):
            return found
        stated = stated_fees(self._rules.fees, call, self.provider_of(call))
        fees = found.card.fees
        # the user's word wins over a list, and of the user's own words the one on this model
        merged = {**fees, **stated} if found.listed else {**stated, **fees}
        return replace(found, card=replace(found.card, fees=merged))


def _applied(card: RateCard, factors: Factors, notes: tuple[str, ...]) -> Found:
    for reason, factor in factors:
        card = card.times(reason, factor)
    return Found(card=card, notes=(*notes, *card.notes))
