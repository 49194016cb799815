"""A comparison's tasks summed: by workflow, by team, and by model."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.policy.compare import Comparison, TaskCost, TaskDiff

__all__ = ["DIMENSIONS", "Dimension", "Group", "groups"]

Dimension = Literal["workflow", "team", "model"]

DIMENSIONS: Final[tuple[Dimension, ...]] = ("workflow", "team", "model")


class Group(Struct, frozen=True, kw_only=True):
    """Tasks that have something in common, or their calls to one model.

    Attributes:
        by: What they have in common.
        name: It; empty for tasks without a label, and for calls of which no usage is known.
        tasks: How many there are, on either side.
        base: US dollars before; `None` where a part of it is unknown, or there is nothing to compare with.
        head: US dollars now; `None` where a part of it is unknown.
    """

    by: Dimension
    name: str
    tasks: int
    base: Decimal | None
    head: Decimal | None

    @property
    def change(self) -> Decimal | None:
        """US dollars that they cost more now; `None` where unknown."""
        return None if self.base is None or self.head is None else EXACT.subtract(self.head, self.base)


def groups(comparison: Comparison, by: Dimension) -> tuple[Group, ...]:
    """The groups of one dimension, the largest change first; those of unknown cost lead.

    Args:
        comparison: Base and head.
        by: What tasks have in common. A task that is gone has no label, as a lock knows none.
    """
    found: dict[str, _Sums] = {}
    for task in comparison.tasks:
        for name, base, head in _parts(task, by):
            found.setdefault(name, _Sums()).add(None if comparison.base is None else base, head)
    made = [Group(by=by, name=name, tasks=sums.tasks, base=sums.base, head=sums.head) for name, sums in found.items()]
    return tuple(sorted(made, key=lambda group: (group.change is not None, -abs(group.change or ZERO), group.name)))


def _parts(task: TaskDiff, by: Dimension) -> Iterator[tuple[str, Decimal | None, Decimal | None]]:
    if by != "model":
        name = task.budget.workflow if by == "workflow" else task.budget.team
        yield name or "", _usd(task.base), _usd(task.head)
        return
    before, after = _models(task.base), _models(task.head)
    for name in {**before, **after}:
        yield name, before.get(name, ZERO), after.get(name, ZERO)


def _usd(cost: TaskCost | None) -> Decimal | None:
    return ZERO if cost is None else cost.usd


def _models(cost: TaskCost | None) -> dict[str, Decimal | None]:
    """A task's cost by model; one without a price is of unknown cost."""
    found: dict[str, Decimal | None] = {}
    for name, usd in cost.models if cost is not None else ():
        known = found.get(name, ZERO)
        found[name] = None if usd is None or known is None else EXACT.add(known, usd)
    if cost is not None and cost.usd is None and None not in found.values():
        found[""] = None
    return found


class _Sums:
    """Sums as they are added to."""

    def __init__(self) -> None:
        self.tasks = 0
        self.base: Decimal | None = ZERO
        self.head: Decimal | None = ZERO

    def add(self, base: Decimal | None, head: Decimal | None) -> None:
        self.tasks += 1
        self.base = None if base is None or self.base is None else EXACT.add(self.base, base)
        self.head = None if head is None or self.head is None else EXACT.add(self.head, head)
