"""Reading a run file that somebody else wrote: of a fork, or of another job.

Nothing in it is taken as a path, an address or a template, and what its process left on disk is not looked for. It is
read in full or refused: everything that could exhaust memory, overflow arithmetic, or show two different runs to two
readers, is.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.budget import LIMITS, Verdict
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.money import dollars
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.model.usage import NO_USAGE, Usage
from pytest_tokenbudget.policy.budget import Leniency, Measured, judge
from pytest_tokenbudget.policy.sampling.outcome import outcome_of
from pytest_tokenbudget.store.load import run_from_record

__all__ = ["LARGEST", "load_untrusted", "untrusted_run"]

LARGEST: Final = 20_000_000
"""Bytes of a run file of about 20,000 calls."""

_LONGEST: Final = 10_000
_MOST: Final = 10**12
_DEEPEST: Final = 32
_MOST_INTERACTIONS: Final = 1_000_000
_FIRST_YEAR: Final = datetime(2020, 1, 1, tzinfo=UTC)
_LAST_YEAR: Final = datetime(2100, 1, 1, tzinfo=UTC)
_LENIENT: Final = Leniency(unknown_model=True, missing_usage=True)
_UNSUMMED: Final = "the sums of its calls, which a comparison reads, are missing."
_UNPLANNED: Final = "samples of this benchmark were measured, and what they are held against is missing."
_UNFINISHED: Final = "The session that wrote this run did not end: calls may be missing."


def load_untrusted(path: Path, *, largest: int = LARGEST) -> Run:
    """Read a run file that somebody else wrote.

    Args:
        path: The file.
        largest: Bytes that it may have.

    Raises:
        RunFileError: It cannot be read, or is refused; the message says why.
    """
    try:
        if path.exists() and not path.is_file():
            raise _refused(str(path), "it is no regular file")
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        message = f"{path}: the run file cannot be read: {error.strerror or error}."
        raise RunFileError(message) from error
    return untrusted_run(data, str(path), largest=largest)


def untrusted_run(data: bytes, place: str, *, largest: int = LARGEST) -> Run:
    """Read the content of a run file that somebody else wrote.

    Args:
        data: The content.
        place: What to call it in messages.
        largest: Bytes that it may have.

    Raises:
        RunFileError: It is refused; the message says why.
    """
    if len(data) > largest:
        raise _refused(place, f"it has more than {largest:,} bytes")
    try:
        raw = msgspec.json.decode(data)
    except RecursionError as error:
        raise _refused(place, "it is nested too deeply") from error
    except ValueError as error:  # msgspec's errors, bytes that are no UTF-8, numbers of too many digits
        raise _refused(place, f"it is no JSON ({error})") from error
    _check_values(raw, place)
    run = run_from_record(raw, place)
    _check_instant(run, place)
    _check_names(run, place)
    for recording in run.recordings:
        if max(recording.interactions, *recording.used, 0) > _MOST_INTERACTIONS:
            raise _refused(place, f"{_shown(recording.source)} cannot hold so many answers")
    for task in (*run.tasks, *run.fixtures):
        _check_task(task, f"{place}: {_shown(task.id)}")
    _check_benchmarks(run, place)
    doubts = [f"{task.id}: {_UNSUMMED}" for task in (*run.tasks, *run.fixtures) if _known(task) and not task.portions]
    if run.unfinished is not None and not run.incomplete:
        doubts.append(_UNFINISHED)
    known = {found.plan.id for found in run.benchmarks}
    orphaned = {task.drawn.benchmark for task in run.tasks if task.drawn is not None} - known
    doubts += [f"{name}: {_UNPLANNED}" for name in sorted(orphaned)]
    # what a benchmark decided follows from its samples; an unknown cost never passes, whether it blocks or warns
    benchmarks = tuple(
        outcome_of(found.plan, run.tasks, partial=run.partial, warns=found.result.rules.unknown == "inconclusive")
        for found in run.benchmarks
    )
    return replace(run, unfinished=None, incomplete=(*run.incomplete, *doubts), benchmarks=benchmarks)


def _refused(place: str, why: str) -> RunFileError:
    return RunFileError(f"{place}: this run file is refused: {why}.")


def _shown(text: str) -> str:
    return f"{text!a:.80}"


def _check_values(raw: object, place: str) -> None:
    """Refuse what no run of ours has anywhere: endless texts, numbers beyond all measure, deep nesting."""
    level: list[object] = [raw]
    for _ in range(_DEEPEST):
        if not level:
            return
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below += value.values()
                below += value
            elif isinstance(value, list):
                below += value
            elif fault := _fault(value):
                raise _refused(place, fault)
        level = below
    raise _refused(place, "it is nested too deeply")


def _fault(value: object) -> str:
    if isinstance(value, str):
        if len(value) > _LONGEST:
            return f"it holds a text of {len(value):,} characters, {_shown(value)}; at most {_LONGEST:,} are read"
        return "" if _is_text(value) else f"it holds half a character, in {_shown(value)}"
    if isinstance(value, int | float) and not 0 <= value <= _MOST:  # which NaN is neither
        return f"it holds a number that is not from 0 to {_MOST:,}"
    return ""


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_instant(run: Run, place: str) -> None:
    if run.as_of.tzinfo is None:
        raise _refused(place, "its `as_of` has no time zone")
    try:
        known = _FIRST_YEAR <= run.as_of <= _LAST_YEAR
    except OverflowError:
        known = False
    if not known:
        raise _refused(place, "its `as_of` is no day whose prices could be known")


def _check_names(run: Run, place: str) -> None:
    seen: set[str] = set()
    for task in (*run.tasks, *run.fixtures):
        if task.id in seen:
            raise _refused(place, f"it has two tasks called {_shown(task.id)}")
        seen.add(task.id)


def _check_task(task: Task, place: str) -> None:
    for name, amount in _amounts(task):
        try:
            dollars(amount)
        except ValueError as error:
            raise _refused(place, f"{name}: {error}") from error
    _check_verdict(task, place)
    if task.portions and not _adds_up(task):
        raise _refused(place, "its `portions` are not the sum of its calls")


def _check_benchmarks(run: Run, place: str) -> None:
    seen: set[str] = set()
    for plan in (found.plan for found in run.benchmarks):
        where = f"{place}: {_shown(plan.id)}"
        if plan.id in seen:
            raise _refused(place, f"it has two benchmarks called {_shown(plan.id)}")
        seen.add(plan.id)
        stated = (plan.usd, plan.usd_per_success, plan.spend, plan.ideal_steps, plan.tolerance)
        for amount in (amount for amount in stated if amount is not None):
            try:
                dollars(amount)
            except ValueError as error:
                raise _refused(where, str(error)) from error


def _known(task: Task) -> list[Call]:
    return [entry.call for entry in task.calls if entry.call.status == "exact"]


def _adds_up(task: Task) -> bool:
    known = _known(task)
    used = sum((call.usage for call in known), NO_USAGE)
    summed = sum((portion.usage for portion in task.portions), NO_USAGE)
    return sum(portion.calls for portion in task.portions) == len(known) and _counts(summed) == _counts(used)


def _counts(usage: Usage) -> tuple[dict[str, int], dict[str, int]]:
    return dict(usage.counts()), {name: count for name, count in usage.fees.items() if count}


def _amounts(task: Task) -> Iterator[tuple[str, Decimal]]:
    verdicts: Sequence[Verdict] = (task.verdict, *(attempt.verdict for attempt in task.earlier))
    yield "tolerance", task.budget.tolerance
    yield from ((name, bound) for name in LIMITS if (bound := getattr(task.budget, name)) is not None)
    for verdict in verdicts:
        for finding in verdict.findings:
            ends = (finding.bound, finding.value, finding.low, finding.high)
            yield from ((finding.limit, amount) for amount in ends if amount is not None)


def _check_verdict(task: Task, place: str) -> None:
    """Refuse a verdict milder than the calls allow, however lenient the settings were."""
    measured = Measured(
        calls=task.calls,
        exchanges=task.exchanges,
        skipped=len(task.skipped),
        named=False,
        finished=True,
        strays=task.strays,
    )
    least = judge(measured, task.budget, _LENIENT)
    if least.state in {"blocked", "critical"} and not task.verdict.blocks:
        raise _refused(place, f"it calls itself {task.verdict.state}, and its calls are {least.state}")
