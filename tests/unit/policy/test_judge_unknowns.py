from decimal import Decimal

import pytest
from builders import make_budget, make_call, make_task

from pytest_tokenbudget.model.budget import Finding
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.policy.budget import Leniency

MISSING = make_call(None, status="missing", input=0, notes=("the stream ended without usage",))
PARTIAL = make_call(None, status="partial", input=400, output=20, notes=("the stream was cut",))
UNSUPPORTED = make_call(None, status="unsupported", api="openai.images", input=0)
UNKNOWN_MODEL = make_call(None, unpriced=("model",), model_served="acme-1", host="llm.acme.example")
UNPRICED_CLASS = make_call(None, unpriced=("input_audio", "fee:web_search"), input=100, input_audio=5)
DRIFTED = make_call("0.20", obtained="drifted", input=1000, output=0)

LENIENT = Leniency(unknown_model=True, missing_usage=True)

NO_USAGE = "1 call has no usage (the stream ended without usage)."
CUT = "1 call has a cut stream: only a part of its usage is known (the stream was cut)."
NO_MODEL = (
    "1 call to `acme-1` at llm.acme.example: a model without a known price. Give it one under `prices:` in "
    "tokenbudget.yml, name the host's provider under `hosts:`, or say `unknown_model: warn`."
)
NO_CLASS = (
    "1 call used input_audio, fee:web_search of `claude-sonnet-5`: no price is known for that. Give it one under "
    "`prices:` in tokenbudget.yml."
)
STALE = (
    "1 of 2 calls was answered from the recording of another request: the usage shown for it is stale. Record it "
    "again to settle it."
)


@pytest.mark.parametrize(
    ("call", "limit", "reason"),
    [
        (MISSING, "usd", NO_USAGE),
        (MISSING, "tokens", NO_USAGE),
        (MISSING, "cache_hit_rate", NO_USAGE),
        (PARTIAL, "usd", CUT),
        (PARTIAL, "tokens_per_step", CUT),
        (UNSUPPORTED, "usd", "1 call has an endpoint whose usage cannot be read yet (openai.images)."),
        (UNKNOWN_MODEL, "usd", NO_MODEL),
        (make_call(None, model_served="acme-1", host="llm.acme.example"), "usd", NO_MODEL),
        (UNPRICED_CLASS, "usd", NO_CLASS),
        (
            make_call(None, unpriced=("price_table",), notes=("priced as a", "the price data cannot be read.")),
            "usd",
            "1 call not priced: the price data cannot be read.",
        ),
        (
            make_call(None, unpriced=("long_prompt",), notes=("rates differ by a prompt's length",)),
            "usd",
            "1 call not priced: rates differ by a prompt's length.",
        ),
    ],
)
def test_what_is_unknown_cannot_be_within(call: Call, limit: str, reason: str) -> None:
    budget = make_budget(**{limit: 1 if limit == "cache_hit_rate" else 1_000_000})
    strict = make_task("t", make_call("0.01", input=10, output=0), call, budget=budget)
    assert (strict.verdict.state, strict.verdict.blocks) == ("unknown", True)
    assert strict.verdict.worst
    assert strict.verdict.worst.reason == reason
    lenient = make_task("t", make_call("0.01", input=10, output=0), call, budget=budget, leniency=LENIENT)
    assert (lenient.verdict.state, lenient.verdict.blocks) == ("inconclusive", False)
    assert lenient.verdict.worst
    assert lenient.verdict.worst.reason == reason


@pytest.mark.parametrize("call", [UNKNOWN_MODEL, UNPRICED_CLASS])
def test_tokens_are_known_where_only_a_price_is_not(call: Call) -> None:
    budget = make_budget(tokens=1_000_000)
    assert make_task("t", call, budget=budget).verdict.state == "within"


def test_steps_are_known_where_usage_is_not() -> None:
    budget = make_budget(steps=2)
    assert make_task("t", MISSING, PARTIAL, budget=budget).verdict.state == "within"


