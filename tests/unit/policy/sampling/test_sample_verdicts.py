from collections.abc import Sequence
from decimal import Decimal

import pytest
from samples import make_sample, make_samples

from pytest_tokenbudget.policy.sampling import Benchmark, Rules, Sample, Stopping, benchmark_of
from pytest_tokenbudget.policy.sampling.early import Decision, EarlyStop


def grounds(benchmark: Benchmark) -> list[tuple[str, str, str]]:
    return [(ground.measure, ground.state, ground.why) for ground in benchmark.verdict.grounds]


def spread(mean: str, n: int = 100) -> list[Sample]:
    """Half of the tasks cost half of the mean, the others half more."""
    return make_samples(*(str(Decimal(mean) * (Decimal("0.5") + index % 2)) for index in range(n)))


@pytest.mark.parametrize(
    ("mean", "state", "why"),
    [
        ("0.30", "pass", "within"),
        ("0.3001", "pass", "tolerated"),
        ("0.36", "pass", "tolerated"),
        ("0.3601", "block", "above"),
    ],
)
def test_the_point_rule_is_strict_at_its_edge(mean: str, state: str, why: str) -> None:
    benchmark = benchmark_of(make_samples(mean, mean, mean), "0.30")

    assert (benchmark.verdict.state, grounds(benchmark)) == (state, [("mean", state, why)])
    ground = benchmark.verdict.grounds[0]
    assert (ground.value, ground.budget, ground.limit, ground.n) == (
        Decimal(mean),
        Decimal("0.30"),
        Decimal("0.36"),
        3,
    )


def test_a_mean_that_no_decimal_holds_is_compared_exactly() -> None:
    # a third of 1.08 is 0.36; one part in 10^30 more is above it, though no quotient of 28 digits shows that
    assert benchmark_of(make_samples("0.36", "0.36", "0.36"), "0.30").verdict.state == "pass"
    more = "0.36" + "0" * 28 + "1"
    assert benchmark_of(make_samples("0.36", "0.36", more), "0.30").verdict.state == "block"


@pytest.mark.parametrize(("mean", "state", "why"), [("0.30", "pass", "within"), ("0.45", "block", "above")])
def test_the_confident_rule_decides_where_the_interval_clears(mean: str, state: str, why: str) -> None:
    benchmark = benchmark_of(spread(mean), rules=Rules(budget=Decimal("0.30"), rule="confident"))

    assert grounds(benchmark) == [("mean", state, why)]
    assert benchmark.verdict.needed is None


