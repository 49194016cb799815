"""Suggested limits as a person reads them: what was seen, what follows, what is left of the limits of now."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.suggest import PER_SUCCESS, Evidence, Suggestion
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.names import below_shared_folder

__all__ = ["COLUMNS", "about", "rows", "unsuggested"]

COLUMNS: Final = ("task", "limit", "seen", "suggested", "now")


def about(runs: Sequence[Run], found: Sequence[Suggestion], margin: Decimal) -> list[str]:
    """Sentences on the evidence: how much of it there is, and what speaks against it."""
    count = f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}"
    most = "what it took" if len(runs) == 1 else "the most that any of them took"
    how = f"{most}, plus {amounts.percent(margin)}, rounded up to two digits"
    sentences = [f"From {count}: {how}. A budget's tolerance comes on top."]
    benchmarks = sum(suggestion.is_benchmark for suggestion in found)
    if benchmarks:
        sentences.append("A benchmark's `usd` is for the mean of its samples; `usd_per_success` is for its own marker.")
    if len(runs) == 1 and (benchmarks < len(found) or not found):
        sentences.append("One run says nothing of how much a task varies: name several.")
    tables = {run.price_table for run in runs}
    if len(tables) > 1:
        sentences.append(f"The runs were priced by {len(tables)} different tables: their costs are not comparable.")
    partial = sum(bool(run.partial or run.incomplete) for run in runs)
    if partial:
        sentences.append(f"{partial} of {count} did not measure everything: {_first_reason(runs)}.")
    missing = sum(suggestion.runs < len(runs) for suggestion in found)
    if missing:
        sentences.append(f"{missing} of {len(found)} tasks are not in every run.")
    return sentences


def _first_reason(runs: Iterable[Run]) -> str:
    return printable(next(reason for run in runs for reason in (*run.incomplete, *run.partial))).rstrip(".")


def rows(found: Sequence[Suggestion]) -> list[tuple[str, ...]]:
    """A row for each suggested limit, by `COLUMNS`; a task is named in its first."""
    shown = [suggestion for suggestion in found if not suggestion.reason]
    names = below_shared_folder([suggestion.task for suggestion in shown])
    return [
        (
            name if not index else "",
            evidence.limit,
            _seen(evidence),
            _amount(evidence, evidence.suggested),
            _now(evidence),
        )
        for name, suggestion in zip(names, shown, strict=True)
        for index, evidence in enumerate(suggestion.evidence)
    ]


def _seen(evidence: Evidence) -> str:
    limit = "usd" if evidence.limit == PER_SUCCESS else evidence.limit
    high = amounts.measured(limit, evidence.high)
    return high if evidence.low == evidence.high else f"{amounts.measured(limit, evidence.low)} to {high}"


def _amount(evidence: Evidence, value: Decimal) -> str:
    return amounts.limit_usd(value) if evidence.limit in {"usd", PER_SUCCESS} else amounts.tokens(value)


def _now(evidence: Evidence) -> str:
    if evidence.bound is None:
        return "no limit"
    bound = _amount(evidence, evidence.bound)
    if evidence.headroom is None:
        return bound
    if evidence.headroom < 0:
        return f"{bound}, exceeded by {amounts.percent(-evidence.headroom)}"
    return f"{bound}, {amounts.percent(evidence.headroom)} left"


def unsuggested(found: Iterable[Suggestion]) -> list[str]:
    """A sentence for each task that nothing is suggested for, with the reason."""
    return [
        f"{printable(suggestion.task)}: nothing suggested: {suggestion.reason}."
        for suggestion in found
        if suggestion.reason
    ]
