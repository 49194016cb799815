"""What a change comes to in a month, by workflow, where its volume is declared."""

from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Final

from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff
from pytest_tokenbudget.report.amounts import signed_usd
from pytest_tokenbudget.report.markdown import code

__all__ = ["monthly"]

_DIVISION: Final = Context(prec=28)


def monthly(comparison: Comparison, volumes: Mapping[str, Decimal]) -> Iterator[str]:
    """A line for each workflow that has a volume, and whose tasks changed and are known.

    Args:
        comparison: Base and head.
        volumes: Tasks a month, by workflow.
    """
    for workflow, volume in volumes.items():
        named = [task for task in comparison.tasks if task.budget.workflow == workflow]
        tasks = [task for task in named if task.base is not None and task.head is not None]
        changes = [change for task in tasks if (change := _change(task)) is not None]
        if not tasks or len(changes) < len(tasks) or not any(amount for amount, _ in changes):
            continue
        total = ZERO
        for amount, _ in changes:
            total = EXACT.add(total, amount)
        count = sum(compared for _, compared in changes)
        month = EXACT.multiply(_DIVISION.divide(total, Decimal(count)), volume)
        mean = "its task" if count == 1 else f"the mean of its {count:,} tasks"
        yield (
            f"**At {volume:,f} tasks a month: about {_rounded(month)} for {code(workflow)}** "
            f"({mean}; volume from {code('tokenbudget.yml')})."
        )


def _change(task: TaskDiff) -> tuple[Decimal, int] | None:
    """US dollars that a task changed by, and how many tasks these are: of a benchmark, the samples of both sides."""
    if task.benched is None:
        return None if task.change is None else (task.change, 1)
    pairs = task.benched.pairs
    return None if pairs is None or not pairs.n else (EXACT.subtract(pairs.head, pairs.base), pairs.n)


def _rounded(amount: Decimal) -> str:
    """A change in three digits: what rests on a volume that somebody wrote down is no exact figure."""
    rough = amount.quantize(Decimal(1).scaleb(amount.adjusted() - 2)) if amount else amount
    return signed_usd(rough).removesuffix(".00")
