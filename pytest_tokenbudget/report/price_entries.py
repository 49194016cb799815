"""Which price entries an audit used, whose they are and of which date, for `--explain`."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.money import ZERO
from pytest_tokenbudget.pricing import Explanation
from pytest_tokenbudget.report import amounts

__all__ = ["price_entries"]

_MILLION: Final = 1_000_000
_FEE: Final = "fee:"


class _Use(Struct):
    """One entry, under one set of conditions, with the calls that it priced."""

    first: Explanation
    rates: dict[str, Decimal | None]
    calls: int = 0
    cost: Decimal | None = ZERO


def price_entries(calls: Iterable[Call], explain: Callable[[Call], Explanation]) -> list[str]:
    """A sentence for each price entry: its name, source and date, the rates that were used, its calls and their cost.

    Calls whose usage is not known, and those that cost nothing, used none.

    Args:
        calls: The calls of an audit.
        explain: How a call's cost comes about.
    """
    uses: dict[tuple[object, ...], _Use] = {}
    for call in calls:
        if call.status != "exact":
            continue
        found = explain(call)
        key = (found.entry, found.source, found.long_prompt, found.factors, found.notes if found.entry is None else ())
        use = uses.setdefault(key, _Use(first=found, rates={}))
        use.calls += 1
        use.cost = None if use.cost is None or found.cost is None else use.cost + found.cost
        use.rates |= {row.name: row.rate for row in found.rows}
    return [
        _sentence(use)
        for use in sorted(uses.values(), key=lambda use: (use.first.entry is None, use.first.entry or ""))
    ]


def _sentence(use: _Use) -> str:
    first = use.first
    count = f"{amounts.tokens(use.calls)} call{'' if use.calls == 1 else 's'}, {amounts.usd(use.cost)}"
    if first.entry is None:
        return f"no price entry: {'; '.join(first.notes) or 'no reason given'} ({count})"
    since = f", since {first.effective.isoformat()}" if first.effective else ""
    above = f", prompts above {amounts.tokens(first.long_prompt)} tokens" if first.long_prompt is not None else ""
    factors = "".join(f", {reason} ×{factor}" for reason, factor in first.factors)
    rates = ", ".join(_rate(name, rate) for name, rate in use.rates.items()) or "no tokens"
    return f"{first.entry} ({first.source}{since}{above}{factors}): {rates}; {count}"


def _rate(name: str, rate: Decimal | None) -> str:
    if name.startswith(_FEE):
        return f"{_words(name.removeprefix(_FEE))} {'?' if rate is None else amounts.limit_usd(rate)} each"
    return f"{_words(name)} {'?' if rate is None else amounts.limit_usd(rate * _MILLION)}/M"


def _words(name: str) -> str:
    return name.replace("_", " ")