def test_each_leniency_covers_its_own_kind() -> None:
    budget = make_budget(usd=100)
    models, usages = Leniency(unknown_model=True), Leniency(missing_usage=True)
    assert make_task("t", UNKNOWN_MODEL, budget=budget, leniency=models).verdict.state == "inconclusive"
    assert make_task("t", UNKNOWN_MODEL, budget=budget, leniency=usages).verdict.state == "unknown"
    assert make_task("t", MISSING, budget=budget, leniency=usages).verdict.state == "inconclusive"
    assert make_task("t", MISSING, budget=budget, leniency=models).verdict.state == "unknown"


@pytest.mark.parametrize("leniency", [Leniency(), LENIENT])
def test_the_known_part_alone_can_break_a_limit(leniency: Leniency) -> None:
    task = make_task("t", make_call("0.3601"), MISSING, budget=make_budget(usd=0.30), leniency=leniency)
    assert task.verdict.findings == (
        Finding(
            limit="usd",
            state="blocked",
            bound=Decimal("0.3"),
            value=None,
            low=Decimal("0.3601"),
            high=None,
            reason=NO_USAGE,
        ),
    )


def test_the_tokens_of_a_cut_stream_are_the_least_it_used() -> None:
    verdict = make_task("t", PARTIAL, budget=make_budget(tokens=100)).verdict
    assert verdict.findings == (
        Finding(
            limit="tokens", state="critical", bound=Decimal(100), value=None, low=Decimal(420), high=None, reason=CUT
        ),
    )


def test_equal_reasons_are_said_once_with_their_number() -> None:
    worst = make_task("t", MISSING, UNKNOWN_MODEL, MISSING, budget=make_budget(usd=1)).verdict.worst
    assert worst
    assert worst.reason == f"2 calls have no usage (the stream ended without usage). {NO_MODEL}"


@pytest.mark.parametrize(
    ("limit", "bound", "value", "low"),
    [
        ("usd", "0.30", "0.21", "0.01"),
        ("tokens", "1200", "1010", "10"),
        ("tokens_per_step", "600", "505", None),
        ("cache_hit_rate", "0.1", "0", None),
    ],
)
def test_drift_is_inconclusive_even_where_its_stale_usage_fits(
    limit: str, bound: str, value: str, low: str | None
) -> None:
    budget = make_budget(**{limit: Decimal(bound)})
    verdict = make_task("t", make_call("0.01", input=10, output=0), DRIFTED, budget=budget).verdict
    assert verdict.findings == (
        Finding(
            limit=limit,
            state="inconclusive",
            bound=Decimal(bound),
            value=Decimal(value),
            low=None if low is None else Decimal(low),
            high=None,
            reason=STALE,
        ),
    )


def test_drift_is_inconclusive_even_where_its_stale_usage_does_not_fit() -> None:
    assert make_task("t", DRIFTED, budget=make_budget(usd=0.01)).verdict.state == "inconclusive"


def test_what_did_not_drift_can_break_the_limit_alone() -> None:
    verdict = make_task("t", make_call("0.40"), DRIFTED, budget=make_budget(usd=0.30)).verdict
    assert (verdict.state, verdict.worst and verdict.worst.low) == ("blocked", Decimal("0.40"))


@pytest.mark.parametrize(("steps", "state"), [(2, "within"), (1, "blocked")])
def test_steps_are_exact_under_drift(steps: int, state: str) -> None:
    assert make_task("t", make_call(), DRIFTED, budget=make_budget(steps=steps)).verdict.state == state


def test_drift_beside_missing_usage_is_unknown() -> None:
    worst = make_task("t", MISSING, DRIFTED, budget=make_budget(usd=1)).verdict.worst
    assert worst
    assert (worst.state, worst.reason) == ("unknown", f"{NO_USAGE} {STALE}")


@pytest.mark.parametrize(
    ("settled", "drifted", "sentence"),
    [
        (0, 1, "The call was answered from the recording of another request: the usage shown for it is stale. "),
        (0, 2, "All 2 calls were answered from the recording of another request: the usage shown for them is stale. "),
        (3, 2, "2 of 5 calls were answered from the recording of another request: the usage shown for them is stale. "),
    ],
)
def test_drift_is_counted(settled: int, drifted: int, sentence: str) -> None:
    worst = make_task("t", *[make_call()] * settled, *[DRIFTED] * drifted, budget=make_budget(usd=9)).verdict.worst
    assert worst
    assert worst.reason == f"{sentence}Record {'it' if drifted == 1 else 'them'} again to settle it."
