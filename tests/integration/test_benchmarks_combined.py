"""Shards of a benchmark, measured by several jobs: together they say what one job would have said."""

import json
from itertools import permutations
from pathlib import Path

import pytest
import scipy.stats  # noqa: F401 - pytester forgets what its inner session imported, and numpy cannot be imported twice
from benched import FAILING, MANY, PLAIN, benched
from click.testing import CliRunner, Result
from project import Project, chat

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.store.load import load_run

STATED = PLAIN.replace('.jsonl"', '.jsonl", usd_per_success=0.01, ideal_steps=1, cluster="text", stratify="text"')
THIRDS = (
    ["-k", "t0] or t1] or t2] or t3] or test_else"],
    ["-k", "t4] or t5] or t6] or t7]"],
    ["-k", "t8] or t9] or t10] or t11]"],
)


def tokenbudget(*args: str) -> Result:
    return CliRunner().invoke(main, args)


@pytest.fixture
def shards(project: Project) -> list[Path]:
    """The runs of three shards, and `whole.json` of a single one."""
    project = benched(project, MANY, FAILING + "\ndef test_else():\n    pass\n")
    project.run("--tokenbudget-out=whole.json")
    for number, options in enumerate(THIRDS):
        project.run(*options, f"--tokenbudget-out=shard{number}.json")
    return [Path(f"shard{number}.json") for number in range(3)]


def benchmarks(path: str | Path) -> object:
    return json.loads(Path(path).read_text())["benchmarks"]


def test_shards_in_any_order_are_the_single_run(shards: list[Path]) -> None:
    for order in permutations(map(str, shards)):
        assert tokenbudget("combine", *order, "--shards", "3", "--output", "all.json").exit_code == 0
        assert benchmarks("all.json") == benchmarks("whole.json")
        assert load_run(Path("all.json")).partial == ()
    for shard in shards:
        (alone,) = load_run(shard).benchmarks
        assert alone.result.verdict.state == "inconclusive"


def test_halves_by_deselection_are_the_single_run(project: Project) -> None:
    project = benched(project, MANY, STATED)
    project.run("--tokenbudget-out=whole.json")
    for number, names in enumerate((range(6), range(6, 12))):
        left_out = [f"--deselect=test_it.py::test_it[t{name}]" for name in names]
        project.run(*left_out, f"--tokenbudget-out=half{number}.json")
    assert tokenbudget("combine", "half0.json", "half1.json", "--shards=2", "--output=all.json").exit_code == 0
    assert benchmarks("all.json") != []
    # what every shard says of itself, `--deselect` here, is a selection that all of them share
    assert benchmarks("all.json") == benchmarks("whole.json")


def test_a_shard_that_is_missing_leaves_it_undecided(shards: list[Path]) -> None:
    assert tokenbudget("combine", *map(str, shards[:2]), "--shards=3", "--output=all.json").exit_code == 0
    run = load_run(Path("all.json"))
    (found,) = run.benchmarks
    assert (found.result.verdict.state, found.result.figures.n) == ("inconclusive", 8)
    assert run.incomplete == ("1 of 3 shards is missing.",)
    gated = tokenbudget("gate", "all.json", "--base", "whole.json")
    assert gated.exit_code == 11
    assert "1 of 3 shards is missing." in gated.output


def test_the_combined_run_passes_the_gate(shards: list[Path]) -> None:
    tokenbudget("combine", *map(str, shards), "--shards=3", "--output=all.json")
    gated = tokenbudget("gate", "all.json", "--base", "whole.json")
    assert (gated.exit_code, gated.exception) == (0, None), gated.output


@pytest.mark.parametrize("option", ["--tokenbudget-samples=5", "--tokenbudget-rule=confident"])
def test_shards_that_were_asked_differently_are_incomplete(shards: list[Path], project: Project, option: str) -> None:
    project = benched(project, MANY, FAILING + "\ndef test_else():\n    pass\n")
    project.run(*THIRDS[2], option, "--tokenbudget-out=shard2.json")
    tokenbudget("combine", *map(str, shards), "--shards=3", "--output=all.json")
    assert load_run(Path("all.json")).incomplete == ("test_it.py::test_it: not drawn or judged alike in every shard.",)
    assert tokenbudget("gate", "all.json", "--base", "whole.json").exit_code == 11


def test_a_sample_that_two_shards_measured_counts_once_and_is_told(shards: list[Path], project: Project) -> None:
    project = benched(project, MANY, FAILING)
    project.run("-k", "t3] or t8] or t9] or t10] or t11]", "--tokenbudget-out=shard2.json")
    tokenbudget("combine", *map(str, shards), "--shards=3", "--output=all.json")
    run = load_run(Path("all.json"))
    assert run.incomplete == ("test_it.py::test_it[t3]: measured by more than one shard.",)
    assert run.benchmarks[0].result.figures.n == 12


def test_an_unknown_cost_that_only_warns_still_does(project: Project) -> None:
    project = project.settings("unknown_model: warn\nmissing_usage: warn\n")
    plain = PLAIN.replace('sample["text"]', 'sample["text"], "unheard-of" if sample["id"] == "b" else "tiny"')
    project = benched(project, {"a": 900, "b": 900}, plain)
    project = project.recorded(chat(900, model="unheard-of"), test="test_it[b]")
    project.run("--tokenbudget-out=whole.json")
    for name in "ab":
        project.run("-k", f"[{name}]", f"--tokenbudget-out={name}.json")
    tokenbudget("combine", "a.json", "b.json", "--shards=2", "--output=all.json")
    (found,) = load_run(Path("all.json")).benchmarks
    assert found.result.verdict.state == "inconclusive"
    assert benchmarks("all.json") == benchmarks("whole.json")
