from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from builders import make_budget, make_call, make_run, make_task
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_tokenbudget.model.run import Recording, Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.combine import combine

FIXTURE = "tests/test_a.py::shop [module fixture]"


def task(name: str, cost: str = "0.01", **fields: Any) -> Task:
    return make_task(f"tests/test_a.py::test_{name}", make_call(cost), budget=make_budget(usd=0.02), **fields)


def fixture(cost: str = "0.01") -> Task:
    return make_task(FIXTURE, make_call(cost), outcome="fixture")


def whole(tasks: int) -> Run:
    return make_run(
        *(task(f"{number:03}", f"0.0{number % 7}1") for number in range(tasks)),
        commit="4be01aa",
        recordings=tuple(
            Recording(source=f"tests/cassettes/{number:03}.yaml", interactions=3, used=(0, 2))
            for number in range(tasks)
        ),
        orphans=("tests/cassettes/old.yaml",),
        failed=sum(f"0.0{number % 7}1" > "0.024" for number in range(tasks)),
        fixtures=(fixture(),),
    )


def shards_of(run: Run, count: int, random: Random) -> list[Run]:
    """The run as that many jobs would have measured it, each with a part of its tests."""
    chosen = [random.randrange(count) for _ in run.tasks]
    shards = []
    for shard in range(count):
        mine = [index for index, of in enumerate(chosen) if of == shard]
        tasks = tuple(run.tasks[index] for index in mine)
        shards.append(
            replace(
                run,
                tasks=tasks,
                recordings=tuple(run.recordings[index] for index in mine),
                # what belongs to another shard's test was not opened here
                orphans=tuple(sorted({*run.orphans, *(run.recordings[i].source for i in range(len(chosen)) if i % 3)})),
                failed=sum(each.outcome == "failed" for each in tasks),
            )
        )
    return shards


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(1, 20), st.integers(0, 2**32))
def test_shards_are_one_run_again_in_whatever_order(count: int, tasks: int, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - the same at every run
    run = whole(tasks)
    shards = shards_of(run, count, random)
    random.shuffle(shards)

    combined = combine(shards, count)

    assert combined == run
    assert combine([*reversed(shards)], count) == combined
    assert combine([combined]) == combined


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"commit": "9f2c1e7"}, "The shards have different commits: 4be01aa, 9f2c1e7."),
        ({"commit": None}, "The shards have different commits: 4be01aa, none."),
        ({"price_table": "other"}, "The shards have different price tables: frozen, other."),
        ({"counter": "tb2"}, "The shards have different token counters: tb2, test."),
        ({"tool_version": "0.2"}, "The shards have different versions of pytest-tokenbudget: 0.1.0, 0.2."),
        (
            {"as_of": datetime(2026, 11, 2, tzinfo=UTC)},
            "The shards have different price dates: 2026-11-01T00:00:00+00:00, 2026-11-02T00:00:00+00:00.",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_together_is_incomplete(change: dict[str, Any], sentence: str) -> None:
    one = make_run(task("a"), commit="4be01aa")
    other = replace(make_run(task("b"), commit="4be01aa"), **change)

    assert combine([one, other], 2).incomplete == (sentence,)
    assert combine([other, one], 2) == combine([one, other], 2)


@pytest.mark.parametrize(
    ("shards", "sentence"),
    [
        (3, "1 of 3 shards is missing."),
        (5, "3 of 5 shards are missing."),
        (1, "2 run files were given for 1 shard."),
    ],
)
def test_shards_are_counted(shards: int, sentence: str) -> None:
    assert combine([make_run(task("a")), make_run(task("b"))], shards).incomplete == (sentence,)


def test_a_task_of_two_shards_is_named_and_the_dearer_one_kept() -> None:
    shards = [make_run(task("a", "0.02"), task("b")), make_run(task("a", "0.03")), make_run(task("b"))]

    combined = combine(shards, 3)

    assert combined.incomplete == (
        "tests/test_a.py::test_a, tests/test_a.py::test_b: measured by more than one shard.",
    )
    assert [each.totals.known for each in combined.tasks] == [Decimal("0.03"), Decimal("0.01")]
    assert combine([*reversed(shards)], 3) == combined


def test_many_such_tasks_are_not_all_named() -> None:
    every = [task(f"{number}") for number in range(9)]

    (sentence,) = combine([make_run(*every), make_run(*every)], 2).incomplete

    assert sentence.endswith("test_1, tests/test_a.py::test_2 and 6 more: measured by more than one shard.")


def test_a_fixture_that_every_shard_sets_up_alike_counts_once() -> None:
    shards = [make_run(task("a"), fixtures=(fixture(),)), make_run(task("b"), fixtures=(fixture(),))]

    combined = combine(shards, 2)

    assert combined.incomplete == ()
    assert combined.fixtures == (fixture(),)


def test_a_fixture_that_is_not_the_same_everywhere_is_named() -> None:
    shards = [make_run(task("a"), fixtures=(fixture(),)), make_run(task("b"), fixtures=(fixture("0.02"),))]

    combined = combine(shards, 2)

    assert combined.incomplete == (f"{FIXTURE}: not the same in every shard that set it up.",)
    assert combined.fixtures == (fixture("0.02"),)


def test_a_run_without_a_task_is_incomplete() -> None:
    assert combine([make_run(), make_run()], 2).incomplete == ("No shard measured a task.",)


def test_how_the_suite_was_divided_makes_no_shard_partial() -> None:
    shards = [
        make_run(task("a"), partial=("only tests/test_a.py", "-m not slow")),
        make_run(task("b"), partial=("only tests/test_b.py", "-m not slow")),
    ]

    assert combine(shards, 2).partial == ("-m not slow",)
    assert combine(shards).partial == ("only tests/test_a.py", "-m not slow", "only tests/test_b.py")


@pytest.mark.parametrize("reason", ["stopped: stopping after 1 failures", "interrupted", "--last-failed"])
def test_a_shard_that_did_not_finish_stays_partial(reason: str) -> None:
    shards = [make_run(task("a"), partial=("only tests/test_a.py", reason)), make_run(task("b"))]

    assert combine(shards, 2).partial == (reason,)


def test_a_single_job_that_ran_a_part_stays_partial() -> None:
    assert combine([make_run(task("a"), partial=("-k refund",))], 1).partial == ("-k refund",)


def test_what_a_shard_says_of_itself_is_kept() -> None:
    shards = [make_run(task("a"), incomplete=("Worker gw0 died.",)), make_run(task("b"))]

    assert combine(shards, 2).incomplete == ("Worker gw0 died.",)


def test_what_any_shard_played_of_a_recording_was_played() -> None:
    shards = [
        make_run(task("a"), recordings=(Recording(source="a.yaml", interactions=3, used=(0,)),)),
        make_run(task("b"), recordings=(Recording(source="a.yaml", interactions=3, used=(2,), settled=False),)),
    ]

    assert combine(shards, 2).recordings == (Recording(source="a.yaml", interactions=3, used=(0, 2), settled=False),)
