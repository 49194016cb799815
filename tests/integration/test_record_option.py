"""`--tokenbudget-record` and the setting: what is sent, what is written, and what is left when a test does not end."""

from collections.abc import Iterator

import pytest
from loopback import LoopbackModel, Reply
from project import Project, Ran

MARKED = "@pytest.mark.token_budget\n"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000}
ONCE = "--tokenbudget-record=once"


@pytest.fixture
def model() -> Iterator[LoopbackModel]:
    with LoopbackModel(lambda asked, _: Reply(text=f"{asked['messages'][0]['content']}!", usage=USAGE)) as server:
        yield server


@pytest.fixture
def recorded(project: Project, model: LoopbackModel) -> Project:
    """A project whose agent asks the model on loopback, and in which that one has a price."""
    agent = project.files["agent.py"]
    assert isinstance(agent, str)
    return project.file("agent.py", agent.replace("https://api.openai.com", model.url))


def asked(model: LoopbackModel) -> list[str]:
    """What the model was asked since the last time this was asked."""
    found = [received.json["messages"][0]["content"] for received in model.requests]
    model.requests.clear()
    return found


def text(ran: Ran, name: str = "test_it") -> str:
    return (ran.path.parents[1] / "cassettes" / "test_it" / f"{name}.yaml").read_text()


def journals(ran: Ran) -> list[str]:
    return [file.read_text() for file in (ran.path.parent / "journal").glob("*.jsonl")]


def obtained(ran: Ran, name: str = "test_it") -> list[str]:
    return [entry.call.obtained for entry in ran.task(name).calls]


TWO = f"{MARKED}def test_it():\n    ask('a')\n    ask('b')\n"


def test_the_life_of_a_recording(recorded: Project, model: LoopbackModel) -> None:
    project = recorded.tests(TWO)
    missed = project.run()
    assert missed.exit == 1
    assert "there is no cassettes/test_it/test_it.yaml. It is step 1" in missed.said
    assert f"To record it, type: pytest test_it.py::test_it {ONCE}" in missed.said
    assert asked(model) == []
    ran = project.run(ONCE)
    assert (ran.exit, obtained(ran)) == (0, ["recorded"] * 2)
    assert asked(model) == ["a", "b"]
    assert '      {\n        "model": "tiny",\n        "messages": [\n' in text(ran)
    for options in ((), (ONCE,), ("--tokenbudget-record=new",)):
        ran = project.run(*options)
        assert (ran.exit, obtained(ran)) == (0, ["replayed"] * 2)
    assert asked(model) == []
    ran = project.run("--tokenbudget-record=all")
    assert (ran.exit, obtained(ran), asked(model)) == (0, ["recorded"] * 2, ["a", "b"])
    more = project.tests(TWO + "    ask('c')\n")
    ran = more.run(ONCE)
    assert (ran.exit, asked(model)) == (1, [])
    assert "To send it and add it, type: pytest test_it.py::test_it --tokenbudget-record=new" in ran.said
    ran = more.run("--tokenbudget-record=new")
    assert (ran.exit, obtained(ran), asked(model)) == (0, ["replayed", "replayed", "recorded"], ["c"])


