"""Sums by workflow, team and model: they add to the suite's, and unknown is not zero."""

from decimal import Decimal

from builders import make_budget, make_call, make_run, make_task
from msgspec.structs import replace

from pytest_tokenbudget.model.money import ZERO
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.compare import Comparison, compare
from pytest_tokenbudget.policy.groups import DIMENSIONS, groups
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.snapshot import snapshot_of_run
from pytest_tokenbudget.pricing import PriceTable

TABLE = PriceTable()


def task(name: str, *tokens: int, workflow: str | None = None, team: str | None = None, unknown: bool = False) -> Task:
    """A task with a call of so many tokens to one model, and one to another for each further number."""
    models = ("claude-sonnet-5", "claude-opus-5")
    calls = [make_call(input=count, model_served=model) for count, model in zip(tokens, models, strict=False)]
    if unknown:
        calls.append(make_call(None, status="missing", input=0))
    made = make_task(name, *calls, budget=make_budget(usd=9, workflow=workflow, team=team))
    return replace(made, portions=portions(calls, TABLE.above))


def compared(before: Run | None, after: Run) -> Comparison:
    base = None if before is None else snapshot_of_run(before, "base")
    return compare(base, snapshot_of_run(after, "head"), TABLE.card_of, lambda _key, _kind: 1.0)


BASE = make_run(task("a", 1000, 100), task("b", 1000), task("c", 1000), task("gone", 500))
HEAD = make_run(
    task("a", 3000, 100, workflow="triage", team="x"),
    task("b", 1000, workflow="triage", team="y"),
    task("c", 1500, workflow="faq", team="y"),
    task("new", 700),
)


def test_groups_add_to_the_suite() -> None:
    found = compared(BASE, HEAD)
    for by in DIMENSIONS:
        told = groups(found, by)
        assert sum((group.base or ZERO for group in told), ZERO) == found.total("base")
        assert sum((group.head or ZERO for group in told), ZERO) == found.total("head")
    triage, faq, none = groups(found, "workflow")
    assert [(triage.name, triage.tasks), (faq.name, faq.tasks), (none.name, none.tasks)] == [
        ("triage", 2),
        ("faq", 1),
        ("", 2),
    ]
    assert triage.change == Decimal("0.004")
    assert [group.name for group in groups(found, "model")] == ["claude-sonnet-5", "claude-opus-5"]


def test_what_is_unknown_makes_its_groups_unknown_and_no_others() -> None:
    head = make_run(*HEAD.tasks[1:], task("a", 3000, 100, workflow="triage", unknown=True))
    triage, *others = groups(compared(BASE, head), "workflow")
    assert (triage.name, triage.head, triage.change) == ("triage", None, None)
    assert None not in [group.change for group in others]
    unknown, *known = groups(compared(BASE, head), "model")
    assert (unknown.name, unknown.head) == ("", None)
    assert None not in [group.change for group in known]


def test_without_a_base_nothing_rose_from_zero() -> None:
    for by in DIMENSIONS:
        assert {group.change for group in groups(compared(None, HEAD), by)} == {None}
