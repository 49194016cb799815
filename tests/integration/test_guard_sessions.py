"""Never live by accident: which model calls a session refuses, which it counts, and which it cannot see."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from loopback import LoopbackModel, Reply
from project import Project, Ran

from pytest_tokenbudget.model.task import Task

MARKED = "@pytest.mark.token_budget(usd=1, allow_no_calls=True)"

ESCAPE = '''
"""A model call that no cassette sees: straight over httpcore."""

import json
import os
from contextlib import suppress

import httpcore

BODY = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}).encode()


def escape(path="/v1/chat/completions"):
    with httpcore.ConnectionPool() as pool:
        return pool.request("POST", os.environ["MODEL"] + path, content=BODY).status


def escape_quietly():
    with suppress(BaseException):
        escape()
'''


@dataclass(frozen=True)
class Escapes:
    """A project whose tests call a model on loopback past every cassette."""

    project: Project
    server: LoopbackModel

    def run(self, source: str, *args: str, module: str = "test_it", **files: str) -> "Escaped":
        ready = self.project.tests("from escape import escape, escape_quietly\n" + source, module)
        for name, content in files.items():
            ready = ready.file(f"{name}.py", content)
        return Escaped(ready.run(*args), self)


@dataclass(frozen=True)
class Escaped:
    """What came of it."""

    ran: Ran
    escapes: Escapes

    @property
    def arrived(self) -> int:
        """How many requests reached the model."""
        return len(self.escapes.server.requests)

    def strays(self, task: str = "test_it.py::test_it") -> list[str]:
        """What became of a task's stray requests."""
        return [stray.kind for stray in self.task(task).strays]

    def task(self, name: str = "test_it.py::test_it") -> Task:
        """A test, a wider fixture, or what ran outside of any test."""
        run = self.ran.run
        return next(task for task in (*run.tasks, *run.fixtures) if task.id == name)


@pytest.fixture
def escapes(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Escapes]:
    with LoopbackModel(lambda *_: Reply(text="Hi.")) as server:
        monkeypatch.setenv("MODEL", server.url)
        yield Escapes(project.file("escape.py", ESCAPE), server)


def test_a_marked_test_sends_nothing(escapes: Escapes) -> None:
    ran = escapes.run(f"{MARKED}\ndef test_it():\n    escape()\n")
    assert (ran.ran.counts, ran.arrived) == ({"failed": 1}, 0)
    assert ran.strays() == ["refused"]
    assert f"[escape] POST {escapes.server.url}/v1/chat/completions was not sent: it went past every" in ran.ran.said
    assert "through httpcore, and test_it.py::test_it replays." in ran.ran.said
    assert "pytest --tokenbudget-record=once" in ran.ran.said
    assert "test_it.py:6: in test_it" in ran.ran.said


def test_sending_what_drifted_lets_out_nothing_that_no_recording_can_keep(escapes: Escapes) -> None:
    ran = escapes.run(f"{MARKED}\ndef test_it():\n    escape()\n", "--tokenbudget-drift=record")
    assert (ran.ran.counts, ran.arrived, ran.strays()) == ({"failed": 1}, 0, ["refused"])


def test_a_refusal_cannot_be_swallowed(escapes: Escapes) -> None:
    ran = escapes.run(f"@pytest.mark.xfail\n{MARKED}\ndef test_it():\n    escape_quietly()\n")
    assert (ran.ran.counts, ran.arrived) == ({"failed": 1}, 0)
    assert "[escape]" in ran.ran.said


def test_what_is_no_model_call_is_not_touched(escapes: Escapes) -> None:
    ran = escapes.run(f"{MARKED}\ndef test_it():\n    assert escape('/v1/orders') == 404\n")
    assert (ran.ran.counts, ran.arrived, ran.strays()) == ({"passed": 1}, 1, [])


def test_an_unmarked_test_without_a_cassette_is_counted_and_never_refused(escapes: Escapes) -> None:
    ran = escapes.run(
        f"def test_it():\n    assert escape() == 200\n    assert ask(url=URL)\n{MARKED}\ndef test_other():\n    pass\n"
        "import os\nURL = os.environ['MODEL'] + '/v1/chat/completions'\n"
    )
    assert (ran.ran.counts, ran.arrived) == ({"passed": 2}, 2)
    assert (ran.strays(), ran.task().traffic) == (["escaped", "escaped"], "escaped")
    assert [stray.how for stray in ran.task().strays] == ["httpcore", "http.client (urllib)"]


