"""The seam: every exchange is a call or skipped, and what cannot be read is said."""

import pytest
from project import Project, Ran, chat

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.plugin import session as plugin_session

TWO = """
{mark}
def test_it():
    ask()
    ask("again")

def test_other():
    pass
"""


@pytest.fixture
def broken(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose second call breaks our reading."""
    original = plugin_session.read
    seen = []

    def read(exchange: object, count: object) -> Call:
        seen.append(exchange)
        if len(seen) % 2 == 0:
            message = "a body that nobody foresaw, key=sk-ant-secret"
            raise RuntimeError(message)
        return original(exchange, count)  # type: ignore[arg-type,return-value]  # passed through

    monkeypatch.setattr(plugin_session, "read", read)
    return project.recorded(chat(1_000), chat(1_000, text="again"))


def run(project: Project, mark: str, *args: str) -> Ran:
    return project.tests(TWO.format(mark=mark)).run(*args)


def test_a_limited_test_fails_when_an_exchange_cannot_be_read(broken: Project) -> None:
    ran = run(broken, "@pytest.mark.token_budget(steps=9)")
    assert (ran.exit, ran.counts, ran.state()) == (1, {"failed": 1, "passed": 1}, "unknown")
    assert "1 of 2 HTTP exchanges could not be read" in ran.said
    task = ran.task()
    assert (task.exchanges, len(task.calls), len(task.skipped)) == (2, 1, 0)
    [note] = ran.run.incomplete
    assert note.startswith(
        "test_it.py::test_it: an exchange could not be read: POST https://api.openai.com/v1/chat/completions: "
    )
    assert "RuntimeError at test_plugin_seam.py:" in note
    assert "Incomplete: test_it.py::test_it: an exchange could not be read" in ran.said
    assert "sk-ant-secret" not in ran.said + ran.path.read_text()


def test_an_unlimited_test_is_not_disturbed_but_the_run_is_incomplete(broken: Project) -> None:
    ran = run(broken, "@pytest.mark.token_budget")
    assert (ran.exit, ran.counts, ran.state()) == (0, {"passed": 2}, "unlimited")
    assert len(ran.run.incomplete) == 1


def test_when_observing_it_fails_nothing(broken: Project) -> None:
    ran = run(broken, "@pytest.mark.token_budget(steps=9)", "--tokenbudget=observe")
    assert (ran.exit, ran.state(), len(ran.run.incomplete)) == (0, "unknown", 1)


def test_a_note_of_an_earlier_attempt_is_kept(broken: Project) -> None:
    ran = broken.tests("""
        attempts = []

        @pytest.mark.flaky(reruns=1)
        @pytest.mark.token_budget
        def test_it():
            attempts.append(1)
            ask()
            if len(attempts) == 1:
                ask("again")
                assert False
        """).run()
    assert (ran.exit, len(ran.task().earlier), len(ran.run.incomplete)) == (0, 1, 1)


def test_a_format_of_the_users_that_raises_is_said(project: Project) -> None:
    """Registered by an entry point, as a user would, in a process of its own."""
    ran = (
        project.file(
            "their_format.py",
            """
            class Theirs:
                api = "theirs.chat"

                def matches(self, endpoint):
                    return endpoint.host == "api.openai.com"

                def read_body(self, body):
                    raise RuntimeError("mine")

                def read_stream(self, events, *, complete):
                    raise RuntimeError("mine")

                def prompt(self, request):
                    raise RuntimeError("mine")
            """,
        )
        .file("theirs-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        .file("theirs-1.0.dist-info/entry_points.txt", "[tokenbudget.formats]\ntheirs = their_format:Theirs\n")
        .tests("@pytest.mark.token_budget(usd=1)\ndef test_it():\n    ask()\n")
        .recorded()
        .run_apart("-p", "their_format")
    )
    assert (ran.exit, ran.state()) == (1, "unknown")
    [entry] = ran.task().calls
    assert (entry.call.api, entry.call.status) == ("theirs.chat", "missing")
    assert any("theirs.chat cannot read it (RuntimeError)" in note for note in entry.call.notes)


def test_a_full_disk_while_the_test_runs_is_said_once_and_fails_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plugin_session.Spool, "keep", full)
    ran = run(project.recorded(chat(1_000), chat(1_000, text="again")), "@pytest.mark.token_budget(usd=1)")
    assert (ran.exit, ran.state(), len(ran.task().calls)) == (0, "within", 2)
    assert ran.run.incomplete == (
        "test_it.py::test_it: calls could not be kept on disk while the test ran: No space left on device",
    )
