"""Tasks of a run as a benchmark: in any order, with samples missing, unmeasured or unknown."""

from decimal import Decimal

import pytest
from builders import make_benched_run, make_plan, make_sampled, make_task
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.model.benchmark import NO_CALLS, NOT_RECORDED, BenchmarkRun, Drawn
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.sampling.outcome import outcome_of


def state(found: BenchmarkRun) -> tuple[str, tuple[str, ...]]:
    verdict = found.result.verdict
    return verdict.state, tuple(ground.why for ground in verdict.grounds)


def tasks(*costs: str | None, start: int = 0) -> list[Task]:
    return [make_sampled(place, cost) for place, cost in enumerate(costs, start)]


@given(st.permutations(range(12)))
def test_the_order_of_tasks_makes_no_difference(order: list[int]) -> None:
    found = tasks(*(f"0.0{number}" for number in range(1, 10)), "0.01", None, "0")
    plan = make_plan(12, spend=1, usd_per_success=0.02)
    assert outcome_of(plan, [found[place] for place in order]) == outcome_of(plan, found)


def test_tasks_of_others_are_passed_over() -> None:
    found = tasks("0.01", "0.01")
    others = [make_task("tests/test_triage.py::test_else"), make_sampled(0, "9", benchmark="other")]
    assert outcome_of(make_plan(2), [*found, *others]) == outcome_of(make_plan(2), found)


@pytest.mark.parametrize(
    ("costs", "fields", "partial", "expected"),
    [
        (("0.01", "0.012"), {}, (), ("pass", ("tolerated",))),
        (("0.01", "0.015"), {}, (), ("block", ("above",))),
        (("0.01", None), {}, (), ("block", ("unknown_cost",))),
        (("0.01",), {"samples": 2}, (), ("inconclusive", ("unfinished",))),
        (("0.01",), {"samples": 2}, ("-k a",), ("inconclusive", ("partial",))),
        (("0.01", "0.01"), {}, ("-k a",), ("pass", ("within",))),
        ((), {"samples": 2}, (), ("inconclusive", ("no_samples",))),
        ((), {"samples": 2}, ("-k a",), ("inconclusive", ("partial",))),
        # what was spent already breaks the budget of all four, in whatever order
        (("0.09",), {"samples": 4}, (), ("block", ("early",))),
        # so it does in a selection, which decides nothing
        (("0.09",), {"samples": 4}, ("--last-failed",), ("inconclusive", ("partial",))),
    ],
)
def test_verdicts(
    costs: tuple[str | None, ...],
    fields: dict[str, int],
    partial: tuple[str, ...],
    expected: tuple[str, tuple[str, ...]],
) -> None:
    plan = make_plan(fields.get("samples", len(costs)))
    assert state(outcome_of(plan, tasks(*costs), partial=partial)) == expected


def test_an_unknown_cost_may_only_warn() -> None:
    assert state(outcome_of(make_plan(2), tasks("0.01", None), warns=True)) == ("inconclusive", ("unknown_cost",))


def test_evidence_counts_from_the_beginning_of_the_draw_and_not_across_a_gap() -> None:
    dear = ["0.1"] * 6
    assert state(outcome_of(make_plan(100), tasks(*dear))) == ("block", ("early",))
    assert state(outcome_of(make_plan(100), tasks(*dear, start=1))) == ("inconclusive", ("unfinished",))


def test_samples_that_were_not_measured_say_why_once() -> None:
    missing = [make_sampled(place, "9", unmeasured=NOT_RECORDED) for place in (1, 2)]
    found = outcome_of(make_plan(3), [*tasks("0.01"), *missing])
    assert (found.unmeasured, found.result.figures.n) == ((NOT_RECORDED,), 1)


def test_what_was_never_called_was_not_measured() -> None:
    silent = [
        make_task(f"t[{place}]", drawn=Drawn(benchmark=make_plan(2).id, place=place), finished=False)
        for place in range(2)
    ]
    found = outcome_of(make_plan(2), silent)
    assert (state(found), found.unmeasured) == (("inconclusive", ("no_samples",)), (NO_CALLS,))
    spoken = outcome_of(make_plan(2), [silent[0], make_sampled(1, "0.01")])
    assert spoken.result.figures.mean == Decimal("0.005")


def test_clusters_and_labels_come_from_the_tasks() -> None:
    plan = make_plan(12)
    alone = outcome_of(plan, [make_sampled(place, f"0.00{place % 4 + 1}") for place in range(12)])
    pairs = [make_sampled(place, f"0.00{place % 4 + 1}", cluster=f"c{place % 4}") for place in range(12)]
    clustered = outcome_of(plan, pairs)
    assert alone.result.figures == clustered.result.figures
    assert alone.result.intervals.mean != clustered.result.intervals.mean
    assert "few_clusters" in {caution.kind for caution in clustered.result.cautions}


def test_a_benchmark_blocks_by_its_verdict_alone() -> None:
    (found,) = make_benched_run("0.01", "0.09").benchmarks
    assert found.blocks
    assert not outcome_of(make_plan(2), tasks("0.01", "0.01")).blocks
