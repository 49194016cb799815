"""A benchmark: which samples were asked for, what they were held against, and what came of it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.model.figures import (
    Caution,
    Costly,
    Dimension,
    ErrorRates,
    Figures,
    Histogram,
    Intervals,
    Slice,
)
from pytest_tokenbudget.model.money import EXACT, ZERO

__all__ = [
    "BROKEN",
    "DIED",
    "NOT_ANSWERED",
    "NOT_RECORDED",
    "NO_CALLS",
    "SETUP_FAILED",
    "SKIPPED",
    "SPENT",
    "UNANSWERED",
    "Benchmark",
    "BenchmarkPlan",
    "BenchmarkRun",
    "BenchmarkState",
    "BenchmarkVerdict",
    "Decision",
    "DecisionKind",
    "Drawn",
    "Failure",
    "Ground",
    "Measure",
    "Rule",
    "Rules",
    "Why",
]

BenchmarkState = Literal["pass", "block", "inconclusive"]

Rule = Literal["point", "confident"]

Measure = Literal["samples", "mean", "per_success"]

Why = Literal[
    "within",
    "tolerated",
    "above",
    "straddles",
    "few_samples",
    "no_success",
    "unknown_cost",
    "partial",
    "unfinished",
    "no_samples",
    "no_budget",
    "early",
]
"""within: not above the budget · tolerated: above it, inside the tolerance · above: above that, too · straddles: the
interval is on both sides of the limit · few_samples: too few (or too few clusters) for an interval that decides ·
no_success · unknown_cost · partial: a selection ran · unfinished: fewer samples than planned, and nothing decided ·
no_samples · no_budget: nothing to be held against · early: stopped early; the decision says how."""

DecisionKind = Literal["curtailed", "evidence", "evidence_per_success", "spent"]
"""curtailed: exact, whatever the tasks that are left cost · evidence: of the mean cost, at an error of alpha ·
evidence_per_success: of dollars per success · spent: the benchmark's own money is used up, which decides nothing."""


NOT_RECORDED: Final = "not recorded"
NOT_ANSWERED: Final = "its recording does not answer it"
SKIPPED: Final = "skipped"
SETUP_FAILED: Final = "its setup failed"
DIED: Final = "its process died"
UNANSWERED: Final = "a request got no answer"
SPENT: Final = "its money is spent"
NO_CALLS: Final = "no model call was made"
BROKEN: Final = "its test broke before any model call"


class Drawn(Struct, frozen=True, kw_only=True, gc=False):
    """A task's place in a benchmark.

    Attributes:
        benchmark: The benchmark's id.
        place: The sample's place in the draw, from 0.
        cluster: What it belongs to, such as a customer; empty where it stands alone.
        unmeasured: Why it says nothing, where it was not measured: `NOT_RECORDED` and the like, or who stopped it.
        failure: What its test failed with and where, such as `KeyError: 'text' (test_it.py:12)`; empty if it did not.
    """

    benchmark: str
    place: int
    cluster: str = ""
    unmeasured: str = ""
    failure: str = ""


class Failure(Struct, frozen=True, kw_only=True):
    """Samples whose tests failed with one kind of exception, at one place.

    Attributes:
        text: What they failed with and where, such as `KeyError: 'text' (test_it.py:12)`; of several, the commonest.
        count: How many samples.
        alike: Whether all of them said the same.
    """

    text: str
    count: int
    alike: bool = True


class BenchmarkPlan(Struct, frozen=True, kw_only=True):
    """What a benchmark was asked to measure.

    Attributes:
        id: The test's node id, without the sample.
        data: Where the samples come from, as it was written.
        population: How many samples there are.
        samples: How many of them were drawn.
        seed: What fixed the draw.
        usd: US dollars that a task may cost on average; `None` where there is no budget.
        usd_per_success: US dollars that a successful task may cost; `None` where there is no such budget.
        tolerance: How far over a budget still passes.
        rule: When it blocks: `point`, once the mean is over budget and tolerance, or `confident`, once its interval is.
        spend: US dollars after which no further sample is paid for; `None` for no end.
        ideal_steps: How many steps a task needs at best, where somebody said so.
        workflow: A label to group by.
        team: A label to group by.
    """

    id: str
    data: str
    population: int
    samples: int
    seed: int = 0
    usd: Decimal | None = None
    usd_per_success: Decimal | None = None
    tolerance: Decimal = Decimal("0.20")
    rule: Literal["point", "confident"] = "point"
    spend: Decimal | None = None
    ideal_steps: Decimal | None = None
    workflow: str | None = None
    team: str | None = None


