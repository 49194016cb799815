"""What a benchmark decided, in sentences: the same in the terminal, in the gate and in the comment."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from shlex import quote
from typing import TYPE_CHECKING, Final

from pytest_tokenbudget.model.benchmark import (
    BROKEN,
    DIED,
    NO_CALLS,
    NOT_ANSWERED,
    SETUP_FAILED,
    SKIPPED,
    SPENT,
    BenchmarkRun,
    BenchmarkState,
    Decision,
    Ground,
)
from pytest_tokenbudget.model.figures import Caution
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.names import listed, of_test

if TYPE_CHECKING:
    from pytest_tokenbudget.policy.sampling.pairs import Pairs

__all__ = [
    "blocked_line",
    "caution_texts",
    "decided_text",
    "error_text",
    "failure_texts",
    "grounds_text",
    "hint_text",
    "name_of",
    "pairs_text",
    "settling_text",
]

_LEADS: Final[dict[BenchmarkState, str]] = {
    "pass": "Benchmark passes",
    "block": "Benchmark blocked",
    "inconclusive": "Benchmark undecided",
}
_WHAT: Final = {"mean": "a task", "per_success": "a success"}


def name_of(run: BenchmarkRun) -> str:
    """What a benchmark is called in print."""
    return printable(of_test(run.plan.id))


def decided_text(run: BenchmarkRun) -> str:
    """The verdict with its reasons, in one sentence or two."""
    return f"{_LEADS[run.result.verdict.state]}: {name_of(run)}: {grounds_text(run)}."


def blocked_line(run: BenchmarkRun) -> str:
    """A benchmark that blocks, as pytest names a test that failed: `BLOCKED test_it.py::test_it - a task costs …`."""
    return f"BLOCKED {printable(run.plan.id)} - {grounds_text(run)}"


def grounds_text(run: BenchmarkRun) -> str:
    """The reasons alone, those that decided first."""
    verdict = run.result.verdict
    deciding = [ground for ground in verdict.grounds if ground.state == verdict.state]
    others = [ground for ground in verdict.grounds if ground.state != verdict.state]
    return "; ".join(_TEXTS[ground.why](run, ground) for ground in (*deciding, *others))


def _held(run: BenchmarkRun, ground: Ground) -> str:
    """`a task costs $0.0312 on average, 78% of its budget of $0.04`."""
    tolerance = run.plan.tolerance
    share = None if not ground.budget or ground.value is None else ground.value / ground.budget
    edge = ground.limit if ground.why == "above" else ground.budget
    cost = f"{_WHAT[ground.measure]} costs {amounts.usd(ground.value, limit=edge)}"
    if ground.measure == "mean":
        cost += " on average"
    if ground.budget is None or ground.limit is None:
        return cost
    of = f"its budget of {amounts.limit_usd(ground.budget)}"
    if share is not None:
        of = f"{amounts.percent(share, edge=1 + tolerance)} of {of}"
    if ground.why == "within":
        return f"{cost}, {of}"
    return f"{cost}, {of} (more than {amounts.limit_usd(ground.limit)} blocks)"


def _straddles(run: BenchmarkRun, ground: Ground) -> str:
    limit = amounts.UNKNOWN if ground.limit is None else amounts.limit_usd(ground.limit)
    interval = amounts.usd_range(ground.low or Decimal(0), ground.high, edges=[ground.limit] if ground.limit else [])
    del run
    return f"{_WHAT[ground.measure]} costs {interval}, and more than {limit} blocks"


def _few(run: BenchmarkRun, ground: Ground) -> str:
    units = "clusters" if any(caution.kind == "few_clusters" for caution in run.result.cautions) else "samples"
    return f"{_count(ground.n, 'sample')}: too few {units} for the rule `confident`, which needs 10"


def _no_success(run: BenchmarkRun, ground: Ground) -> str:
    del run
    who = "its one sample failed" if ground.n == 1 else f"none of {_count(ground.n, 'sample')} succeeded"
    return f"{who}, so that a success costs infinitely much"


def _unknown(run: BenchmarkRun, ground: Ground) -> str:
    unknown = run.result.figures.unknown
    names = listed([printable(of_test(name)) for name in unknown])
    return f"the cost of {len(unknown)} of {_count(ground.n, 'sample')} is unknown ({names})"


def _partial(run: BenchmarkRun, ground: Ground) -> str:
    why = printable(", ".join(run.result.rules.partial))
    return f"{ground.n} of {_count(run.plan.samples, 'sample')} ran ({why}); a selection decides nothing"


def _unfinished(run: BenchmarkRun, ground: Ground) -> str:
    why = f" ({printable(', '.join(run.unmeasured))})" if run.unmeasured else ""
    return f"{ground.n} of {_count(run.plan.samples, 'sample')} were measured{why}"


def _no_samples(run: BenchmarkRun, ground: Ground) -> str:
    del ground
    why = f" ({printable(', '.join(run.unmeasured))})" if run.unmeasured else ""
    return f"no sample was measured{why}"


def _no_budget(run: BenchmarkRun, ground: Ground) -> str:
    del run
    return f"a task costs {amounts.usd(ground.value)} on average, and has no budget"


def _early(run: BenchmarkRun, ground: Ground) -> str:
    early = run.result.verdict.early
    if early is None:
        return "decided early"
    if early.kind == "spent":
        spent = amounts.limit_usd(early.limit)
        return f"stopped after {early.at} of {_count(early.of, 'sample')}: {spent} to be spent on it are used up"
    of = f"decided after {early.at} of {_count(early.of, 'sample')}"
    return f"{of}, {amounts.usd(_not_spent(run, early))} not spent: {_held(run, ground)}"


def _not_spent(run: BenchmarkRun, early: Decision) -> Decimal:
    """US dollars that the samples which were not measured would have cost, at the mean of those that were."""
    mean = run.result.figures.mean
    return early.not_spent if mean is None else mean * (early.of - run.result.figures.n)


_TEXTS: Final[dict[str, Callable[[BenchmarkRun, Ground], str]]] = {
    "within": _held,
    "tolerated": _held,
    "above": _held,
    "straddles": _straddles,
    "few_samples": _few,
    "no_success": _no_success,
    "unknown_cost": _unknown,
    "partial": _partial,
    "unfinished": _unfinished,
    "no_samples": _no_samples,
    "no_budget": _no_budget,
    "early": _early,
}


def pairs_text(pairs: "Pairs") -> str:
    """`its 100 samples cost $0.51, and $0.41 before (+25%); a task $0.0010 more, within $0.0008 to $0.0013`."""
    share = None if not pairs.base else (pairs.head - pairs.base) / pairs.base
    text = (
        f"its {_count(pairs.n, 'sample')} cost {amounts.usd(pairs.head)}, and {amounts.usd(pairs.base)} before"
        f"{'' if share is None else f' ({amounts.signed_percent(share)})'}"
    )
    found = pairs.difference
    if found is None:
        return text
    text += f"; a task {amounts.signed_usd(found.mean)}"
    low, high = found.interval.low, found.interval.high
    if low is None or high is None or found.interval.method == "constant":
        return text
    return f"{text}, and of all tasks like these {amounts.signed_usd(low)} to {amounts.signed_usd(high)}"


def settling_text(run: BenchmarkRun) -> str:
    """What to type to settle what is undecided; empty where nothing is, or nothing would."""
    verdict = run.result.verdict
    if verdict.state != "inconclusive":
        return ""
    test = quote(run.plan.id)
    whys = {ground.why for ground in verdict.grounds if ground.state == "inconclusive"}
    if _others_ran_elsewhere(run):
        return ""
    if whys & {"unfinished", "no_samples", "early"}:
        return _recording_text(run, test)
    if "partial" in whys:
        return f"pytest {test}"
    if verdict.needed is None or not whys & {"straddles", "few_samples"}:
        return ""
    wanted = run.result.figures.n + verdict.needed
    if wanted > run.plan.population:
        return ""  # there are no more to be drawn
    return f"pytest {test} --tokenbudget-samples={wanted} --tokenbudget-record=once"


def hint_text(run: BenchmarkRun) -> str:
    """What settles what is undecided where a command alone does not; empty where one does."""
    verdict, plan = run.result.verdict, run.plan
    if verdict.state != "inconclusive":
        return ""
    if _others_ran_elsewhere(run):
        return "Its other samples did not run here. If other shards ran them, join the runs: tokenbudget combine."
    if SPENT in run.unmeasured and plan.spend is not None:
        spend = amounts.limit_usd(plan.spend)
        return (
            f"`spend` is {spend} for each run, and what is recorded costs nothing: raise it, or go on by another run."
        )
    if verdict.needed is not None and "straddles" in {ground.why for ground in verdict.grounds}:
        wanted = run.result.figures.n + verdict.needed
        if wanted > plan.population:
            return (
                f"About {_count(wanted, 'sample')} would settle it, and {printable(plan.data)} has only "
                f"{amounts.tokens(plan.population)}."
            )
    return ""


def _others_ran_elsewhere(run: BenchmarkRun) -> bool:
    """Whether samples are missing, and none of those that ran said why: they were left to another shard."""
    whys = {ground.why for ground in run.result.verdict.grounds if ground.state == "inconclusive"}
    return "unfinished" in whys and not run.unmeasured and run.result.verdict.early is None


def _recording_text(run: BenchmarkRun, test: str) -> str:
    """What to type to measure the samples that are missing; empty where they said that something else is wrong."""
    if NOT_ANSWERED in run.unmeasured:
        return f"pytest {test} --tokenbudget-record=new"
    if DIED in run.unmeasured:
        return f"pytest {test}"
    if run.unmeasured and set(run.unmeasured) <= {SKIPPED, SETUP_FAILED, NO_CALLS, BROKEN}:
        return ""
    return f"pytest {test} --tokenbudget-record=once"


def failure_texts(run: BenchmarkRun) -> list[str]:
    """What samples failed with, such as `3 failed with KeyError: 'text' (test_it.py:12).`, the commonest first."""
    return [
        f"{amounts.tokens(each.count)} failed with {printable(each.text)}{'' if each.alike else ', or the like'}."
        for each in run.failures
    ]


def error_text(run: BenchmarkRun) -> str:
    """How often the rule errs at this spread; empty where that cannot be said, or the rule is another."""
    errors = run.result.errors
    if errors is None or run.plan.rule != "point" or run.result.verdict.early is not None:
        return ""
    above = (1 + Decimal(str(errors.tolerance))) ** 2 - 1
    return (
        f"With {_count(errors.n, 'sample')} of this spread the rule blocks {amounts.percent(errors.false_block)} of "
        f"agents that cost exactly the budget, and passes {amounts.percent(errors.false_pass)} of those that cost "
        f"{amounts.percent(above)} more."
    )


def caution_texts(run: BenchmarkRun) -> Iterator[str]:
    """Yield what a reader must know before trusting the figures."""
    for caution in run.result.cautions:
        if caution.kind in _CAUTIONS:  # the others stand beside the figure
            yield _CAUTIONS[caution.kind](run, caution)


_CAUTIONS: Final[dict[str, Callable[[BenchmarkRun, Caution], str]]] = {
    "spread": lambda _, caution: (
        f"Costs spread widely (cv {caution.value:.2f}): the true mean lies above its interval more often than 5%."
    ),
    "blunt": lambda run, caution: (
        f"{_count(run.result.figures.n, 'sample')} of this spread reliably show a rise of "
        f"{amounts.percent(caution.value)} and more, not one of {amounts.percent(run.plan.tolerance)}."
    ),
    "no_scipy": lambda *_: (
        "Intervals are Student's, too narrow above where tails are heavy: pip install 'pytest-tokenbudget[stats]'."
    ),
    "few_clusters": lambda _, caution: f"Only {caution.value:.0f} clusters are independent of each other.",
}


def _count(count: int, what: str) -> str:
    return f"{amounts.tokens(count)} {what}" if count == 1 else f"{amounts.tokens(count)} {what}s"
