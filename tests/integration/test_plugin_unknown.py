from typing import Any

import pytest
from project import Project, chat

BUDGETED = """
@pytest.mark.token_budget(usd=0.30)
def test_it():
    ask({ask})
"""


def _garbled() -> dict[str, Any]:
    recorded = chat()
    return recorded | {"response": recorded["response"] | {"body": {"string": "oops"}}}


UNKNOWN = {
    "a model without a price": (
        "model='nobody-knows-me'",
        chat(model="nobody-knows-me"),
        "1 call to `nobody-knows-me` at api.openai.com: a model without a known price. Give it one under `prices:`",
    ),
    "no usage": ("", chat(usage=None), "1 call has no usage"),
    "a class without a price": (
        "",
        chat(usage={"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"audio_tokens": 4}}),
        "1 call used input_audio of `tiny`: no price is known for that.",
    ),
    "a body that is no answer": ("", _garbled(), "1 call has no usage (response: "),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_cost_fails_a_dollar_limit(project: Project, case: str) -> None:
    asked, recorded, said = UNKNOWN[case]
    ran = project.tests(BUDGETED.format(ask=asked)).recorded(recorded).run()
    assert (ran.exit, ran.counts, ran.state()) == (1, {"failed": 1}, "unknown")
    assert "Cost unknown" in ran.said
    assert said in ran.said
    assert ran.record["tasks"][0]["cost_usd"] is None
    assert "$0.00 of" not in ran.said


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_cost_is_listed_and_fails_nothing_when_observing(project: Project, case: str) -> None:
    asked, recorded, said = UNKNOWN[case]
    ran = project.tests(BUDGETED.format(ask=asked)).recorded(recorded).run("--tokenbudget=observe")
    assert (ran.exit, ran.counts, ran.state()) == (0, {"passed": 1}, "unknown")
    assert said in ran.said
    assert " ? test_it.py::test_it" in ran.out
    assert "Observed only: under --tokenbudget=enforce these tests would fail." in ran.said
    assert ran.run.mode == "observe"


def test_a_test_without_a_model_call_is_not_measured_and_fails(project: Project) -> None:
    source = "@pytest.mark.token_budget(usd=0.30)\ndef test_it():\n    pass\n"
    ran = project.tests(source).run()
    assert (ran.exit, ran.counts, ran.state()) == (1, {"failed": 1}, "unmeasured")
    assert "Not measured: the test has a budget but made no model call" in ran.said
    assert "allow_no_calls=True" in ran.said

    observed = project.tests(source).run("--tokenbudget=observe")
    assert (observed.exit, observed.counts, observed.state()) == (0, {"passed": 1}, "unmeasured")
    assert "Not measured" in observed.said


def test_a_test_may_be_allowed_to_make_no_model_call(project: Project) -> None:
    ran = project.tests("""
        @pytest.mark.token_budget(usd=0.30, allow_no_calls=True)
        def test_it():
            pass
        """).run()
    assert (ran.exit, ran.state()) == (0, "within")


def test_missing_usage_fails_token_limits_but_not_steps(project: Project) -> None:
    source = """
        @pytest.mark.token_budget({limit})
        def test_it():
            ask()
        """
    ran = project.tests(source.format(limit="tokens=10")).recorded(chat(usage=None)).run()
    assert (ran.exit, ran.state()) == (1, "unknown")
    assert "Tokens unknown, so a limit of 10 tokens cannot be checked: 1 call has no usage" in ran.said
    steps = project.tests(source.format(limit="steps=1")).recorded(chat(usage=None)).run()
    assert (steps.exit, steps.state()) == (0, "within")


def test_what_is_known_already_may_break_the_limit(project: Project) -> None:
    ran = (
        project.tests("""
        @pytest.mark.token_budget(usd=0.30)
        def test_it():
            ask()
            ask("again")
        """)
        .recorded(chat(400_000), chat(usage=None, text="again"))
        .run()
    )
    assert (ran.exit, ran.state()) == (1, "blocked")
    assert "Over budget: at least $0.40 of $0.30" in ran.said


def test_an_unknown_model_may_be_tolerated_or_free(project: Project) -> None:
    tests = project.tests(BUDGETED.format(ask="model='mine'")).recorded(chat(model="mine"))
    warned = tests.settings("unknown_model: warn").run()
    assert (warned.exit, warned.state()) == (0, "inconclusive")
    assert "1 call to `mine` at api.openai.com: a model without a known price" in warned.said
    free = tests.settings("unknown_model: free").run()
    assert (free.exit, free.state()) == (0, "within")


def test_a_drifted_answer_is_judged_by_its_estimate(project: Project) -> None:
    ran = (
        project.tests("""
        @pytest.mark.token_budget(usd=0.30)
        def test_it():
            ask("another question than the recorded one")
        """)
        .recorded(chat())
        .run()
    )
    assert (ran.exit, ran.state()) == (0, "within")
    [call] = ran.record["tasks"][0]["calls"]
    assert (call["obtained"], call["recorded_usage"]) == ("drifted", {"input": 1000})
    assert 1000 < call["usage"]["input"] < 1010


def test_one_that_cannot_be_estimated_is_inconclusive(project: Project) -> None:
    interaction = chat()
    interaction["request"]["body"] = "{"
    ran = (
        project.tests("""
        @pytest.mark.token_budget(usd=0.30)
        def test_it():
            ask("a question")
        """)
        .recorded(interaction)
        .run()
    )
    assert (ran.exit, ran.state()) == (0, "inconclusive")
    assert "what the recorded request lays before the model cannot be read" in ran.said
    [call] = ran.record["tasks"][0]["calls"]
    assert (call["obtained"], call["recorded_usage"], call["usage"]) == ("drifted", {"input": 1000}, {"input": 1000})


UNLIMITED: dict[str, Any] = {"unmarked": "", "marked without arguments": "@pytest.mark.token_budget()"}


@pytest.mark.parametrize("mark", UNLIMITED)
def test_without_limits_a_test_is_only_measured(project: Project, mark: str) -> None:
    ran = (
        project.tests(f"""
        import vcr

        {UNLIMITED[mark]}
        def test_it():
            with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                ask("a question that was not recorded", model="nobody-knows-me")
        """)
        .recorded(chat(usage=None, model="nobody-knows-me"))
        .run()
    )
    assert (ran.exit, ran.counts, ran.state()) == (0, {"passed": 1}, "unlimited")
    assert len(ran.task().calls) == 1
    assert "test_it.py::test_it" in ran.out


def test_a_bare_marker_needs_no_parentheses_and_no_call(project: Project) -> None:
    ran = project.tests("@pytest.mark.token_budget\ndef test_it():\n    pass\n").run()
    assert (ran.exit, ran.state()) == (0, "unlimited")


@pytest.mark.parametrize("how", ["option", "variable", "file"])
def test_off_measures_nothing(project: Project, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    project = project.tests("""
        import vcr

        @pytest.mark.token_budget(usd=0.000001)
        def test_it(token_meter):
            with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                ask()
            assert token_meter.usd is None
            assert token_meter.calls == ()
        """).recorded(chat())
    if how == "file":
        project = project.settings("mode: off")
    if how == "variable":
        monkeypatch.setenv("TOKENBUDGET", "off")
    ran = project.run(*(["--tokenbudget=off"] if how == "option" else []))
    assert (ran.exit, ran.counts) == (0, {"passed": 1})
    assert not ran.path.exists()
    assert "token budget" not in ran.out
