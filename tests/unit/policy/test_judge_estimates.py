"""How a task is judged whose figures are estimates, or lack requests that escaped."""

from decimal import Decimal
from typing import Any

import pytest
from builders import make_budget, make_call, make_estimate, make_task
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_tokenbudget.model.budget import BLOCKING, LIMITS, SEVERITY, Finding
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.drift import Drift
from pytest_tokenbudget.model.task import Stray
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.policy.budget import Leniency

ESCAPED = Stray(kind="escaped", request="POST https://api.openai.com/v1/responses", how="httpcore")


def finding(*calls: Call, strays: tuple[Stray, ...] = (), leniency: Leniency | None = None, **limits: Any) -> Finding:
    task = make_task("t", *calls, budget=make_budget(**limits), strays=strays, leniency=leniency or Leniency())
    (found,) = task.verdict.findings
    return found


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [
        ("0.27", "0.30", "within"),
        ("0.27", "0.3000001", "inconclusive"),
        ("0.29", "0.37", "inconclusive"),
        ("0.30", "0.33", "inconclusive"),
        ("0.3000001", "0.36", "over"),
        ("0.31", "0.3600001", "inconclusive"),
        ("0.36", "0.50", "inconclusive"),
        ("0.3600001", "0.50", "blocked"),
        ("0.3600001", "99", "blocked"),
        ("0.90", "0.95", "blocked"),
        ("0.9000001", "0.95", "critical"),
    ],
)
def test_an_estimate_is_judged_at_both_ends_of_its_band(low: str, high: str, state: str) -> None:
    middle = str((Decimal(low) + Decimal(high)) / 2)
    found = finding(make_estimate(middle, low, high), usd=0.30)
    assert (found.state, found.value, found.low, found.high) == (state, Decimal(middle), Decimal(low), Decimal(high))
    assert bool(found.reason) == (state not in {"within", "over"})
    assert ("record the test again" in found.reason) == (state == "inconclusive")


def test_what_is_exact_is_added_to_both_ends() -> None:
    found = finding(make_call("0.10"), make_estimate("0.15", "0.14", "0.20"), usd=0.30)
    assert (found.state, found.value, found.low, found.high) == (
        "within",
        Decimal("0.25"),
        Decimal("0.24"),
        Decimal("0.30"),
    )


def test_of_several_limits_each_has_its_own_band() -> None:
    call = make_estimate("0.20", "0.10", "0.40", input=1000, cache_read=200, output=100, thinking=20)
    budget = make_budget(
        usd=0.40, tokens=1000, input_tokens=500, output_tokens=240, thinking_tokens=5, tokens_per_step=700, steps=1
    )
    verdict = make_task("t", call, make_call("0", input=0), budget=budget).verdict
    assert {found.limit: (found.state, found.low, found.value, found.high) for found in verdict.findings} == {
        "usd": ("within", *map(Decimal, ("0.10", "0.20", "0.40"))),
        "tokens": ("inconclusive", 660, 1320, 2640),
        "input_tokens": ("inconclusive", 600, 1200, 2400),
        "output_tokens": ("within", 60, 120, 240),
        "thinking_tokens": ("blocked", 10, 20, 40),
        "steps": ("blocked", 2, 2, 2),
        "tokens_per_step": ("inconclusive", 330, 660, 1320),
    }


def estimate(low: Usage, middle: Usage, high: Usage) -> Call:
    return replace(
        make_call("0.20", obtained="drifted"),
        usage=middle,
        drift=Drift(recorded_usage=middle, low=low, high=high, cost_low=Decimal("0.1"), cost_high=Decimal("0.3")),
    )


@pytest.mark.parametrize(
    ("floor", "state"), [(0.1, "within"), (0.45, "inconclusive"), (0.9, "inconclusive"), (0.99, "over"), (1, "blocked")]
)
def test_hits_and_the_rest_of_the_input_are_bounded_apart(floor: float, state: str) -> None:
    """The cheapest case has the most hits: a floor is judged from the fewest beside the most other input."""
    broken = estimate(
        Usage(input=100, cache_read=900), Usage(input=500, cache_read=500), Usage(input=900, cache_read=100)
    )
    found = finding(broken, cache_hit_rate=floor, tolerance=0.05)
    expected = {0.99: "blocked", 1: "blocked"}.get(floor, state)
    assert found.state == expected
    assert (found.low, found.value, found.high) == (Decimal("0.1"), Decimal("0.5"), Decimal("0.9"))


