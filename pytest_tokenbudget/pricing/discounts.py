"""What a contract takes off a list price, shown beside it.

A call's cost is the list price: budgets, baselines and locks must not move with a contract. The user's own `prices`,
external APIs and tools are what was agreed on already; no discount is taken off them.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from pytest_tokenbudget.config.discounts import Discount
from pytest_tokenbudget.pricing.overrides import matches
from pytest_tokenbudget.pricing.rates import EXACT

__all__ = ["discount_for", "discounted"]


def discount_for(
    discounts: Iterable[Discount], provider: str, names: Sequence[str], as_of: datetime
) -> Discount | None:
    """The first discount that holds; they do not add up.

    Args:
        discounts: In the order of their rank, the strongest source first.
        provider: Whose list price applies.
        names: What the model is called.
        as_of: The instant whose prices are used; its day in UTC counts.
    """
    day = as_of.astimezone(UTC).date()
    return next(
        (
            discount
            for discount in discounts
            if discount.provider == provider
            and (discount.since is None or discount.since <= day)
            and (discount.until is None or day <= discount.until)
            and (discount.model is None or any(matches(name, discount.model) for name in names))
        ),
        None,
    )


def discounted(amount: Decimal, discount: Discount) -> Decimal:
    """US dollars that are left of an amount, exact."""
    left = EXACT.subtract(Decimal(1), discount.percent.scaleb(-2, EXACT))
    return EXACT.multiply(amount, left)