def test_the_variable_records_too(recorded: Project, model: LoopbackModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENBUDGET_RECORD", "once")
    assert recorded.tests(TWO).run().exit == 0
    assert asked(model) == ["a", "b"]


def test_a_drifted_request_is_sent_where_that_is_asked_for(recorded: Project, model: LoopbackModel) -> None:
    before = text(recorded.tests(TWO).run(ONCE))
    asked(model)
    ran = recorded.tests(TWO.replace("'b'", "'changed'")).run("--tokenbudget-drift=record")
    assert (ran.exit, obtained(ran), asked(model)) == (0, ["replayed", "recorded"], ["changed"])
    assert text(ran).count("- request:") == 2
    assert text(ran).replace("changed", "b").count('"b!"') == before.count('"b!"') == 1


ENDS = {
    "an assertion": ("assert False", True),
    "pytest.fail": ("pytest.fail('mine')", True),
    "an expected failure": ("pytest.xfail('mine')", True),
    "an error": ("raise OSError('network')", False),
    "a skip": ("pytest.skip('mine')", False),
    "a timeout": ("import time; time.sleep(60)", False),
    "Ctrl-C": ("raise KeyboardInterrupt", False),
    "pytest.exit": ("pytest.exit('enough')", False),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_recording_is_whole_where_the_test_ended_by_its_own_word(
    recorded: Project, model: LoopbackModel, how: str
) -> None:
    statement, whole = ENDS[how]
    mark = "@pytest.mark.timeout(4)\n" if how == "a timeout" else ""
    project = recorded.tests(f"{mark}{MARKED}def test_it():\n    ask('a')\n    {statement}\n")
    # pytester hands an interruption on
    ran = project.run_apart(ONCE) if how == "Ctrl-C" else project.run(ONCE)
    assert asked(model) == ["a"]
    assert (ran.path.parents[1] / "cassettes").exists() == whole
    assert len(journals(ran)) == (not whole)
    if how == "an error":
        assert "1 answer is kept in .tokenbudget/journal, and will not be paid for twice. To go on, type:" in ran.said
    # going on pays for the rest alone
    ran = recorded.tests(f"{MARKED}def test_it():\n    ask('a')\n").run(ONCE)
    assert (ran.exit, asked(model), journals(ran)) == (0, [], [])
    assert '"a!"' in text(ran)


def test_a_unittest_that_fails_by_its_own_word_is_whole_and_one_with_an_error_is_not(recorded: Project) -> None:
    ran = recorded.tests(f"""
        import unittest

        {MARKED}
        class TestIt(unittest.TestCase):
            def test_fails(self):
                ask("fails")
                self.fail()

            def test_breaks(self):
                ask("breaks")
                raise LookupError
    """).run(ONCE)
    assert ran.counts == {"failed": 2}
    assert '"fails!"' in text(ran, "TestIt.test_fails")
    (journal,) = journals(ran)
    assert "breaks!" in journal


def test_calls_of_fixtures_belong_to_the_test_and_those_after_it_too(recorded: Project, model: LoopbackModel) -> None:
    project = recorded.tests(f"""
        @pytest.fixture
        def around():
            ask("before")
            yield
            ask("after")

        {MARKED}
        def test_it(around):
            ask("test")
    """)
    assert project.run(ONCE).exit == 0
    assert asked(model) == ["before", "test", "after"]
    ran = project.run()
    assert (ran.exit, obtained(ran)) == (0, ["replayed"] * 3)
    assert text(ran).count("- request:") == 3


def test_what_broke_before_the_test_is_gone_on_with(recorded: Project, model: LoopbackModel) -> None:
    source = f"@pytest.fixture\ndef around():\n    ask('a')\n    LINE\n\n{MARKED}def test_it(around):\n    ask('b')\n"
    assert recorded.tests(source.replace("LINE", "assert False")).run(ONCE).exit == 1
    assert asked(model) == ["a"]
    assert recorded.tests(source.replace("LINE", "pass")).run(ONCE).exit == 0
    assert asked(model) == ["b"]


def test_parameters_whose_files_would_have_one_name_have_one_each(recorded: Project, model: LoopbackModel) -> None:
    project = recorded.tests(f"""
        @pytest.mark.parametrize("path", ["a/b", "a:b", "{"x" * 300}"])
        {MARKED}
        def test_it(path):
            ask(path)
    """)
    ran = project.run(ONCE)
    assert (ran.exit, len(asked(model))) == (0, 3)
    names = [file.name for file in (ran.path.parents[1] / "cassettes" / "test_it").iterdir()]
    assert len(names) == 3
    assert max(map(len, names)) < 255
    assert (project.run().exit, asked(model)) == (0, [])


def test_secrets_reach_neither_journal_nor_cassette_and_the_request_is_found_again(
    recorded: Project, model: LoopbackModel
) -> None:
    secret = "sk-proj-" + "Zx9" * 16
    project = recorded.settings('redact: ["ACME-[0-9]+"]\n').tests(
        f"{MARKED}def test_it():\n    assert b'ACME-77' in ask('{secret} ACME-77')\n    LINE\n"
    )
    stopped = project.tests(f"{MARKED}def test_it():\n    assert b'ACME-77' in ask('{secret} ACME-77')\n    1 / 0\n")
    ran = stopped.run(ONCE)
    assert secret in asked(model)[0]
    assert "Zx9Zx9" not in journals(ran)[0]
    assert "ACME-77" not in journals(ran)[0]
    project = project.tests(f"{MARKED}def test_it():\n    ask('{secret} ACME-77')\n")
    assert (project.run(ONCE).exit, asked(model)) == (0, [])
    ran = project.run()
    assert (ran.exit, obtained(ran)) == (0, ["replayed"])
    assert "Zx9Zx9" not in text(ran)


def test_a_call_without_an_answer_is_reported_as_possibly_billed(recorded: Project) -> None:
    ran = recorded.tests(f"""
        import json, socket, urllib.request

        {MARKED}
        def test_it():
            silent = socket.create_server(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{{silent.getsockname()[1]}}/v1/chat/completions"
            with pytest.raises(TimeoutError):
                urllib.request.urlopen(urllib.request.Request(url, b'{{}}', method="POST"), timeout=0.3)
            ask("a")
            silent.close()
    """).run(ONCE)
    assert ran.exit == 0, ran.out
    assert [stray.kind for stray in ran.task().strays] == ["unanswered"]
    assert "possibly billed" in ran.said


def test_of_two_tests_that_record_only_what_is_missing_is_sent(recorded: Project, model: LoopbackModel) -> None:
    project = recorded.tests(f"{MARKED}def test_it():\n    ask('a')\n\n{MARKED}def test_other():\n    ask('b')\n")
    assert project.run(ONCE, "-k", "test_other").exit == 0
    assert asked(model) == ["b"]
    assert project.run(ONCE).exit == 0
    assert asked(model) == ["a"]


def test_an_unmarked_test_is_left_alone(recorded: Project, model: LoopbackModel) -> None:
    ran = recorded.tests("def test_it():\n    ask('a')\n").run(ONCE)
    assert (ran.exit, asked(model)) == (0, ["a"])
    assert not (ran.path.parents[1] / "cassettes").exists()


def test_off_records_nothing(recorded: Project, model: LoopbackModel) -> None:
    ran = recorded.tests(f"{MARKED}def test_it():\n    ask('a')\n").run(ONCE, "--tokenbudget=off")
    assert (ran.exit, asked(model)) == (0, ["a"])
    assert not (ran.path.parents[1] / "cassettes").exists()
