"""What changed between two price lists: rows for people, JSON for machines."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.pricing.changes import EntryChange, RateChange
from pytest_tokenbudget.pricing.snapshot import PriceList
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.prices_view import SAME

__all__ = ["COLUMNS", "SCHEMA", "diff_json", "diff_row", "diff_summary"]

SCHEMA: Final = "tokenbudget/prices-diff/1"
COLUMNS: Final = ("entry", "effect", "US dollars per million tokens")
_MOST_SHOWN: Final = 4
_SIGNIFICANT: Final = 3


def diff_row(change: EntryChange) -> tuple[str, str, str]:
    """One entry's change in a line, by `COLUMNS`."""
    shown = [rate for rate in change.rates if not _repeats(rate, change.rates)]
    texts = [f"{rate.what.replace('_', ' ')} {_usd(rate.before)} → {_usd(rate.after)}" for rate in shown[:_MOST_SHOWN]]
    if len(shown) > _MOST_SHOWN:
        texts.append(f"{len(shown) - _MOST_SHOWN} more")
    name = f"{change.entry} {change.context}" if change.context else change.entry
    return name, _effect(change), ", ".join(texts)


def _repeats(rate: RateChange, rates: Sequence[RateChange]) -> bool:
    name, space, above = rate.what.partition(" ")
    if name not in SAME:
        return False
    other = SAME[name] + space + above
    return any((known.what, known.before, known.after) == (other, rate.before, rate.after) for known in rates)


def _effect(change: EntryChange) -> str:
    if change.kind == "dearer" or (change.kind == "cheaper" and change.factor is not None):
        return _times(change.factor)
    return "lost" if change.kind == "lost" else "new"


def _times(factor: Decimal | None) -> str:
    if factor is None or not factor.is_finite():
        return "no longer free"
    digits = max(_SIGNIFICANT - 1 - factor.adjusted(), 0) if factor else 0
    text = f"{factor:.{digits}f}"
    return f"×{text.rstrip('0').rstrip('.') if '.' in text else text}"


def _usd(amount: Decimal | None) -> str:
    return "none" if amount is None else amounts.limit_usd(amount)


def diff_summary(before: PriceList, after: PriceList, changes: Sequence[EntryChange]) -> str:
    """What was compared, and how much of it changed, in a sentence."""
    found = Counter(change.kind for change in changes)
    counts = ", ".join(f"{found[kind]} {kind}" for kind in ("dearer", "lost", "cheaper", "new") if found[kind])
    return f"{_named(before)} → {_named(after)}: {counts or 'no price changes'}."


def _named(prices: PriceList) -> str:
    return f"{prices.source} as of {prices.as_of.date().isoformat()}"


def diff_json(before: PriceList, after: PriceList, changes: Sequence[EntryChange]) -> bytes:
    """The changes as JSON, schema `tokenbudget/prices-diff/1`, the one with the largest effect first."""
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "before": {"as_of": before.as_of.isoformat(), "source": before.source},
        "after": {"as_of": after.as_of.isoformat(), "source": after.source},
        "changes": [
            {
                "entry": change.entry,
                "context": change.context,
                "kind": change.kind,
                "factor": None if change.factor is None or not change.factor.is_finite() else str(change.factor),
                "rates": [
                    {"what": rate.what, "before": _text(rate.before), "after": _text(rate.after)}
                    for rate in change.rates
                ],
            }
            for change in changes
        ],
    }
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else dollars_text(amount)
