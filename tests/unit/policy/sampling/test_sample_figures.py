from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import make_sample, make_samples

from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.policy.sampling import (
    INFINITE,
    figures_of,
    histogram_of,
    ideal_steps_of,
    outliers_of,
    slices_of,
)

COSTS = st.one_of(st.none(), st.decimals(0, 1000, places=9))


def test_figures_of_ten_tasks() -> None:
    figures = figures_of(make_samples("1", "2", "3", "4", "5", "6", "7", "8", "9", "55", failures=2))

    assert (figures.n, figures.total, figures.mean, figures.median) == (10, 100, 10, Decimal("5.5"))
    assert (figures.p90, figures.p95) == (9, 55)
    assert (figures.successes, figures.success_rate, figures.per_success) == (8, Decimal("0.8"), Decimal("12.5"))
    assert figures.cv == pytest.approx(1.603, abs=0.001)
    assert [(worst.id, worst.cost) for worst in figures.worst][:2] == [("t0009", 55), ("t0008", 9)]


def test_dollars_per_success_are_all_costs_and_never_a_mean_of_ratios() -> None:
    assert figures_of(make_samples("0.10", "0.20", "0.90", failures=1)).per_success == Decimal("0.6")


def test_without_a_success_they_are_infinite_even_of_nothing() -> None:
    assert figures_of(make_samples("0.10", failures=1)).per_success == INFINITE
    assert figures_of(make_samples("0", failures=1)).per_success == INFINITE


def test_an_unknown_cost_makes_dollars_unknown_and_is_never_zero() -> None:
    figures = figures_of(make_samples("0.10", None, "0.20"))

    assert (figures.unknown, figures.known) == (("t0001",), Decimal("0.30"))
    assert {getattr(figures, name) for name in ("total", "mean", "median", "p90", "p95", "cv", "per_success")} == {None}
    assert figures.success_rate == 1


@pytest.mark.parametrize(
    ("costs", "mean", "cv"), [((), None, None), (("3",), 3, None), (("3", "3"), 3, 0), (("0", "0"), 0, 0)]
)
def test_none_one_equal_and_free(costs: tuple[str, ...], mean: int | None, cv: float | None) -> None:
    figures = figures_of(make_samples(*costs))

    assert (figures.mean, figures.cv, figures.p90) == (mean, cv, mean)


def test_indicators_have_the_edges_of_their_definitions() -> None:
    useful = Usage(input=300, cache_read=600, cache_write=100, output=150, thinking=50)
    lost = Usage(input=900, output=100)
    figures = figures_of(
        [
            make_sample(name="a", usage=useful, failed_output=20, steps=10),
            make_sample(name="b", usage=lost, success=False, failed_output=60, steps=18),
        ],
        ideal_steps=Decimal(10),
    )

    assert figures.cache_hit_rate == Decimal(600) / 1900
    assert figures.token_efficiency == Decimal(180) / 2200
    assert (figures.steps, figures.step_inflation) == (28, Decimal("1.4"))
    empty = figures_of([make_sample()])
    assert (empty.cache_hit_rate, empty.token_efficiency, empty.step_inflation) == (None, None, None)


def test_no_task_takes_zero_ideal_steps() -> None:
    with pytest.raises(ValueError, match="0 ideal steps"):
        figures_of([make_sample()], ideal_steps=Decimal(0))
    assert ideal_steps_of([]) is None
    assert ideal_steps_of([0, 0, 5]) is None
    assert ideal_steps_of([9, *range(4, 13)]) == 4


@given(st.lists(st.tuples(COSTS, st.sampled_from(["a", "b", None]), st.booleans(), st.decimals(0, 5, places=9))))
def test_every_way_of_slicing_sums_to_the_total_exactly(drawn: list[tuple[Decimal | None, str, bool, Decimal]]) -> None:
    samples = [
        make_sample(
            cost, str(index), success=success, workflow=label, team=label, models=(("m", model), (label or "n", model))
        )
        for index, (cost, label, success, model) in enumerate(drawn)
    ]
    figures = figures_of(samples)

    for slices in slices_of(samples).values():
        assert sum((part.known for part in slices), Decimal(0)) == figures.known
        assert any(part.total is None for part in slices) == bool(figures.unknown)


def test_a_sample_is_in_a_slice_of_each_of_its_models_and_the_rest_is_nobodys() -> None:
    models = (("large", Decimal("0.30")), ("small", Decimal("0.05")), ("large", Decimal("0.10")))
    slices = slices_of([make_sample("0.50", "a", models=models), make_sample("0", "b", success=False)])

    assert [(part.key, part.known, part.n) for part in slices["model"]] == [
        ("large", Decimal("0.40"), 1),
        ("small", Decimal("0.05"), 1),
        (None, Decimal("0.05"), 2),
    ]
    assert [(part.key, part.n, part.successes) for part in slices["outcome"]] == [("success", 1, 1), ("failure", 1, 0)]


def test_outliers_are_far_above_the_others_in_ratio() -> None:
    samples = make_samples("0.8", "0.9", "1.0", "1.1", "1.2", "9.0", "0", None)

    assert [outlier.id for outlier in outliers_of(samples)] == ["t0005"]
    assert outliers_of(make_samples("1", "1", "1", "9")) == ()
    assert [str(outlier.cost) for outlier in outliers_of(make_samples("1", "1", "1", "1", "1.5", "1.51"))] == ["1.51"]
    assert outliers_of(make_samples("1", "10", "100", "1000", "10000")) == ()


def test_a_histogram_counts_every_cost_once() -> None:
    linear = histogram_of(map(Decimal, ("1", "2", "2", "4")))
    assert (linear.scale, [(bin_.low, bin_.high, bin_.count) for bin_ in linear.bins]) == (
        "linear",
        [
            (1, Decimal("1.75"), 1),
            (Decimal("1.75"), Decimal("2.5"), 2),
            (Decimal("2.5"), Decimal("3.25"), 0),
            (Decimal("3.25"), 4, 1),
        ],
    )
    log = histogram_of(map(Decimal, ("0", "1", "10", "1000")))
    assert (log.scale, [(bin_.low, bin_.high, bin_.count) for bin_ in log.bins]) == (
        "log",
        [(0, 0, 1), (1, 10, 1), (10, 100, 1), (100, 1000, 1)],
    )
    assert [bin_.count for bin_ in histogram_of(map(Decimal, ("3", "3"))).bins] == [2]
    assert histogram_of([]).bins == ()


@given(st.lists(st.decimals(0, 1000, places=30)))
def test_a_histogram_loses_nothing(costs: list[Decimal]) -> None:
    bins = histogram_of(costs).bins

    assert sum(bin_.count for bin_ in bins) == len(costs)
    assert all(bin_.low <= bin_.high for bin_ in bins)
