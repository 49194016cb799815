"""Prices for calls: what a call costs, what the contract makes of it, and how that comes about."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import Final, Literal

from msgspec.structs import replace

from pytest_tokenbudget.config.deployments import Deployment
from pytest_tokenbudget.config.discounts import Discount
from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import PriceError
from pytest_tokenbudget.model.call import LONGEST_PROMPT, SEVERAL_PROMPTS, Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.money import ZERO, dollars_text
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.pricing.as_of import DEFAULT_AS_OF, RELEASE
from pytest_tokenbudget.pricing.discounts import discount_for, discounted
from pytest_tokenbudget.pricing.explanation import Explanation, rows_of
from pytest_tokenbudget.pricing.fees import external_call, tool_cost, with_tools
from pytest_tokenbudget.pricing.genai import data_source
from pytest_tokenbudget.pricing.lookup import Lookup, Rules
from pytest_tokenbudget.pricing.portion_cards import PortionCards, call_of
from pytest_tokenbudget.pricing.rates import EXACT, RateCard, cost_of, priced_part, unpriced_in
from pytest_tokenbudget.pricing.reported import Disagreement
from pytest_tokenbudget.pricing.uplift import UPLIFTS

__all__ = ["PriceTable"]

_NOTHING_BILLED: Final = frozenset({"error", "unbilled"})
_USAGE_UNKNOWN: Final = frozenset({"missing", "unsupported", "partial"})
_LONG_PROMPT: Final = "long_prompt"
_SUMMED: Final = "rates differ by a prompt's length, and the usage adds up several prompts"
_NO_HOSTS: Final[Mapping[str, str]] = MappingProxyType({})


class PriceTable:
    """Prices calls, all of them as of one instant.

    Attributes:
        as_of: The instant whose prices are used.
        as_of_source: Who chose it.
    """

    def __init__(  # noqa: PLR0913 - a keyword for each setting about prices
        self,
        *,
        as_of: datetime = DEFAULT_AS_OF,
        as_of_source: str = RELEASE,
        overrides: tuple[PriceOverride, ...] = (),
        unknown_model: Literal["error", "warn", "free"] = "error",
        free_hosts: tuple[str, ...] = (),
        hosts: Mapping[str, str] = _NO_HOSTS,
        deployments: tuple[Deployment, ...] = (),
        discounts: tuple[Discount, ...] = (),
        fees: tuple[Fee, ...] = (),
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
            deployments: Names that hide a model.
            discounts: What contracts take off list prices, the strongest source first.
            fees: What external APIs, tools and counted things cost by the piece, the strongest source first.

        Raises:
            PriceError: The instant has no time zone.
        """
        if as_of.tzinfo is None:
            message = f"as_of {as_of.isoformat()} ({as_of_source}) has no time zone. Write {as_of.isoformat()}Z."
            raise PriceError(message)
        self.as_of = as_of
        self.as_of_source = as_of_source
        self._discounts = discounts
        self._rules = Rules(
            overrides=overrides,
            unknown_model=unknown_model,
            free_hosts=free_hosts,
            hosts=hosts,
            deployments=deployments,
            fees=fees,
        )
        self._lookup = Lookup(self._rules, as_of)
        self._portions = PortionCards(self._lookup, self._rules)
        self._reported = Disagreement(self._rules, as_of)

    @classmethod
    def of(cls, settings: Settings, *, as_of: datetime | None = None, as_of_source: str = "--as-of") -> "PriceTable":
        """The table that settings describe.

        Args:
            settings: The session's settings.
            as_of: Another instant than theirs, if any.
            as_of_source: Who chose that one.
        """
        return cls(
            as_of=as_of or settings.as_of or DEFAULT_AS_OF,
            as_of_source=as_of_source if as_of else settings.as_of_source,
            overrides=settings.prices,
            unknown_model=settings.unknown_model,
            free_hosts=settings.free_hosts,
            hosts=settings.hosts,
            deployments=settings.deployments,
            discounts=settings.discounts,
            fees=settings.fees,
        )

    @cached_property
    def identity(self) -> str:
        """A text that is equal where prices are equal: data, instant, overrides, multipliers and rules."""
        rules = self._rules
        stated: list[object] = [
            [[o.model, o.provider, o.host, o.tier, _texts(o.rates), _texts(o.fees)] for o in rules.overrides],
            [rules.unknown_model, rules.free_hosts, list(rules.hosts.items()), _texts(UPLIFTS)],
        ]
        if rules.deployments or rules.fees:
            deployments = [[d.name, d.model, d.host, str(d.factor)] for d in rules.deployments]
            fees = [[f.host, f.path, f.tool, f.fee, f.provider, f.name, dollars_text(f.usd)] for f in rules.fees]
            stated += [deployments, fees]
        digest = blake2b(json.dumps(stated).encode(), digest_size=6).hexdigest()
        return f"{data_source()} as of {self.as_of.isoformat()} #{digest}"

    def external(self, exchange: Exchange) -> Call | None:
        """The charged call of an exchange that is no model call, where the user states a fee for it; else `None`."""
        found = external_call(self._rules.fees, exchange) if self._rules.fees else None
        return None if found is None else self.charge(found)

    def charge(self, call: Call) -> Call:
        """The call with its cost, or with what of it has no price.

        An error or an unbilled call costs $0. Where usage is missing, partial or unreadable the cost is unknown, and
        so it is, with a note, where the price data cannot be read: the call was made all the same.
        """
        if call.status != "exact":
            return replace(call, cost=ZERO if call.status in _NOTHING_BILLED else None, unpriced=())
        if call.tools and self._rules.fees:
            call = with_tools(self._rules.fees, call)
        found = self._lookup.find(call)
        card = found.card
        if card is None:
            cost = tool_cost(self._rules.fees, call) if found.free else None
            return _noted(replace(call, cost=cost, unpriced=found.unpriced), found.notes)
        if SEVERAL_PROMPTS in call.price_context:
            one = _for_all_prompts(call, card)
            if one is None:
                return _noted(replace(call, cost=None, unpriced=(_LONG_PROMPT,)), (*found.notes, _SUMMED))
            card = one
        cost = cost_of(call.usage, card)
        if cost is None:
            return _noted(replace(call, cost=None, unpriced=unpriced_in(call.usage, card)), found.notes)
        priced = replace(call, cost=cost, unpriced=())
        if call.reported_cost is None and not found.notes:
            return priced
        return _noted(priced, (*found.notes, *self._reported.notes(priced, cost, card)))

    def lower_bound(self, call: Call) -> Decimal:
        """US dollars that a call costs at least: what is known of its usage and has a price."""
        if call.status in _NOTHING_BILLED:
            return ZERO
        card = self._lookup.find(call).card
        if card is None:
            return ZERO
        return priced_part(call.usage, _for_all_prompts(call, card) or replace(card, long_prompts=()))

    def above(self, call: Call) -> int:
        """The long-prompt threshold that a call exceeds, where its model has rates of their own for that; else 0."""
        card = self._lookup.find(call).card
        tier = None if card is None or SEVERAL_PROMPTS in call.price_context else card.tier_for(call.usage)
        return 0 if tier is None else tier.above

    def card_of(self, portion: Portion) -> RateCard | None:
        """What a portion's calls are billed at: one set of rates, for its prompts' length; `None` where unknown.

        Calls that cost nothing have a card on which everything costs $0.
        """
        return self._portions.card_of(portion)

    def cost_of(self, portion: Portion) -> tuple[Decimal | None, Decimal | None]:
        """US dollars of a portion at list prices, and after the contract's discount; `None` where unknown."""
        card = self.card_of(portion)
        listed = None if card is None else cost_of(portion.usage, card)
        if listed is None or not self._discounts:
            return listed, listed
        return listed, self.contract_cost(replace(call_of(portion), cost=listed))

    def contract_cost(self, call: Call) -> Decimal | None:
        """US dollars of a charged call after the contract's discount; `None` where its cost is unknown.

        Args:
            call: A call that this table charged: its `cost` is the list price.
        """
        if call.cost is None or not call.cost or not self._discounts:
            return call.cost
        found = self._lookup.find(call)
        if not found.listed or found.card is None:
            return call.cost
        names = [name for name in (call.model_served, call.model_asked, found.card.entry.partition("/")[2]) if name]
        discount = discount_for(self._discounts, self._lookup.provider_of(call), names, self.as_of)
        if discount is None:
            return call.cost
        own = tool_cost(self._rules.fees, call) if call.tools else ZERO
        return EXACT.add(discounted(EXACT.subtract(call.cost, own), discount), own)

    def contract_total(self, calls: Iterable[Call]) -> Decimal | None:
        """US dollars of the charged calls whose cost is known, after discounts; `None` where no discount is stated."""
        if not self._discounts:
            return None
        total = ZERO
        for call in calls:
            total = EXACT.add(total, self.contract_cost(call) or ZERO)
        return total

    def explain(self, call: Call) -> Explanation:
        """How the call's cost comes about."""
        charged = self.charge(replace(call, notes=()))
        if call.status in _NOTHING_BILLED:
            why = f"HTTP {call.http_status}" if call.status == "error" else "an unbilled endpoint"
            note = f"{why}: nothing is billed"
            return Explanation(
                entry=None, source=None, as_of=self.as_of, as_of_source=self.as_of_source, cost=ZERO, notes=(note,)
            )
        found = self._lookup.find(call)
        card = (_for_all_prompts(call, found.card) or found.card) if found.card else None
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
            rows=rows_of(charged.usage, card),
            cost=charged.cost,
            unpriced=charged.unpriced,
            notes=(*unread, *gratis, *charged.notes),
        )


def _for_all_prompts(call: Call, card: RateCard) -> RateCard | None:
    """The card at whose rates a usage is billed that may add up several prompts, each of which may be short.

    `None` where only the length of each prompt would tell: their sum is long enough for other rates, and the longest
    is, too, or is not known.
    """
    if SEVERAL_PROMPTS not in call.price_context or card.tier_for(call.usage) is None:
        return card
    longest = dict(call.price_context).get(LONGEST_PROMPT)
    if longest is not None and int(longest) <= card.long_prompts[0].above:
        return replace(card, long_prompts=())
    return None


def _noted(call: Call, notes: tuple[str, ...]) -> Call:
    new = tuple(note for note in notes if note not in call.notes)
    return call.noted(*new) if new else call


def _texts(amounts: Mapping[str, Decimal]) -> list[tuple[str, str]]:
    return [(name, dollars_text(amount)) for name, amount in sorted(amounts.items())]
