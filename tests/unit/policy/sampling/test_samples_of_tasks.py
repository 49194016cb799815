from decimal import Decimal

import pytest
from builders import make_budget, make_call, make_task

from pytest_tokenbudget.model.task import Stray, Task
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.sampling import Sample
from pytest_tokenbudget.policy.sampling.tasks import repriced, samples_of
from pytest_tokenbudget.pricing.rates import RateCard, Rates

CARD = RateCard(entry="m", source="here", rates=Rates(input=Decimal("0.001"), output=Decimal("0.01")))


def only(task: Task) -> Sample:
    (sample,) = samples_of([task])
    return sample


def test_a_task_is_a_sample_with_its_labels_and_models() -> None:
    calls = (make_call("0.02"), make_call("0.01", model_served="claude-haiku-5"))
    sample = only(make_task("t", *calls, budget=make_budget(workflow="triage", team="support")))

    assert (sample.id, sample.cost, sample.success, sample.steps) == ("t", Decimal("0.03"), True, 2)
    assert (sample.workflow, sample.team, sample.usage.total) == ("triage", "support", 2200)
    assert sample.models == (("claude-sonnet-5", Decimal("0.02")), ("claude-haiku-5", Decimal("0.01")))


def test_without_a_call_it_costs_nothing_and_skipped_it_is_none() -> None:
    assert only(make_task("t")).cost == 0
    assert list(samples_of([make_task("t", outcome="skipped")])) == []
    assert not only(make_task("t", outcome="failed")).success


@pytest.mark.parametrize(
    "task",
    [
        make_task("t", make_call(None)),
        make_task("t", make_call("0.02"), make_call(None, status="missing")),
        make_task("t", make_call("0.02"), outcome="died"),
        make_task("t", make_call("0.02"), exchanges=2),
        make_task("t", make_call("0.02"), strays=(Stray(kind="escaped", request="POST https://x.test/"),)),
    ],
)
def test_what_was_not_all_measured_has_an_unknown_cost(task: Task) -> None:
    assert only(task).cost is None


def test_another_table_prices_what_the_task_used() -> None:
    calls = (make_call(None, input=1000, output=100), make_call("0.02", input=500, output=0))
    task = make_task("t", *calls, portions=portions(calls, lambda _: 0))

    (dear,) = samples_of([task], repriced(lambda _: CARD))
    assert dear.cost == Decimal("2.5")
    (unlisted,) = samples_of([task], repriced(lambda _: None))
    assert unlisted.cost is None


def test_a_task_that_says_less_of_its_calls_than_it_used_is_not_priced_again() -> None:
    (sample,) = samples_of([make_task("t", make_call("0.02"))], repriced(lambda _: CARD))

    assert sample.cost is None
