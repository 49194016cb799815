"""Whether a committed lock still says what a run measured."""

from pytest_tokenbudget.policy.snapshot import Snapshot, TaskUse

__all__ = ["stale_tasks"]

_NOTHING = TaskUse(id="", portions=())


def stale_tasks(lock: Snapshot, run: Snapshot) -> tuple[str, ...]:
    """The tasks that a lock has otherwise than a run, has not, or has though they are gone; sorted.

    Args:
        lock: The lock.
        run: A run of the whole suite, without estimates.
    """
    every = {**lock.tasks, **run.tasks}
    return tuple(sorted(task for task in every if _uses(lock.tasks.get(task)) != _uses(run.tasks.get(task))))


def _uses(use: TaskUse | None) -> tuple[object, ...]:
    """What stands in a lock of a task; of one without calls, nothing does."""
    use = use or _NOTHING
    return use.portions, use.unknown
