"""What a change of prices costs: head's usage at base's prices, and at those of the comparison.

It stands apart from the comparison, whose two sides are priced alike: nothing of it is a regression.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.policy.snapshot import Snapshot

__all__ = ["ModelPrices", "PriceChange", "price_change"]

CostOf = Callable[[Portion], tuple[Decimal | None, Decimal | None]]
"""US dollars of a portion at list prices, and after the contract's discount; `None` where unknown."""


class ModelPrices(Struct, frozen=True, kw_only=True):
    """What one model's calls on head cost at two price tables.

    Attributes:
        model: The model, or what an external API is called.
        discounted: Whether these are amounts after the contract's discount, and not list prices.
        base: US dollars at base's prices; `None` where they do not know it all.
        head: US dollars at the prices of the comparison; `None` where they do not know it all.
        is_estimate: Whether some of the calls are estimates.
    """

    model: str
    discounted: bool = False
    base: Decimal | None
    head: Decimal | None
    is_estimate: bool = False

    @property
    def change(self) -> Decimal | None:
        """US dollars that the change of prices adds; `None` where unknown."""
        return None if self.base is None or self.head is None else EXACT.subtract(self.head, self.base)


class PriceChange(Struct, frozen=True, kw_only=True):
    """What a change of prices costs, as far as it is known.

    Attributes:
        models: The models whose calls cost something else now, the largest change first; those of unknown cost lead.
        total: The same of every model, at list prices; of amounts after discounts where no list price changed.
        differs: What base's settings say otherwise, in words that `as_of` or the names of settings open.
        unknown: Why it is not known, or not all of it, in sentences.
    """

    models: tuple[ModelPrices, ...] = ()
    total: ModelPrices | None = None
    differs: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def price_change(head: Snapshot, base_cost: CostOf, head_cost: CostOf, differs: Sequence[str] = ()) -> PriceChange:
    """Price head's usage twice.

    Args:
        head: What was used.
        base_cost: Base's prices.
        head_cost: The prices of the comparison.
        differs: What base's settings say otherwise.
    """
    listed: dict[str, ModelPrices] = {}
    after: dict[str, ModelPrices] = {}
    for use in head.tasks.values():
        for portion in use.portions:
            old, new = base_cost(portion), head_cost(portion)
            _add(listed, portion, old[0], new[0], discounted=False)
            _add(after, portion, old[1], new[1], discounted=True)
    # where nothing is taken off, the amounts are the same, and told once
    own = [each for name, each in after.items() if (each.base, each.head) != (listed[name].base, listed[name].head)]
    changed = [prices for prices in (*listed.values(), *own) if prices.base != prices.head]
    models = tuple(sorted(changed, key=lambda each: (each.change is not None, -abs(each.change or ZERO), each.model)))
    if not models:
        return PriceChange()
    is_contract = all(prices.discounted for prices in models)
    # what has no price on either side has none to change
    counted = [each for each in (after if is_contract else listed).values() if (each.base, each.head) != (None, None)]
    total = _total(counted, discounted=is_contract)
    return PriceChange(models=models, total=total, differs=tuple(differs))


def _add(
    found: dict[str, ModelPrices], portion: Portion, base: Decimal | None, head: Decimal | None, *, discounted: bool
) -> None:
    name, drifted = portion.key.model, portion.drifted > 0
    known = found.get(name) or ModelPrices(model=name, discounted=discounted, base=ZERO, head=ZERO)
    found[name] = ModelPrices(
        model=name,
        discounted=discounted,
        base=_sum(known.base, base),
        head=_sum(known.head, head),
        is_estimate=known.is_estimate or drifted,
    )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else EXACT.add(one, other)


def _total(models: Iterable[ModelPrices], *, discounted: bool) -> ModelPrices:
    total = ModelPrices(model="", discounted=discounted, base=ZERO, head=ZERO)
    for each in models:
        total = ModelPrices(
            model="",
            discounted=discounted,
            base=_sum(total.base, each.base),
            head=_sum(total.head, each.head),
            is_estimate=total.is_estimate or each.is_estimate,
        )
    return total
