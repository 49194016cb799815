"""Measured tasks as samples: what a run's own tasks say of all tasks like them."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.model.usage import NO_USAGE
from pytest_tokenbudget.pricing.rates import RateCard, cost_of

__all__ = ["repriced", "samples_of"]

CardOf = Callable[[Portion], RateCard | None]

_WITHOUT_EVIDENCE = frozenset({"skipped", "fixture"})


def samples_of(tasks: Iterable[Task], cost_of_task: Callable[[Task], Decimal | None] | None = None) -> Iterator[Sample]:
    """Yield a sample for each task that ran; the last attempt's calls count, as they do for its budget.

    A task whose process died, or whose calls were not all measured, has an unknown cost.

    Args:
        tasks: Measured tasks.
        cost_of_task: Another way to price one; by default it costs what its run says.
    """
    for task in tasks:
        if task.outcome in _WITHOUT_EVIDENCE:
            continue
        totals = task.totals
        own = None if totals.unknown else totals.known
        cost = own if cost_of_task is None else cost_of_task(task)
        yield Sample(
            id=task.id,
            cost=None if _hides_something(task) else cost,
            success=task.outcome in {"passed", "xpassed"},
            usage=totals.usage,
            steps=totals.steps,
            workflow=task.budget.workflow,
            team=task.budget.team,
            models=tuple((model, entry.call.cost) for entry in task.calls if (model := entry.call.model)),
        )


def _hides_something(task: Task) -> bool:
    totals = task.totals
    unread = task.exchanges != totals.calls + len(task.skipped)
    return bool(totals.unknown_usage or task.escaped or unread or task.outcome == "died")


def repriced(card_of: CardOf) -> Callable[[Task], Decimal | None]:
    """A way to price tasks by another table; what that has no price for is unknown.

    Args:
        card_of: What a portion's calls are billed at.
    """

    def cost(task: Task) -> Decimal | None:
        if sum((portion.usage for portion in task.portions), NO_USAGE) != task.totals.usage:
            return None  # its portions are not all that it used
        total = ZERO
        for portion in task.portions:
            card = card_of(portion)
            part = None if card is None else cost_of(portion.usage, card)
            if part is None:
                return None
            total = EXACT.add(total, part)
        return total

    return cost
