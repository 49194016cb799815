"""Samples as they end, in one process or several: what may still be paid for."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from builders import make_call, make_plan, make_sampled
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_tokenbudget.model.benchmark import BenchmarkPlan, Decision
from pytest_tokenbudget.model.task import Attempt, Stray, Task
from pytest_tokenbudget.plugin.stopping import EarlyStops
from pytest_tokenbudget.store.sampled import SampleBoard


def stops(folder: Path, plan: BenchmarkPlan) -> EarlyStops:
    return EarlyStops({plan.id: plan}, SampleBoard(folder / "run.json", "s"))


def paid(place: int, cost: str = "0.01", **fields: Any) -> Task:
    """A sample whose call was sent and recorded."""
    task = make_sampled(place, cost, **fields)
    calls = tuple(replace(entry, call=replace(entry.call, obtained="recorded")) for entry in task.calls)
    return replace(task, calls=calls)


def after(folder: Path, plan: BenchmarkPlan, *tasks: Task) -> Decision | None:
    found = stops(folder, plan)
    for task in tasks:
        found.ended(task)
    return found.decision(plan.id)


def test_what_is_within_its_budget_goes_on(tmp_path: Path) -> None:
    assert after(tmp_path, make_plan(100), *(paid(place) for place in range(60))) is None


def test_what_is_far_over_it_stops_at_the_sample_that_decided(tmp_path: Path) -> None:
    plan = make_plan(100)
    early = after(tmp_path, plan, *(paid(place, "0.1") for place in range(20)))
    assert early is not None
    assert (early.state, early.kind, early.of) == ("block", "evidence", 100)
    assert early.at < 20
    assert early.known == early.at * Decimal("0.1")


@given(st.permutations(range(8)))
def test_the_order_in_which_samples_end_makes_no_difference(order: list[int]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        plan = make_plan(100)
        tasks = [paid(place, f"0.{place + 3}") for place in range(8)]
        assert after(Path(one), plan, *(tasks[place] for place in order)) == after(Path(two), plan, *tasks)


def test_nothing_is_decided_over_a_gap_in_the_draw(tmp_path: Path) -> None:
    plan = make_plan(100)
    found = stops(tmp_path, plan)
    for place in range(1, 20):
        found.ended(paid(place, "0.1"))
    assert found.decision(plan.id) is None
    found.ended(paid(0, "0.1"))
    assert found.decision(plan.id) is not None


def test_every_process_knows_what_the_others_measured(tmp_path: Path) -> None:
    plan = make_plan(100)
    one, two = stops(tmp_path, plan), stops(tmp_path, plan)
    for place in range(20):
        (one if place % 2 else two).ended(paid(place, "0.1"))
    assert one.decision(plan.id) == two.decision(plan.id)
    assert one.decision(plan.id) is not None


@pytest.mark.parametrize(
    ("tasks", "stopped"),
    [
        ([paid(0), paid(1)], False),
        ([paid(0), paid(1), paid(2)], True),
        # in whatever order, across gaps
        ([paid(7), paid(9), paid(3)], True),
        # what is replayed was paid for long ago
        ([make_sampled(place) for place in range(9)], False),
        # what came to nothing was paid for, too
        ([paid(0, unmeasured="its setup failed"), paid(1), paid(2)], True),
        # a sample that was tried again counts once, with all attempts
        ([paid(0), paid(0), paid(0)], False),
        ([replace(paid(0), earlier=(Attempt(outcome="rerun", calls=paid(0).calls * 2),))], True),
        # an answer that never came may have been billed; what is known counts
        ([replace(paid(0, "0.03"), strays=(Stray(kind="unanswered", request="POST x"),))], True),
    ],
)
def test_money_is_spent_once(tmp_path: Path, tasks: list[Task], stopped: bool) -> None:  # noqa: FBT001 - a parameter
    early = after(tmp_path, make_plan(100, usd=None, spend=0.03), *tasks)
    assert (early is not None) == stopped
    assert early is None or (early.kind, early.state) == ("spent", "inconclusive")


def test_money_of_a_call_whose_price_is_unknown_is_what_is_known(tmp_path: Path) -> None:
    task = paid(0, "0.03")
    unknown = make_call(None, obtained="recorded", unpriced=("model",))
    task = replace(task, calls=(*task.calls, replace(task.calls[0], call=unknown)), exchanges=2)
    assert after(tmp_path, make_plan(9, spend=0.03), task) is not None


def test_the_last_sample_is_not_stopped_behind(tmp_path: Path) -> None:
    assert after(tmp_path, make_plan(2, usd=None, spend=0.01), paid(0), paid(1)) is None


def test_other_benchmarks_and_tasks_do_not_count(tmp_path: Path) -> None:
    plan = make_plan(100)
    others = [paid(place, "0.1", benchmark="other") for place in range(20)]
    found = stops(tmp_path, plan)
    for task in (*others, replace(paid(0), drawn=None)):
        found.ended(task)
    assert found.decision(plan.id) is None
    assert found.decision("other") is None
