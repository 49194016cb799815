"""Workflows, teams and models whose cost changed, for whoever pays for one of them."""

from decimal import Context
from typing import Final

from pytest_tokenbudget.policy.compare import Comparison
from pytest_tokenbudget.policy.groups import DIMENSIONS, Dimension, Group, groups
from pytest_tokenbudget.report.amounts import signed_percent, signed_usd, usd

__all__ = ["GROUP_HEADS", "changed_groups", "group_amounts"]

GROUP_HEADS: Final = ("base", "head", "change")

_DIVISION: Final = Context(prec=28)
_FEWEST: Final = 2
"""Of one group that changed, the whole suite's change tells the same."""


def changed_groups(comparison: Comparison) -> dict[Dimension, list[Group]]:
    """The groups that changed, by what their tasks have in common, the largest change first."""
    if comparison.base is None:
        return {}
    found = {by: [group for group in groups(comparison, by) if group.base != group.head] for by in DIMENSIONS}
    return {by: changed for by, changed in found.items() if len(changed) >= _FEWEST}


def group_amounts(group: Group) -> tuple[str, str, str]:
    """What a group cost, what it costs, and the change."""
    change, before = group.change, group.base
    share = f" ({signed_percent(_DIVISION.divide(change, before))})" if change is not None and before else ""
    return usd(before), usd(group.head), f"{signed_usd(change)}{share}"