def test_a_floor_between_the_tolerated_and_the_wanted() -> None:
    call = estimate(
        Usage(input=100, cache_read=900), Usage(input=120, cache_read=880), Usage(input=150, cache_read=850)
    )
    assert finding(call, cache_hit_rate=1).state == "over"
    assert finding(call, cache_hit_rate=0.87).state == "inconclusive"
    assert finding(call, cache_hit_rate=0.85).state == "within"


def test_what_cannot_be_estimated_is_inconclusive_and_says_why() -> None:
    call = make_estimate("0.01", "0.009", None, reasons=("an image was replaced.",))
    found = finding(make_call("0.01"), call, usd=0.30)
    assert (found.state, found.value, found.low, found.high) == (
        "inconclusive",
        Decimal("0.02"),
        Decimal("0.01"),
        None,
    )
    assert found.reason == (
        "1 of 2 calls was answered from the recording of another request, which cannot be estimated: an image was "
        "replaced. Record it again to settle it."
    )


def test_the_exact_part_blocks_beside_what_cannot_be_estimated() -> None:
    assert finding(make_call("0.40"), make_estimate("0.01", "0.009", None), usd=0.30).state == "blocked"


def test_an_estimate_in_tokens_whose_band_has_no_price_decides_no_dollars() -> None:
    call = make_estimate("0.10", "0.09", "0.11", input=1000)
    unpriced = replace(call, drift=replace(call.drift, cost_high=None))
    assert finding(unpriced, usd=0.30).state == "inconclusive"
    assert finding(unpriced, usd=0.30).high is None
    assert finding(unpriced, tokens=1100).state == "within"


def test_an_estimate_beside_missing_usage_is_unknown() -> None:
    missing = make_call(None, status="missing", input=0, notes=("no usage",))
    found = finding(missing, make_estimate("0.28", "0.27", "0.29"), usd=0.30)
    assert (found.state, found.low, found.high) == ("unknown", Decimal("0.27"), None)
    assert finding(missing, make_estimate("0.4", "0.37", "0.5"), usd=0.30).state == "blocked"


@pytest.mark.parametrize("limit", [name for name in LIMITS if name != "cache_hit_rate"])
def test_what_escaped_has_an_unknown_cost(limit: str) -> None:
    found = finding(make_call("0.01"), strays=(ESCAPED,), **{limit: 5000})
    assert (found.state, found.value) == ("unknown", None)
    assert found.reason == (
        "1 model call went out live past every recording, so that what it cost is not known: POST "
        "https://api.openai.com/v1/responses through httpcore. Let it pass vcrpy: make the client inside the test, "
        "with a transport that vcrpy knows."
    )


def test_what_escaped_is_tallied_and_forgiven_by_no_setting() -> None:
    others = [replace(ESCAPED, request=f"POST https://h/{n}") for n in range(4)]
    found = finding(strays=(ESCAPED, ESCAPED, *others), leniency=Leniency(missing_usage=True), usd=1)
    assert found.state == "unknown"
    assert "6 model calls" in found.reason
    assert "responses through httpcore (2 times); POST https://h/0 through httpcore; POST https://h/1" in found.reason
    assert "; and 2 more. Let them" in found.reason
    assert finding(make_call("9"), strays=(ESCAPED,), usd=1).state == "critical"


@pytest.mark.parametrize("kind", ["refused", "unanswered"])
def test_other_strays_are_no_cost_of_the_task(kind: Any) -> None:
    assert finding(make_call("0.01"), strays=(replace(ESCAPED, kind=kind),), usd=1).state == "within"


def test_a_task_whose_only_request_was_refused_is_not_measured() -> None:
    assert finding(strays=(replace(ESCAPED, kind="refused"),), usd=1).state == "unmeasured"


