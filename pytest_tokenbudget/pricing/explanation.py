"""How a cost came about, for `--explain`: which price entry, whose, of which date, and each class's part."""

from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing.rates import EXACT, FEE, RateCard

__all__ = ["Explanation", "Row", "rows_of"]


class Row(Struct, frozen=True, kw_only=True):
    """One class's part of a cost.

    Attributes:
        name: The class, or `fee:<name>`.
        count: Tokens, or uses.
        rate: US dollars per token, or per use; `None` where it has no price.
        amount: US dollars; `None` where it has no price.
    """

    name: str
    count: int
    rate: Decimal | None
    amount: Decimal | None


class Explanation(Struct, frozen=True, kw_only=True):
    """How one call's cost came about.

    Attributes:
        entry: The price entry, such as `openai/gpt-5.2`; `None` where none was used.
        source: Whose entry it is.
        as_of: The instant whose prices were used.
        as_of_source: Who chose it.
        effective: Since when the price holds, where that is stated.
        long_prompt: The threshold, in tokens, that the prompt exceeds, where rates differ by its length.
        factors: Multipliers contained in the rates, as (reason, factor).
        rows: What was used, class by class.
        cost: US dollars; `None` where it is not known.
        unpriced: As in `Call.unpriced`.
        notes: What else decided.
    """

    entry: str | None
    source: str | None
    as_of: datetime
    as_of_source: str
    effective: date | None = None
    long_prompt: int | None = None
    factors: tuple[tuple[str, Decimal], ...] = ()
    rows: tuple[Row, ...] = ()
    cost: Decimal | None = None
    unpriced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def rows_of(usage: Usage, card: RateCard | None) -> tuple[Row, ...]:
    """What was used, class by class; without rates where there is no card."""
    rates = card.rates_for(usage) if card else None
    fees = card.fees if card else {}
    return (
        *(_row(name, count, rates.of(name) if rates else None) for name, count in usage.counts()),
        *(_row(FEE + name, count, fees.get(name)) for name, count in sorted(usage.fees.items()) if count),
    )


def _row(name: str, count: int, rate: Decimal | None) -> Row:
    return Row(name=name, count=count, rate=rate, amount=None if rate is None else EXACT.multiply(rate, count))
