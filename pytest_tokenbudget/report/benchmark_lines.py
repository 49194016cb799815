"""A benchmark in the section that ends pytest's output: the verdict, then the figures that it rests on."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from pytest_tokenbudget.model.benchmark import BenchmarkRun, BenchmarkState
from pytest_tokenbudget.model.figures import Costly, Interval
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.benchmark_text import (
    caution_texts,
    decided_text,
    error_text,
    failure_texts,
    hint_text,
    settling_text,
)
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.names import listed, of_test

__all__ = ["AS_TYPED", "STATES", "bars", "benchmark_paragraphs", "figure_rows", "told_lines"]

STATES: Final[dict[BenchmarkState, str]] = {"pass": "✓", "inconclusive": "~", "block": "✗"}
AS_TYPED: Final = "    "
"""How a line begins that somebody copies."""

_FEW: Final = 10
"""Of fewer samples the mean and the worst say all that there is to say."""

_BARS: Final = "▁▂▃▄▅▆▇█"


def figure_rows(run: BenchmarkRun) -> list[tuple[str, str, str]]:
    """The figures in dollars: a name, the value, and its interval, 95% at either end; empty where there is none."""
    figures, intervals = run.result.figures, run.result.intervals
    if not figures.n:
        return []
    limits = [limit for limit in (run.plan.usd, _blocking(run)) if limit is not None]
    rows = [
        ("mean", amounts.usd(figures.mean, limit=_blocking(run)), _interval(intervals.mean, limits)),
        ("median", amounts.usd(figures.median), _interval(intervals.median)),
        ("p90", amounts.usd(figures.p90), _interval(intervals.p90)),
        ("p95", amounts.usd(figures.p95), _interval(intervals.p95)),
        ("worst", *_worst(figures.worst)),
    ]
    if figures.per_success is not None and figures.per_success.is_finite():
        rows.append(("per success", amounts.usd(figures.per_success), _interval(intervals.per_success)))
    elif figures.per_success is not None:
        rows.append(("per success", "∞", "none succeeded"))
    return rows


def _blocking(run: BenchmarkRun) -> Decimal | None:
    return None if run.plan.usd is None else run.plan.usd * (1 + run.plan.tolerance)


def _interval(interval: Interval, edges: Sequence[Decimal] = ()) -> str:
    if interval.method == "constant":
        return "all equal"
    if interval.low is None and interval.high is None:
        return ""
    if interval.low is None:
        return f"at most {amounts.usd_range(interval.high or Decimal(0), interval.high, edges=edges)}"
    return amounts.usd_range(interval.low, interval.high, edges=edges)


def _worst(worst: Sequence[Costly]) -> tuple[str, str]:
    if not worst:
        return amounts.UNKNOWN, ""
    return amounts.usd(worst[0].cost), printable(of_test(worst[0].id))


def bars(counts: Sequence[int], gap: str = " ") -> str:
    """Counts as a line of bars; a bin that holds anything has one.

    Args:
        counts: Of each bin.
        gap: What stands for an empty bin.
    """
    most = max(counts, default=0)
    return "".join(gap if not count else _BARS[(len(_BARS) - 1) * count // most] for count in counts)


def benchmark_paragraphs(run: BenchmarkRun, *, verbose: bool = False) -> Iterator[tuple[str, BenchmarkState | None]]:
    """Yield the paragraphs of a benchmark, each with the state that colours it; what begins `AS_TYPED` is not wrapped.

    Args:
        run: The benchmark.
        verbose: Whether slices and every caution are wanted too.
    """
    state = run.result.verdict.state
    yield f"{STATES[state]} {decided_text(run)}", state
    if hint := hint_text(run):
        yield f"  {hint}", None
    if command := settling_text(run):
        yield "  To settle it, type:", None
        yield f"{AS_TYPED}{command}", None
    drawn, *told = told_lines(run) or [""]
    yield from ((f"  {line}", None) for line in (drawn, *failure_texts(run)) if line)
    if not drawn:
        return
    rows = figure_rows(run)
    if run.result.figures.n < _FEW and not verbose:
        yield from ((f"  {line}", None) for line in _table([row for row in rows if row[0] in {"mean", "worst"}]))
        return
    yield from ((f"  {line}", None) for line in _table(rows))
    if run.result.intervals.mean.low is not None:
        yield "  Either end of an interval holds with 95%, so that 90% of them hold the true value.", None
    if run.result.clusters is not None:
        yield "  Samples of one cluster are alike: quantiles have no interval.", None
    yield from ((f"  {line}", None) for line in told)
    if errors := error_text(run):
        yield f"  {errors}", None
    for caution in caution_texts(run):
        yield f"  {caution}", "inconclusive"
    if verbose:
        yield from ((f"  {line}", None) for line in _slices(run))
        dearest = [f"{printable(of_test(entry.id))} {amounts.usd(entry.cost)}" for entry in run.result.figures.worst]
        yield f"  dearest: {', '.join(dearest)}", None


def told_lines(run: BenchmarkRun, gap: str = " ") -> list[str]:
    """What was drawn, how the costs spread, what was used, and which tasks cost far more than the others.

    Args:
        run: The benchmark.
        gap: What stands for an empty bin of the histogram.
    """
    if not run.result.figures.n:
        return []
    lines = [_drawn(run), _spread(run, gap), _use(run)]
    if outliers := run.result.outliers:
        names = listed([printable(of_test(entry.id)) for entry in outliers])
        lines.append(f"{len(outliers)} far dearer than the others: {names}.")
    return lines


def _drawn(run: BenchmarkRun) -> str:
    plan, figures = run.plan, run.result.figures
    of = f" of {amounts.tokens(plan.samples)}" if figures.n != plan.samples else ""
    samples = "sample" if plan.samples == 1 else "samples"
    rate = amounts.percent(figures.success_rate)
    clusters = run.result.clusters
    grouped = "" if clusters is None else f" in {clusters} clusters" if clusters > 1 else " in 1 cluster"
    source = f" drawn from {amounts.tokens(plan.population)} in {printable(plan.data)} (seed {plan.seed})"
    if plan.samples == plan.population:
        of = f" of the {amounts.tokens(plan.samples)}" if of else ""
        source = f" in {printable(plan.data)}" if of else f", all there are in {printable(plan.data)}"
    succeeded = f"{amounts.tokens(figures.successes)} succeeded ({rate})"
    return f"{amounts.tokens(figures.n)}{of} {samples}{grouped}{source}; {succeeded}."


def _table(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    names, values = (max((len(row[index]) for row in rows), default=0) for index in (0, 1))
    return [f"{name:<{names}}  {value:>{values}}  {beside}".rstrip() for name, value, beside in rows]


def _spread(run: BenchmarkRun, gap: str) -> str:
    figures, histogram = run.result.figures, run.result.histogram
    spread = "spread n/a" if figures.cv is None else f"spread: cv {figures.cv:.2f}"
    if len(histogram.bins) < 2:  # noqa: PLR2004 - one bar shows nothing
        return f"{spread}."
    scale = " by ratio" if histogram.scale == "log" else ""
    low, high = amounts.usd(histogram.bins[0].low), amounts.usd(histogram.bins[-1].high)
    return f"{spread}, {low} {bars([each.count for each in histogram.bins], gap)} {high}{scale}"


def _use(run: BenchmarkRun) -> str:
    figures = run.result.figures
    cautions = {caution.kind for caution in run.result.cautions}
    steps = f"{figures.steps / figures.n:.1f} steps a task"
    if figures.step_inflation is not None:
        target = ", the target is below 1.4" if "step_inflation" in cautions else ""
        steps += f" ({figures.step_inflation:.2f} × ideal{target})"
    hit = "" if figures.cache_hit_rate is None else f" ({amounts.percent(figures.cache_hit_rate)} cached)"
    efficiency = "n/a" if figures.token_efficiency is None else amounts.percent(figures.token_efficiency)
    if "token_efficiency" in cautions:
        efficiency += " (the target is above 18%)"
    total = amounts.usd(figures.total) if figures.total is not None else f"{amounts.usd(figures.known)} + ?"
    return f"{total} in all; {amounts.tokens(figures.usage.total)} tokens{hit}, {steps}, token efficiency {efficiency}."


def _slices(run: BenchmarkRun) -> Iterator[str]:
    for dimension, parts in run.result.slices.items():
        if len(parts) < 2:  # noqa: PLR2004 - all of it is one
            continue
        shown = ", ".join(
            f"{printable(part.key or 'none')} {amounts.usd(part.known)}{' + ?' if part.unknown else ''} ({part.n})"
            for part in parts
        )
        yield f"by {dimension}: {shown}"
