from decimal import Decimal

import pytest
from builders import make_budget, make_call, make_run, make_task
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.suggest import Suggestion, rounded_up, suggest

FIFTH = Decimal("0.2")


def only(*runs: Run, margin: Decimal = FIFTH) -> Suggestion:
    (suggestion,) = suggest(runs, margin)
    return suggestion


def limits(suggestion: Suggestion) -> dict[str, str]:
    return {evidence.limit: str(evidence.suggested) for evidence in suggestion.evidence}


def test_a_limit_is_what_was_taken_with_the_margin_rounded_up() -> None:
    run = make_run(make_task("t", make_call("0.0364", input=20_000, output=1_101), make_call("0", input=0)))

    # 0.0364 × 1.2 = 0.04368; 21,101 × 1.2 = 25,321.2; 2 × 1.2 = 2.4
    assert limits(only(run)) == {"usd": "0.044", "tokens": "26000", "steps": "3"}
    assert limits(only(run, margin=Decimal(0))) == {"usd": "0.037", "tokens": "22000", "steps": "2"}


def test_of_several_runs_the_most_counts_and_the_spread_is_kept() -> None:
    runs = [make_run(make_task("t", make_call(cost))) for cost in ("0.010", "0.030", "0.020")]
    suggestion = only(*runs)

    usd = suggestion.evidence[0]
    assert (suggestion.runs, usd.low, usd.high, usd.suggested) == (
        3,
        Decimal("0.010"),
        Decimal("0.030"),
        Decimal("0.036"),
    )


def test_the_limits_of_now_are_shown_with_what_is_left() -> None:
    budget = make_budget(usd=0.05, steps=1)
    suggestion = only(make_run(make_task("t", make_call("0.04"), make_call("0.02"), budget=budget)))

    assert {evidence.limit: (evidence.bound, evidence.headroom) for evidence in suggestion.evidence} == {
        "usd": (Decimal("0.05"), Decimal("-0.2")),
        "tokens": (None, None),
        "steps": (1, -1),
    }


def test_a_limit_of_zero_has_no_share_left() -> None:
    run = make_run(make_task("t", make_call("0.04"), budget=make_budget(usd=0)))

    assert only(run).evidence[0].headroom is None


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (make_run(make_task("t", make_call(None))), "1 of its calls have an unknown cost"),
        (make_run(make_task("t", make_call(obtained="drifted"))), "1 of its calls drifted from their recording"),
        (make_run(make_task("t", make_call(), outcome="died")), "its process died"),
        (make_run(make_task("t", outcome="skipped")), "it was skipped"),
        (make_run(make_task("t", make_call(), outcome="failed")), "it failed: its calls may not be all"),
        (
            make_run(make_task("t", make_call(), outcome="xfailed")),
            "it failed, as expected: its calls may not be all",
        ),
        (make_run(make_task("t", skipped=(Skipped(reason="no model traffic"),))), "it made no model call"),
        (make_run(make_task("t", make_call(), exchanges=2)), "not every exchange could be read"),
        (
            make_run(make_task("t", make_call("0", input=0, api="openai.embeddings"))),
            "its calls cost nothing and took no tokens",
        ),
    ],
)
def test_what_is_no_evidence_is_named_and_not_suggested(run: Run, reason: str) -> None:
    suggestion = only(run)

    assert (suggestion.evidence, suggestion.reason) == ((), reason)


def test_a_task_that_broke_its_budget_is_evidence_for_a_new_one() -> None:
    run = make_run(make_task("t", make_call("0.30"), budget=make_budget(usd=0.05)))

    assert run.tasks[0].outcome == "failed"
    assert limits(only(run))["usd"] == "0.36"


def test_one_bad_run_among_several_is_enough() -> None:
    good, bad = make_run(make_task("t", make_call())), make_run(make_task("t", make_call(None)))

    assert only(good, bad).reason == "1 of its calls have an unknown cost"


def test_a_task_is_judged_by_the_runs_that_have_it() -> None:
    both, one = (
        make_run(make_task("a", make_call()), make_task("b", make_call())),
        make_run(make_task("b", make_call())),
    )

    assert [(suggestion.task, suggestion.runs) for suggestion in suggest([both, one], FIFTH)] == [("a", 1), ("b", 2)]


def test_what_costs_nothing_gets_no_limit_of_zero() -> None:
    assert list(limits(only(make_run(make_task("t", make_call("0")))))) == ["tokens", "steps"]


@pytest.mark.parametrize(
    ("value", "whole", "rounded"),
    [
        ("0.0437", False, "0.044"),
        ("0.044", False, "0.044"),
        ("0.04400000001", False, "0.045"),
        ("0.0999", False, "0.1"),
        ("9.91", False, "10"),
        ("12.3", False, "13"),
        ("123.4", False, "130"),
        ("0.000000123", False, "0.00000013"),
        ("25311", True, "26000"),
        ("1200000", True, "1200000"),
        ("8.4", True, "9"),
        ("0.4", True, "1"),
        ("99.1", True, "100"),
    ],
)
def test_numbers_are_rounded_up_to_two_digits(value: str, whole: bool, rounded: str) -> None:  # noqa: FBT001 - a parameter
    assert f"{rounded_up(Decimal(value), whole=whole):f}" == rounded


@given(st.decimals("0.00000001", "1000000", places=8))
def test_rounding_never_lowers_and_adds_at_most_a_tenth(value: Decimal) -> None:
    assert value <= rounded_up(value) <= value * Decimal("1.1")
