"""Recordings that were edited or shortened by hand contradict their own usage."""

import json
import re
from typing import Any

import pytest

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.policy.contradictions import CONTRADICTS, contradictions
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.wire import read

LONG = "The customer asks for a refund of the order that never came. " * 200


def chat(
    text: str = "Hello",
    answer: str = "Hi.",
    *,
    prompt: int = 10,
    output: int = 3,
    asked: dict[str, Any] | None = None,
    **fields: Any,
) -> Exchange:
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
    }
    message = {"role": "assistant", "content": answer}
    body = {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    request = {"model": "m", "messages": [{"role": "user", "content": text}], **(asked or {})}
    return Exchange(
        **{
            "method": "POST",
            "url": "https://api.openai.com/v1/chat/completions",
            "request_body": json.dumps(request).encode(),
            "status": 200,
            "response_headers": {"content-type": "application/json"},
            "response_body": json.dumps(body).encode(),
            "obtained": "replayed",
            **fields,
        }
    )


def found(exchange: Exchange) -> list[str]:
    call = read(exchange, count)
    assert isinstance(call, Call)
    return list(contradictions(call, exchange))


@pytest.mark.parametrize(
    "exchange",
    [
        chat(),
        chat(LONG, prompt=2_500),
        chat(LONG, prompt=700),
        chat("Hi", prompt=1_900),
        chat("Short, with a long past", prompt=90_000, asked={"previous_response_id": "r"}),
        chat("What does it say?", prompt=90_000, asked={"file_ids": ["f"]}),
        chat(output=99),
        chat(answer=LONG, output=len(LONG) // 4),
        chat(output=9_000, asked={"reasoning_effort": "high"}),
        chat(LONG, prompt=1, status=500),
    ],
)
def test_what_anything_explains_is_no_contradiction(exchange: Exchange) -> None:
    assert found(exchange) == []


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        (chat(LONG, prompt=100), r"its prompt has about 2,\d\d\d tokens, its usage says 100\. It may have been edited"),
        (chat("cut", prompt=18_000), r"its request is 64 bytes long, its usage says 18,000 input tokens\."),
        (chat(answer="cut", output=4_000), r"its answer is \d\d\d bytes long, its usage says 4,000 output tokens\."),
    ],
)
def test_what_cannot_be_true_is_named(exchange: Exchange, said: str) -> None:
    (sentence,) = found(exchange)
    assert sentence.startswith(f"{CONTRADICTS}: ")
    assert sentence.endswith("; record it again.")
    assert re.search(said, sentence)


def test_a_damaged_body_is_judged_by_nothing() -> None:
    broken = chat("Hello", prompt=90_000)
    call = read(broken, count)
    assert isinstance(call, Call)
    damaged = chat(prompt=90_000, request_body=b"\x1f\x8bno gzip")
    assert list(contradictions(call, damaged)) == []
