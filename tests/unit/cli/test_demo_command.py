from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from builders import make_budget, make_call, make_run, make_task
from click.testing import CliRunner

from pytest_tokenbudget.cli import demo, main
from pytest_tokenbudget.cli.demo import OVER, explained, project, surprises
from pytest_tokenbudget.model.benchmark import BenchmarkPlan, Drawn
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.sampling.outcome import outcome_of

REFUND = make_task(OVER, make_call("0.12"), budget=make_budget(usd=0.05))
ESCALATE = make_task("tests/test_triage.py::test_escalate", make_call("0.055"), budget=make_budget(usd=0.05))
HOURS = make_task("tests/test_faq.py::test_hours", make_call("0.005"), budget=make_budget(usd=0.01))
PLAN = BenchmarkPlan(
    id="tests/test_inbox.py::test_sorting", data="inbox.jsonl", population=3, samples=2, usd=Decimal("0.0008")
)
SAMPLES = [
    make_task(f"{PLAN.id}[{place}]", make_call("0.0006"), outcome=outcome, drawn=Drawn(benchmark=PLAN.id, place=place))
    for place, outcome in enumerate(("passed", "failed"))
]


def ran(*tasks: Task, **changes: Any) -> Run:
    return make_run(*tasks, *SAMPLES, benchmarks=(outcome_of(PLAN, SAMPLES),), **changes)


def test_nothing_surprises_when_only_refund_is_over() -> None:
    assert surprises(1, ran(ESCALATE, HOURS, REFUND)) == []


@pytest.mark.parametrize(
    ("status", "run", "sentence"),
    [
        (0, make_run(REFUND), "pytest ended with status 0; 1 (a test failed) was expected."),
        (1, make_run(HOURS), f"{OVER} should have been over its budget, and was not."),
        (
            1,
            make_run(REFUND, make_task("tests/test_faq.py::test_hours", make_call("9"), budget=make_budget(usd=0.01))),
            "tests/test_faq.py::test_hours should have been within its budget, and was not.",
        ),
        (
            1,
            make_run(REFUND, make_task("tests/test_faq.py::test_hours", make_call(), outcome="failed")),
            "tests/test_faq.py::test_hours failed.",
        ),
        (
            1,
            make_run(REFUND, make_task("t.py::test_a", make_call(obtained="live"))),
            "1 calls were sent; everything should have been replayed.",
        ),
        (1, make_run(REFUND, incomplete=("A worker died.",)), "A worker died."),
        (1, make_run(REFUND), "the benchmark test_sorting should have passed; there are none."),
    ],
)
def test_each_surprise_is_said(status: int, run: Run, sentence: str) -> None:
    assert sentence in surprises(status, run)


def test_the_explanation() -> None:
    assert (
        explained(ran(ESCALATE, HOURS, REFUND))
        == """\
You saw 3 tests of a support agent, and a benchmark. Their 5 model calls were
replayed from recordings and priced token by token: $0.181 if they were sent,
$0.00 here. The model's answers are made up for this demo; the prices are real.

test_refund failed on purpose: it cost $0.12, and its budget is $0.05. The
column `carries` shows why: lookup_order returns everything the shop knows of an
order, and every later step sends it again.

test_escalate is over its budget by less than 20%: that is tolerated, with a
warning.

test_sorting ran once for each of 2 tickets drawn from 3. A ticket sorted
wrongly fails no test. It is paid for all the same, so that one sorted right
costs $0.0012. What decides is the mean: $0.0006 of $0.0008."""
    )


def test_the_project_is_found() -> None:
    assert {"agent.py", "tests", "tokenbudget.yml"} <= {path.name for path in project().iterdir()}


def test_a_missing_sdk_is_named_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_SDKS", ("openai", "no_such_sdk", "nor_this"))
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 2
    assert result.stderr == (
        "tokenbudget: [demo] the demo's agent talks through no_such_sdk and nor_this: "
        "pip install 'pytest-tokenbudget[demo]'\n"
    )


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(main, ["demo", "--keep", str(tmp_path)])
    assert result.exit_code == 2
    assert "is not empty; name a new folder" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
