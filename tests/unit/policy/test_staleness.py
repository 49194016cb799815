"""Which tasks of a lock are not what a run measured."""

from builders import make_call

from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.snapshot import Snapshot, TaskUse
from pytest_tokenbudget.policy.staleness import stale_tasks


def side(**tokens: int) -> Snapshot:
    """Tasks by the tokens that they used; without any, they made no call."""
    uses = {
        name: TaskUse(id=name, portions=portions([make_call(input=count)] if count else [], lambda _: 0))
        for name, count in tokens.items()
    }
    return Snapshot(label="", counter="tb1", tasks=uses)


def test_what_is_another_new_or_gone_is_stale() -> None:
    lock, run = side(same=10, other=10, gone=10), side(same=10, other=11, new=10)
    assert stale_tasks(lock, run) == ("gone", "new", "other")


def test_a_task_without_calls_stands_in_no_lock() -> None:
    assert stale_tasks(side(same=10), side(same=10, quiet=0)) == ()


def test_a_call_of_unknown_usage_is_more_than_none() -> None:
    run = Snapshot(label="", counter="tb1", tasks={"a": TaskUse(id="a", portions=(), unknown=1)})
    assert stale_tasks(side(), run) == ("a",)
