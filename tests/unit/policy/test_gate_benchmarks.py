"""Benchmarks in the gate: their verdict, what changed by pairs of samples, and what is no worse than it was."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from builders import make_benched_run, make_call, make_plan, make_run, make_sampled, make_task
from msgspec.structs import replace

from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.config.waivers import Waiver
from pytest_tokenbudget.errors import LockError
from pytest_tokenbudget.model.benchmark import Drawn
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.benchmarks import folded
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff, compare
from pytest_tokenbudget.policy.gate import GateVerdict, gate
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.sampling.outcome import outcome_of
from pytest_tokenbudget.policy.snapshot import Snapshot, snapshot_of_run
from pytest_tokenbudget.pricing.rates import RateCard, Rates
from pytest_tokenbudget.store.baseline import snapshot_of_lock
from pytest_tokenbudget.store.lock import lock_of_run, lock_text
from pytest_tokenbudget.store.lock_reading import read_lock

TODAY = date(2026, 11, 25)
CARD = RateCard(entry="t", source="t", rates=Rates.per_million({"input": Decimal(1), "output": Decimal(1)}))
NAME = make_plan(1).id
TWELVE = ["0.009", "0.010", "0.011"] * 4


def card_of(portion: Portion) -> RateCard | None:
    return None if portion.key.served == "unpriced" else CARD


def against(base: Snapshot | None, head: Run) -> Comparison:
    return folded(compare(base, snapshot_of_run(head, "run.json"), card_of, lambda _key, _kind: 1.0))


def compared(base: Run | None, head: Run) -> Comparison:
    return against(None if base is None else snapshot_of_run(base, "base.json"), head)


def decided(base: Run | None, head: Run, waivers: Sequence[Waiver] = (), rules: GateRules | None = None) -> GateVerdict:
    return gate(compared(base, head), rules or GateRules(), waivers, today=TODAY)


def kinds(verdict: GateVerdict) -> list[tuple[str, str, str]]:
    return [(reason.kind, reason.state, reason.task) for reason in verdict.reasons]


def the_benchmark(comparison: Comparison) -> TaskDiff:
    (found,) = (task for task in comparison.tasks if task.benched is not None)
    return found


def times(factor: str, costs: Sequence[str] = TWELVE) -> list[str]:
    return [str(Decimal(cost) * Decimal(factor)) for cost in costs]


def make_waiver(task: str, usd: str, until: date) -> Waiver:
    return Waiver(task=task, usd=Decimal(usd), until=until, reason="a new model", approver="Ann", place="a.yml:3")


def test_a_benchmark_is_one_line_of_a_comparison() -> None:
    other = make_task("tests/test_triage.py::test_other", make_call("0.01"))
    found = compared(make_benched_run(*TWELVE), make_benched_run(*times("1.1"), others=(other,)))
    assert [task.id for task in found.tasks] == ["tests/test_triage.py::test_other", NAME]
    task = the_benchmark(found)
    assert task.base is not None
    assert task.head is not None
    assert (task.movement, task.base.usd, task.head.usd) == ("changed", Decimal("0.12"), Decimal("0.132"))
    assert (task.base.calls, task.head.calls, task.change) == (12, 12, Decimal("0.012"))


def test_nothing_changed() -> None:
    verdict = decided(make_benched_run(*TWELVE), make_benched_run(*TWELVE))
    assert (verdict.state, verdict.reasons) == ("pass", ())
    assert the_benchmark(compared(make_benched_run(*TWELVE), make_benched_run(*TWELVE))).movement == "unchanged"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (make_benched_run(*TWELVE), []),
        (make_benched_run(*times("1.2")), []),
        (make_benched_run(*times("1.5")), [("benchmark", "blocked", NAME)]),
        (make_benched_run(*TWELVE[:11], plan=make_plan(12)), [("benchmark", "incomplete", NAME)]),
        (make_benched_run(*TWELVE[:11], None), [("benchmark", "incomplete", NAME)]),
        (make_benched_run(*["0.1"] * 6, plan=make_plan(100)), [("benchmark", "blocked", NAME)]),
        (make_benched_run(*TWELVE, plan=make_plan(12, usd=None)), []),
        (
            make_benched_run(*TWELVE, plan=make_plan(12, usd="0.0083", rule="confident")),
            [("benchmark", "incomplete", NAME)],
        ),
    ],
)
def test_the_verdict_of_a_benchmark_is_that_of_the_gate(head: Run, expected: list[tuple[str, str, str]]) -> None:
    assert kinds(decided(None, head)) == expected


def test_a_rise_blocks_by_pairs() -> None:
    base = make_benched_run(*times("10"), plan=make_plan(12, usd=1))
    head = make_benched_run(*times("12.1"), plan=make_plan(12, usd=1))
    assert kinds(decided(base, head)) == [("regression", "blocked", NAME)]
    assert kinds(decided(base, make_benched_run(*times("12"), plan=make_plan(12, usd=1)))) == []


def test_a_rise_that_may_be_luck_blocks_by_the_point_rule_alone() -> None:
    costs = times("10")
    jumps = [*costs[:11], "1"]
    for rule, expected in (("point", [("regression", "blocked", NAME)]), ("confident", [])):
        plan = make_plan(12, usd=9, rule=rule)
        assert kinds(decided(make_benched_run(*costs, plan=plan), make_benched_run(*jumps, plan=plan))) == expected


def test_samples_of_one_side_alone_are_no_rise() -> None:
    plan = make_plan(24, usd=1)
    base = make_benched_run(*times("10"), plan=make_plan(12, usd=1))
    assert kinds(decided(base, make_benched_run(*times("10"), *times("30"), plan=plan))) == []
    pairs = the_benchmark(compared(base, make_benched_run(*times("10"), *times("30"), plan=plan))).benched
    assert pairs is not None
    assert pairs.pairs is not None
    assert (pairs.pairs.n, len(pairs.pairs.only_head), len(pairs.pairs.only_base)) == (12, 12, 0)


def test_no_sample_in_common() -> None:
    base = make_benched_run(*times("10"), plan=make_plan(12, usd=1))
    others = tuple(make_sampled(place, "0.3") for place in range(20, 32))
    head = make_benched_run(plan=make_plan(12, usd=1), others=others)
    verdict = decided(base, head)
    assert kinds(verdict) == []
    benched = the_benchmark(compared(base, head)).benched
    assert benched is not None
    assert benched.pairs is None


def test_samples_that_were_taken_out_belong_to_their_benchmark() -> None:
    plan = make_plan(6, usd=1)
    found = compared(make_benched_run(*TWELVE), make_benched_run(*TWELVE[:6], plan=plan))
    assert [task.id for task in found.tasks] == [NAME]


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [("1.5", "1.5", "warn"), ("1.5", "1.4", "warn"), ("1.4", "1.5", "blocked"), ("1", "1.5", "blocked")],
)
def test_what_was_over_before_and_is_no_worse_only_warns(before: str, after: str, state: str) -> None:
    verdict = decided(make_benched_run(*times(before)), make_benched_run(*times(after)))
    assert kinds(verdict)[0] == ("benchmark", state, NAME)


def test_what_was_over_before_blocks_where_samples_are_new() -> None:
    head = make_benched_run(*times("1.5"), "0.02", plan=make_plan(13))
    assert kinds(decided(make_benched_run(*times("1.5")), head))[0] == ("benchmark", "blocked", NAME)


@pytest.mark.parametrize(
    ("usd", "until", "state", "text"),
    [
        ("0.015", date(2026, 12, 1), "waived", ""),
        ("0.0149", date(2026, 12, 1), "blocked", "has lapsed"),
        ("0.015", date(2026, 11, 1), "blocked", "ended on 2026-11-01"),
    ],
)
def test_a_waiver_is_held_against_a_task_on_average(usd: str, until: date, state: str, text: str) -> None:
    waiver = make_waiver(NAME, usd, until)
    (reason,) = decided(None, make_benched_run(*times("1.5")), [waiver]).reasons
    assert (reason.kind, reason.state) == ("benchmark", state)
    assert text in reason.text


def test_a_waiver_does_not_make_up_for_what_was_not_measured() -> None:
    waiver = make_waiver("*", "9", date(2026, 12, 1))
    verdict = decided(None, make_benched_run(*TWELVE[:11], plan=make_plan(12)), [waiver])
    assert kinds(verdict) == [("benchmark", "incomplete", NAME)]


def test_a_lock_of_samples_is_a_base() -> None:
    base = make_benched_run(*times("10"), plan=make_plan(12, usd=1))
    lock = read_lock(lock_text(lock_of_run(base, "run.json")))
    head = make_benched_run(*times("12.1"), plan=make_plan(12, usd=1))
    comparison = against(snapshot_of_lock(lock, "tokenbudget.lock"), head)
    assert kinds(gate(comparison, GateRules(), (), today=TODAY)) == [("regression", "blocked", NAME)]
    pairs = the_benchmark(comparison).benched
    assert pairs is not None
    assert pairs.pairs is not None
    assert pairs.pairs.n == 12


def test_a_partial_run_is_incomplete_whatever_its_benchmark_says() -> None:
    head = make_benched_run(*TWELVE[:6], plan=make_plan(12), partial=("-k t1",))
    verdict = decided(make_benched_run(*TWELVE), head)
    assert (verdict.state, verdict.status) == ("incomplete", 11)


def test_a_benchmark_that_became_one_is_not_compared_with_what_it_was() -> None:
    calls = (make_call("0.01", input=10_000),)
    base = make_benched_run(plan=make_plan(1), others=(make_task(NAME, *calls, portions=portions(calls, lambda _: 0)),))
    found = compared(replace(base, benchmarks=()), make_benched_run(*TWELVE))
    assert {task.id: task.movement for task in found.tasks if task.benched is not None} == {NAME: "new"}


def stopped_run(*costs: str, of: int, why: str = "decided after 5 of 12 samples") -> Run:
    """A run whose first samples were measured, and whose others were skipped."""
    measured = [make_sampled(place, cost) for place, cost in enumerate(costs)]
    skipped = [
        make_task(f"{NAME}[t{place}]", outcome="skipped", drawn=Drawn(benchmark=NAME, place=place, unmeasured=why))
        for place in range(len(costs), of)
    ]
    tasks = tuple(sorted((*measured, *skipped), key=lambda task: task.id))
    return make_run(*tasks, benchmarks=(outcome_of(make_plan(of), tasks),))


def test_samples_that_were_skipped_are_no_calls_that_were_saved() -> None:
    comparison = compared(make_benched_run(*TWELVE), stopped_run(*times("2", TWELVE[:5]), of=12))
    task = the_benchmark(comparison)
    assert task.base is not None
    assert task.head is not None
    assert (task.base.usd, task.head.usd, task.base.calls, task.head.calls) == (
        Decimal("0.049"),
        Decimal("0.098"),
        5,
        5,
    )
    assert task.relative == 1
    assert sum((cause.usd for cause in task.causes), Decimal(0)) == Decimal("0.049")
    assert "calls" not in {cause.kind for cause in task.causes}
    assert (comparison.total("base"), comparison.total("head")) == (Decimal("0.049"), Decimal("0.098"))


def test_of_a_benchmark_without_a_measured_sample_nothing_is_known() -> None:
    task = the_benchmark(compared(make_benched_run(*TWELVE), stopped_run(of=12, why="not recorded")))
    assert task.head is not None
    assert (task.base, task.head.usd, task.change) == (None, None, None)


@pytest.mark.parametrize(("before", "after"), [(12, 6), (6, 12)])
def test_another_number_of_samples_is_no_change(before: int, after: int) -> None:
    base, head = (make_benched_run(*TWELVE[:count]) for count in (before, after))
    comparison = compared(base, head)
    assert the_benchmark(comparison).movement == "unchanged"
    assert the_benchmark(comparison).change == 0
    assert comparison.moved == ()
    assert decided(base, head).state == "pass"


def test_a_lock_is_not_written_from_a_part_of_the_samples() -> None:
    with pytest.raises(LockError, match=r"this is none: .*::test_ticket measured 5 of 12 samples\. Record the others"):
        lock_of_run(stopped_run(*TWELVE[:5], of=12), "run.json")


def test_a_budget_that_was_judged_at_other_prices_is_named() -> None:
    def dearer(_: Portion) -> RateCard:
        return RateCard(entry="t", source="t", rates=Rates.per_million({"input": Decimal(9), "output": Decimal(9)}))

    head = make_benched_run(*TWELVE)
    found = folded(compare(None, snapshot_of_run(head, "run.json"), dearer, lambda _key, _kind: 1.0))
    (reason,) = gate(found, GateRules(), (), today=TODAY).reasons
    assert (reason.kind, reason.state) == ("run", "warn")
    assert reason.text.startswith("The budgets of 1 task were judged at other prices than those in force now.")
