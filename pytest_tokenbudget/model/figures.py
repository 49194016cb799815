"""The figures of a benchmark, their intervals and how they spread: values, computed in `policy/sampling`."""

from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.model.usage import NO_USAGE, Usage

__all__ = [
    "DIMENSIONS",
    "INFINITE",
    "Bin",
    "Caution",
    "Costly",
    "Dimension",
    "ErrorRates",
    "Figures",
    "Histogram",
    "Interval",
    "Intervals",
    "Method",
    "Slice",
]


class Costly(Struct, frozen=True, kw_only=True, gc=False):
    """A sample's id and its cost in US dollars."""

    id: str
    cost: Decimal


INFINITE: Final = Decimal("Infinity")
"""Dollars per success where no task succeeded."""


class Figures(Struct, frozen=True, kw_only=True):
    """What some samples show.

    Attributes:
        n: How many samples.
        known: US dollars of the samples whose cost is known, exactly.
        unknown: The ids of those whose cost is not; where there are any, every further dollar figure is `None`.
        total: US dollars of all samples, exactly.
        mean: US dollars of a task: total ÷ n, to 28 digits.
        median: US dollars of the task in the middle.
        p90: US dollars that nine tasks of ten do not exceed: a cost that was seen.
        p95: The same of 95 in 100.
        worst: The dearest tasks, the dearest first, at most five.
        cv: The coefficient of variation: standard deviation (n - 1) ÷ mean; 0 where all cost the same; `None` of fewer
            than two samples.
        successes: How many succeeded.
        success_rate: successes ÷ n; `None` of no samples.
        per_success: US dollars of **all** samples ÷ successes; `Infinity` where none succeeded.
        usage: Tokens of all samples.
        steps: Billed generating calls of all samples.
        cache_hit_rate: Tokens read from a cache ÷ input tokens, cache included; `None` without input.
        token_efficiency: Output of successful samples, less that of failed or retried calls, ÷ all tokens; `None`
            without tokens. Worth a warning at 0.18 and below, never a block.
        ideal_steps: The steps that a task should take, `None` where nobody says.
        step_inflation: steps ÷ (n × ideal steps); `None` without ideal steps. The target is below 1.4.
    """

    n: int
    known: Decimal
    unknown: tuple[str, ...] = ()
    total: Decimal | None = None
    mean: Decimal | None = None
    median: Decimal | None = None
    p90: Decimal | None = None
    p95: Decimal | None = None
    worst: tuple[Costly, ...] = ()
    cv: float | None = None
    successes: int = 0
    success_rate: Decimal | None = None
    per_success: Decimal | None = None
    usage: Usage = NO_USAGE
    steps: int = 0
    cache_hit_rate: Decimal | None = None
    token_efficiency: Decimal | None = None
    ideal_steps: Decimal | None = None
    step_inflation: Decimal | None = None


Method = Literal["bca", "student", "order", "constant", "none"]
"""bca: bias-corrected and accelerated bootstrap · student: Student's t, for a ratio by the delta method: too narrow
above where costs have heavy tails · order: exact, from the order of the samples · constant: every sample was equal ·
none: too few samples for any."""


class Interval(Struct, frozen=True, kw_only=True):
    """What a figure of all tasks may be, judged by some of them.

    Attributes:
        low: US dollars that it is at least; `None` where nothing bounds it.
        high: US dollars that it is at most; `None` where nothing bounds it.
        confidence: Of each bound on its own, such as 0.95; of both together it is 0.90 then.
        method: How the bounds were found.
    """

    low: Decimal | None
    high: Decimal | None
    confidence: float
    method: Method


class Intervals(Struct, frozen=True, kw_only=True):
    """The intervals of a benchmark's figures, in US dollars.

    Attributes:
        mean: Of a task's mean cost.
        per_success: Of dollars per successful task.
        median: Of the task in the middle.
        p90: Of p90.
        p95: Of p95.
    """

    mean: Interval
    per_success: Interval
    median: Interval
    p90: Interval
    p95: Interval


class Bin(Struct, frozen=True, kw_only=True, gc=False):
    """How many tasks cost at least `low` and less than `high` US dollars; in the last bin, at most that."""

    low: Decimal
    high: Decimal
    count: int


class Histogram(Struct, frozen=True, kw_only=True):
    """Bins without gaps, the cheapest first.

    Attributes:
        scale: Whether bins are equally wide in dollars (`linear`) or in ratio (`log`).
        bins: At most 12, and no more than there are costs; one where all cost the same; none of no costs. On a
            logarithmic scale, tasks that cost nothing are a bin before them.
    """

    scale: Literal["linear", "log"]
    bins: tuple[Bin, ...]


Dimension = Literal["workflow", "team", "model", "outcome"]
DIMENSIONS: Final[tuple[Dimension, ...]] = ("workflow", "team", "model", "outcome")


class Slice(Struct, frozen=True, kw_only=True, gc=False):
    """The part of a benchmark that has one label.

    Attributes:
        dimension: What is sliced by.
        key: The label; `None` for what has none. An outcome is `success` or `failure`.
        n: How many samples have a share of it; a sample that called two models is in two slices by model.
        successes: How many of them succeeded.
        known: US dollars that are known, exactly.
        unknown: How many of the samples have an unknown share: the slice's cost is then not known.
    """

    dimension: Dimension
    key: str | None
    n: int
    successes: int
    known: Decimal
    unknown: int = 0

    @property
    def total(self) -> Decimal | None:
        """US dollars; `None` where a part of it is unknown."""
        return None if self.unknown else self.known


class ErrorRates(Struct, frozen=True, kw_only=True):
    """How often the point rule decides wrongly, at a spread and a number of samples.

    Attributes:
        cv: The costs' coefficient of variation.
        n: How many samples.
        tolerance: How far over budget a mean still passes.
        false_block: How often an agent is blocked whose true mean is the budget.
        blocked_at_limit: How often one whose true mean is (1 + tolerance) × budget, which just passes; all others of
            that kind pass.
        false_pass: How often an agent passes whose true mean is (1 + tolerance)² × budget.
    """

    cv: float
    n: int
    tolerance: float
    false_block: float
    blocked_at_limit: float
    false_pass: float


class Caution(Struct, frozen=True, kw_only=True):
    """What a reader must know before trusting the figures.

    Attributes:
        kind: `spread`: cv above 2, intervals are missed more often than they say · `blunt`: so few samples, with this
            spread, see only larger effects than the tolerance · `no_scipy`: the intervals are Student's, too narrow
            above where tails are heavy · `few_clusters`: fewer than ten independent units · `token_efficiency`: at
            most 0.18 · `step_inflation`: at least 1.4.
        value: The cv, the smallest effect that is seen (as a share), how many units, or the indicator.
    """

    kind: Literal["spread", "blunt", "no_scipy", "few_clusters", "token_efficiency", "step_inflation"]
    value: float
