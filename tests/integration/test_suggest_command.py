"""`tokenbudget suggest`: what it prints can be pasted, and is kept by the run that it came from."""

from decimal import Decimal
from pathlib import Path

import pytest
from builders import make_benched_run, make_budget, make_call, make_plan, make_run, make_sampled, make_task
from click.testing import CliRunner, Result

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.config.load import load_settings
from pytest_tokenbudget.config.precedence import resolve_budget
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.budget import Measured, judge
from pytest_tokenbudget.policy.sampling.outcome import outcome_of
from pytest_tokenbudget.store.load import load_run
from pytest_tokenbudget.store.runfile import write_run

REFUND, LATE = "tests/test_triage.py::test_refund", "tests/test_triage.py::test_late"


@pytest.fixture(autouse=True)
def _own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def suggest(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["suggest", *arguments])


def written(name: str, run: Run) -> str:
    write_run(Path(name), run)
    return name


def recorded(cost: str) -> Run:
    return make_run(
        make_task(REFUND, make_call(cost), make_call("0.01"), budget=make_budget(usd=0.05)),
        make_task(LATE, make_call(None)),
    )


def test_the_last_run_of_the_project_is_read() -> None:
    Path(".tokenbudget").mkdir()
    written(".tokenbudget/run.json", recorded("0.03"))

    assert [line.rstrip() for line in suggest().output.splitlines()] == [
        "task                         limit    seen  suggested  now",
        "test_triage.py::test_refund  usd     $0.04     $0.048  $0.05, 20% left",
        "                             tokens  2,200      2,700  no limit",
        "                             steps       2          3  no limit",
        f"? {LATE}: nothing suggested: 1 of its calls have an unknown cost.",
        "From 1 run: what it took, plus 20%, rounded up to two digits. A budget's tolerance comes on top.",
        "One run says nothing of how much a task varies: name several.",
        "To paste them: --format marker, or --format yaml.",
    ]


def test_several_runs_and_another_margin() -> None:
    files = (written("a.json", recorded("0.03")), written("b.json", recorded("0.09")))
    shown = suggest(*files, "--margin", "50%").output

    assert "$0.04 to $0.10" in shown
    assert "$0.15" in shown
    assert "$0.05, exceeded by 100%" in shown


def test_what_is_pasted_is_kept_by_the_run_that_it_came_from() -> None:
    file = written("run.json", recorded("0.09"))
    Path("tokenbudget.yml").write_text(suggest(file, "--format", "yaml", "--margin", "0%").output, encoding="utf-8")

    budget, named = resolve_budget(load_settings(Path.cwd()), REFUND)
    task = next(task for task in load_run(Path(file)).tasks if task.id == REFUND)
    measured = Measured(calls=task.calls, exchanges=2, skipped=0, named=named, finished=True)
    assert (budget.usd, budget.tokens, budget.steps) == (Decimal("0.1"), 2200, 2)
    assert judge(measured, budget).state == "within"
    assert judge(measured, Budget(usd=Decimal("0.05"))).state == "blocked"


def test_a_marker_to_paste() -> None:
    assert suggest(written("run.json", recorded("0.03")), "--format", "marker").output.splitlines()[2:] == [
        "",
        f"# {LATE}",
        "# not suggested: 1 of its calls have an unknown cost",
        "",
        f"# {REFUND}",
        "@pytest.mark.token_budget(usd=0.048, tokens=2_700, steps=3)",
    ]


def test_a_benchmark_is_one_entry_and_its_samples_are_none() -> None:
    others = tuple(make_sampled(place, "0.02", outcome="failed") for place in (3, 4))
    tasks = (*(make_sampled(place, "0.01") for place in range(3)), *others)
    plan = make_plan(5)
    whole = make_run(*tasks, benchmarks=(outcome_of(plan, tasks),))
    file = written("run.json", whole)
    assert [" ".join(line.split()) for line in suggest(file).output.splitlines()] == [
        "task limit seen suggested now",
        "test_triage.py::test_ticket usd $0.014 $0.017 $0.01, exceeded by 40%",
        "usd_per_success $0.0233 $0.028 no limit",
        "From 1 run: what it took, plus 20%, rounded up to two digits. A budget's tolerance comes on top.",
        "A benchmark's `usd` is for the mean of its samples; `usd_per_success` is for its own marker.",
        "To paste them: --format marker, or --format yaml.",
    ]
    assert suggest(file, "--format", "marker").output.splitlines()[-3:] == [
        f"# {plan.id}",
        "@pytest.mark.token_budget(usd=0.017)",
        "# and in token_benchmark(...): usd_per_success=0.028",
    ]
    assert suggest(file, "--format", "yaml").output.splitlines()[-1] == f'  "{plan.id}": {{usd: 0.017}}'


@pytest.mark.parametrize(
    ("costs", "asked", "reason"),
    [
        (["0.01", "0.01"], 3, "2 of its 3 samples were measured"),
        (["0.01", None], 2, "the cost of 1 of its samples is unknown"),
        (["0", "0"], 2, "its samples cost nothing"),
    ],
)
def test_a_benchmark_that_does_not_say_what_it_costs(costs: list[str | None], asked: int, reason: str) -> None:
    file = written("run.json", make_benched_run(*costs, plan=make_plan(asked)))
    assert f"? {make_plan(1).id}: nothing suggested: {reason}." in suggest(file).output.splitlines()


def test_no_run_is_an_error() -> None:
    refused = suggest()

    assert refused.exit_code == 2
    assert "there is no run file. Run pytest first" in refused.output


def test_a_margin_that_is_none_is_an_error() -> None:
    refused = suggest(written("run.json", recorded("0.03")), "--margin", "20")

    assert refused.exit_code == 2
    assert "write 20% if that is meant" in " ".join(refused.output.split())