class Rules(Struct, frozen=True, kw_only=True):
    """What a benchmark is held against.

    Attributes:
        budget: US dollars that a task may cost on average, if that has a budget.
        per_success: US dollars of all tasks that a success may cost, if that has a budget.
        tolerance: How far over a budget still passes; 0.20 is 20%.
        rule: `point` or `confident`.
        planned: How many samples were planned; `None` where any number is all.
        partial: Why only a selection ran, such as `-k`; empty for all of them.
        unknown: What a sample of unknown cost means: `block`, or `inconclusive` where unknown costs only warn.
    """

    budget: Decimal | None = None
    per_success: Decimal | None = None
    tolerance: Decimal = Decimal("0.20")
    rule: Rule = "point"
    planned: int | None = None
    partial: tuple[str, ...] = ()
    unknown: Literal["block", "inconclusive"] = "block"


class Decision(Struct, frozen=True, kw_only=True):
    """That a benchmark may stop, and why.

    Attributes:
        state: What is decided.
        kind: By what.
        at: After how many samples.
        of: Of how many that were planned.
        known: US dollars of those samples, as far as they are known.
        limit: US dollars that the sum, the mean or a success was held against: budget and tolerance; for `spent`, the
            benchmark's own bound.
        log_evidence: ln W, where evidence decided; it decides at ln(1/alpha).
    """

    state: Literal["pass", "block", "inconclusive"]
    kind: DecisionKind
    at: int
    of: int
    known: Decimal
    limit: Decimal
    log_evidence: float | None = None

    @property
    def not_spent(self) -> Decimal:
        """US dollars that the samples which are left would have cost, at the mean so far."""
        return EXACT.multiply(self.known, Decimal(self.of - self.at)) / self.at if self.at else ZERO


class Ground(Struct, frozen=True, kw_only=True):
    """One reason of a verdict, in numbers.

    Attributes:
        measure: What was judged.
        state: The decision on it.
        why: Its kind.
        n: How many samples there are.
        value: US dollars that were measured; `Infinity` without a success, `None` where unknown.
        budget: US dollars that it may be.
        limit: US dollars above which it is blocked: budget × (1 + tolerance).
        low: US dollars that it is at least, by its interval.
        high: US dollars that it is at most, by its interval.
        needed: How many more samples would settle it, about; `None` where no number would, or none is needed.
    """

    measure: Measure
    state: BenchmarkState
    why: Why
    n: int
    value: Decimal | None = None
    budget: Decimal | None = None
    limit: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    needed: int | None = None


class BenchmarkVerdict(Struct, frozen=True, kw_only=True):
    """The decision on a benchmark, made once; every printer reads it.

    Attributes:
        state: The worst of its grounds: block, then inconclusive, then pass.
        rule: By which rule.
        grounds: The reasons, at least one.
        early: The decision that stopped it early, if one did.
    """

    state: BenchmarkState
    rule: Rule
    grounds: tuple[Ground, ...]
    early: Decision | None = None

    @property
    def decided_by(self) -> tuple[Why, ...]:
        """The kinds of the grounds that decided."""
        return tuple(ground.why for ground in self.grounds if ground.state == self.state)

    @property
    def needed(self) -> int | None:
        """How many more samples would settle all that is inconclusive, about; `None` where no number would."""
        wanted = [ground.needed for ground in self.grounds if ground.state == "inconclusive"]
        known = [count for count in wanted if count is not None]
        return max(known) if known and len(known) == len(wanted) else None


class Benchmark(Struct, frozen=True, kw_only=True):
    """A benchmark, judged.

    Attributes:
        rules: What it was held against.
        figures: What was measured.
        intervals: What that says of all tasks like these. Samples of unknown cost leave all of them open.
        slices: The cost by workflow, team, model and outcome; each sums to the total exactly.
        outliers: Tasks that cost far more than the others.
        histogram: How the known costs spread.
        errors: How often the point rule errs at this spread; `None` of fewer than ten samples.
        cautions: What a reader must know first.
        verdict: The decision.
        clusters: How many clusters the samples form, one of its own for each that is in none; `None` without any.
    """

    rules: Rules
    figures: Figures
    intervals: Intervals
    slices: Mapping[Dimension, tuple[Slice, ...]]
    outliers: tuple[Costly, ...]
    histogram: Histogram
    errors: ErrorRates | None
    cautions: tuple[Caution, ...]
    verdict: BenchmarkVerdict
    clusters: int | None = None


class BenchmarkRun(Struct, frozen=True, kw_only=True):
    """A benchmark of one run.

    Attributes:
        plan: What was asked.
        result: What came of it.
        unmeasured: Why samples are missing that were to be measured, as far as they said so.
        unknown: Why costs are unknown, and what to do about it, in sentences.
        failures: What samples failed with, the commonest first, at most three.
    """

    plan: BenchmarkPlan
    result: Benchmark
    unmeasured: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every sample that was drawn was measured."""
        return self.result.figures.n >= self.plan.samples

    @property
    def blocks(self) -> bool:
        """Whether the build fails for it (under `enforce`)."""
        return self.result.verdict.state == "block"
