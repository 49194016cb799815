"""Recorded refusals (HTTP 429 and 5xx) are met again at replay, and clients try again at once instead of waiting."""

import json
import time
from typing import Any

import pytest
from project import Project, chat, claude

CLIENTS = {
    "openai": """
        from openai import OpenAI

        def ask(text):
            with OpenAI(api_key="any") as client:
                return client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": text}])
        """,
    "anthropic": """
        from anthropic import Anthropic

        def ask(text):
            with Anthropic(api_key="any") as client:
                said = [{"role": "user", "content": text}]
                return client.messages.create(model="tiny", max_tokens=64, messages=said)
        """,
    "cohere": """
        import cohere

        def ask(text):
            client = cohere.ClientV2(api_key="any")
            return client.chat(model="tiny", messages=[{"role": "user", "content": text}])
        """,
}
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/tiny/converse"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/tiny:generateContent"
DRAWING = {
    "boto3": (
        """
        import boto3

        def ask(text):
            client = boto3.client(
                "bedrock-runtime", region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any"
            )
            return client.converse(modelId="tiny", messages=[{"role": "user", "content": [{"text": text}]}])
        """,
        BEDROCK,
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Hi."}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 1000, "outputTokens": 1, "totalTokens": 1001},
            "metrics": {"latencyMs": 1},
        },
        "botocore.endpoint",
    ),
    "google-genai": (
        """
        from google import genai
        from google.genai.types import HttpOptions, HttpRetryOptions

        def ask(text):
            retry = HttpRetryOptions(attempts=4, initial_delay=9)
            options = HttpOptions(api_version="v1beta", retry_options=retry)
            client = genai.Client(api_key="any", http_options=options)
            return client.models.generate_content(model="tiny", contents=text)
        """,
        GEMINI,
        {
            "candidates": [{"content": {"role": "model", "parts": [{"text": "Hi."}]}}],
            "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 1, "totalTokenCount": 1001},
        },
        "tenacity.nap",
    ),
}
"""Clients that draw their backoff themselves: the agent, where it asks, what it is told, and where it would sleep."""

TEST = """
    import time

    @pytest.mark.token_budget
    def test_it():
        began = time.monotonic()
        ask("Hello")
        assert time.monotonic() - began < 5  # of the 40 seconds that were asked for
    """
_MOMENT = 0.05

COHERE = "https://api.cohere.com/v2/chat"
COHERES = {
    "id": "1",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "Hi."}]},
    "usage": {"tokens": {"input_tokens": 1000, "output_tokens": 0}},
}


def answered(client: str) -> dict[str, Any]:
    if client == "openai":
        return chat(text="Hello")
    answer = claude(output=0, text="Hello")
    if client == "cohere":
        asked = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "stream": False}
        answer["request"] |= {"uri": COHERE, "body": json.dumps(asked)}
        answer["response"]["body"]["string"] = json.dumps(COHERES)
    return answer


def refused(client: str, status: int, **headers: str) -> dict[str, Any]:
    answer = answered(client)
    answer["response"] = {
        "status": {"code": status, "message": "No"},
        "headers": {"Content-Type": ["application/json"]}
        | {name.replace("_", "-"): [value] for name, value in headers.items()},
        "body": {"string": json.dumps({"error": {"type": "error", "message": "Not now."}})},
    }
    return answer


def project_of(project: Project, client: str) -> Project:
    return project.file("agent.py", CLIENTS[client])


@pytest.mark.parametrize(("client", "status"), [("openai", 429), ("anthropic", 529), ("cohere", 503)])
def test_clients_do_not_wait_at_replay(project: Project, client: str, status: int) -> None:
    refusals = [refused(client, status, retry_after="20") for _ in range(2)]
    ran = project_of(project, client).tests(TEST).recorded(*refusals, answered(client)).run()
    assert ran.counts == {"passed": 1}, ran.out
    calls = ran.task().calls
    assert [(entry.call.http_status, entry.call.index) for entry in calls] == [(status, 0), (status, 1), (200, 2)]
    assert {entry.call.obtained for entry in calls} == {"replayed"}


@pytest.mark.parametrize("client", DRAWING)
def test_clients_that_draw_their_backoff_do_not_sleep_either(
    project: Project, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, url, answer, module = DRAWING[client]
    slept: list[float] = []
    # pytest itself waits for milliseconds now and then
    monkeypatch.setattr("time.sleep", lambda seconds: slept.append(seconds) if seconds > _MOMENT else None)
    monkeypatch.setattr(f"{module}.time", time)
    answers = [refused("openai", 429), refused("openai", 503), chat()]
    for recorded in answers:
        recorded["request"] |= {"uri": url, "body": "{}"}
    answers[-1]["response"]["body"]["string"] = json.dumps(answer)
    ran = (
        project.file("agent.py", agent)
        .tests(
            f"""
            import {module}

            @pytest.mark.token_budget
            def test_it():
                ask("Hello")
                {module}.time.sleep(77)  # the user's own
                assert {module}.time.monotonic()
            """
        )
        .recorded(*answers)
        .run()
    )
    assert ran.counts == {"passed": 1}, ran.out
    assert [entry.call.http_status for entry in ran.task().calls] == [429, 503, 200]
    assert slept == [77]


def test_the_users_own_code_reads_what_was_recorded(project: Project) -> None:
    ran = (
        project.tests(
            """
            import urllib.error

            def heads():
                with pytest.raises(urllib.error.HTTPError) as refused:
                    ask("Hello")
                return {name.lower(): value for name, value in refused.value.headers.items()}

            @pytest.mark.token_budget
            def test_it():
                assert heads()["retry-after"] == "20"
                assert heads()["retry-after-ms"] == "1"
                # some clients give up where they are asked to wait for long
                assert "retry-after-ms" not in heads()
                assert "retry-after-ms" not in heads()
                assert heads()["retry-after-ms"] == "90000"
            """
        )
        .recorded(
            refused("openai", 429, retry_after="20"),
            refused("openai", 429, retry_after="1.5", retry_after_ms="1500"),
            refused("openai", 429, retry_after="600"),
            refused("openai", 503, retry_after="Thu, 26 Nov 2026 01:00:00 GMT"),
            refused("openai", 429, retry_after_ms="90000"),
        )
        .run()
    )
    assert ran.counts == {"passed": 1}, ran.out


def test_a_client_that_gave_up_when_recorded_gives_up_at_replay(project: Project) -> None:
    ran = (
        project_of(project, "openai")
        .tests(
            """
            import openai

            @pytest.mark.token_budget
            def test_it():
                with pytest.raises(openai.RateLimitError):
                    ask("Hello")
            """
        )
        .recorded(refused("openai", 429, retry_after="600"))
        .run()
    )
    assert ran.counts == {"passed": 1}, ran.out
