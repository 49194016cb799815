"""One task out of several attempts at it, made by different processes."""

from collections.abc import Iterable

from msgspec.structs import replace

from pytest_tokenbudget.model.task import Attempt, Task

__all__ = ["died_in", "merge_attempts"]


def merge_attempts(tasks: Iterable[Task]) -> dict[str, Task]:
    """Tasks by id; of several with one id the last counts, and those before become its earlier attempts.

    Args:
        tasks: Tasks in the order in which they ended.
    """
    merged: dict[str, Task] = {}
    for task in tasks:
        before = merged.get(task.id)
        merged[task.id] = task if before is None else _after(before, task)
    return merged


def _after(before: Task, task: Task) -> Task:
    attempt = Attempt(outcome=before.outcome, calls=before.calls, verdict=before.verdict)
    notes = (*before.notes, *(note for note in task.notes if note not in before.notes))
    return replace(
        task,
        earlier=(*before.earlier, attempt, *task.earlier),
        notes=notes,
        strays=(*before.strays, *task.strays),
        opened=(*before.opened, *task.opened),
    )


def died_in(tasks: Iterable[Task]) -> tuple[str, ...]:
    """A sentence for each task in which its process ended, in the last attempt or before."""
    return tuple(
        f"{task.id}: the process ended inside this test."
        for task in tasks
        if task.outcome == "died" or any(attempt.outcome == "died" for attempt in task.earlier)
    )
