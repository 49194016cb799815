"""What the calls of a portion are billed at: one card, for they all have one model, tier and length of prompt.

A portion may be older than the settings. Tools and external APIs are counted only where the user states what they cost,
so those that a lock counts and no fee is stated for any longer cost nothing, rather than an unknown amount.
"""

from decimal import Decimal

from msgspec.structs import replace

from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.portion import Portion, RateKey
from pytest_tokenbudget.pricing.fees import TOOL, is_external, stated_fees
from pytest_tokenbudget.pricing.lookup import Lookup, Rules
from pytest_tokenbudget.pricing.rates import FREE, RateCard, unpriced_in

__all__ = ["PortionCards", "call_of"]


class PortionCards:
    """The cards of portions, each looked up once: a suite's tasks share a handful."""

    def __init__(self, lookup: Lookup, rules: Rules) -> None:
        """Make it; nothing is looked up yet."""
        self._lookup, self._rules = lookup, rules
        self._cards: dict[tuple[RateKey, tuple[str, ...]], RateCard | None] = {}

    def card_of(self, portion: Portion) -> RateCard | None:
        """As in `PriceTable.card_of`."""
        key = portion.key, tuple(portion.usage.fees)  # which tools were called decides which fees are on the card
        if key not in self._cards:
            # a card keeps what it computes from its rates
            self._cards[key] = self._card(portion)
        card = self._cards[key]
        return None if card is None or unpriced_in(portion.usage, card) else card

    def _card(self, portion: Portion) -> RateCard | None:
        key, call = portion.key, call_of(portion)
        found = self._lookup.find(call)
        names = portion.usage.fees
        if found.free or (found.card is None and is_external(call)):
            fees = {**dict.fromkeys(names, Decimal(0)), **stated_fees(self._tool_fees, call, "")}
            return RateCard(entry=key.model, source="free", rates=FREE, fees=fees)
        if found.card is None:
            return None
        tier = next((tier for tier in found.card.long_prompts if tier.above == key.above), None)
        uncounted = {name: Decimal(0) for name in names if name.startswith(TOOL) and name not in found.card.fees}
        return replace(
            found.card,
            rates=tier.rates if tier else found.card.rates,
            long_prompts=(),
            fees={**found.card.fees, **uncounted},
        )

    @property
    def _tool_fees(self) -> list[Fee]:
        return [fee for fee in self._rules.fees if fee.tool]


def call_of(portion: Portion) -> Call:
    """The calls of a portion as one call."""
    key = portion.key
    return Call(
        provider=key.provider,
        api=key.api,
        host=key.host,
        model_served=key.served or None,
        model_asked=key.asked or None,
        tier=key.tier or None,
        price_context=key.context,
        status="exact",
        obtained="replayed",
        usage=portion.usage,
        tools=tuple(name.removeprefix(TOOL) for name in portion.usage.fees if name.startswith(TOOL)),
    )
