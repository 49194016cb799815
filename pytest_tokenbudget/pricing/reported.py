"""The cost that a provider reports, beside ours: a disagreement is said, with its reason where the dates tell it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.pricing.lookup import Lookup, Rules
from pytest_tokenbudget.pricing.rates import EXACT, RateCard, cost_of

__all__ = ["Disagreement"]

_TOLERANCE: Final = Decimal("0.005")


class Disagreement:
    """Compares costs that providers report with ours."""

    def __init__(self, rules: Rules) -> None:
        """Make a comparison.

        Args:
            rules: What the user states about prices.
        """
        self._rules = rules
        self._earlier: dict[datetime, Lookup] = {}

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
        earlier = self._earlier_cost(call, card)
        if earlier is not None and _close(earlier, reported):
            note += f"; those before {card.effective} make it ${dollars_text(earlier)}"
        return (note,)

    def _earlier_cost(self, call: Call, card: RateCard) -> Decimal | None:
        """US dollars by the price before the one in force: a recording may be older than that."""
        if card.effective is None:
            return None
        day_before = datetime.combine(card.effective, datetime.min.time(), tzinfo=UTC) - timedelta(days=1)
        lookup = self._earlier.setdefault(day_before, Lookup(self._rules, day_before))
        before = lookup.find(call).card
        return None if before is None else cost_of(call.usage, before)


def _close(cost: Decimal, reported: Decimal) -> bool:
    apart = EXACT.subtract(cost, reported).copy_abs()
    return apart <= EXACT.multiply(reported, _TOLERANCE)