RECORDING = """
import vcr

{mark}
def test_it():
    with vcr.use_cassette("cassettes/mine.yaml", record_mode="{mode}"):
        {call}
"""


@pytest.mark.parametrize(
    ("mark", "mode", "recorded", "kind"),
    [
        ("", "none", True, "refused"),
        ("", "none", False, "refused"),
        ("", "once", True, "escaped"),  # nobody asked for replay alone: that is vcrpy's default
        ("", "once", False, "escaped"),
        (MARKED, "none", True, "refused"),
        (MARKED, "once", True, "refused"),
        (MARKED, "once", False, "escaped"),  # it records
        (MARKED, "all", True, "escaped"),
    ],
)
def test_while_a_cassette_is_open_its_mode_decides(
    escapes: Escapes, mark: str, mode: str, kind: str, *, recorded: bool
) -> None:
    project = escapes.project.recorded(test="mine", module=".") if recorded else escapes.project
    ran = Escapes(project, escapes.server).run(RECORDING.format(mark=mark, mode=mode, call="escape()"))
    assert (ran.strays(), ran.arrived) == ([kind], int(kind == "escaped"))


def test_an_escape_while_recording_costs_nobody_knows_what(escapes: Escapes) -> None:
    ran = escapes.run(RECORDING.format(mark=MARKED, mode="once", call="escape(); escape()"))
    assert (ran.ran.counts, ran.arrived, ran.ran.state()) == ({"failed": 1}, 2, "unknown")
    url = f"{escapes.server.url}/v1/chat/completions"
    assert (
        "2 model calls went out live past every recording, so that what they cost is not known: "
        f"POST {url} through httpcore (2 times). Let them pass vcrpy: make the client inside the test"
    ) in ran.ran.said


WIDER = """
@pytest.fixture(scope="session")
def answers():
    return escape()

def test_first(answers):
    pass

{mark}
def test_second({uses}):
    pass
"""


def test_a_wider_fixture_of_a_marked_test_sends_nothing_whoever_comes_first(escapes: Escapes) -> None:
    ran = escapes.run(WIDER.format(mark=MARKED, uses="answers"))
    assert (ran.ran.counts, ran.arrived) == ({"errors": 2}, 0)
    assert ran.strays(".::answers [session fixture]") == ["refused"]
    assert "and .::answers [session fixture] replays." in ran.ran.said


def test_a_wider_fixture_of_unmarked_tests_is_counted(escapes: Escapes) -> None:
    ran = escapes.run(WIDER.format(mark=MARKED, uses=""))
    assert (ran.ran.counts, ran.arrived) == ({"passed": 2}, 1)
    assert ran.strays(".::answers [session fixture]") == ["escaped"]


def test_a_module_with_marked_tests_sends_nothing_while_it_is_imported(escapes: Escapes) -> None:
    ran = escapes.run(f"escape()\n{MARKED}\ndef test_it():\n    pass\n")
    assert (ran.ran.exit, ran.arrived) == (2, 0)
    assert "test_it.py is being imported, whose tests replay." in ran.ran.said
    assert ran.strays("(outside of any test)") == ["refused"]


OTHER = f"import pytest\n{MARKED}\ndef test_other(): pass\n"


def test_any_other_module_is_counted_while_it_is_imported(escapes: Escapes) -> None:
    ran = escapes.run("escape()\ndef test_it():\n    pass\n", test_other=OTHER)
    assert (ran.ran.counts, ran.arrived) == ({"passed": 2}, 1)
    assert ran.strays("(outside of any test)") == ["escaped"]


def test_a_thread_that_outlives_its_marked_test_sends_nothing(escapes: Escapes) -> None:
    ran = escapes.run(
        f"""
import threading

go, done = threading.Event(), threading.Event()

def later():
    go.wait(5)
    escape_quietly()
    done.set()

{MARKED}
def test_it():
    threading.Thread(target=later, daemon=True).start()

def test_unmarked():
    go.set()
    assert done.wait(5)
"""
    )
    assert (ran.ran.counts, ran.arrived) == ({"passed": 2}, 0)
    # no test fails for it, so the run says it
    assert ran.strays("(outside of any test)") == ["refused"]
    said = ran.ran.run.incomplete
    assert "refused: test_it.py::test_it, which replays, left the thread running that sends it" in said[0]


