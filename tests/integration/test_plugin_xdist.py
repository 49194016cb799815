from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from project import Project, Ran, chat

SUITE = """
import unittest
import vcr

def call(text="Hello"):
    with vcr.use_cassette("cassettes/test_it/test_it.yaml", allow_playback_repeats=True):
        ask(text)

@pytest.fixture
def around():
    call()
    yield
    call()

@pytest.fixture(scope="session")
def wide():
    call()
    yield
    call()

def test_unmarked():
    call()

def test_without_calls():
    pass

@pytest.mark.token_budget(usd=1)
def test_kept(around):
    call()

@pytest.mark.token_budget(tokens=500)
def test_broken():
    call()

@pytest.mark.xfail
@pytest.mark.token_budget(tokens=500)
def test_broken_xfail():
    call()
    assert False

@pytest.mark.token_budget(tokens=2000)
def test_broken_later(around):
    call()

@pytest.mark.token_budget(usd=1)
def test_unmeasured():
    pass

@pytest.mark.token_budget
@pytest.mark.parametrize("x", range(8))
def test_many(x, wide):
    call("drifted")

class TestU(unittest.TestCase):
    @pytest.mark.token_budget(tokens=500)
    def test_u(self):
        call()

attempts = []

@pytest.mark.flaky(reruns=2)
@pytest.mark.token_budget(tokens=1000)
def test_rerun():
    attempts.append(1)
    call()
    assert len(attempts) == 3
"""


def tasks_of(ran: Ran) -> list[dict[str, Any]]:
    """The run's tests as JSON."""
    tasks: list[dict[str, Any]] = ran.record["tasks"]
    return tasks


def junit_properties(path: Path) -> dict[str, list[str]]:
    """What a JUnit file says of each test; of one that was rerun, of its last attempt."""
    return {
        str(case.get("name")): sorted(f"{each.get('name')}={each.get('value')}" for each in case.iter("property"))
        for case in ET.parse(path).iter("testcase")  # noqa: S314 - pytest has just written it
    }


def test_workers_tell_the_same_of_every_test(project: Project) -> None:
    project = project.tests(SUITE).recorded(chat(1_000))
    alone = project.run("--junitxml=alone.xml", "--tokenbudget-out=alone.json", out="alone.json")
    none = project.run_apart("-n0", "--tokenbudget-out=none.json", out="none.json")
    two = project.run_apart("-n2", "--junitxml=two.xml", "--tokenbudget-out=two.json", out="two.json")
    assert alone.counts == none.counts == two.counts == {"passed": 13, "failed": 4, "errors": 1, "rerun": 2}
    assert (alone.exit, none.exit, two.exit) == (1, 1, 1)
    assert tasks_of(alone) == tasks_of(none) == tasks_of(two)
    assert (two.run.incomplete, two.run.partial) == ((), ())
    assert {task["id"].partition("::")[2]: task["verdict"]["state"] for task in tasks_of(two)} == {
        "test_unmarked": "unlimited",
        "test_kept": "within",
        "test_broken": "blocked",
        "test_broken_xfail": "blocked",
        "test_broken_later": "blocked",
        "test_unmeasured": "unmeasured",
        **{f"test_many[{number}]": "unlimited" for number in range(8)},
        "TestU::test_u": "blocked",
        "test_rerun": "within",
    }
    told = junit_properties(project.pytester.path / "two.xml")
    assert told == junit_properties(project.pytester.path / "alone.xml")
    assert told["test_kept"] == [
        "tokenbudget_incurred_usd=0",
        "tokenbudget_steps=3",
        "tokenbudget_tokens=3000",
        "tokenbudget_traffic=replayed",
        "tokenbudget_usd=0.003",
        "tokenbudget_verdict=within",
    ]
    assert told["test_without_calls"] == []
    # a session's fixture runs once in every worker that needs it
    assert set(none.fixtures) == {".::wide [session fixture]"}
    assert set(two.fixtures) <= {".::wide [session fixture, gw0]", ".::wide [session fixture, gw1]"}
    assert {len(task.calls) for task in two.fixtures.values()} == {2}
    assert not list(project.pytester.path.glob("calls/*"))


def test_a_controller_without_settings_or_marks_reports_what_workers_find(project: Project) -> None:
    files = {path: text for path, text in project.files.items() if path != "tokenbudget.yml"}
    ran = (
        Project(project.pytester, files)
        .tests("@pytest.mark.token_budget(tokens=500)\ndef test_it():\n    ask()\n")
        .recorded(chat(1_000))
        .run_apart("-n1")
    )
    assert (ran.exit, ran.counts, ran.state()) == (1, {"failed": 1}, "blocked")
    assert "✗ test_it.py::test_it" in ran.out


def test_calls_outside_of_tests_are_listed_by_worker(project: Project) -> None:
    source = SUITE.partition("@pytest.fixture")[0] + "call()\n\ndef test_a():\n    pass\n\ndef test_b():\n    pass\n"
    ran = project.tests(source).recorded(chat(1_000)).run_apart("-n2")
    assert set(ran.fixtures) == {"(outside of any test) [gw0]", "(outside of any test) [gw1]"}


@pytest.mark.parametrize("reruns", [[], ["--reruns=1"]])
def test_a_worker_that_dies_leaves_its_calls(project: Project, reruns: list[str]) -> None:
    ran = (
        project.tests("""
        import os, pathlib

        @pytest.mark.token_budget(usd=1)
        def test_dies():
            ask()
            ask()
            first = pathlib.Path("first")
            if not first.exists():
                first.touch()
                os._exit(3)
            ask()

        @pytest.mark.token_budget(usd=1)
        def test_lives():
            ask()
        """)
        .recorded(chat(1_000), chat(1_000), chat(1_000), test="test_dies")
        .recorded(chat(1_000), test="test_lives")
        .run_apart("-n1", *reruns)
    )
    assert ran.state("test_lives") == "within"
    assert "Worker gw0 died." in ran.run.incomplete
    assert "test_it.py::test_dies: the process ended inside this test." in ran.run.incomplete
    assert ran.run.partial == ("worker gw0 died",)
    assert "Incomplete: Worker gw0 died." in ran.said
    task = ran.task("test_dies")
    if reruns:
        assert (task.outcome, len(task.calls)) == ("passed", 3)
        assert [(attempt.outcome, len(attempt.calls)) for attempt in task.earlier] == [("died", 2)]
    else:
        assert (task.outcome, len(task.calls), task.earlier) == ("died", 2, ())
        assert ran.exit == 1
    assert sorted([path.name for path in ran.path.parent.iterdir()]) == [".gitignore", "run.json"]
