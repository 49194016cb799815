"""`tokenbudget combine`: what several jobs measured, as the one run that a gate reads."""

from pathlib import Path

import pytest
from builders import make_call, make_run, make_task
from click.testing import CliRunner, Result

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.store.load import load_run
from pytest_tokenbudget.store.runfile import write_run


@pytest.fixture(autouse=True)
def _own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def combine(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["combine", *arguments])


def shard(name: str) -> Run:
    call = make_call("0.25")
    return make_run(make_task(f"tests/test_a.py::test_{name}", call, portions=portions([call], lambda _: 0)))


def written(name: str) -> str:
    write_run(Path(f"{name}.json"), shard(name))
    return f"{name}.json"


def test_shards_become_the_projects_run() -> None:
    result = combine(written("b"), written("a"), "--shards", "2")

    assert (result.exit_code, result.output) == (0, "2 run files, 2 tasks, $0.50: .tokenbudget/run.json\n")
    assert [task.id for task in load_run(Path(".tokenbudget/run.json")).tasks] == [
        "tests/test_a.py::test_a",
        "tests/test_a.py::test_b",
    ]


def test_what_does_not_fit_together_is_said_and_kept() -> None:
    result = combine(written("a"), "--shards", "2", "--output", "whole.json")

    assert (result.exit_code, result.output) == (
        0,
        "1 run file, 1 task, $0.25: whole.json\nIncomplete: 1 of 2 shards is missing.\n",
    )
    assert load_run(Path("whole.json")).incomplete == ("1 of 2 shards is missing.",)


def test_a_file_of_another_kind_is_refused_and_nothing_written() -> None:
    Path("b.json").write_text('{"schema": "tokenbudget/run/2"}')

    result = combine(written("a"), "b.json")

    assert result.exit_code == 2
    assert "[run-file] b.json: this is 'tokenbudget/run/2'" in result.output
    assert not Path(".tokenbudget").exists()


def test_a_large_file_is_refused_unless_it_is_allowed() -> None:
    Path("large.json").write_text(Path(written("a")).read_text() + " " * 1_000_000)

    assert "more than 1,000,000 bytes" in combine("large.json", "--max-size", "1").output
    assert combine("large.json").exit_code == 0


def test_names_cannot_write_to_the_terminal() -> None:
    write_run(Path("a.json"), make_run(partial=("-k \x1b[2J\n::error::",), incomplete=("\u202edlrow",)))

    result = combine("a.json")

    assert result.output.splitlines()[1:] == [
        r"A part of the suite ran: -k \x1b[2J\n::error::.",
        r"Incomplete: \u202edlrow",
        "Incomplete: No shard measured a task.",
    ]
