"""Which recordings are not needed: answers that no test played, and files that belong to no test."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from pytest_tokenbudget.model.run import Recording, Run
from pytest_tokenbudget.model.task import Task

__all__ = ["Sweep", "recordings_of", "sweep"]

_SETTLED = frozenset({"passed", "fixture"})


class Sweep(Struct, frozen=True, kw_only=True):
    """What a run proves not to be needed.

    Attributes:
        unused: Recordings with answers that no test played.
        orphans: Files that belong to no test.
        refusal: Why the run proves nothing, in a sentence; empty where it does.
    """

    unused: tuple[Recording, ...] = ()
    orphans: tuple[str, ...] = ()
    refusal: str = ""


def recordings_of(tasks: Iterable[Task]) -> tuple[Recording, ...]:
    """The recordings that tasks opened, with what of them any task played; sorted by source."""
    found: dict[str, Recording] = {}
    used: dict[str, set[int]] = {}
    for task in tasks:
        for source, index in _played(task):
            used.setdefault(source, set()).add(index)
        for opened in task.opened:
            before = found.get(opened.source)
            found[opened.source] = Recording(
                source=opened.source,
                interactions=max(opened.interactions, before.interactions if before else 0),
                own=opened.own,
                settled=task.outcome in _SETTLED and (before is None or before.settled),
            )
    return tuple(
        Recording(
            source=source,
            interactions=found[source].interactions,
            used=tuple(sorted(used.get(source, ()))),
            own=found[source].own,
            settled=found[source].settled,
        )
        for source in sorted(found)
    )


def _played(task: Task) -> Iterator[tuple[str, int]]:
    entries = [*task.calls, *(entry for attempt in task.earlier for entry in attempt.calls)]
    places = [(entry.call.source, entry.call.index) for entry in entries]
    places += [(skipped.source, skipped.index) for skipped in task.skipped]
    for source, index in places:
        if source is not None and index is not None:
            yield source, index


def sweep(run: Run) -> Sweep:
    """What a run proves not to be needed: nothing, unless it was whole, could be measured, and every test passed."""
    refusal = _refusal(run)
    if refusal:
        return Sweep(refusal=refusal)
    unused = tuple(recording for recording in run.recordings if recording.settled and recording.unused)
    return Sweep(unused=unused, orphans=run.orphans)


def _refusal(run: Run) -> str:
    if run.partial:
        return f"Only a part of the suite ran ({', '.join(run.partial)}): what it left unused, another test may use."
    if run.unfinished or run.incomplete:
        return "The run is incomplete: it does not know of every recording that was played."
    if run.failed:
        tests = "1 test" if run.failed == 1 else f"{run.failed} tests"
        return f"{tests} failed, and may not have come as far as {'its' if run.failed == 1 else 'their'} recordings."
    return ""
