"""What a change of prices costs, in words: a section of its own, for the terminal and for the comment."""

from collections.abc import Sequence
from decimal import Context
from typing import Final

from pytest_tokenbudget.policy.price_change import ModelPrices, PriceChange
from pytest_tokenbudget.report.amounts import signed_percent, signed_usd, usd
from pytest_tokenbudget.report.markdown import code, details, plain, table

__all__ = ["prices_block", "prices_lines"]

_DIVISION: Final = Context(prec=28)
_APART: Final = "Nothing of it counts as a regression: both sides are compared at the new prices."
_HEADS: Final = ("model", "base's prices", "new prices", "change")
_MOST: Final = 10
_LONGEST: Final = 600


def prices_lines(change: PriceChange | None) -> list[str]:
    """The section as plain lines; empty where there is nothing to say."""
    if change is None:
        return []
    lines = [f"{_lead(change)} {_why(change)}{_APART}"] if change.models else []
    for each in change.models[:_MOST]:
        before, after, more = _amounts(each)
        lines.append(f"  {_name(each.model, each)}: {before} → {after}, {more}")
    if len(change.models) > _MOST:
        lines.append(f"  and {len(change.models) - _MOST} more")
    return [*lines, *change.unknown]


def prices_block(change: PriceChange | None, *, most: int) -> list[Sequence[str]]:
    """The section as blocks of Markdown lines; empty where there is nothing to say.

    Args:
        change: What the change of prices costs.
        most: How many models may be listed.
    """
    if change is None:
        return []
    blocks: list[Sequence[str]] = []
    if change.models:
        blocks.append([f"**{_lead(change)}** {plain(_why(change), _LONGEST)}{' ' if change.differs else ''}{_APART}"])
        rows = [[_name(code(each.model), each), *_amounts(each)] for each in change.models[:most]]
        if len(change.models) > most:
            rows.append([f"and {len(change.models) - most} more", "", "", ""])
        if most:
            blocks.append(details("What the new prices cost, by model", table(_HEADS, "lrrr", rows)))
    if change.unknown:
        blocks.append([plain(" ".join(change.unknown), _LONGEST)])
    return blocks


def _lead(change: PriceChange) -> str:
    total = change.total
    if total is None or total.change is None:
        return "Prices changed: the same usage costs an unknown amount more or less."
    share = f" ({signed_percent(_DIVISION.divide(total.change, total.base))})" if total.base else ""
    about = "≈ " if total.is_estimate else ""
    after = " after discounts" if total.discounted else ""
    return f"Prices changed: the same usage costs {about}{signed_usd(total.change)} a run{share}{after}."


def _why(change: PriceChange) -> str:
    return f"Base's settings differ: {', '.join(change.differs)}. " if change.differs else ""


def _name(name: str, each: ModelPrices) -> str:
    return f"{name}, after discounts" if each.discounted else name


def _amounts(each: ModelPrices) -> tuple[str, str, str]:
    about = "≈ " if each.is_estimate else ""
    share = f" ({signed_percent(_DIVISION.divide(each.change, each.base))})" if each.change and each.base else ""
    return f"{about}{usd(each.base)}", f"{about}{usd(each.head)}", f"{signed_usd(each.change)}{share}"
