"""The published study of tests/published_agents.py, each run's 164 tasks as the samples of a benchmark."""

from decimal import Decimal

import pytest
from published_agents import CALLS, published_samples

from pytest_tokenbudget.policy.sampling import Rules, benchmark_of

pytestmark = pytest.mark.skipif(
    not CALLS.exists(), reason="the published calls (../shared/goldens) are not on this machine"
)

PUBLISHED = {
    "simple/gpt-4-turbo-2024-04-09": ("1.930112", 148, 0.0123, 0.01300, 0.0139),
    "simple/gpt-3.5-turbo-0125": ("0.0548539", 125, 0.000402, 0.000442, 0.000490),
    "simple_incr_temp/gpt-4-turbo-0409-5step": ("2.44844", 153, 0.0141, 0.01578, 0.0184),
    "simple_repeat/gpt-4-turbo-0409-5repeats-no-temp-incr": ("2.507188", 151, 0.0148, 0.01680, 0.0199),
    "simple_boosting/l3_8b-gpt35-l3_70b-gpt4-0409": ("0.2731237", 140, 0.00139, 0.00198, 0.00275),
    "ldb/gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09": ("4.42528", 152, 0.0177, 0.0330, 0.0585),
    "ldb/gpt-3.5-turbo-0125+gpt-4-turbo-2024-04-09": ("0.2584717", 151, 0.000969, 0.00167, 0.00281),
}
"""The mean cost of a run; then of the first run: successes, and dollars per success between their bounds."""


def test_the_published_costs_are_reproduced_to_the_digit_with_dollars_per_success() -> None:
    samples = published_samples()

    for config, (mean, successes, low, per_success, high) in PUBLISHED.items():
        runs = {run: benchmark_of(tasks, resample=run == "run1") for run, tasks in samples[config].items()}
        totals = [benchmark.figures.total or Decimal("NaN") for benchmark in runs.values()]
        assert {benchmark.figures.n for benchmark in runs.values()} == {164}
        assert sum(totals) / len(totals) == Decimal(mean)
        for benchmark in runs.values():
            for slices in benchmark.slices.values():
                assert sum(part.known for part in slices) == benchmark.figures.total

        first = runs["run1"]
        figures, interval = first.figures, first.intervals.per_success
        assert figures.mean == pytest.approx(totals[0] / 164)
        assert figures.successes == successes
        assert interval.method == "bca"
        assert [float(value or 0) for value in (interval.low, figures.per_success, interval.high)] == pytest.approx(
            [low, per_success, high], rel=0.02
        )
        # five times as many samples tell more nearly what it is: the interval of one run has it
        whole = sum(totals) / sum(benchmark.figures.successes for benchmark in runs.values())
        assert (interval.low or 0) < whole < (interval.high or 0)


def test_a_task_without_a_price_leaves_its_run_without_a_cost() -> None:
    unpriced = benchmark_of(published_samples()["simple/gpt-4-0613"]["run1"], rules=Rules(budget=Decimal(1)))

    assert (unpriced.figures.total, len(unpriced.figures.unknown)) == (None, 164)
    assert unpriced.verdict.state == "block"
