"""A benchmark in the comment and in the terminal, read whole; hostile names; what it comes to in a month."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from builders import make_benched_run, make_plan, make_run, make_sampled
from markdown_it import MarkdownIt
from msgspec.structs import replace

from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.benchmarks import folded
from pytest_tokenbudget.policy.compare import compare
from pytest_tokenbudget.policy.gate import gate
from pytest_tokenbudget.policy.sampling.outcome import outcome_of
from pytest_tokenbudget.policy.snapshot import snapshot_of_run
from pytest_tokenbudget.pricing.rates import RateCard, Rates
from pytest_tokenbudget.report.benchmark_lines import AS_TYPED
from pytest_tokenbudget.report.comment import LONGEST, About, comment
from pytest_tokenbudget.report.terminal import summary

APPROVED = Path(__file__).parent / "approved"
CARD = RateCard(entry="t", source="t", rates=Rates.per_million({"input": Decimal(1), "output": Decimal(1)}))
ABOUT = About(
    head="9f2c1e7" * 5, run="8123.1", as_of=datetime(2026, 11, 1, tzinfo=UTC), base_age=Decimal(2), paid=Decimal(0)
)
TWELVE = ["0.009", "0.010", "0.011"] * 4


def card_of(_: Portion) -> RateCard | None:
    return CARD


def written(base: Run | None, head: Run, **about: Any) -> str:
    before = None if base is None else snapshot_of_run(base, "base.json")
    found = folded(compare(before, snapshot_of_run(head, "run.json"), card_of, lambda _key, _kind: 1.0))
    verdict = gate(found, GateRules(), (), today=date(2026, 11, 25))
    return comment(found, verdict, replace(ABOUT, **about))


def times(factor: str) -> list[str]:
    return [str(Decimal(cost) * Decimal(factor)) for cost in TWELVE]


def failed_run() -> Run:
    tasks = tuple(make_sampled(place, outcome="failed") for place in range(3))
    return make_run(*tasks, benchmarks=(outcome_of(make_plan(3), tasks),))


CASES = {
    "pass": (make_benched_run(*TWELVE), make_benched_run(*times("1.1"))),
    "block": (make_benched_run(*TWELVE), make_benched_run(*times("1.5"))),
    "undecided": (None, make_benched_run(*TWELVE[:5], plan=make_plan(12))),
    "early": (None, make_benched_run(*["0.1"] * 6, plan=make_plan(100))),
    "unknown": (None, make_benched_run(*TWELVE[:11], None)),
    "unsuccessful": (None, failed_run()),
    "confident": (None, make_benched_run(*TWELVE, plan=make_plan(12, usd="0.0081", population=200, rule="confident"))),
}


@pytest.mark.parametrize("name", CASES)
def test_the_comment_is_as_it_was_approved(name: str) -> None:
    base, head = CASES[name]
    assert written(base, head) == (APPROVED / f"benchmark-{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_terminal_is_as_it_was_approved(name: str) -> None:
    _, head = CASES[name]
    text = "\n".join(line.text for line in summary(head, width=80, verbosity=0))
    assert f"{text}\n" == (APPROVED / f"benchmark-{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 200])
def test_no_line_is_wider_than_the_terminal_but_one_to_be_copied(width: int) -> None:
    for _, head in CASES.values():
        for verbosity in (-1, 0, 1):
            lines = [line.text for line in summary(head, width=width, verbosity=verbosity)]
            assert all(len(line) <= width or line.startswith(f" {AS_TYPED}pytest ") for line in lines)


def test_no_more_samples_are_asked_for_than_there_are() -> None:
    few = make_benched_run(*TWELVE, plan=make_plan(12, usd="0.0081", population=15, rule="confident"))
    assert few.benchmarks[0].result.verdict.state == "inconclusive"
    said = said_of(few)
    assert "--tokenbudget-samples" not in said
    assert "About 27 samples would settle it, and tickets.jsonl has only 15." in said


def said_of(run: Run, verbosity: int = 0) -> str:
    return " ".join(line.text for line in summary(run, width=300, verbosity=verbosity))


def test_the_dearest_samples_are_listed_where_more_is_asked_for() -> None:
    run = make_benched_run(*TWELVE, "0.05")
    assert "dearest" not in said_of(run)
    dearest = "test_ticket[t12] $0.05, test_ticket[t11] $0.011, test_ticket[t2] $0.011, test_ticket[t5] $0.011, "
    assert f"dearest: {dearest}test_ticket[t8] $0.011" in said_of(run, verbosity=1)


def test_few_samples_have_the_whole_table_where_more_is_asked_for() -> None:
    run = make_benched_run(*TWELVE[:9])
    assert "median" not in said_of(run)
    assert "median" in said_of(run, verbosity=1)


def clustered(many: int) -> Run:
    tasks = tuple(make_sampled(place, TWELVE[place // 2 % 3], cluster=f"c{place // 2}") for place in range(2 * many))
    return make_run(*tasks, benchmarks=(outcome_of(make_plan(2 * many, usd="0.02", tolerance="0.01"), tasks),))


def test_clusters_are_counted_and_nothing_is_said_that_holds_without_them_alone() -> None:
    run = clustered(12)
    said = said_of(run)
    assert "24 samples in 12 clusters, all there are in tickets.jsonl; 24 succeeded (100%)." in said
    assert "Samples of one cluster are alike: quantiles have no interval." in said
    assert "of this spread the rule blocks" not in said
    assert run.benchmarks[0].result.errors is None
    alone = make_benched_run(*(TWELVE[place // 2 % 3] for place in range(24)), plan=make_plan(24, usd="0.02"))
    assert "of this spread the rule blocks" in said_of(alone)
    assert "cluster" not in said_of(alone)


def test_what_clusters_can_show_follows_from_their_own_error() -> None:
    (found,) = clustered(12).benchmarks
    (blunt,) = (caution for caution in found.result.cautions if caution.kind == "blunt")
    # twelve means of 0.009, 0.010 and 0.011: s = 0.000853, and 2.486 × s ÷ √12 ÷ 0.010
    assert blunt.value == pytest.approx(0.0612, abs=0.0001)


def test_money_that_is_spent_is_said_to_count_for_each_run() -> None:
    tasks = (*(make_sampled(place) for place in range(3)), make_sampled(3, "0.00", unmeasured="its money is spent"))
    plan = make_plan(4, spend="0.03")
    said = said_of(make_run(*tasks, benchmarks=(outcome_of(plan, tasks),)))
    assert "`spend` is $0.03 for each run, and what is recorded costs nothing: raise it, or go on by" in said


def test_samples_that_ran_in_another_shard_are_not_to_be_recorded() -> None:
    said = said_of(make_benched_run(*TWELVE[:5], plan=make_plan(12)))
    assert "Its other samples did not run here. If other shards ran them, join the runs: tokenbudget combine." in said
    assert "--tokenbudget-record" not in said


def test_a_quiet_terminal_has_the_verdict_alone() -> None:
    _, head = CASES["block"]
    lines = [line.text for line in summary(head, width=200, verbosity=-1)]
    assert lines[0].startswith(" ✗ Benchmark blocked: test_ticket: a task costs $0.015 on average, 150% of its budget")
    assert not any("median" in line for line in lines)


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</details></details>",
    "`` ` ``",
    "| a | b |",
    "[x](https://evil.example)",
    "@everyone",
    "a\nb\n\n# c",
    "\u202egnp.exe",
    "<!-- tokenbudget key=default -->",
    "$x$ \\(y\\)",
    "*a* _b_ ~c~",
    "x" * 5000,
]


OURS = ("details", "summary", "code", "sub")


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_leave_the_comment_well_formed(name: str) -> None:
    benchmark = f"tests/t.py::test[{name}]"
    plan = make_plan(13, id=benchmark, data=name, usd="0.001")
    costs = [*(["0.01"] * 12), "9"]
    tasks = tuple(
        replace(make_sampled(place, cost, benchmark=benchmark), id=f"{benchmark}[{name}{place}]")
        for place, cost in enumerate(costs)
    )
    head = make_run(*tasks, benchmarks=(outcome_of(plan, tasks),))
    text = written(None, head)
    assert len(text.encode()) <= LONGEST
    assert "\u202e" not in text
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    kinds = {child.type for child in inline}
    assert not kinds & {"link_open", "image", "em_open"}
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<sub>", "</sub>"}
    assert sum(token.content.startswith("<!--") for token in tokens if token.type == "html_block") == 1
    blocks = "".join(token.content for token in tokens if token.type == "html_block")
    assert set(re.findall(r"</?\w+", blocks)) <= {f"<{end}{tag}" for end in ("", "/") for tag in OURS}
    assert blocks.count("<details>") == blocks.count("</details>") == 2
    assert "@everyone" not in " ".join(child.content for child in inline if child.type == "text")
    assert all(line.text.isprintable() for line in summary(head, width=80))


PLAN = make_plan(12, usd=1, workflow="triage")
MORE = replace(PLAN, samples=24)
AT = {"triage": Decimal(40000)}


@pytest.mark.parametrize(
    ("base", "head", "month"),
    [
        (make_benched_run(*TWELVE), make_benched_run(*times("1.1"), plan=PLAN), "+$40"),
        (
            make_benched_run(*TWELVE),
            make_benched_run(*times("1.1"), *times("3"), plan=MORE),
            "+$40",
        ),
        (make_benched_run(*TWELVE, *times("3")), make_benched_run(*times("1.1"), plan=PLAN), "+$40"),
        (make_benched_run(*TWELVE), make_benched_run(*TWELVE, plan=PLAN), None),
        (None, make_benched_run(*TWELVE, plan=PLAN), None),
    ],
)
def test_a_month_is_told_by_what_the_same_samples_cost(base: Run | None, head: Run, month: str | None) -> None:
    found = re.findall(r"about (\S+) for `triage`\*\* \(the mean of its 12 tasks", written(base, head, volumes=AT))
    assert found == ([] if month is None else [month])


def test_of_many_benchmarks_ten_are_shown() -> None:
    tasks, benchmarks = [], []
    for number in range(12):
        plan = make_plan(2, id=f"tests/t.py::test_{number:02}")
        found = [make_sampled(place, benchmark=plan.id) for place in range(2)]
        tasks += found
        benchmarks.append(outcome_of(plan, found))
    head = make_run(*sorted(tasks, key=lambda task: task.id), benchmarks=tuple(benchmarks))
    text = written(make_benched_run("0.01"), head)
    assert text.count("<summary>🟢 Benchmark") == 10
    assert "2 more benchmarks are in the run file." in text
