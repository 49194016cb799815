"""Base against head: what each task costs now, what it cost before, and why.

Both sides are priced with one table, so that a provider's price change never fails an unchanged pull request.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Context, Decimal
from functools import cached_property
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.model.benchmark import BenchmarkRun
from pytest_tokenbudget.model.budget import UNLIMITED, Budget, Verdict
from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.model.usage import NO_USAGE, Usage
from pytest_tokenbudget.policy.causes import Cause, causes, summed
from pytest_tokenbudget.policy.price_change import PriceChange
from pytest_tokenbudget.policy.sampling.pairs import Pairs
from pytest_tokenbudget.policy.sides import Costed, Weight
from pytest_tokenbudget.policy.snapshot import Snapshot, TaskUse
from pytest_tokenbudget.pricing.rates import RateCard

__all__ = ["Comparison", "Movement", "TaskCost", "TaskDiff", "compare"]

Movement = Literal["unchanged", "changed", "new", "removed", "renamed"]
"""renamed: another id for the very same calls."""

CardOf = Callable[[Portion], RateCard | None]
"""What a portion's calls are billed at; `None` where that is unknown."""

_DIVISION: Final = Context(prec=28)


class TaskCost(Struct, frozen=True, kw_only=True):
    """What a task costs on one side.

    Attributes:
        usd: US dollars at list prices; `None` where a part of it is unknown.
        low: The least that it can be: `usd` itself unless calls were estimated.
        high: The most that it can be; `None` where nothing bounds it.
        calls: How many calls.
        drifted: How many of them are estimates.
        usage: The sum of theirs.
        portions: What they are the sum of, by rate card.
        models: Each portion's model and US dollars, `None` where it has no price.
    """

    usd: Decimal | None
    low: Decimal | None
    high: Decimal | None
    calls: int = 0
    drifted: int = 0
    usage: Usage = NO_USAGE
    portions: tuple[Portion, ...] = ()
    models: tuple[tuple[str, Decimal | None], ...] = ()

    @property
    def is_estimate(self) -> bool:
        """Whether it holds estimated calls."""
        return self.drifted > 0


class Benched(Struct, frozen=True, kw_only=True):
    """What a benchmark says beside the cost of its samples.

    Attributes:
        run: The benchmark on head.
        pairs: The samples of both sides, pair by pair; `None` where none is on both.
    """

    run: BenchmarkRun
    pairs: Pairs | None = None


class TaskDiff(Struct, frozen=True, kw_only=True):
    """One task on both sides.

    Attributes:
        id: The task, as it is called now.
        was: What it was called on base, where that is another name.
        movement: What became of it.
        base: What it cost; `None` for a new task.
        head: What it costs; `None` for a removed one.
        causes: Why the cost changed, the largest cause first; empty where a side is missing or unknown.
        budget: Its limits on head.
        verdict: The decision on head against them.
        benched: What its benchmark says, where it stands for all samples of one: they cost what it costs together.
    """

    id: str
    was: str = ""
    movement: Movement
    base: TaskCost | None
    head: TaskCost | None
    causes: tuple[Cause, ...] = ()
    budget: Budget = Budget()
    verdict: Verdict = UNLIMITED
    benched: Benched | None = None

    @property
    def change(self) -> Decimal | None:
        """US dollars that it costs more now; a side where it was not there counts as $0; `None` where unknown."""
        before = ZERO if self.base is None else self.base.usd
        after = ZERO if self.head is None else self.head.usd
        return None if before is None or after is None else EXACT.subtract(after, before)

    @property
    def relative(self) -> Decimal | None:
        """The change as a share of what it cost; `None` where it cost nothing, was not there, or is unknown."""
        change = self.change
        before = self.base.usd if self.base is not None else None
        return _DIVISION.divide(change, before) if change is not None and before and self.head is not None else None


