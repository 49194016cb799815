"""What a model call is told that its recording does not answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from studio import Studio
from vcr.request import Request

from pytest_tokenbudget.errors import RecordingMiss

CHAT = "https://api.openai.com/v1/chat/completions"
EMBEDDINGS = "https://api.openai.com/v1/embeddings"
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def asked(*messages: dict[str, Any], url: str = CHAT, **fields: Any) -> Request:
    body = {"model": "gpt-5-mini", **({"messages": messages} if messages else {}), **fields}
    return Request("POST", url, json.dumps(body).encode(), {"content-type": "application/json"})


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def record(studio: Studio, *requests: Request) -> None:
    with studio.open("once") as cassette:
        for request in requests:
            assert not cassette.can_play_response_for(request)
            usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
            answer = {"model": "gpt-5-mini", "choices": [{"message": {"content": "Yes."}}], "usage": usage}
            cassette.append(
                request, {"status": {"code": 200}, "headers": {}, "body": {"string": json.dumps(answer).encode()}}
            )
    studio.task.restart()


def miss(studio: Studio, *requests: Request) -> str:
    """Replay, and give what the last request is told."""
    *answered, unanswered = requests
    with studio.open() as cassette:
        for request in answered:
            assert cassette.can_play_response_for(request)
            cassette.play_response(request)
        with pytest.raises(RecordingMiss) as stopped:
            cassette.can_play_response_for(unanswered)
    return str(stopped.value)


def test_it_says_which_step_what_it_asked_what_is_there_and_what_to_type(studio: Studio) -> None:
    record(studio, asked(user("Hello")), asked(user("Where is A-1042?")))
    more = asked(user("Hello"), {"role": "assistant", "tool_calls": [TOOL_CALL]}, _result("Shipped,\nyesterday"))
    assert miss(studio, asked(user("Hello")), asked(user("Where is A-1042?")), more) == (
        f"[miss] POST {CHAT} was not sent: this test replays, and both answers in {studio.name} are used. "
        "It is step 3, to gpt-5-mini, after the tool result “Shipped, yesterday”. "
        "To send it and add it, type: pytest test_it.py::test_it --tokenbudget-record=new "
        "(--tokenbudget-record=all records all of the test anew)."
    )


def _result(text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "call_1", "content": text}


@pytest.mark.parametrize(
    ("recorded", "played", "said"),
    [
        (1, 0, "the one in {} is of another endpoint."),
        (2, 0, "of the 2 recorded in {}, 2 are of another endpoint."),
        (2, 1, "of the 3 answers in {}, 1 is used and 2 are of another endpoint."),
        (1, 2, "of the 3 answers in {}, 2 are used and 1 is of another endpoint."),
    ],
)
def test_it_tells_what_is_used_from_what_is_of_another_endpoint(
    studio: Studio, recorded: int, played: int, said: str
) -> None:
    embedded = [asked(url=EMBEDDINGS, input=f"{number}") for number in range(recorded)]
    record(studio, *embedded, *[asked(user("Hello")) for _ in range(played)])
    text = miss(studio, *[asked(user("Hello")) for _ in range(played + 1)])
    assert f"this test replays, and {said.format(studio.name)} It is step {played + 1}, " in text


def test_what_was_asked_is_one_short_line_without_secrets(studio: Studio) -> None:
    key = "sk-proj-" + "a1B2c3D4" * 6
    text = miss(studio, asked(user(f"use {key}\n\x1b[31m and\ttell " + "me more " * 20)))
    quoted = text.partition("“")[2].partition("”")[0]
    assert key not in text
    assert len(quoted) == 80
    assert quoted.isprintable()
    assert quoted.endswith("…")
    assert "[31m and tell me more" in quoted


def test_a_body_that_nobody_can_read_is_named_by_its_url(studio: Studio) -> None:
    text = miss(studio, Request("POST", CHAT, b"\xff{", {}))
    assert "It is step 1. To record it, type: " in text
