"""Base and head on the same samples."""
# ruff: noqa: S311 - simulated, and the same at every run

from decimal import Decimal
from random import Random

import pytest
from samples import lognormal, make_sample, make_samples

from pytest_tokenbudget.policy.sampling import Pairs, Sample, pairs_of


def varied(factor: str, noise: float = 0.02) -> list[Sample]:
    """A hundred tasks that differ far more from each other than from themselves."""
    tasks, again = lognormal(0.3, 1.0, Random(5)), lognormal(1.0, noise, Random(factor))
    return [
        make_sample(Decimal(f"{next(tasks) * next(again):.9f}") * Decimal(factor), f"t{index:03}")
        for index in range(100)
    ]


def test_pairs_see_what_the_same_costs_unpaired_do_not() -> None:
    pairs = pairs_of(varied("1"), varied("1.1"))
    difference, regression = pairs.difference, pairs.regression

    assert difference is not None
    assert regression is not None
    assert difference.mean == pytest.approx((pairs.head - pairs.base) / 100)
    assert (difference.sign, difference.interval.method) == ("up", "bca")
    assert (difference.unpaired.low or 0) < 0 < (difference.unpaired.high or 0)
    assert (difference.detectable or 0) * 4 < (difference.detectable_unpaired or 0)
    # 10% more is inside a tolerance of 20%
    assert regression.mean == pytest.approx((pairs.head - Decimal("1.2") * pairs.base) / 100)
    assert regression.sign == "down"


@pytest.mark.parametrize(("factor", "sign"), [("1.1", "down"), ("1.2", "unclear"), ("1.3", "up")])
def test_a_regression_is_more_than_the_tolerance(factor: str, sign: str) -> None:
    regression = pairs_of(varied("1"), varied(factor)).regression

    assert regression is not None
    assert regression.sign == sign


def test_what_one_side_lacks_is_named_and_left_out() -> None:
    base = [make_sample("1", "a"), make_sample("2", "b"), make_sample(None, "c"), make_sample("1", "e")]
    head = [make_sample("2", "d"), make_sample("3", "b"), make_sample("1", "c"), make_sample("0.5", "e")]
    pairs = pairs_of(base, head)

    assert (pairs.n, pairs.base, pairs.head, pairs.dearer, pairs.cheaper) == (2, 3, Decimal("3.5"), 1, 1)
    assert (pairs.only_base, pairs.only_head, pairs.unknown) == (("a",), ("d",), ("c",))


def test_a_run_beside_itself_does_not_differ() -> None:
    pairs = pairs_of(varied("1"), varied("1"))

    assert (pairs.dearer, pairs.cheaper) == (0, 0)
    assert pairs.difference is not None
    assert (pairs.difference.mean, pairs.difference.interval.method, pairs.difference.sign) == (
        0,
        "constant",
        "unclear",
    )
    assert pairs.difference.detectable == 0


def test_both_intervals_and_what_they_can_see_are_those_of_the_textbook() -> None:
    from scipy import stats

    base, head = ["1", "2", "3", "4", "5"], ["2", "2", "6", "4", "11"]
    found = pairs_of(make_samples(*base), make_samples(*head)).difference
    assert found is not None

    differences = [float(after) - float(before) for before, after in zip(base, head, strict=True)]
    paired = stats.ttest_1samp(differences, 0).confidence_interval(0.90)
    welch = stats.ttest_ind([*map(float, head)], [*map(float, base)], equal_var=False).confidence_interval(0.90)
    for ours, theirs in ((found.interval, paired), (found.unpaired, welch)):
        assert (ours.method, float(ours.low or 0), float(ours.high or 0)) == (
            "student",
            pytest.approx(theirs.low, rel=1e-6),
            pytest.approx(theirs.high, rel=1e-6),
        )
    # 2.4865 standard errors; the differences 1, 0, 3, 0, 6 have a variance of 6.5
    assert float(found.detectable or 0) == pytest.approx(2.4865 * (6.5 / 5) ** 0.5, rel=1e-4)
    assert float(found.detectable_unpaired or 0) == pytest.approx(2.4865 * ((2.5 + 14) / 5) ** 0.5, rel=1e-4)


def test_no_pair_and_one_pair() -> None:
    assert pairs_of([], []) == Pairs(n=0, base=Decimal(0), head=Decimal(0), dearer=0, cheaper=0)
    one = pairs_of(make_samples("1"), make_samples("2")).difference
    assert one is not None
    assert (one.mean, one.interval.method, one.unpaired.method, one.detectable) == (1, "none", "none", None)


def test_clusters_are_drawn_whole_in_pairs_too() -> None:
    def head(*, clustered: bool) -> list[Sample]:
        return [
            make_sample(str(1 + index // 10), f"{index:03}", cluster=str(index // 10) if clustered else None)
            for index in range(100)
        ]

    base = [make_sample("1", f"{index:03}") for index in range(100)]
    alone, together = (pairs_of(base, head(clustered=clustered)).difference for clustered in (False, True))
    assert alone is not None
    assert together is not None
    widths = [float((one.interval.high or 0) - (one.interval.low or 0)) for one in (alone, together)]
    assert widths[1] / widths[0] == pytest.approx(10**0.5, rel=0.15)
    assert float(together.detectable or 0) / float(alone.detectable or 1) == pytest.approx(10**0.5, rel=0.1)
