"""`tokenbudget forecast` and `tokenbudget plan`: what they print of a run, and refuse to reckon with."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from builders import make_benched_run, make_budget, make_call, make_plan, make_run, make_sampled, make_task
from click.testing import CliRunner, Result

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.sampling import SamplePlan
from pytest_tokenbudget.policy.sampling.outcome import outcome_of
from pytest_tokenbudget.report.plan import Planned, plan_sentences
from pytest_tokenbudget.store.runfile import write_run

REFUND = "tests/test_triage.py::test_refund"
PRICES = "prices: {claude-sonnet-5: {input: 100, output: 1000}}\n"


@pytest.fixture(autouse=True)
def _own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tokenbudget(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def shown(*arguments: str) -> list[str]:
    result = tokenbudget(*arguments)
    assert result.exit_code == 0, result.output
    return [line.rstrip() for line in result.output.splitlines()]


def recorded(*, unknown: bool = False) -> Run:
    tasks = []
    for index in range(40):
        call = make_call("0.40" if index % 2 else "0.20")
        workflow = "triage" if index < 30 else "faq"
        tasks.append(
            make_task(
                f"tests/test_agent.py::test_task[{index:02}]",
                call,
                budget=make_budget(workflow=workflow),
                portions=portions([call], lambda _: 0),
            )
        )
    if unknown:
        tasks.append(make_task("tests/test_agent.py::test_new_model", make_call(None)))
    return make_run(*tasks)


@pytest.fixture
def run() -> str:
    write_run(Path("run.json"), recorded())
    return "run.json"


def test_a_forecast(run: str) -> None:
    Path("tokenbudget.yml").write_text(
        "forecast: {audience: customers, baseline: {agents: 5, tasks_per_day: 200}, growth: {factor: 2.5}}\n",
        encoding="utf-8",
    )
    assert shown("forecast", run) == [
        "scenario  tasks a day    a day  p95 day     a month                  90% band",
        "baseline        1,000  $300.00  $326.86   $9,000.00    $8,209.31 to $9,790.69",
        "growth          2,500  $750.00  $816.37  $22,500.00  $20,524.06 to $24,475.94",
        "stress          3,000  $900.00  $979.54  $27,000.00  $24,628.98 to $29,371.02",
        "Monthly budget: $11,700.00, the baseline and a margin of 30% (its own error is 9%).",
        "Daily burn limit: $326.86, the baseline's p95 day.",
        "Emergency stop: $1,273.40 a day, the stress scenario's p95 day and 30%.",
        "From 40 tasks of run.json: $0.30 on average, with a coefficient of variation of 0.34.",
        "Assumed: stress × 3. State your own under `forecast:` in tokenbudget.yml.",
    ]


def test_the_project_s_last_run_and_the_tasks_a_day_of_the_command_line() -> None:
    Path(".tokenbudget").mkdir()
    write_run(Path(".tokenbudget/run.json"), recorded())

    lines = shown("forecast", "--tasks-per-day", "10", "--agents", "3", "--workflow", "faq")
    assert lines[1].split()[:2] == ["baseline", "30"]
    assert "From 10 tasks of run.json: $0.30 on average, with a coefficient of variation of 0.35." in lines


def test_a_price_shock(run: str) -> None:
    Path("dear.yml").write_text(PRICES, encoding="utf-8")
    lines = shown("forecast", run, "--tasks-per-day", "100", "--prices", "dear.yml", "--as-of", "2026-11-20")

    # 1,000 × $100/M + 100 × $1,000/M: every task costs the same then
    said = (
        "At prices of dear.yml, of 2026-11-20, a task costs $0.20 (−33%): monthly budget $690.00, daily burn limit "
        "$20.00, emergency stop $69.00."
    )
    assert said in lines
    Path("half.yml").write_text("prices: {claude-sonnet-5: {input: 100}}\n", encoding="utf-8")
    unlisted = tokenbudget("forecast", run, "--tasks-per-day", "100", "--prices", "half.yml")
    assert unlisted.exit_code == 11
    assert "what 40 of 40 tasks cost is not known" in unlisted.stderr


def test_a_forecast_for_machines_and_for_a_page(run: str) -> None:
    Path("dear.yml").write_text(PRICES, encoding="utf-8")
    stated = ("forecast", run, "--tasks-per-day", "1000", "--prices", "dear.yml", "--format")

    record = json.loads(tokenbudget(*stated, "json").output)
    assert (record["schema"], record["samples"], record["mean_usd"]) == ("tokenbudget/forecast/1", 40, "0.3")
    assert record["margin"] == {"least": "0.15", "computed": "0.0878543026", "used": "0.15"}
    assert (record["monthly_budget_usd"], record["scenarios"][0]["month_usd"]["expected"]) == ("10350", "9000")
    assert (record["shock"]["prices"], record["shock"]["mean_usd"]) == ("of dear.yml", "0.2")
    page = tokenbudget(*stated, "md").output
    assert page.startswith("| scenario | tasks a day |")
    assert "- Daily burn limit" in page


def test_without_tasks_a_day_it_says_what_to_type(run: str) -> None:
    result = tokenbudget("forecast", run)

    assert result.exit_code == 2
    assert (
        "[config] forecast: nobody says how many tasks a day there are. Type --tasks-per-day 200, or" in result.stderr
    )


@pytest.mark.parametrize("command", [("plan",), ("forecast", "--tasks-per-day", "9")])
def test_an_unknown_cost_is_not_reckoned_with(command: tuple[str, ...]) -> None:
    write_run(Path("run.json"), recorded(unknown=True))

    result = tokenbudget(*command, "run.json")
    assert (result.exit_code, result.stdout) == (11, "")
    assert result.stderr.startswith(
        "tokenbudget: what 1 of 41 tasks cost is not known: tests/test_agent.py::test_new_model. "
    )
    assert tokenbudget(*command, "run.json", "--task", "*::test_task[[]*").exit_code == 2
    assert tokenbudget(*command, "run.json", "--task", "*::test_task[*").exit_code == 0


def test_a_plan(run: str) -> None:
    *rows, how, pilot, nothing = shown("plan", run)

    assert rows == [
        "to see  samples  would cost",
        "+10%         71      $21.30",
        "+20%         18       $5.40",
        "+40%          5       $1.50",
    ]
    assert how == "A rise is seen in 80% of benchmarks where it is there, and in 5% where there is none."
    assert pilot == (
        "From 40 tasks of run.json (test_task): $0.30 on average, with a coefficient of variation of 0.34. As many see "
        "+13%; 100 see +8%."
    )
    assert nothing == "Nothing was run. Base and head on the same samples need far fewer."


COSTS = ["0.01", "0.02", "0.03", "0.09"]


def test_a_plan_from_a_benchmark_leaves_other_tasks_alone() -> None:
    other = make_task("tests/test_agent.py::test_dear", make_call("9"))
    whole = make_benched_run(*COSTS, others=(other, make_task(REFUND, make_call("1"))))
    write_run(Path("run.json"), whole)
    pilot = shown("plan", "run.json")[-2]
    (caution,) = (each for each in whole.benchmarks[0].result.cautions if each.kind == "blunt")
    assert pilot == (
        "From 4 samples of run.json (test_ticket): $0.0375 on average, with a coefficient of variation of 0.96. As "
        f"many see +{caution.value:.0%}; 100 see +24%."
    )
    everything = shown("plan", "run.json", "--task", "*")[-2]
    assert everything.startswith("From 6 tasks of run.json (test_dear, test_refund, test_ticket): $1.692 on average, ")
    assert everything.endswith(" Choose tasks that are alike with --task or --workflow.")


def test_the_share_that_is_seen_is_rounded_once() -> None:
    plan = SamplePlan(
        effect=0.2,
        power=0.8,
        alpha=0.05,
        pilot=60,
        cv=1.167,
        mean=Decimal(1),
        needed=211,
        cost=Decimal(211),
        seen_by_pilot=0.3746,  # a benchmark's own section says 37%; by way of 37.5% it was 38%
        seen_by_hundred=0.29,
    )
    said = plan_sentences([Planned(benchmark="b", tests=("b",), plans=(plan,))], "run.json")
    assert "As many see +37%; 100 see +29%." in said[1]


def test_a_plan_of_each_of_two_benchmarks() -> None:
    other = "tests/test_faq.py::test_question"
    tasks = [make_sampled(place, cost) for place, cost in enumerate(COSTS)]
    tasks += [make_sampled(place, cost, benchmark=other, cluster=str(place // 2)) for place, cost in enumerate(COSTS)]
    plans = (make_plan(4, id=other), make_plan(4))
    write_run(Path("run.json"), make_run(*tasks, benchmarks=tuple(outcome_of(plan, tasks) for plan in plans)))
    lines = shown("plan", "run.json")
    assert [line.split()[0] for line in lines[:7]] == [
        "benchmark",
        "test_question",
        "+20%",
        "+40%",
        "test_ticket",
        "+20%",
        "+40%",
    ]
    # two and two are alike: it is as if there were fewer of them
    assert "(test_question): $0.0375 on average, with a coefficient of variation of 1.20. As many" in lines[8]
    assert "(test_ticket): $0.0375 on average, with a coefficient of variation of 0.96. As many" in lines[9]
    record = json.loads(tokenbudget("plan", "run.json", "--format", "json").output)
    assert [plan["benchmark"] for plan in record["plans"]] == [other] * 3 + [make_plan(1).id] * 3
    assert record["cv"] is None


def test_a_plan_of_another_effect_for_machines(run: str) -> None:
    stated = ("plan", run, "--effect", "50%", "--power", "0.9", "--alpha", "1%", "--task", "*[0?]", "--format")

    record = json.loads(tokenbudget(*stated, "json").output)
    assert (record["schema"], record["samples"], record["power"], record["alpha"]) == (
        "tokenbudget/plan/1",
        10,
        0.9,
        0.01,
    )
    # (2.3263 + 1.2816)² = 13.02; cv² = 1/9 × 10/9
    assert [(plan["effect"], plan["needed"]) for plan in record["plans"]] == [(0.25, 26), (0.5, 7), (1.0, 2)]
    assert Decimal(record["plans"][1]["cost_usd"]) == Decimal("2.1")
    assert tokenbudget(*stated, "md").output.startswith("| to see | samples | would cost |")


def test_a_pilot_of_one_task_plans_nothing(run: str) -> None:
    lines = shown("plan", run, "--task", "*[00]")

    assert lines[-1] == (
        "From 1 task of run.json (test_task): too few to know how much tasks vary. A pilot takes two, better thirty."
    )
    assert lines[1].split() == ["+10%", "?", "?"]


@pytest.mark.parametrize("wrong", ["--effect=0", "--power=100%", "--alpha=x", "--alpha=0%"])
def test_what_no_plan_is_made_for(run: str, wrong: str) -> None:
    assert tokenbudget("plan", run, wrong).exit_code == 2


def test_no_task_that_is_meant(run: str) -> None:
    result = tokenbudget("plan", run, "--workflow", "refunds")

    assert result.exit_code == 2
    assert "run.json: no task of it is meant that ran (40 are in it). Its workflows: faq, triage." in result.stderr
