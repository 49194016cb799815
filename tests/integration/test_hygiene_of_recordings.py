"""Recordings that no test needs are told after a whole run that passed, and are removed on request."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from project import Project, Ran, chat

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.model.run import Recording

TESTS = """
import vcr

@pytest.mark.token_budget
def test_it():
    ask()

@vcr.use_cassette("shared/theirs.yaml")
def test_theirs():
    ask()

def test_unmeasured():
    pass
"""


def suite(project: Project, tests: str = TESTS) -> Project:
    """A test with two answers too many, a recording of its own opening, and three files that nobody opens."""
    project = project.tests(tests).recorded(chat(1), chat(2), chat(3))
    theirs = project.recorded(chat(1), chat(2), test="theirs").files["cassettes/test_it/theirs.yaml"]
    return (
        project.file("shared/theirs.yaml", theirs)
        .file("cassettes/test_it/test_renamed.yaml", theirs)
        .file("cassettes/test_gone/test_a.yaml", theirs)
        .file("cassettes/kept_by_hand.yaml", theirs)
        .file("cassettes/test_it/notes.txt", "no recording")
    )


def root(ran: Ran) -> Path:
    return ran.path.parents[1]


def prune(ran: Ran, *args: str) -> Result:
    here = Path.cwd()
    os.chdir(root(ran))
    try:
        return CliRunner().invoke(main, ["prune", *args])
    finally:
        os.chdir(here)


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_what_no_test_needs_is_told(project: Project, workers: tuple[str, ...]) -> None:
    ran = suite(project).run(*workers)
    assert ran.run.recordings == (
        Recording(source="cassettes/test_it/test_it.yaml", interactions=3, used=(0,), own=True),
        Recording(source="shared/theirs.yaml", interactions=2, used=(0,)),
    )
    assert ran.run.orphans == ("cassettes/test_gone/test_a.yaml", "cassettes/test_it/test_renamed.yaml")
    assert "Never played: 3 answers in 2 recordings, 2 recordings of no test (see tokenbudget prune)." in ran.said


def test_what_no_test_needs_is_removed_on_request(project: Project) -> None:
    ran = suite(project).run()
    listed = prune(ran)
    assert (listed.exit_code, listed.output.splitlines()) == (
        0,
        [
            " cassettes/test_it/test_it.yaml: 2 of 3 answers were never played (1, 2)",
            " shared/theirs.yaml: 1 of 2 answers was never played (1)",
            " cassettes/test_gone/test_a.yaml: belongs to no test",
            " cassettes/test_it/test_renamed.yaml: belongs to no test",
            "Nothing was removed. To remove it: tokenbudget prune --yes",
        ],
    )
    before = {path: path.read_bytes() for path in root(ran).rglob("*.yaml")}
    assert prune(ran, "--yes", "--dry-run").output == listed.output
    assert {path: path.read_bytes() for path in root(ran).rglob("*.yaml")} == before

    assert prune(ran, "cassettes/test_gone", "--yes").output.splitlines() == [
        " cassettes/test_gone/test_a.yaml: belongs to no test",
        "Removed from 1 recording.",
    ]
    again = prune(ran, "--yes")
    assert again.exit_code == 2
    assert "test_a.yaml: it is not there any more." in again.output
    assert "Removed from 3 recordings." in again.output
    assert sorted(path.relative_to(root(ran)).as_posix() for path in root(ran).rglob("*.yaml")) == [
        "cassettes/kept_by_hand.yaml",
        "cassettes/test_it/test_it.yaml",
        "shared/theirs.yaml",
    ]


@pytest.mark.parametrize(
    ("args", "tests", "said"),
    [
        (("-k", "test_it"), TESTS, "Only a part of the suite ran (-k test_it)"),
        ((), f"{TESTS}\ndef test_fails():\n    assert False\n", "1 test failed"),
    ],
)
def test_nothing_is_told_where_a_test_may_still_need_it(
    project: Project, args: tuple[str, ...], tests: str, said: str
) -> None:
    ran = suite(project, tests).run(*args)
    assert "Never played" not in ran.said
    refused = prune(ran, "--yes")
    assert refused.exit_code == 2
    assert said in refused.output
    assert "Run the whole suite, until it passes, and prune then." in refused.output


def test_of_a_skipped_test_nothing_is_told(project: Project) -> None:
    """It may open recordings of any name: those of its module are spared."""
    ran = suite(project, f"{TESTS}\n@pytest.mark.skip\ndef test_renamed_and_skipped():\n    pass\n").run()
    assert ran.run.orphans == ("cassettes/test_gone/test_a.yaml",)


def test_a_recording_that_changed_after_the_run_is_left_alone(project: Project) -> None:
    ran = suite(project).run()
    file = root(ran) / "shared/theirs.yaml"
    later = ran.path.stat().st_mtime + 5
    os.utime(file, (later, later))
    refused = prune(ran, "shared", "--yes")
    assert refused.exit_code == 2
    assert "it changed after the run: run pytest again." in refused.output
    assert file.read_text().count("- request:") == 2


def test_where_every_recording_is_needed_nothing_is_said(project: Project) -> None:
    ran = project.tests("@pytest.mark.token_budget\ndef test_it():\n    ask()\n").recorded(chat()).run()
    assert "prune" not in ran.said
    assert prune(ran).output == "Every recording is needed.\n"
