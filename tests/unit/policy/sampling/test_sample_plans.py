from math import log

import pytest
from samples import make_samples

from pytest_tokenbudget.policy.sampling import (
    alarms,
    detectable_effect,
    error_rates,
    figures_of,
    plan_of,
    samples_needed,
)


@pytest.mark.parametrize(("cv", "n"), [(0.3, 14), (0.5, 39), (1, 155), (2.5, 967), (0, 2)])
def test_samples_to_see_a_fifth(cv: float, n: int) -> None:
    assert samples_needed(cv) == n


def test_a_hundred_suffice_up_to_cv_08() -> None:
    assert detectable_effect(0.8, 100) < 0.2 < detectable_effect(0.81, 100)
    assert samples_needed(1, effect=0.1) == pytest.approx(4 * 154.6, rel=0.001)
    assert samples_needed(1, power=0.9) > samples_needed(1) > samples_needed(1, alpha=0.1)


def test_a_plan_costs_what_the_pilots_tasks_do() -> None:
    plan = plan_of(figures_of(make_samples(*["0.5", "1.5"] * 50)))

    assert plan.cv == pytest.approx(0.5025, abs=0.0001)
    assert (plan.needed, plan.cost, plan.pilot) == (40, 40, 100)
    assert plan.seen_by_pilot == plan.seen_by_hundred == pytest.approx(0.125, abs=0.001)


@pytest.mark.parametrize("costs", [(), ("1",), ("1", None)])
def test_a_pilot_without_a_spread_gives_no_plan(costs: tuple[str | None, ...]) -> None:
    plan = plan_of(figures_of(make_samples(*costs)))

    assert (plan.cv, plan.needed, plan.cost, plan.seen_by_pilot) == (None, None, None, None)


def test_errors_of_the_point_rule_at_a_hundred() -> None:
    one, two = error_rates(1.0, 100), error_rates(2.0, 100)

    # two million simulated benchmarks each: 3.2% and 14.0%, 47.5% and 44.1%, 3.5% and 19.1%
    assert (one.false_block, two.false_block) == (pytest.approx(0.032, abs=0.001), pytest.approx(0.139, abs=0.002))
    assert (one.blocked_at_limit, two.blocked_at_limit) == (
        pytest.approx(0.475, abs=0.002),
        pytest.approx(0.441, abs=0.002),
    )
    assert (one.false_pass, two.false_pass) == (pytest.approx(0.035, abs=0.001), pytest.approx(0.191, abs=0.002))


def test_errors_where_there_is_no_spread_or_hardly_any() -> None:
    for cv in (0.0, 0.001, 0.05):
        rates = error_rates(cv, 1000)
        assert (rates.false_block, rates.false_pass) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))
    assert error_rates(0.05, 1000).blocked_at_limit == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("cv", "n"), [(0.5, 1), (1.0, 12), (3.0, 10)])
def test_errors_of_few_samples_agree_with_a_simulation(cv: float, n: int) -> None:
    import numpy as np

    scale = np.sqrt(np.log(1 + cv * cv))
    draws = np.random.default_rng(11).lognormal(-scale * scale / 2, scale, size=(200_000 // n, n)).mean(axis=1)
    rates = error_rates(cv, n)
    noise = 4 * 0.5 / (200_000 // n) ** 0.5
    assert rates.false_block == pytest.approx((draws > 1.2).mean(), abs=noise)
    assert rates.blocked_at_limit == pytest.approx((draws > 1).mean(), abs=noise)
    assert rates.false_pass == pytest.approx((draws <= 1 / 1.2).mean(), abs=noise)


def test_of_many_benchmarks_the_weakest_alarms_are_not_believed() -> None:
    # of four at 5%: the first needs W of 80, the first two 40, three 26.7, all four 20
    evidence = {"a": log(79), "b": log(39), "c": log(26), "d": log(1)}
    assert alarms(evidence) == ()
    assert alarms(evidence | {"c": log(27)}) == ("a", "b", "c")
    assert alarms(evidence | {"a": log(81)}) == ("a",)
    assert alarms({"b": log(20), "a": log(20)}) == ("a", "b")
    assert alarms({}) == ()
