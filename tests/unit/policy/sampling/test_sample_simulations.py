"""What the methods promise, held against simulated agents of known cost. Seeded: they never fail by chance."""
# ruff: noqa: S311 - simulated, and the same at every run

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from random import Random

import pytest
from samples import cascade, lognormal, make_sample

from pytest_tokenbudget.policy.sampling import Decision, EarlyStop, Interval, Stopping, benchmark_of

Costs = Callable[[float, Random], Iterator[float]]
LAWS: dict[str, Costs] = {
    "lognormal, cv 0.3": lambda mean, generator: lognormal(mean, 0.3, generator),
    "lognormal, cv 1": lambda mean, generator: lognormal(mean, 1, generator),
    "lognormal, cv 2": lambda mean, generator: lognormal(mean, 2, generator),
    "cascade": cascade,
}
AT_LIMIT = 1.2
REPEATED = 100


def two_point(mean: float, generator: Random) -> Iterator[float]:
    """Nothing, or the cap of 3: the widest spread that a cap allows."""
    while True:
        yield 3.0 * (generator.random() < mean / 3)


def even(mean: float, generator: Random) -> Iterator[float]:
    while True:
        yield 2 * mean * generator.random()


def decided(costs: Iterator[float], stopping: Stopping, generator: Random, *, success: float = 1) -> Decision | None:
    stop = EarlyStop(stopping)
    for cost in costs:
        done = stop.add(make_sample(f"{cost:.6f}", success=generator.random() < success))
        if done or stop.added == stopping.planned:
            break
    return stop.decision


def share(times: int, one: Callable[[Random], bool]) -> float:
    return sum(one(Random(seed)) for seed in range(times)) / times


@pytest.mark.parametrize("law", LAWS)
def test_the_early_stop_blocks_who_is_at_the_limit_in_at_most_5_percent(law: str) -> None:
    stopping = Stopping(budget=Decimal(1), planned=10**6)

    def blocked(generator: Random) -> bool:
        costs = islice(LAWS[law](AT_LIMIT, generator), 150)
        return decided(costs, stopping, generator) is not None

    assert share(600, blocked) <= 0.05


@pytest.mark.parametrize("law", LAWS)
def test_and_as_rarely_for_dollars_per_success(law: str) -> None:
    stopping = Stopping(per_success=Decimal(1), planned=10**6)

    def blocked(generator: Random) -> bool:
        costs = islice(LAWS[law](AT_LIMIT * 0.7, generator), 100)
        return decided(costs, stopping, generator, success=0.7) is not None

    assert share(400, blocked) <= 0.05


@pytest.mark.parametrize("law", [two_point, even])
def test_and_passes_who_is_at_the_limit_as_rarely(law: Costs) -> None:
    stopping = Stopping(budget=Decimal(1), planned=10**6, cap=Decimal(3))

    def passed(generator: Random) -> bool:
        decision = decided(islice(law(AT_LIMIT, generator), 150), stopping, generator)
        return decision is not None and decision.state == "pass"

    assert share(600, passed) <= 0.05


@pytest.mark.parametrize(("cv", "expected"), [(0.3, 10), (0.5, 12), (1.0, 21)])
def test_twice_the_budget_is_seen_after_so_many(cv: float, expected: int) -> None:
    stopping = Stopping(budget=Decimal(1), planned=100)
    decisions = [decided(lognormal(2, cv, Random(seed)), stopping, Random(seed)) for seed in range(300)]

    assert all(decision is not None and decision.state == "block" for decision in decisions)
    mean = sum(decision.at for decision in decisions if decision) / 300
    assert mean == pytest.approx(expected, rel=0.25)


def test_and_six_tenths_of_it_under_a_cap() -> None:
    stopping = Stopping(budget=Decimal(1), planned=100, cap=Decimal(3))
    decisions = [
        decided((min(cost, 3) for cost in lognormal(0.6, 1, Random(seed))), stopping, Random(seed))
        for seed in range(300)
    ]

    assert all(decision is not None and decision.state == "pass" for decision in decisions)
    mean = sum(decision.at for decision in decisions if decision) / 300
    assert mean == pytest.approx(18, rel=0.25)


@pytest.mark.parametrize(("law", "allowed"), [("lognormal, cv 0.3", 0.09), ("lognormal, cv 1", 0.12)])
def test_intervals_miss_about_as_often_as_they_say(law: str, allowed: float) -> None:
    """Nominally 5% above and 5% below; tests/benchmarks/bench_sampling.py prints them for more laws and sizes."""
    missed = {"mean": [0, 0], "per_success": [0, 0]}
    for seed in range(REPEATED):
        generator = Random(seed)
        samples = [
            make_sample(f"{cost:.9f}", f"{index:03}", success=generator.random() < 0.7)
            for index, cost in enumerate(islice(LAWS[law](1, generator), 100))
        ]
        found = benchmark_of(samples).intervals
        for name, truth in (("mean", 1), ("per_success", 1 / 0.7)):
            interval: Interval = getattr(found, name)
            assert interval.method == "bca"
            missed[name][0] += truth < (interval.low or 0)
            missed[name][1] += truth > (interval.high or 0)
    assert all(count <= allowed * REPEATED for counts in missed.values() for count in counts), missed
