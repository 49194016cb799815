"""What blocks a merge, what only warns, and what is not known."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from builders import make_budget, make_call, make_run, make_segment, make_task
from msgspec.structs import replace

from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.config.waivers import Waiver
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.compare import Comparison, compare
from pytest_tokenbudget.policy.gate import GateVerdict, Reason, gate
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.snapshot import Snapshot, snapshot_of_run
from pytest_tokenbudget.pricing.rates import RateCard, Rates

TODAY = date(2026, 11, 25)
CARD = RateCard(entry="t", source="t", rates=Rates.per_million({"input": Decimal(1), "output": Decimal(1)}))
"""A dollar per million tokens."""


def card_of(portion: Portion) -> RateCard | None:
    return None if portion.key.served == "unpriced" else CARD


def task(name: str, usd: str | None, *, limit: str | None = None, **fields: Any) -> Task:
    """A task that cost this much, by input tokens alone."""
    tokens = 0 if usd is None else int(Decimal(usd) * 1_000_000)
    calls: Sequence[Call] = [
        make_call(usd, usage=make_call(input=tokens).usage, prompt=(make_segment("user", tokens, digest=name),))
        if usd is not None
        else make_call(None, status="missing", input=0)
    ]
    made = make_task(name, *calls, budget=make_budget(usd=Decimal(limit)) if limit else None, **fields)
    return replace(made, portions=portions(calls, lambda _: 0))


def run(*tasks: Task, **fields: Any) -> Run:
    return make_run(*tasks, **fields)


def compared(base: Run | None, head: Run) -> Comparison:
    before: Snapshot | None = None if base is None else snapshot_of_run(base, "base.json")
    return compare(before, snapshot_of_run(head, "run.json"), card_of, lambda _key, _kind: 1.0)


def decided(
    base: Run | None, head: Run, *, findings: Sequence[Reason] = (), waivers: Sequence[Waiver] = ()
) -> GateVerdict:
    return gate(compared(base, head), GateRules(), waivers, today=TODAY, findings=findings)


def kinds(verdict: GateVerdict) -> list[tuple[str, str, str]]:
    return [(reason.kind, reason.state, reason.task) for reason in verdict.reasons]


def test_nothing_changed() -> None:
    verdict = decided(run(task("a", "0.30", limit="0.30")), run(task("a", "0.30", limit="0.30")))
    assert (verdict.state, verdict.status, verdict.reasons) == ("pass", 0, ())


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ("0.100", "0.120", "pass"),  # exactly 20%
        ("0.100", "0.1201", "blocked"),
        ("0.010", "0.020", "pass"),  # twice as much, and a cent
        ("0.010", "0.0201", "blocked"),
        ("0.300", "0.100", "pass"),
    ],
)
def test_a_rise_blocks_by_share_and_by_amount(before: str, after: str, state: str) -> None:
    verdict = decided(run(task("a", before)), run(task("a", after)))
    assert verdict.state == state
    assert kinds(verdict) == ([("regression", "blocked", "a")] if state == "blocked" else [])
    assert verdict.status == (10 if state == "blocked" else 0)


def test_many_small_rises_block_together() -> None:
    before = run(*(task(f"t{n}", "0.010") for n in range(10)))
    after = run(*(task(f"t{n}", "0.0125") for n in range(10)))
    assert kinds(decided(before, after)) == [("suite", "blocked", "")]


def test_new_and_removed_tasks_are_no_rise() -> None:
    verdict = decided(run(task("a", "0.1"), task("gone", "0.1")), run(task("a", "0.1"), task("new", "0.5")))
    assert verdict.state == "pass"
    assert {(each.id, each.movement) for each in compared(run(task("gone", "1")), run(task("new", "2"))).tasks} == {
        ("gone", "removed"),
        ("new", "new"),
    }


def test_a_broken_budget_blocks_and_one_within_its_tolerance_warns() -> None:
    before = run(task("a", "0.37", limit="0.30"), task("b", "0.35", limit="0.30"))
    verdict = decided(None, before)
    assert kinds(verdict) == [("budget", "blocked", "a"), ("budget", "warn", "b")]


@pytest.mark.parametrize(("before", "state"), [("0.40", "warn"), ("0.37", "warn"), ("0.36", "blocked")])
def test_what_was_over_before_and_is_not_worse_only_warns(before: str, state: str) -> None:
    verdict = decided(run(task("a", before, limit="0.30")), run(task("a", "0.37", limit="0.30")))
    assert kinds(verdict) == [("budget", state, "a")]


def test_a_base_within_its_budget_makes_no_overrun_an_old_one() -> None:
    verdict = decided(run(task("a", "0.29", limit="0.30")), run(task("a", "0.37", limit="0.30")))
    assert kinds(verdict) == [("budget", "blocked", "a"), ("regression", "blocked", "a")]


def test_an_unknown_cost_is_incomplete_and_never_green() -> None:
    verdict = decided(None, run(task("a", None, limit="0.30"), task("b", None)))
    assert (verdict.state, verdict.status) == ("incomplete", 11)
    assert [reason.task for reason in verdict.reasons] == ["a", "b"]
    assert "no usage" in verdict.reasons[0].text


def test_a_run_without_tasks_and_a_part_of_one_are_incomplete() -> None:
    assert kinds(decided(None, run())) == [("empty", "incomplete", "")]
    partial = decided(None, run(task("a", "0.1"), partial=("-k a",), incomplete=("Worker gw1 died.",)))
    assert [reason.text for reason in partial.reasons] == ["Only a part of the suite ran: -k a.", "Worker gw1 died."]


def test_blocked_weighs_more_than_incomplete() -> None:
    verdict = decided(None, run(task("a", None), task("b", "0.5", limit="0.1")))
    assert verdict.state == "blocked"
    assert [reason.kind for reason in verdict.reasons] == ["budget", "unknown"]


def test_a_missing_base_never_reads_as_a_rise() -> None:
    alone = compared(None, run(task("a", "0.5")))
    assert [(each.movement, each.base, each.causes) for each in alone.tasks] == [("unchanged", None, ())]
    missing = Reason(kind="base", state="no_base", text="There is no tokenbudget.lock on main.")
    verdict = decided(None, run(task("a", "0.5")), findings=(missing,))
    assert (verdict.state, verdict.status) == ("no_base", 12)


def waiver(**changes: Any) -> Waiver:
    return Waiver(
        **{
            "task": "a",
            "usd": Decimal("0.75"),
            "reason": "the new tool",
            "until": date(2026, 12, 31),
            "approver": "kim",
            "place": "tokenbudget.yml:9",
            **changes,
        }
    )


def test_a_waiver_lets_pass_what_it_names_and_nothing_else() -> None:
    head = run(task("a", "0.7", limit="0.30"), task("b", "0.7", limit="0.30"))
    verdict = decided(None, head, waivers=(waiver(),))
    assert kinds(verdict) == [("budget", "blocked", "b"), ("budget", "waived", "a")]
    assert decided(None, head, waivers=(waiver(task="*"),)).state == "waived"
    assert decided(None, head, waivers=(waiver(task="*"),)).status == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"until": date(2026, 11, 24)}, "The waiver in tokenbudget.yml:9 ended on 2026-11-24."),
        (
            {"usd": Decimal("0.69")},
            "The waiver in tokenbudget.yml:9 has lapsed: it covers less than the task costs now.",
        ),
    ],
)
def test_a_waiver_ends(changes: dict[str, Any], said: str) -> None:
    verdict = decided(None, run(task("a", "0.7", limit="0.30")), waivers=(waiver(**changes),))
    assert verdict.state == "blocked"
    assert verdict.reasons[0].text == said


def test_a_waiver_does_not_cover_what_is_unknown() -> None:
    assert decided(None, run(task("a", None, limit="0.30")), waivers=(waiver(),)).state == "incomplete"


def test_a_renamed_task_keeps_its_history() -> None:
    calls = task("old", "0.5")
    moved = replace(calls, id="new")
    (only,) = compared(run(calls), run(moved)).tasks
    assert (only.id, only.was, only.movement, only.change) == ("new", "old", "renamed", 0)


def test_two_tasks_of_equal_calls_are_not_guessed_to_be_renamed() -> None:
    one = task("one", "0.5")
    before = run(one, replace(one, id="other"))
    after = run(replace(one, id="new"), replace(one, id="newer"))
    assert {each.movement for each in compared(before, after).tasks} == {"new", "removed"}


def test_unpriced_models_have_no_causes_and_no_total() -> None:
    calls = (make_call(None, model_served="unpriced", input=10, unpriced=("model",)),)
    unpriced = replace(make_task("a", *calls), portions=portions(calls, lambda _: 0))
    found = compared(run(task("a", "0.5")), run(unpriced))
    assert found.total("head") is None
    assert found.tasks[0].causes == ()
    assert found.tasks[0].change is None
