import math
import sys
from decimal import Decimal

import pytest
from samples import make_sample, make_samples

from pytest_tokenbudget.policy.sampling import Interval, Sample, benchmark_of
from pytest_tokenbudget.policy.sampling.ordering import fewest_for_upper, quantile_interval, ranks
from pytest_tokenbudget.policy.sampling.student import t_quantile


def bounds(interval: Interval) -> tuple[float | None, float | None, str]:
    low, high = (None if bound is None else round(float(bound), 3) for bound in (interval.low, interval.high))
    return low, high, interval.method


def width(interval: Interval) -> float:
    assert interval.low is not None
    assert interval.high is not None
    return float(interval.high - interval.low)


def test_quantiles_lie_between_order_statistics() -> None:
    assert ranks(100, 0.9) == (85, 96)
    assert ranks(100, 0.95) == (91, 99)
    ordered = [Decimal(index) for index in range(1, 101)]
    assert bounds(quantile_interval(ordered, 0.9)) == (85, 96, "order")


def test_an_upper_bound_needs_29_samples_for_p90_and_59_for_p95() -> None:
    assert (fewest_for_upper(0.9), fewest_for_upper(0.95)) == (29, 59)
    assert (ranks(28, 0.9)[1], ranks(29, 0.9)[1]) == (None, 29)
    assert (ranks(58, 0.95)[1], ranks(59, 0.95)[1]) == (None, 59)
    assert [ranks(n, 0.9) for n in (0, 1, 2)] == [(None, None), (None, None), (1, None)]


@pytest.mark.parametrize("n", [1, 2, 7, 29, 100])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.95])
def test_their_confidence_is_the_binomial_one_and_the_ranks_are_the_closest(n: int, share: float) -> None:
    def at_most(k: int) -> float:
        return math.fsum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k + 1))

    low, high = ranks(n, share)
    lower = [k for k in range(1, n + 1) if 1 - at_most(k - 1) >= 0.95]
    upper = [k for k in range(1, n + 1) if at_most(k - 1) >= 0.95]
    assert (low, high) == (max(lower, default=None), min(upper, default=None))


def test_students_t_is_that_of_the_tables() -> None:
    # Fisher & Yates' table, one-sided
    table = {(1, 0.95): 6.314, (5, 0.95): 2.015, (9, 0.975): 2.262, (29, 0.95): 1.699, (99, 0.99): 2.365}
    assert {key: round(t_quantile(key[1], key[0]), 3) for key in table} == table


def test_without_scipy_the_interval_is_students_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = make_samples(*(str(index) for index in range(1, 12)), failures=2)
    with_scipy = benchmark_of(samples, "5")
    assert (with_scipy.intervals.mean.method, with_scipy.intervals.per_success.method) == ("bca", "bca")

    monkeypatch.setitem(sys.modules, "scipy", None)
    without = benchmark_of(samples, "5")
    # 6 ± 1.8125 × sqrt(11) / sqrt(11)
    assert bounds(without.intervals.mean) == (
        pytest.approx(4.1875, abs=0.001),
        pytest.approx(7.8125, abs=0.001),
        "student",
    )
    assert without.intervals.per_success.method == "student"
    assert [(caution.kind, caution.value) for caution in without.cautions if caution.kind == "no_scipy"] == [
        ("no_scipy", 11.0)
    ]


def test_where_all_succeed_a_success_costs_what_a_task_does() -> None:
    intervals = benchmark_of(make_samples(*(str(index) for index in range(1, 31)))).intervals

    assert intervals.mean == intervals.per_success


def test_where_few_succeed_nothing_is_divided_by_none() -> None:
    costs = [str(1 + index % 5) for index in range(60)]

    one = benchmark_of(make_samples(*costs, failures=59)).intervals.per_success
    assert (one.high, one.method) == (None, "bca")
    three = benchmark_of(make_samples(*costs, failures=57)).intervals.per_success
    assert three.method == "bca"
    assert three.low is not None
    assert three.high is not None
    assert 20 < three.low < 60 < three.high < 400
    none = benchmark_of(make_samples(*costs, failures=60)).intervals.per_success
    assert bounds(none) == (None, None, "none")


def test_one_sample_two_samples_and_equal_ones() -> None:
    assert bounds(benchmark_of(make_samples("3")).intervals.mean) == (None, None, "none")
    # 2 ± 6.314 × 1: a cost is not below 0
    assert bounds(benchmark_of(make_samples("1", "3")).intervals.mean) == (
        0,
        8.314,
        "student",
    )
    assert bounds(benchmark_of(make_samples("3", "3")).intervals.mean) == (3, 3, "constant")
    assert bounds(benchmark_of(make_samples(*["0"] * 40)).intervals.mean) == (0, 0, "constant")


def test_clusters_are_drawn_whole() -> None:
    def samples(*, clustered: bool) -> list[Sample]:
        # what differs is the customer: ten of them, ten tickets each
        return [
            make_sample(str(1 + index // 10), f"{index:03}", cluster=str(index // 10) if clustered else None)
            for index in range(100)
        ]

    alone, together = benchmark_of(samples(clustered=False)).intervals, benchmark_of(samples(clustered=True)).intervals
    assert width(together.mean) / width(alone.mean) == pytest.approx(math.sqrt(10), rel=0.15)
    assert (alone.p90.method, together.p90) == (
        "order",
        Interval(low=None, high=None, confidence=0.95, method="order"),
    )


def test_thousands_are_resampled_in_groups_with_the_same_width() -> None:
    costs = [str(1 + index % 9) for index in range(4_000)]
    interval = benchmark_of(make_samples(*costs)).intervals.mean

    assert interval.method == "bca"
    # sd of 1..9 is 2.582
    assert width(interval) == pytest.approx(2 * 1.645 * 2.582 / math.sqrt(4000), rel=0.1)