@pytest.mark.parametrize("mean", ["0.35", "0.37"])
def test_and_otherwise_says_how_many_more_it_takes(mean: str) -> None:
    rules = Rules(budget=Decimal("0.30"), rule="confident")
    benchmark = benchmark_of(spread(mean), rules=rules)

    assert grounds(benchmark) == [("mean", "inconclusive", "straddles")]
    needed = benchmark.verdict.needed
    assert needed is not None
    assert benchmark_of(spread(mean, (100 + needed) * 12 // 10), rules=rules).verdict.state != "inconclusive"
    assert benchmark_of(spread(mean, (100 + needed) * 8 // 10), rules=rules).verdict.state == "inconclusive"


def test_no_number_of_samples_tells_a_mean_at_the_limit() -> None:
    benchmark = benchmark_of(spread("0.36"), rules=Rules(budget=Decimal("0.30"), rule="confident"))

    assert (benchmark.verdict.state, benchmark.verdict.needed) == ("inconclusive", None)


def test_what_no_number_settles_is_not_settled_by_that_of_another_budget() -> None:
    rules = Rules(budget=Decimal("0.30"), per_success=Decimal("0.31"), rule="confident")
    benchmark = benchmark_of(spread("0.36"), rules=rules)

    assert [ground.needed is None for ground in benchmark.verdict.grounds] == [True, False]
    assert benchmark.verdict.needed is None


def test_nine_equal_costs_or_clusters_are_not_confidence() -> None:
    rules = Rules(budget=Decimal("0.30"), rule="confident")

    few = benchmark_of(make_samples(*["0.1"] * 9), rules=rules)
    assert (grounds(few), few.verdict.needed) == ([("mean", "inconclusive", "few_samples")], 1)
    assert benchmark_of(make_samples(*["0.1"] * 10), rules=rules).verdict.state == "pass"
    clustered = [make_sample("0.1", str(index), cluster=str(index % 5)) for index in range(100)]
    assert (grounds(benchmark_of(clustered, rules=rules)), benchmark_of(clustered, rules=rules).verdict.needed) == (
        [("mean", "inconclusive", "few_samples")],
        100,
    )


def test_a_budget_of_success_is_held_against_all_costs() -> None:
    def of(*, failures: int) -> Benchmark:
        rules = Rules(budget=Decimal("0.30"), per_success=Decimal("0.50"))
        return benchmark_of(make_samples(*["0.30"] * 10, failures=failures), rules=rules)

    assert grounds(of(failures=4)) == [("mean", "pass", "within"), ("per_success", "pass", "within")]
    assert grounds(of(failures=5)) == [("mean", "pass", "within"), ("per_success", "pass", "tolerated")]
    assert grounds(of(failures=6)) == [("mean", "pass", "within"), ("per_success", "block", "above")]


def test_no_success_blocks_without_any_budget() -> None:
    benchmark = benchmark_of(make_samples("0", "0", failures=2))

    assert grounds(benchmark) == [("per_success", "block", "no_success")]
    assert grounds(benchmark_of(make_samples("9"))) == [("mean", "pass", "no_budget")]


def test_an_unknown_cost_never_passes() -> None:
    samples = make_samples("0.10", None)

    assert grounds(benchmark_of(samples, "0.30")) == [("samples", "block", "unknown_cost")]
    lenient = Rules(budget=Decimal("0.30"), unknown="inconclusive")
    assert grounds(benchmark_of(samples, rules=lenient)) == [("samples", "inconclusive", "unknown_cost")]
    # what is known is enough
    assert grounds(benchmark_of(make_samples("0.73", None), rules=lenient)) == [("mean", "block", "above")]
    assert grounds(benchmark_of(make_samples("0.72", None), rules=lenient)) == [
        ("samples", "inconclusive", "unknown_cost")
    ]


def test_a_selection_decides_nothing() -> None:
    rules = Rules(budget=Decimal("0.30"), planned=100, partial=("-k",))
    benchmark = benchmark_of(make_samples("99", failures=1), rules=rules)

    assert (grounds(benchmark), benchmark.verdict.needed) == ([("samples", "inconclusive", "partial")], 99)


def test_nor_does_what_stopped_it() -> None:
    early = stopped(make_samples(*["0.6"] * 10), Stopping(budget=Decimal("0.3"), planned=100))
    rules = Rules(budget=Decimal("0.30"), planned=100, partial=("-k",))
    benchmark = benchmark_of(make_samples(*["0.6"] * 9), rules=rules, early=early)

    assert (grounds(benchmark), benchmark.verdict.early) == ([("samples", "inconclusive", "partial")], None)


def test_fewer_than_planned_decide_only_what_the_rest_cannot_change() -> None:
    rules = Rules(budget=Decimal("0.30"), planned=10)

    short = benchmark_of(make_samples("3.60"), rules=rules)
    assert (grounds(short), short.verdict.needed) == ([("samples", "inconclusive", "unfinished")], 9)
    assert grounds(benchmark_of(make_samples("3.601"), rules=rules)) == [("mean", "block", "above")]
    none = benchmark_of([], rules=rules)
    assert (grounds(none), none.verdict.needed) == ([("samples", "inconclusive", "no_samples")], 10)


def stopped(samples: Sequence[Sample], stopping: Stopping) -> Decision | None:
    stop = EarlyStop(stopping)
    for sample in samples:
        stop.add(sample)
    return stop.decision


def test_an_early_decision_is_the_verdict_of_what_it_stopped() -> None:
    early = stopped(make_samples(*["0.6"] * 10), Stopping(budget=Decimal("0.3"), planned=100))
    rules = Rules(budget=Decimal("0.30"), planned=100)
    samples = make_samples(*["0.6"] * 9)

    benchmark = benchmark_of(samples, rules=rules, early=early)
    assert grounds(benchmark) == [("mean", "block", "early")]
    assert benchmark.verdict.early == early

    # a run that went on nevertheless is judged by all of its samples
    whole = benchmark_of(make_samples(*["0.6"] * 10, *["0.1"] * 90), rules=rules, early=early)
    assert (grounds(whole), whole.verdict.early) == ([("mean", "pass", "within")], None)


def test_a_benchmark_whose_money_is_used_up_decides_nothing() -> None:
    early = stopped(make_samples("0.3", "0.3"), Stopping(budget=Decimal("0.3"), planned=100, spend=Decimal("0.5")))
    benchmark = benchmark_of(make_samples("0.3", "0.3"), rules=Rules(budget=Decimal("0.30"), planned=100), early=early)

    assert (grounds(benchmark), benchmark.verdict.needed) == ([("samples", "inconclusive", "early")], 98)


def test_order_changes_nothing_and_one_seed_gives_one_answer() -> None:
    samples = [make_sample(str(index % 7), str(index), success=index % 3 > 0) for index in range(60)]

    one = benchmark_of(samples, "3")
    assert one == benchmark_of(samples[::-1], "3")
    assert one.intervals.mean != benchmark_of(samples, "3", seed=1).intervals.mean


def test_cautions_are_numbers() -> None:
    wide = benchmark_of(make_samples(*["1"] * 99, "300"), "5")
    assert [caution.kind for caution in wide.cautions] == ["spread", "blunt"]
    assert wide.cautions[0].value == wide.figures.cv
    assert benchmark_of(make_samples(*["1"] * 100), "5").cautions == ()
    clustered = [make_sample("1", str(index), cluster=str(index % 5)) for index in range(100)]
    assert [(caution.kind, caution.value) for caution in benchmark_of(clustered, "5").cautions] == [
        ("few_clusters", 5.0)
    ]


def test_what_cannot_be_right_is_refused() -> None:
    with pytest.raises(ValueError, match="two samples have the id 't'"):
        benchmark_of([make_sample(), make_sample(name="s"), make_sample()], "1")
    with pytest.raises(ValueError, match="state the budget once"):
        benchmark_of([make_sample()], "1", rules=Rules())