LEFT = """
import asyncio

loop = asyncio.new_event_loop()
left = []

async def later():
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    escape_quietly()

async def start():
    left.append(asyncio.ensure_future(later()))

{first}
def test_it():
    loop.run_until_complete(start())

{second}
def test_next():
    loop.run_until_complete(left[0])
    loop.close()
"""


@pytest.mark.parametrize(("second", "kind"), [(MARKED, "refused"), ("", "escaped")])
def test_a_task_left_in_a_loop_counts_as_the_test_that_goes_on_with_it(
    escapes: Escapes, second: str, kind: str
) -> None:
    # documented: a loop that outlives a test says nothing about whose its tasks are
    ran = escapes.run(LEFT.format(first=MARKED, second=second))
    assert ran.strays("test_it.py::test_next") == [kind]
    assert ran.arrived == int(kind == "escaped")


def test_between_tests_nothing_is_sent_where_any_is_marked(escapes: Escapes) -> None:
    hook = "from escape import escape_quietly\ndef pytest_runtest_logfinish():\n    escape_quietly()\n"
    ran = escapes.run(f"{MARKED}\ndef test_it():\n    pass\n", conftest=hook)
    assert (ran.ran.counts, ran.arrived) == ({"passed": 1}, 0)
    assert ran.strays("(outside of any test)") == ["refused"]


def test_a_forked_process_refuses_too_and_the_run_says_so(escapes: Escapes) -> None:
    ran = escapes.run(
        f"""
import os

{MARKED}
def test_it():
    if (child := os.fork()) == 0:
        try:
            escape()
        except BaseException:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    )
    assert (ran.ran.counts, ran.arrived) == ({"passed": 1}, 0)
    assert ran.strays("test_it.py::test_it [forked process]") == ["refused"]
    assert "a process that the test forked made model calls past every recording" in ran.ran.run.incomplete[0]


CHILDREN = {
    "a subprocess": "subprocess.run([sys.executable, '-c', 'import escape; escape.escape()'], check=True)",
    "a spawned process": "process = multiprocessing.get_context('spawn').Process(target=escape); process.start();"
    " process.join(); assert process.exitcode == 0",
}


@pytest.mark.parametrize("how", CHILDREN)
def test_processes_that_start_afresh_are_not_seen(escapes: Escapes, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # documented: nothing of ours runs in them
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(escapes.project.pytester.path)]))
    ran = escapes.run(f"import multiprocessing, subprocess, sys\n{MARKED}\ndef test_it():\n    {CHILDREN[how]}\n")
    assert (ran.ran.counts, ran.arrived, ran.strays()) == ({"passed": 1}, 1, [])


def test_off_guards_nothing(escapes: Escapes) -> None:
    ran = escapes.run(f"{MARKED}\ndef test_it():\n    assert escape() == 200\n", "--tokenbudget=off")
    assert (ran.ran.counts, ran.arrived) == ({"passed": 1}, 1)


def test_where_pytest_recording_records_a_wider_fixture_is_counted(escapes: Escapes) -> None:
    ran = escapes.run(WIDER.format(mark=MARKED, uses="answers"), "--record-mode=once")
    assert (ran.ran.counts, ran.arrived) == ({"passed": 2}, 1)
    assert ran.strays(".::answers [session fixture]") == ["escaped"]


def test_a_client_is_met_whenever_it_is_imported(escapes: Escapes) -> None:
    ready = escapes.project.tests(
        f"""
import sys

{MARKED}
def test_it():
    pass

def test_late():
    assert "escape" not in sys.modules
    from escape import escape_quietly

    escape_quietly()

def test_never():
    assert not {{"aiohttp", "httpcore", "httpx", "requests", "urllib3"}} & LOADED

LOADED = set(sys.modules)
"""
    )
    ran = Escaped(ready.run_apart(), escapes)
    assert ran.ran.counts == {"passed": 3}
    assert (ran.strays("test_it.py::test_late"), ran.arrived) == (["escaped"], 1)