cents = st.integers(0, 100).map(lambda number: Decimal(number) / 100)
DRAWN = ("input", "cache_read", "output", "thinking")
usages = st.builds(Usage, **dict.fromkeys(DRAWN, st.integers(0, 500)))


@st.composite
def some_band(draw: st.DrawFn) -> Call:
    low, middle, high = sorted(draw(st.lists(cents, min_size=3, max_size=3)))
    drawn = [draw(usages) for _ in range(3)]
    by_class = {name: sorted(getattr(usage, name) for usage in drawn) for name in DRAWN}
    ends = [Usage(**{name: counts[place] for name, counts in by_class.items()}) for place in range(3)]
    return replace(
        make_call(str(middle), obtained="drifted"),
        usage=ends[1],
        drift=Drift(recorded_usage=ends[1], low=ends[0], high=ends[2], cost_low=low, cost_high=high),
    )


apart = {"usd", "steps", "seconds", "cache_hit_rate"}
"""Limits of which any usage between the drawn ends lies in the band: the ends differ in what dominates them."""

bounds = st.tuples(st.sampled_from(LIMITS), st.integers(0, 1500), cents, st.integers(0, 100))


def budget_of(drawn: tuple[str, int, Decimal, int]) -> Any:
    limit, count, share, tolerance = drawn
    bound = share if limit in {"usd", "cache_hit_rate"} else Decimal(count)
    return make_budget(**{limit: bound}, tolerance=Decimal(tolerance) / 100)


@given(st.lists(some_band(), min_size=1, max_size=3), bounds)
def test_a_band_without_width_is_judged_as_an_exact_call(
    estimates: list[Call], drawn: tuple[str, int, Decimal, int]
) -> None:
    narrow = [
        replace(
            call,
            drift=replace(call.drift, low=call.usage, high=call.usage, cost_low=call.cost, cost_high=call.cost),
        )
        for call in estimates
    ]
    exact = [replace(call, obtained="replayed", drift=None) for call in estimates]
    budget = budget_of(drawn)
    assert make_task("t", *narrow, budget=budget).verdict == make_task("t", *exact, budget=budget).verdict


@given(some_band(), cents, bounds)
def test_a_higher_end_never_makes_a_verdict_milder(
    call: Call, more: Decimal, drawn: tuple[str, int, Decimal, int]
) -> None:
    assert call.drift
    assert call.drift.high
    assert call.drift.cost_high is not None
    assume(call.drift.low.total_input)  # of no input there is no hit rate that a wider band could lower
    wider = replace(
        call,
        drift=replace(
            call.drift,
            high=call.drift.high + Usage(input=int(more * 100), output=int(more * 100)),
            cost_high=call.drift.cost_high + more,
        ),
    )
    before, after = (make_task("t", each, budget=budget_of(drawn)).verdict for each in (call, wider))
    if after.state in {"within", "over"} or before.state in BLOCKING:
        assert before.state == after.state
    assert SEVERITY.index(after.state) >= SEVERITY.index(before.state)


@given(some_band(), st.fractions(0, 1), bounds)
def test_a_truth_inside_the_band_never_contradicts_the_verdict(
    call: Call, at: Any, drawn: tuple[str, int, Decimal, int]
) -> None:
    """Whatever the call turns out to be, a decision on its estimate was right."""
    drift = call.drift
    assert drift
    assert drift.high
    assert drift.cost_low is not None
    assert drift.cost_high is not None
    low, high = drift.low, drift.high
    between = {name: round(getattr(low, name) + at * (getattr(high, name) - getattr(low, name))) for name in DRAWN}
    share = Decimal(at.numerator) / Decimal(at.denominator)
    cost = drift.cost_low + share * (drift.cost_high - drift.cost_low)
    truth = replace(call, obtained="replayed", drift=None, usage=Usage(**between), cost=cost)
    estimated, settled = (make_task("t", each, budget=budget_of(drawn)).verdict for each in (call, truth))
    if drawn[0] in apart and estimated.state != "inconclusive":
        assert (settled.state in BLOCKING) == (estimated.state in BLOCKING)
