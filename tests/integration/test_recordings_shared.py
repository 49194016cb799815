"""Recordings that several processes want: of wider fixtures under pytest-xdist, and of one test run twice at once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import LoopbackModel, Reply
from project import Project

USAGE = {"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000}
ONCE = "--tokenbudget-record=once"
MARKED = "@pytest.mark.token_budget\n"


@pytest.fixture
def model() -> Iterator[LoopbackModel]:
    with LoopbackModel(lambda asked, _: Reply(text=f"{asked['messages'][0]['content']}!", usage=USAGE)) as server:
        yield server


@pytest.fixture
def recorded(project: Project, model: LoopbackModel) -> Project:
    agent = project.files["agent.py"]
    assert isinstance(agent, str)
    return project.file("agent.py", agent.replace("https://api.openai.com", model.url))


def asked(model: LoopbackModel) -> list[str]:
    found = sorted(received.json["messages"][0]["content"] for received in model.requests)
    model.requests.clear()
    return found


def cassettes(project: Project) -> list[str]:
    root = project.pytester.path
    return sorted(str(file.relative_to(root)) for file in root.rglob("cassettes/**/*") if file.is_file())


CONFTEST = """
import pytest
from agent import ask

@pytest.fixture(scope="session")
def knowledge():
    for number in range(6):
        ask(f"session {number}")
    yield
    ask("session ends")
"""


def test_workers_that_execute_one_fixture_record_it_once_and_lose_nothing(
    recorded: Project, model: LoopbackModel
) -> None:
    tests = "".join(f"{MARKED}def test_{name}(knowledge):\n    ask('{name}')\n\n" for name in "abcd")
    project = recorded.file("conftest.py", CONFTEST).tests(tests)
    ran = project.run_apart(ONCE, "-n2")
    assert ran.counts == {"passed": 4}, ran.out
    assert len(ran.run.fixtures) == 2
    fixture = [f"session {number}" for number in range(6)]
    assert asked(model) == sorted(["a", "b", "c", "d", *fixture, "session ends"])
    assert cassettes(project) == [
        "cassettes/knowledge@session.teardown.yaml",
        "cassettes/knowledge@session.yaml",
        *(f"cassettes/test_it/test_{name}.yaml" for name in "abcd"),
    ]
    recording = (project.pytester.path / "cassettes" / "knowledge@session.yaml").read_text()
    assert recording.count("- request:") == 6
    assert project.run().counts == {"passed": 4}
    assert asked(model) == []


def test_wider_fixtures_have_recordings_of_their_own(recorded: Project, model: LoopbackModel) -> None:
    source = f"""
        @pytest.fixture(scope="module", params=["x", "y/z"])
        def wide(request):
            ask(f"module {{request.param}}")

        @pytest.fixture(scope="class")
        def of_class():
            ask("class")

        {MARKED}
        class TestIt:
            def test_it(self, wide, of_class):
                ask("test")
    """
    project = recorded.tests(source)
    assert project.run(ONCE).counts == {"passed": 2}
    assert asked(model).count("class") >= 1
    names = [Path(name).name.partition("~")[0].removesuffix(".yaml") for name in cassettes(project)]
    assert names == [
        "TestIt.of_class@class",
        *("TestIt.test_it[x]", "TestIt.test_it[y-z]"),
        *("wide@module[x]", "wide@module[y-z]"),
    ]
    assert (project.run().counts, asked(model)) == ({"passed": 2}, [])
    # the fixture asks something else now: refused, and what to type is said
    ran = project.tests(source.replace("""ask("class")""", """ask("class"); ask("more")""")).run()
    assert ran.counts == {"errors": 2}
    assert "the one answer in cassettes/test_it/TestIt.of_class@class.yaml is used." in ran.said
    assert asked(model) == []


def test_a_fixture_without_a_recording_is_refused_in_a_marked_test_and_left_alone_elsewhere(
    recorded: Project, model: LoopbackModel
) -> None:
    project = recorded.file("conftest.py", CONFTEST)
    ran = project.tests(f"{MARKED}def test_it(knowledge):\n    pass\n").run()
    assert ran.counts == {"errors": 1}
    assert "[miss]" in ran.said
    assert asked(model) == []
    # nobody asked for recordings of this suite
    ran = project.tests("def test_it(knowledge):\n    pass\n").run(ONCE)
    assert (ran.counts, len(asked(model)), cassettes(project)) == ({"passed": 1}, 7, [])


@pytest.mark.parametrize("mode", ["once", "new"])
def test_a_test_that_two_processes_record_at_once_is_paid_for_once(
    recorded: Project, model: LoopbackModel, mode: str
) -> None:
    project = recorded.tests(f"""
        import time

        {MARKED}
        def test_it():
            for number in range(5):
                ask(f"question {{number}}")
                time.sleep(0.1)
    """)
    project.write()
    record = f"--tokenbudget-record={mode}"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        record,
        "-p",
        "pytest_tokenbudget.plugin",
        "-p",
        "no:cacheprovider",
    ]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    runs = [
        subprocess.Popen(command, cwd=project.pytester.path, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    out = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], out
    assert asked(model) == [f"question {number}" for number in range(5)]
    assert (project.pytester.path / "cassettes/test_it/test_it.yaml").read_text().count("- request:") == 5
