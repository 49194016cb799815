"""One run out of the runs of several jobs that each ran a shard of the suite.

The order of the shards makes no difference, and what comes out is what a single job would have measured. What does not
fit together is said in `Run.incomplete`, so that the gate never turns green on it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.benchmark import BenchmarkPlan
from pytest_tokenbudget.model.run import Recording, Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.sampling.outcome import outcome_of

__all__ = ["combine"]

_SELECTIONS: Final = ("only ", "-k ", "-m ", "--deselect")
"""Reasons for a partial run that say which tests were chosen, not that chosen ones did not run."""

_MOST_NAMED: Final = 3


def combine(runs: Sequence[Run], shards: int | None = None) -> Run:
    """Merge the runs of shards.

    Args:
        runs: At least one.
        shards: How many there must be, if known. Whoever says so says that together they are the suite: how the
            tests were divided, by paths, `-k` or `-m`, then makes none of them partial. What every one of several
            shards left out stays left out.
    """
    ordered = sorted(runs, key=_order)
    first = ordered[0]
    partial = _partial(ordered, shards)
    plans, other_plans = _plans(ordered)
    lenient = _lenient(ordered)
    tasks, twice = _merged([run.tasks for run in ordered])
    fixtures, unlike = _merged([run.fixtures for run in ordered], same=_used)
    return replace(
        first,
        tool_version=max(run.tool_version for run in ordered),
        as_of=max(run.as_of for run in ordered),
        mode="enforce" if any(run.mode == "enforce" for run in ordered) else first.mode,
        unfinished=None,
        partial=partial,
        incomplete=(
            *_once(sentence for run in ordered for sentence in run.incomplete),
            *_missing(len(ordered), shards),
            *_mixed(ordered),
            *_named("measured by more than one shard", twice),
            *_named("not drawn or judged alike in every shard", other_plans),
            *_named("not the same in every shard that set it up", unlike),
            *(() if tasks or fixtures else ("No shard measured a task.",)),
        ),
        tasks=tasks,
        fixtures=fixtures,
        recordings=_recordings(ordered),
        orphans=_orphans(ordered),
        failed=sum(run.failed for run in ordered),
        benchmarks=tuple(
            outcome_of(plan, tasks, partial=partial, warns=name in lenient) for name, plan in plans.items()
        ),
    )


def _order(run: Run) -> tuple[object, ...]:
    """Runs with an equal order say the same in all that is taken from one of them."""
    return run.commit or "", run.price_table, run.counter, run.as_of_source, run.mode, run.partial, run.incomplete


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _partial(runs: Sequence[Run], shards: int | None) -> tuple[str, ...]:
    reasons = _once(reason for run in runs for reason in run.partial)
    if shards is None:
        return reasons
    shared = Counter(reason for run in runs for reason in set(run.partial))
    is_alone = len(runs) == 1 < shards
    return tuple(
        reason
        for reason in reasons
        if not reason.startswith(_SELECTIONS) or (shared[reason] == len(runs) and not is_alone)
    )


def _missing(found: int, shards: int | None) -> Iterator[str]:
    if shards is not None and found < shards:
        yield f"{shards - found} of {shards} shards {'is' if shards - found == 1 else 'are'} missing."
    elif shards is not None and found > shards:
        yield f"{found} run files were given for {shards} {'shard' if shards == 1 else 'shards'}."


def _mixed(runs: Sequence[Run]) -> Iterator[str]:
    """What shards must agree on."""
    aspects: tuple[tuple[str, Callable[[Run], str]], ...] = (
        ("commits", lambda run: (run.commit or "none")[:10]),
        ("price dates", lambda run: run.as_of.isoformat()),
        ("price tables", lambda run: run.price_table),
        ("token counters", lambda run: run.counter),
        ("versions of pytest-tokenbudget", lambda run: run.tool_version),
    )
    for what, of in aspects:
        found = sorted({of(run) for run in runs})
        if len(found) > 1:
            yield f"The shards have different {what}: {_listed(found)}."


def _named(what: str, ids: Sequence[str]) -> Iterator[str]:
    if ids:
        yield f"{_listed(ids)}: {what}."


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _merged(
    groups: Sequence[Sequence[Task]], same: Callable[[Task], object] | None = None
) -> tuple[tuple[Task, ...], list[str]]:
    """Tasks by id, sorted, and the ids that more than one shard has; of those the dearest is kept.

    Args:
        groups: The tasks of each shard.
        same: What must be equal for several to be one; without it none may be there twice.
    """
    by_id: dict[str, list[Task]] = {}
    for task in (task for group in groups for task in group):
        by_id.setdefault(task.id, []).append(task)
    merged = tuple(found[0] if len(found) == 1 else max(found, key=_rank) for _, found in sorted(by_id.items()))
    clashing = [
        name
        for name, found in sorted(by_id.items())
        if len(found) > 1 and (same is None or len({repr(same(task)) for task in found}) > 1)
    ]
    return merged, clashing


def _plans(runs: Sequence[Run]) -> tuple[dict[str, BenchmarkPlan], list[str]]:
    """The benchmarks by id, sorted, and the ids of those that were asked differently in another shard."""
    plans: dict[str, BenchmarkPlan] = {}
    unlike = set()
    for plan in (benchmark.plan for run in runs for benchmark in run.benchmarks):
        if plans.setdefault(plan.id, plan) != plan:
            unlike.add(plan.id)
    return dict(sorted(plans.items())), sorted(unlike)


def _lenient(runs: Sequence[Run]) -> set[str]:
    """The ids of benchmarks of which an unknown cost only warns, in every shard."""
    benchmarks = [benchmark for run in runs for benchmark in run.benchmarks]
    strict = {found.plan.id for found in benchmarks if found.result.rules.unknown == "block"}
    return {found.plan.id for found in benchmarks} - strict


def _rank(task: Task) -> tuple[object, ...]:
    return task.totals.known, task.totals.calls, repr(task)


def _used(task: Task) -> object:
    """What two executions of a wider fixture must have in common to count once: each shard sets its own up."""
    calls = [(call.status, call.cost, call.obtained) for call in (entry.call for entry in task.calls)]
    return task.portions, calls, task.strays


def _recordings(runs: Sequence[Run]) -> tuple[Recording, ...]:
    """Every recording once, with what any shard played of it."""
    by_source: dict[str, list[Recording]] = {}
    for recording in (recording for run in runs for recording in run.recordings):
        by_source.setdefault(recording.source, []).append(recording)
    return tuple(
        Recording(
            source=source,
            interactions=max(each.interactions for each in found),
            used=tuple(sorted({index for each in found for index in each.used})),
            own=any(each.own for each in found),
            settled=all(each.settled for each in found),
        )
        for source, found in sorted(by_source.items())
    )


def _orphans(runs: Sequence[Run]) -> tuple[str, ...]:
    """Recordings that no shard knows a test for."""
    opened = {recording.source for run in runs for recording in run.recordings}
    known = set.intersection(*(set(run.orphans) for run in runs))
    return tuple(sorted(known - opened))
