import pytest
from samples import make_sample, make_samples

from pytest_tokenbudget.policy.sampling import Interval, Running, benchmark_of


def test_it_says_at_every_sample_what_a_benchmark_without_resampling_would() -> None:
    samples = make_samples(*(f"1000000.{index * index % 97:02}" for index in range(60)), failures=9)
    running = Running()

    for count, sample in enumerate(samples, start=1):
        running.add(sample)
        found = benchmark_of(samples[:count], resample=False)
        assert (running.mean, running.successes) == (found.figures.mean, found.figures.successes)
        ours, theirs = running.interval(), found.intervals.mean
        assert ours.method == theirs.method
        assert float(ours.low or 0) == pytest.approx(float(theirs.low or 0), rel=1e-8)
        assert float(ours.high or 0) == pytest.approx(float(theirs.high or 0), rel=1e-8)


def test_an_unknown_cost_leaves_no_mean() -> None:
    running = Running()
    for cost in ("1", None, "2"):
        running.add(make_sample(cost))

    assert (running.n, running.known, running.unknown, running.mean) == (3, 3, 1, None)
    assert running.interval() == Interval(low=None, high=None, confidence=0.95, method="none")


def test_equal_costs_have_an_interval_of_no_width() -> None:
    running = Running()
    for _ in range(3):
        running.add(make_sample("0.1"))

    assert (running.interval().method, running.interval().low) == ("constant", running.interval().high)
