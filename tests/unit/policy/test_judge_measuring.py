from decimal import Decimal

import pytest
from builders import make_budget, make_call, make_task, numbered

from pytest_tokenbudget.model.budget import Finding
from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.policy.budget import Measured, judge

BUDGET = make_budget(usd=0.30, cache_hit_rate=0.5)


def measured(*, calls: int = 0, exchanges: int | None = None, skipped: int = 0, **fields: bool) -> Measured:
    return Measured(
        calls=numbered((make_call(input=10, cache_read=10, output=0),) * calls),
        exchanges=calls + skipped if exchanges is None else exchanges,
        skipped=skipped,
        **{"named": True, "finished": True, **fields},
    )


def test_a_budgeted_test_without_a_call_was_not_measured() -> None:
    verdict = judge(measured(), BUDGET)
    assert (verdict.state, verdict.blocks) == ("unmeasured", True)
    assert verdict.findings == (
        Finding(
            limit="calls",
            state="unmeasured",
            bound=None,
            value=None,
            reason="Not measured: the test has a budget but made no model call that passes vcrpy. "
            "If that is right, say allow_no_calls=True.",
        ),
    )


@pytest.mark.parametrize(("skipped", "text"), [(1, "1 HTTP exchange"), (3, "3 HTTP exchanges")])
def test_traffic_of_another_kind_is_told(skipped: int, text: str) -> None:
    verdict = make_task("t", budget=BUDGET, skipped=(Skipped(reason="not model traffic"),) * skipped).verdict
    assert verdict.worst
    assert verdict.worst.reason == (
        f"Not measured: the test has a budget but made no model call that passes vcrpy ({text} of another kind "
        "passed). If that is right, say allow_no_calls=True."
    )


def test_making_no_call_can_be_allowed() -> None:
    budget = make_budget(usd=0.30, cache_hit_rate=0.5, allow_no_calls=True)
    assert judge(measured(), budget).state == "within"


def test_a_test_that_failed_earlier_is_not_blamed_for_calls_it_did_not_make() -> None:
    assert judge(measured(finished=False), BUDGET).state == "within"


def test_a_pattern_or_workflow_obliges_nobody_to_call() -> None:
    assert judge(measured(named=False), BUDGET).state == "within"


def test_a_test_that_failed_earlier_is_judged_by_what_it_cost() -> None:
    assert make_task("t", make_call("0.50"), budget=BUDGET, finished=False).verdict.state == "blocked"


@pytest.mark.parametrize(
    ("exchanges", "reason"),
    [
        (3, "1 of 3 HTTP exchanges could not be read; the run's notes say why."),
        (1, "Something was counted twice: of 1 HTTP exchange came 1 call and 1 exchange of another kind."),
    ],
)
def test_calls_must_add_up_to_what_passed(exchanges: int, reason: str) -> None:
    verdict = judge(measured(calls=1, skipped=1, exchanges=exchanges), BUDGET)
    assert (verdict.state, verdict.blocks) == ("unknown", True)
    assert verdict.findings == (
        Finding(
            limit="usd",
            state="unknown",
            bound=Decimal("0.3"),
            value=None,
            low=Decimal("0.01"),
            high=None,
            reason=reason,
        ),
        Finding(
            limit="cache_hit_rate",
            state="unknown",
            bound=Decimal("0.5"),
            value=None,
            low=None,
            high=None,
            reason=reason,
        ),
    )


def test_an_exchange_that_could_not_be_read_may_have_been_the_call() -> None:
    verdict = judge(measured(exchanges=1), BUDGET)
    assert [(finding.limit, finding.state) for finding in verdict.findings] == [
        ("usd", "unknown"),
        ("cache_hit_rate", "unknown"),
    ]


@pytest.mark.parametrize("limit", ["steps", "seconds"])
def test_an_unread_exchange_may_have_been_a_step(limit: str) -> None:
    verdict = judge(measured(calls=1, exchanges=2), make_budget(**{limit: 9}))
    assert [(finding.state, finding.value, finding.low) for finding in verdict.findings] == [
        ("unknown", None, 1 if limit == "steps" else 0)
    ]


def test_a_broken_limit_weighs_more_than_an_unread_exchange() -> None:
    verdict = judge(measured(calls=100, exchanges=101), BUDGET)
    assert (verdict.state, verdict.worst and verdict.worst.limit) == ("critical", "usd")
