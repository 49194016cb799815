"""Which recordings a run proves not to be needed."""

from typing import Any

import pytest
from builders import make_call, make_run, make_task, numbered

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.run import Recording
from pytest_tokenbudget.model.task import Attempt, Opened, Task
from pytest_tokenbudget.policy.hygiene import Sweep, recordings_of, sweep

UNUSED = Recording(source="a.yaml", interactions=3, used=(1,))


def task(name: str, *used: int, outcome: Any = "passed", holds: int = 4, source: str = "a.yaml", **fields: Any) -> Task:
    calls = [make_call(source=source, index=index) for index in used]
    opened = (Opened(source=source, interactions=holds, own=True),)
    return make_task(name, *calls, outcome=outcome, opened=opened, **fields)


def test_what_any_task_played_is_used() -> None:
    skipped = (Skipped(reason="no model call", source="a.yaml", index=3),)
    earlier = (Attempt(outcome="rerun", calls=numbered((make_call(source="a.yaml", index=2),))),)
    tasks = [
        task("a", 0),
        task("b", 0, skipped=skipped, holds=5),
        task("c", earlier=earlier),
        task("d", source="b.yaml"),
    ]
    assert recordings_of(tasks) == (
        Recording(source="a.yaml", interactions=5, used=(0, 2, 3), own=True),
        Recording(source="b.yaml", interactions=4, own=True),
    )
    assert recordings_of(tasks)[0].unused == (1, 4)


@pytest.mark.parametrize(
    ("outcome", "settled"),
    [("passed", True), ("fixture", True), ("failed", False), ("skipped", False), ("xfailed", False), ("died", False)],
)
def test_a_test_that_did_not_come_to_its_end_proves_nothing(outcome: str, *, settled: bool) -> None:
    for order in ([task("a", 0, outcome=outcome), task("b", 1)], [task("b", 1), task("a", 0, outcome=outcome)]):
        (recording,) = recordings_of(order)
        assert recording.settled == settled
    assert bool(sweep(make_run(recordings=(recording,))).unused) == settled


def test_calls_to_no_opened_recording_are_no_recordings() -> None:
    assert recordings_of([make_task("a", make_call(source="a.yaml", index=0))]) == ()


def test_a_whole_run_that_passed_tells_what_is_not_needed() -> None:
    used = Recording(source="b.yaml", interactions=1, used=(0,))
    found = sweep(make_run(recordings=(UNUSED, used), orphans=("c.yaml",)))
    assert found == Sweep(unused=(UNUSED,), orphans=("c.yaml",))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"partial": ("-k refund",)},
            "Only a part of the suite ran (-k refund): what it left unused, another test may use.",
        ),
        ({"incomplete": ("a worker died",)}, "The run is incomplete"),
        ({"unfinished": "s1"}, "The run is incomplete"),
        ({"failed": 1}, "1 test failed, and may not have come as far as its recordings."),
        ({"failed": 2}, "2 tests failed, and may not have come as far as their recordings."),
    ],
)
def test_any_other_run_tells_nothing(fields: dict[str, Any], said: str) -> None:
    found = sweep(make_run(recordings=(UNUSED,), orphans=("c.yaml",), **fields))
    assert (found.unused, found.orphans) == ((), ())
    assert found.refusal.startswith(said)