class Comparison(Struct, frozen=True, kw_only=True, dict=True):
    """Two snapshots, task by task.

    Attributes:
        base: The side compared with; `None` where there is none.
        head: The side that is judged.
        tasks: Every task of either side, sorted by id; a benchmark in the place of its samples.
        prices: What a change of prices costs, apart from all of this; `None` where nothing is to be said of it.
    """

    base: Snapshot | None
    head: Snapshot
    tasks: tuple[TaskDiff, ...]
    prices: PriceChange | None = None

    @cached_property
    def moved(self) -> tuple[TaskDiff, ...]:
        """The tasks that changed, the largest change first; those of unknown cost lead."""
        changed = [task for task in self.tasks if task.movement != "unchanged"]
        return tuple(sorted(changed, key=lambda task: (task.change is not None, -abs(task.change or ZERO), task.id)))

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """Why the suite's cost changed: the causes of all tasks, summed."""
        return summed(cause for task in self.tasks for cause in task.causes)

    def total(self, side: Literal["base", "head"]) -> Decimal | None:
        """US dollars of one side; `None` where a task's cost is unknown."""
        costs = [cost for task in self.tasks if (cost := getattr(task, side)) is not None]
        if any(cost.usd is None for cost in costs):
            return None
        return _sum(cost.usd for cost in costs)


def compare(base: Snapshot | None, head: Snapshot, card_of: CardOf, weight: Weight) -> Comparison:
    """Compare two sides; without a base every task reads as it is, and nothing as a rise from zero.

    Args:
        base: What to compare with, if there is anything.
        head: What is judged.
        card_of: The prices of both sides.
        weight: What a locally counted token is worth.
    """
    before = dict(base.tasks) if base is not None else {}
    names = _renamed(before, head)
    found = []
    for name, use in head.tasks.items():
        old = before.pop(names.get(name, name), None)
        found.append(_diff(use, old, card_of, weight, has_base=base is not None))
    found += [_removed(use, card_of) for use in before.values()]
    return Comparison(base=base, head=head, tasks=tuple(sorted(found, key=lambda task: task.id)))


def _renamed(before: dict[str, TaskUse], head: Snapshot) -> dict[str, str]:
    """New ids to the old ones whose calls are exactly theirs, where that is unambiguous."""
    gone: dict[str, list[str]] = {}
    come: dict[str, list[str]] = {}
    for name, use in before.items():
        if name not in head.tasks and use.portions:
            gone.setdefault(repr(use.portions), []).append(name)
    for name, use in head.tasks.items():
        if name not in before and use.portions:
            come.setdefault(repr(use.portions), []).append(name)
    return {news[0]: gone[key][0] for key, news in come.items() if len(news) == 1 == len(gone.get(key, ()))}


def _diff(use: TaskUse, old: TaskUse | None, card_of: CardOf, weight: Weight, *, has_base: bool) -> TaskDiff:
    head_cost, head_costed = _cost(use, card_of)
    budget, verdict = use.budget, use.verdict
    if old is None:
        movement: Movement = "new" if has_base else "unchanged"
        return TaskDiff(id=use.id, movement=movement, base=None, head=head_cost, budget=budget, verdict=verdict)
    base_cost, base_costed = _cost(old, card_of)
    known = base_cost.usd is not None and head_cost.usd is not None
    found = causes(base_costed, head_costed, weight) if known else ()
    same = old.portions == use.portions and old.unknown == use.unknown
    return TaskDiff(
        id=use.id,
        was=old.id if old.id != use.id else "",
        movement="renamed" if old.id != use.id else "unchanged" if same else "changed",
        base=base_cost,
        head=head_cost,
        causes=found,
        budget=budget,
        verdict=verdict,
    )


def _removed(use: TaskUse, card_of: CardOf) -> TaskDiff:
    cost, _ = _cost(use, card_of)
    return TaskDiff(id=use.id, movement="removed", base=cost, head=None)


def _cost(use: TaskUse, card_of: CardOf) -> tuple[TaskCost, Sequence[Costed]]:
    carded = [(portion, card_of(portion)) for portion in use.portions]
    costed = [Costed(portion=portion, card=card) for portion, card in carded if card is not None]
    priced = iter([each.usd for each in costed])
    models = tuple((portion.key.model, None if card is None else next(priced)) for portion, card in carded)
    known = len(costed) == len(use.portions) and not use.unknown
    usd = _sum(amount for _, amount in models) if known else None
    low, high = _band(use, usd)
    return (
        TaskCost(
            usd=usd,
            low=low,
            high=high,
            calls=sum(portion.calls for portion in use.portions) + use.unknown,
            drifted=sum(portion.drifted for portion in use.portions),
            usage=sum((portion.usage for portion in use.portions), NO_USAGE),
            portions=use.portions,
            models=models,
        ),
        costed,
    )


def _band(use: TaskUse, usd: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    """The least and the most that a task costs; of a lock only the middle of an estimate is known."""
    if usd is None or use.drifted is None:
        return usd, usd
    totals = use.drifted.totals
    return totals.known_low, totals.known_high


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount or ZERO)
    return total
