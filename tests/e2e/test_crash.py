"""A process that dies in the middle of a test: what it had paid for is on disk."""

import json
from pathlib import Path

import pytest
from project import Project, Ran, chat

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.store.load import load_run

TEST = """
import os, signal, time

@pytest.fixture(scope="module")
def wide():
    ask("first")

@pytest.mark.token_budget(usd=1)
def test_before(wide):
    ask()

attempts = []

@pytest.mark.flaky(reruns=1)
@pytest.mark.token_budget(usd=1)
def test_it():
    attempts.append(1)
    ask()
    ask()
    {death}
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return (
        Project.empty(pytester)
        .settings()
        .recorded(chat(1_000, text="first"), chat(1_000), test="test_before")
        .recorded(chat(1_000), chat(1_000))
    )


DEATHS = {
    "os._exit": "os._exit(7)",
    "a kill": "os.kill(os.getpid(), signal.SIGKILL)",
    "pytest-timeout's thread": "time.sleep(60)",
}


def died(project: Project, death: str, *args: str) -> Ran:
    return project.tests(TEST.format(death=death)).run_apart("-v", *args)


@pytest.mark.parametrize("how", DEATHS)
def test_a_dead_process_leaves_its_calls(project: Project, how: str) -> None:
    timeout = ["--timeout=6", "--timeout-method=thread"] if "timeout" in how else []
    ran = died(project, DEATHS[how], *timeout)
    assert ran.exit != 0
    run = ran.run
    assert run.unfinished
    assert any("has not finished" in reason for reason in run.incomplete)
    assert "test_it.py::test_it: the process ended inside this test." in run.incomplete
    assert {name: (task.outcome, len(task.calls)) for name, task in ran.tasks.items()} == {
        "test_before": ("passed", 1),
        "test_it": ("died", 2),
    }
    assert {name: len(task.calls) for name, task in ran.fixtures.items()} == {"test_it.py::wide [module fixture]": 1}
    assert str(run.totals.cost) == "0.004"


def test_an_attempt_before_the_death_is_kept_too(project: Project) -> None:
    ran = died(project, "assert len(attempts) == 2; os._exit(7)")
    assert [(attempt.outcome, len(attempt.calls)) for attempt in ran.task().earlier] == [("rerun", 2)]
    assert (ran.task().outcome, len(ran.task().calls)) == ("died", 2)


def test_a_line_cut_by_the_death_is_passed_over(project: Project) -> None:
    ran = died(project, "os._exit(7)")
    [kept] = (ran.path.parent / "calls").iterdir()
    kept.write_bytes(kept.read_bytes()[:-40])
    assert len(ran.task().calls) == 1


def test_the_next_session_replaces_what_a_dead_one_left(project: Project) -> None:
    dead = died(project, "os._exit(7)")
    [kept] = (dead.path.parent / "calls").iterdir()
    ran = died(project, "pass")
    assert ran.exit == 0
    assert (ran.run.unfinished, ran.run.incomplete) == (None, ())
    assert str(ran.run.totals.cost) == "0.004"
    assert kept.exists()  # it may belong to a session that still runs; after a day it goes


@pytest.mark.parametrize("how", ["raise KeyboardInterrupt", "pytest.exit('enough')", "raise SystemExit(3)"])
def test_an_interrupted_session_writes_what_it_measured(project: Project, how: str) -> None:
    ran = died(project, how)
    assert ran.exit != 0
    run = ran.run
    assert run.unfinished is None
    if "SystemExit" in how:  # a failing test like any other
        assert (ran.task().outcome, run.partial) == ("failed", ())
    else:
        assert (ran.task().outcome, len(ran.task().calls)) == ("died", 2)
        assert run.partial
        assert "test_it.py::test_it: the process ended inside this test." in run.incomplete
        assert dict(ran.task().budget.limits())
    assert ran.task("test_before").outcome == "passed"
    assert str(ran.run.totals.cost) in {"0.004", "0.006"}
    assert sorted([path.name for path in ran.path.parent.iterdir()]) == [".gitignore", "run.json"]


def test_calls_are_on_disk_before_the_test_sees_their_answers(project: Project) -> None:
    ran = project.tests("""
        import json, pathlib

        @pytest.mark.token_budget(usd=1)
        def test_it():
            ask()
            [kept] = pathlib.Path(".tokenbudget/calls").iterdir()
            [line] = kept.read_text().splitlines()
            assert json.loads(line)["call"]["cost_usd"] == "0.001"
            assert json.loads(pathlib.Path(".tokenbudget/run.json").read_text())["unfinished"]
            ask()
        """).run_apart()
    assert ran.exit == 0


def test_two_sessions_at_once_do_not_disturb_each_other(project: Project) -> None:
    ran = project.tests("""
        import subprocess, sys

        @pytest.mark.token_budget(usd=1)
        def test_before():
            ask("first")
            if "inner" not in sys.argv[-1]:
                pytest_ = [sys.executable, "-m", "pytest", "-p", "pytest_tokenbudget.plugin"]
                command = [*pytest_, "-k", "test_before or inner"]
                assert subprocess.run(command, timeout=60).returncode == 0
            ask()

        @pytest.mark.token_budget(usd=1)
        def test_it():
            ask()
            import os
            os._exit(7)
        """).run_apart()
    assert ran.exit == 7
    # the inner session removed its own spool alone; this one's calls are all there
    [kept] = (ran.path.parent / "calls").iterdir()
    assert [json.loads(line).get("task") for line in kept.read_text().splitlines()].count("test_it.py::test_it") == 1


def test_a_call_after_the_session_does_not_undo_the_run(project: Project) -> None:
    ran = (
        project.file(
            "conftest.py",
            """
            import agent
            import pytest

            @pytest.hookimpl(wrapper=True, tryfirst=True)
            def pytest_sessionfinish():
                yield
                import vcr
                with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                    agent.ask()
            """,
        )
        .tests("@pytest.mark.token_budget(usd=1)\ndef test_it():\n    ask()\n")
        .run_apart()
    )
    assert ran.exit == 0
    assert (ran.run.unfinished, len(ran.task().calls)) == (None, 1)
    assert not (Path(ran.path).parent / "calls").exists()


def test_a_run_file_that_was_cut_says_so(project: Project) -> None:
    ran = died(project, "pass")
    ran.path.write_bytes(ran.path.read_bytes()[:200])
    with pytest.raises(RunFileError, match="cannot be read"):
        load_run(ran.path)
