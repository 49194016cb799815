import math
from collections.abc import Iterable
from decimal import Decimal

import pytest
from samples import make_sample, make_samples

from pytest_tokenbudget.policy.sampling import Decision, EarlyStop, Sample, Stopping

BUDGET = Decimal("0.3")


def run(samples: Iterable[Sample], **stated: object) -> Decision | None:
    stop = EarlyStop(Stopping(**{"budget": BUDGET, "planned": 100, **stated}))  # type: ignore[arg-type]
    for sample in samples:
        if stop.add(sample):
            break
    return stop.decision


def told(decision: Decision | None) -> tuple[str, str, int] | None:
    return None if decision is None else (decision.state, decision.kind, decision.at)


def test_what_breaks_the_budget_of_all_blocks_at_once() -> None:
    # 100 × 0.36 = 36
    assert told(run(make_samples("36"))) == ("block", "evidence", 1)
    assert told(run(make_samples("1.8", "1.8", "0.0001"), planned=10)) == ("block", "curtailed", 3)
    assert told(run(make_samples("1.8", "1.8"), planned=10)) is None


def test_what_the_caps_cannot_break_passes() -> None:
    # after nine: 9 × 0.2 + 1 × 1.8 = 3.6
    assert told(run(make_samples(*["0.2"] * 10), planned=10, cap=Decimal("1.8"), alpha=1e-9)) == (
        "pass",
        "curtailed",
        9,
    )
    assert told(run(make_samples(*["0.2"] * 10), planned=10, alpha=1e-9)) is None
    assert told(run(make_samples("0.36"), cap=Decimal("0.36"))) == ("pass", "curtailed", 1)


def test_a_cap_that_a_task_exceeded_was_not_enforced() -> None:
    costs = ["1.8001", *["0.1"] * 99]

    assert told(run(make_samples("1.8", *costs[1:]), cap=Decimal("1.8"))) is not None
    assert told(run(make_samples(*costs), cap=Decimal("1.8"))) is None


def test_nor_far_above_it() -> None:
    stop = EarlyStop(Stopping(budget=BUDGET, planned=10**6, cap=Decimal("1.8"), alpha=1e-9))

    assert [stop.add(sample) for sample in make_samples("0.1", "40000", "0.1")] == [None, None, None]


def test_an_unknown_cost_can_be_anything_but_less_than_nothing() -> None:
    assert told(run(make_samples(None, *["0.1"] * 99), cap=Decimal("1.8"))) is None
    blocked = run(make_samples(None, *["0.6"] * 99))
    assert blocked is not None
    assert (blocked.state, blocked.known) == ("block", Decimal("0.6") * (blocked.at - 1))


def test_a_decision_says_at_how_many_of_how_many_and_what_is_not_spent() -> None:
    decision = run(make_samples(*["0.6"] * 100))

    assert decision is not None
    assert (decision.state, decision.kind, decision.of, decision.limit) == ("block", "evidence", 100, Decimal("0.36"))
    assert decision.known == Decimal("0.6") * decision.at
    assert decision.not_spent == Decimal("0.6") * (100 - decision.at)
    assert decision.log_evidence is not None
    assert decision.log_evidence >= 2.9957


def test_wealth_is_the_mean_over_twenty_stakes() -> None:
    stop = EarlyStop(Stopping(budget=Decimal(1), planned=1000, alpha=1e-12))
    for cost in ("2", "0", "1.5"):
        stop.add(make_sample(cost))
    stakes = [j / (21 * 1.2) for j in range(1, 21)]
    wealth = sum((1 + s * 0.8) * (1 - s * 1.2) * (1 + s * 0.3) for s in stakes) / 20

    assert stop.log_evidence == pytest.approx(math.log(wealth))


def test_a_success_may_cost_so_much_whatever_failures_cost() -> None:
    # a task costs 0.3, one in three succeeds: 0.9 a success, of 0.6 that are tolerated
    samples = [make_sample("0.3", str(index), success=index % 3 == 0) for index in range(100)]
    decision = run(samples, budget=None, per_success=Decimal("0.5"))
    assert decision is not None
    assert (decision.state, decision.kind, decision.limit) == ("block", "evidence_per_success", Decimal("0.60"))

    none = run(make_samples(*["0.3"] * 50, failures=50), budget=None, per_success=Decimal("0.5"))
    assert none is not None
    assert none.at < decision.at
    cheap = [make_sample("0.2", str(index), success=index % 3 == 0) for index in range(100)]
    assert run(cheap, budget=None, per_success=Decimal("0.5")) is None


def test_two_budgets_share_the_error() -> None:
    alone = run(make_samples(*["0.6"] * 100))
    both = run(make_samples(*["0.6"] * 100), per_success=Decimal(9))

    assert alone is not None
    assert both is not None
    assert both.at > alone.at


def test_millions_overflow_nothing_and_a_decision_stays() -> None:
    stop = EarlyStop(Stopping(budget=BUDGET, planned=10**9, alpha=1e-300))
    for _ in range(20_000):
        stop.add(make_sample("3000000"))
    first = stop.decision
    assert first is not None
    stop.add(make_sample("0"))
    assert (stop.decision, stop.added) == (first, 20_001)


def test_its_own_money_stops_it_before_it_is_overspent() -> None:
    assert told(run(make_samples(*["0.3"] * 9), spend=Decimal("1.2"))) == ("inconclusive", "spent", 4)
    # the next may cost the cap
    assert told(run(make_samples(*["0.3"] * 9), spend=Decimal("1.2"), cap=Decimal("0.7"), alpha=1e-9)) == (
        "inconclusive",
        "spent",
        2,
    )
    assert run(make_samples(*["0.3"] * 4), spend=Decimal("1.2"), planned=4) is None


def test_replayed_samples_spend_nothing() -> None:
    stop = EarlyStop(Stopping(budget=BUDGET, planned=100, spend=Decimal(1)))
    for sample in make_samples(*["0.3"] * 20):
        stop.add(sample, paid=Decimal(0))

    assert (stop.decision, stop.spent) == (None, 0)


@pytest.mark.parametrize("budget", ["0", "0.000001"])
def test_a_budget_of_nothing_allows_nothing(budget: str) -> None:
    assert run(make_samples("0", "0", "0"), budget=Decimal(budget)) is None
    decision = run(make_samples("0", "1"), budget=Decimal(budget))
    assert decision is not None
    assert (decision.state, decision.at) == ("block", 2)
