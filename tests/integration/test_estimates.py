"""A changed prompt in a marked test: its calls have the usage and the cost that the prompt is estimated to have now."""

from decimal import Decimal

import pytest
from project import Project, chat, claude

from pytest_tokenbudget.tokens.counting import counter_for

ASKED = "Hello. Please say in three sentences what a token is, and why a longer prompt costs more."
MODEL = "gpt-5-mini"


def added(model: str = MODEL) -> int:
    counter = counter_for(model)
    return counter.count(ASKED) - counter.count("Hello")


def test_a_changed_prompt_costs_what_it_adds(project: Project) -> None:
    ran = (
        project.tests(
            f"""
            @pytest.mark.token_budget(usd=0.01)
            def test_it():
                ask({ASKED!r}, {MODEL!r})
            """
        )
        .recorded(chat(1000, 100, model=MODEL))
        .run()
    )
    assert ran.counts == {"passed": 1}
    [entry] = ran.task().calls
    assert (entry.call.obtained, entry.call.status) == ("drifted", "exact")
    assert entry.call.usage.input == 1000 + added()
    # $0.25 and $2 per million tokens
    assert entry.call.cost == (Decimal(1000 + added()) / 4 + 200) / 1_000_000
    assert ran.task().notes == ()


def test_what_did_not_change_is_replayed_and_exact_beside_it(project: Project) -> None:
    ran = (
        project.tests(
            f"""
            @pytest.mark.token_budget(usd=0.01)
            def test_it():
                ask("Hello", {MODEL!r})
                ask({ASKED!r}, {MODEL!r})
            """
        )
        .recorded(chat(1000, model=MODEL), chat(2000, model=MODEL))
        .run()
    )
    assert [(entry.call.obtained, entry.call.usage.input) for entry in ran.task().calls] == [
        ("replayed", 1000),
        ("drifted", 2000 + added()),
    ]


CLIENTS = {
    "openai": f"""
        import openai
        client = openai.OpenAI(api_key="sk-test", max_retries=0)
        client.chat.completions.create(model={MODEL!r}, messages=[{{"role": "user", "content": ASKED}}])
    """,
    "anthropic": """
        import anthropic
        client = anthropic.Anthropic(api_key="sk-ant-test", max_retries=0)
        client.messages.create(model="tiny", max_tokens=64, messages=[{"role": "user", "content": ASKED}])
    """,
}


@pytest.mark.parametrize("client", CLIENTS)
def test_requests_of_the_sdks_are_estimated(project: Project, client: str) -> None:
    recorded = chat(1000, 100, model=MODEL) if client == "openai" else claude(1000, 100)
    ran = (
        project.tests(f"ASKED = {ASKED!r}\n\n@pytest.mark.token_budget(usd=1)\ndef test_it():{CLIENTS[client]}")
        .settings()
        .recorded(recorded)
        .run()
    )
    assert ran.counts == {"passed": 1}
    [entry] = ran.task().calls
    assert entry.call.obtained == "drifted"
    assert 1000 + added() <= entry.call.usage.input <= 1000 + 2 * added()
    assert entry.call.usage.output == 100


def test_a_request_that_cannot_be_read_breaks_nothing(project: Project) -> None:
    ran = (
        project.tests(
            """
            import urllib.error
            import urllib.request
            from agent import URL

            @pytest.mark.token_budget(usd=0.01)
            def test_it():
                with urllib.request.urlopen(urllib.request.Request(URL, b"{", method="POST"), timeout=5) as answer:
                    assert answer.read()
            """
        )
        .recorded(chat(1000))
        .run()
    )
    assert ran.counts == {"passed": 1}
    [entry] = ran.task().calls
    assert (entry.call.obtained, entry.call.usage.input) == ("drifted", 1000)
    assert ran.state() == "inconclusive"
