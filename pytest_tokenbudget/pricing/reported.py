"""The cost that a provider reports, beside ours: a disagreement is said, with its reason where the dates tell it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.pricing.lookup import Lookup, Rules
from pytest_tokenbudget.pricing.rates import EXACT, RateCard, cost_of

__all__ = ["Disagreement"]

_TOLERANCE: Final = Decimal("0.005")


class Disagreement:
    """Compares costs that providers report with ours."""

    def __init__(self, rules: Rules, as_of: datetime) -> None:
        """Make a comparison.

        Args:
            rules: What the user states about prices.
            as_of: The instant whose prices are used.
        """
        self._rules = rules
        self._as_of = as_of
        self._lookups: dict[datetime, Lookup] = {}

    def notes(self, call: Call, cost: Decimal, card: RateCard) -> tuple[str, ...]:
        """A sentence on a reported cost that is more than half a percent from ours; empty where there is none.

        Args:
            call: The call, with its reported cost if it has one.
            cost: US dollars by our prices.
            card: The rates that made it.
        """
        reported = call.reported_cost
        if reported is None or _close(cost, reported):
            return ()
        note = f"the provider reports ${dollars_text(reported)}, our prices make it ${dollars_text(cost)}"
        for whose, card_then in self._earlier_cards(call, card):
            then = cost_of(call.usage, card_then)
            if then is not None and _close(then, reported):
                return (f"{note}; {whose} make it ${dollars_text(then)}",)
        return (note,)

    def _earlier_cards(self, call: Call, card: RateCard) -> Iterator[tuple[str, RateCard]]:
        """Yield prices from before the one in force, with whose they are: a recording may be older than that.

        A gateway's history in the price data can begin late: that of the vendor whose model it passes on counts too.
        """
        yield from self._before(call, card, "those")
        vendor, slash, model = (call.model or "").partition("/")
        if slash:
            own = replace(call, provider=vendor, host="", model_served=model, model_asked=None)
            latest = self._lookup(self._as_of).find(own).card
            if latest is not None:
                yield from self._before(own, latest, f"{vendor}'s own")

    def _before(self, call: Call, card: RateCard, whose: str) -> Iterator[tuple[str, RateCard]]:
        if card.effective is None:
            return
        midnight = datetime.combine(card.effective, datetime.min.time(), tzinfo=UTC)
        before = self._lookup(midnight - timedelta(days=1)).find(call).card
        if before is not None:
            yield f"{whose} before {card.effective}", before

    def _lookup(self, as_of: datetime) -> Lookup:
        return self._lookups.setdefault(as_of, Lookup(self._rules, as_of))


def _close(cost: Decimal, reported: Decimal) -> bool:
    apart = EXACT.subtract(cost, reported).copy_abs()
    return apart <= EXACT.multiply(reported, _TOLERANCE)
