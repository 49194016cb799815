from decimal import Decimal, localcontext

import pytest
from builders import make_budget, make_call, make_task

from pytest_tokenbudget.model.budget import UNLIMITED, Budget, Finding
from pytest_tokenbudget.model.call import Call


def state_of(budget: Budget, *calls: Call) -> str:
    return make_task("t", *calls, budget=budget).verdict.state


@pytest.mark.parametrize(
    ("cost", "state"),
    [
        ("0", "within"),
        ("0.2999", "within"),
        ("0.30", "within"),
        ("0.3000000001", "over"),
        ("0.36", "over"),
        ("0.3600000001", "blocked"),
        ("0.3601", "blocked"),
        ("0.90", "blocked"),
        ("0.9000000001", "critical"),
        ("30", "critical"),
    ],
)
def test_twenty_percent_are_tolerated_on_thirty_cents(cost: str, state: str) -> None:
    assert state_of(make_budget(usd=0.30), make_call(cost)) == state


@pytest.mark.parametrize(
    ("cost", "state"),
    [("0.30", "within"), ("0.3000000001", "blocked"), ("0.90", "blocked"), ("0.9000000001", "critical")],
)
def test_without_tolerance_the_limit_is_the_limit(cost: str, state: str) -> None:
    assert state_of(make_budget(usd=0.30, tolerance=0), make_call(cost)) == state


@pytest.mark.parametrize(("cost", "state"), [("0", "within"), ("0.0000000001", "critical")])
def test_a_limit_of_nothing_lets_nothing_pass(cost: str, state: str) -> None:
    assert state_of(make_budget(usd=0), make_call(cost)) == state


@pytest.mark.parametrize(("cost", "state"), [("1.50", "over"), ("1.5000000001", "critical")])
def test_a_tolerance_beyond_three_times_the_limit_is_still_tolerated(cost: str, state: str) -> None:
    assert state_of(make_budget(usd=0.30, tolerance=4), make_call(cost)) == state


def test_forty_tickets_at_half_a_dollar_spend_twenty() -> None:
    day = make_budget(usd=20, tolerance=0)
    tickets = [make_call("0.50")] * 40
    assert state_of(day, *tickets) == "within"
    assert state_of(day, *tickets, make_call("0.0001")) == "blocked"


# per limit: fields of a call whose value is 10 on every one of them, and a call that adds 1 to it
ONE_MORE = {
    "tokens": (make_call(input=8, output=2), make_call(input=0, output=1)),
    "input_tokens": (
        make_call(input=1, cache_read=2, cache_write=3, cache_write_1h=1, input_audio=1, input_image=2, output=99),
        make_call(cache_read=1),
    ),
    "output_tokens": (
        make_call(input=99, output=5, thinking=3, output_audio=1, output_image=1),
        make_call(thinking=1),
    ),
    "thinking_tokens": (make_call(input=99, output=99, thinking=10), make_call(input=99, thinking=1)),
}


@pytest.mark.parametrize("limit", ONE_MORE)
@pytest.mark.parametrize(
    ("more", "state"),
    [(0, "within"), (1, "over"), (2, "over"), (3, "blocked"), (20, "blocked"), (21, "critical")],
)
def test_token_limits(limit: str, more: int, state: str) -> None:
    ten, one = ONE_MORE[limit]
    assert state_of(make_budget(**{limit: 10}), ten, *[one] * more) == state


@pytest.mark.parametrize(
    ("steps", "state"),
    [(9, "within"), (10, "within"), (11, "over"), (12, "over"), (13, "blocked"), (30, "blocked"), (31, "critical")],
)
def test_steps(steps: int, state: str) -> None:
    not_steps = [
        make_call("0.01", api="openai.embeddings"),
        make_call("0", status="error", http_status=429),
        make_call("0", status="unbilled"),
    ]
    assert state_of(make_budget(steps=10), *not_steps, *[make_call()] * steps) == state


@pytest.mark.parametrize(
    ("tokens", "state"),
    [(200, "within"), (201, "over"), (240, "over"), (241, "blocked"), (600, "blocked"), (601, "critical")],
)
def test_tokens_per_step_of_two_steps(tokens: int, state: str) -> None:
    assert state_of(make_budget(tokens_per_step=100), make_call(input=1), make_call(input=tokens - 1)) == state


def test_tokens_per_step_without_a_step_are_none() -> None:
    task = make_task("t", make_call(api="openai.embeddings", input=5000), budget=make_budget(tokens_per_step=100))
    assert task.verdict.findings == (
        Finding(
            limit="tokens_per_step",
            state="within",
            bound=Decimal(100),
            value=Decimal(0),
            low=Decimal(0),
            high=Decimal(0),
        ),
    )


@pytest.mark.parametrize(
    ("cached", "state"),
    [(1000, "within"), (800, "within"), (799, "over"), (640, "over"), (639, "blocked"), (0, "blocked")],
)
def test_the_cache_hit_rate_is_a_floor(cached: int, state: str) -> None:
    call = make_call(input=1000 - cached, cache_read=cached)
    assert state_of(make_budget(cache_hit_rate=0.8), call) == state


def test_there_are_no_hits_to_ask_for_without_input() -> None:
    call = make_call("0", status="error", http_status=500, input=0)
    assert state_of(make_budget(cache_hit_rate=0.8), call) == "within"


@pytest.mark.parametrize(
    ("seconds", "state"), [(2.0, "within"), (2.4, "over"), (2.41, "blocked"), (6.0, "blocked"), (6.01, "critical")]
)
def test_seconds_of_calls_that_were_sent(seconds: float, state: str) -> None:
    calls = [make_call(obtained="live", seconds=seconds), make_call(seconds=None)]
    assert state_of(make_budget(seconds=2), *calls) == state


def test_every_limit_is_judged_and_the_worst_decides() -> None:
    budget = make_budget(usd=0.30, tokens=1000, steps=1)
    verdict = make_task("t", make_call("0.31", input=900), make_call("0", input=301), budget=budget).verdict
    assert [(finding.limit, finding.state) for finding in verdict.findings] == [
        ("usd", "over"),
        ("tokens", "blocked"),
        ("steps", "blocked"),
    ]
    assert verdict.state == "blocked"
    assert verdict.worst == Finding(
        limit="tokens", state="blocked", bound=Decimal(1000), value=Decimal(1201), low=Decimal(1201), high=Decimal(1201)
    )


def test_without_limits_there_is_nothing_to_judge() -> None:
    assert make_task("t", make_call("100"), budget=Budget(workflow="triage", tolerance=Decimal(0))).verdict == UNLIMITED


def test_a_tests_own_decimal_context_changes_nothing() -> None:
    with localcontext(prec=3):
        task = make_task("t", make_call("0.300004"), make_call("0.060006"), budget=make_budget(usd=0.30))
        assert task.verdict.state == "blocked"
        assert task.totals.known == Decimal("0.360010")


def test_nor_does_it_change_what_is_tolerated() -> None:
    with localcontext(prec=3):
        assert state_of(make_budget(usd=0.3001), make_call("0.36012")) == "over"
        assert state_of(make_budget(usd=0.3001), make_call("0.36013")) == "blocked"
