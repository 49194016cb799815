from decimal import Decimal
from typing import Any

from builders import make_call, make_task
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.model.budget import LIMITS, SEVERITY, Budget
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.policy.budget import Leniency

CEILINGS = tuple(limit for limit in LIMITS if limit not in {"cache_hit_rate", "tokens_per_step"})

costs = st.decimals(min_value=0, max_value=1, places=4).map(str)
counts = st.fixed_dictionaries({name: st.integers(0, 500) for name in ("input", "cache_read", "output", "thinking")})


@st.composite
def some_call(draw: st.DrawFn) -> Call:
    kind = draw(
        st.sampled_from(["exact", "exact", "exact", "drifted", "live", "missing", "partial", "unpriced", "error"])
    )
    tokens: dict[str, Any] = draw(counts)
    match kind:
        case "drifted":
            return make_call(draw(costs), obtained="drifted", **tokens)
        case "live":
            return make_call(draw(costs), obtained="live", seconds=draw(st.floats(0, 2)), **tokens)
        case "missing":
            return make_call(None, status="missing", input=0)
        case "partial":
            return make_call(None, status="partial", **tokens)
        case "unpriced":
            return make_call(None, unpriced=("model",), **tokens)
        case "error":
            return make_call("0", status="error", http_status=500, input=0)
        case _:
            return make_call(draw(costs), **tokens)


calls = st.lists(some_call(), max_size=6)
leniencies = st.builds(Leniency, unknown_model=st.booleans(), missing_usage=st.booleans())
tolerances = st.decimals(min_value=0, max_value=4, places=2)


@st.composite
def some_budget(draw: st.DrawFn, limits: tuple[str, ...] = LIMITS) -> Budget:
    chosen = draw(st.lists(st.sampled_from(limits), min_size=1, unique=True))
    values = st.decimals(min_value=0, max_value=1, places=3)
    bounds = {
        limit: draw(values) if limit in {"usd", "cache_hit_rate", "seconds"} else Decimal(draw(st.integers(0, 1500)))
        for limit in chosen
    }
    return Budget(**bounds, tolerance=draw(tolerances), allow_no_calls=True)


@given(calls, some_call(), some_budget(CEILINGS), leniencies)
def test_another_call_never_makes_a_ceiling_milder(
    before: list[Call], more: Call, budget: Budget, leniency: Leniency
) -> None:
    first = make_task("t", *before, budget=budget, leniency=leniency).verdict
    then = make_task("t", *before, more, budget=budget, leniency=leniency).verdict
    for earlier, later in zip(first.findings, then.findings, strict=True):
        assert SEVERITY.index(later.state) >= SEVERITY.index(earlier.state)
    assert SEVERITY.index(then.state) >= SEVERITY.index(first.state)


@given(calls.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))), some_budget(), leniencies)
def test_the_order_of_calls_never_matters(
    orders: tuple[list[Call], list[Call]], budget: Budget, leniency: Leniency
) -> None:
    one, other = (make_task("t", *order, budget=budget, leniency=leniency).verdict for order in orders)
    assert [(found.state, found.value, found.low) for found in one.findings] == [
        (found.state, found.value, found.low) for found in other.findings
    ]


@given(calls, some_budget(), leniencies)
def test_the_verdict_is_the_worst_of_its_findings(found: list[Call], budget: Budget, leniency: Leniency) -> None:
    verdict = make_task("t", *found, budget=budget, leniency=leniency).verdict
    assert verdict.worst
    assert verdict.state == verdict.worst.state
    assert all(SEVERITY.index(finding.state) <= SEVERITY.index(verdict.state) for finding in verdict.findings)


@given(calls, some_budget(), leniencies)
def test_the_unknown_is_never_within(found: list[Call], budget: Budget, leniency: Leniency) -> None:
    verdict = make_task("t", *found, budget=budget, leniency=leniency).verdict
    no_usage = any(call.status in {"missing", "partial"} for call in found)
    no_price = no_usage or any(call.cost is None for call in found)
    drifted = any(call.obtained == "drifted" for call in found)
    for finding in verdict.findings:
        if finding.limit in {"steps", "seconds"}:
            assert finding.value is not None
            continue
        unknown = no_price if finding.limit == "usd" else no_usage
        if unknown or drifted:
            assert finding.state in {"inconclusive", "unknown", "blocked", "critical"}
            assert finding.high is None
            assert finding.reason
        if unknown:
            assert finding.value is None


@given(calls, some_budget(), leniencies)
def test_leniency_never_makes_a_verdict_worse(found: list[Call], budget: Budget, leniency: Leniency) -> None:
    strict = make_task("t", *found, budget=budget).verdict
    lenient = make_task("t", *found, budget=budget, leniency=leniency).verdict
    assert SEVERITY.index(lenient.state) <= SEVERITY.index(strict.state)
