"""Values that no provider should send: what cannot be read is said, and is never taken for nothing."""

import json
import random
from typing import Any

import pytest
from wire_exchanges import CHAT, MESSAGES, RESPONSES, call, chat, exchange, message

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.wire import read

GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
CONVERSE = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"
MISTRAL = "https://api.mistral.ai/v1/conversations"
OPENAI = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
CLAUDE = {"input_tokens": 10, "output_tokens": 5}
CONVERSED = {"inputTokens": 10, "outputTokens": 5, "cacheWriteInputTokens": 4, "totalTokens": 19}
GENERATED = {"promptTokenCount": 10, "candidatesTokenCount": 5}
ODD: tuple[Any, ...] = (7, -1, True, "x", [3], 1.5)


def answer(url: str, usage: Any) -> dict[str, Any]:
    head = {CHAT: chat, MESSAGES: message}.get(url)
    if head is not None:
        return head(usage)
    if url == GEMINI:
        return {"candidates": [{"finishReason": "STOP"}], "modelVersion": "gemini-2.5-flash", "usageMetadata": usage}
    return {"id": "r", "model": "gpt-5.2", "output": [], "outputs": [], "usage": usage}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("url", "usage", "key"),
    [
        (CHAT, OPENAI, "prompt_tokens_details"),
        (CHAT, OPENAI, "completion_tokens_details"),
        (CHAT, OPENAI, "server_tool_use"),
        (MESSAGES, CLAUDE, "output_tokens_details"),
        (MESSAGES, CLAUDE, "server_tool_use"),
        (MESSAGES, CLAUDE, "iterations"),
        (MESSAGES, {**CLAUDE, "cache_creation_input_tokens": 9}, "cache_creation"),
        (GEMINI, GENERATED, "promptTokensDetails"),
        (GEMINI, GENERATED, "candidatesTokensDetails"),
        (CONVERSE, CONVERSED, "cacheDetails"),
        (CONVERSE, CONVERSED, "serverToolUsage"),
        (MISTRAL, OPENAI, "connectors"),
    ],
)
def test_what_should_take_a_count_apart_and_does_not_makes_it_a_lower_bound(
    url: str, usage: dict[str, Any], key: str, odd: Any
) -> None:
    whole = call(url, answer(url, usage))
    assert whole.status == "exact"
    for nothing in (None, {}, [], ""):
        assert call(url, answer(url, {**usage, key: nothing})) == whole
    found = call(url, answer(url, {**usage, key: odd}))
    assert (found.status, found.usage) == ("partial", whole.usage)
    assert any(f"usage.{key} is" in note and "not an object" in note for note in found.notes)


@pytest.mark.parametrize("odd", ODD)
def test_tools_that_are_told_oddly_are_not_free(odd: Any) -> None:
    body = {**answer(RESPONSES, {"input_tokens": 10, "output_tokens": 5}), "output": [{"type": "web_search_call"}]}
    assert call(RESPONSES, {**body, "tool_usage": odd}).status == "partial"
    assert call(RESPONSES, {**body, "tool_usage": {"web_search": odd}}).status == "partial"
    for nothing in (None, {}, {"web_search": None}, {"web_search": {"num_requests": None}}):
        found = call(RESPONSES, {**body, "tool_usage": nothing})
        assert (found.status, dict(found.usage.fees)) == ("exact", {"web_search": 1})


def test_an_iteration_of_a_kind_that_nobody_knows_may_be_billed_apart() -> None:
    found = call(MESSAGES, message({**CLAUDE, "iterations": [{"type": "reflection", "input_tokens": 900}]}))
    assert (found.status, found.notes) == (
        "partial",
        ("usage has an iteration of an unknown kind, whose tokens the sum may lack",),
    )


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e400"])
@pytest.mark.parametrize("key", ["prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"])
def test_a_number_that_is_none_is_no_zero(literal: bytes, key: str) -> None:
    body = json.dumps(chat({**OPENAI, key: "HERE"})).encode().replace(b'"HERE"', literal)
    found = call(CHAT, body)
    assert found.status in {"partial", "missing"}
    assert PriceTable().charge(found).cost is None


@pytest.mark.parametrize("odd", [7, -1, True, ["batch"], {"type": "flex"}, 0])
def test_what_selects_a_rate_oddly_is_not_the_ordinary_rate(odd: Any) -> None:
    table = PriceTable()
    for found in (
        call(CHAT, chat(OPENAI, service_tier=odd)),
        call(MESSAGES, message({**CLAUDE, "service_tier": odd})),
        call(MESSAGES, message({**CLAUDE, "speed": odd})),
        call(MESSAGES, message({**CLAUDE, "inference_geo": odd})),
    ):
        assert (found.status, table.charge(found).cost) == ("exact", None)
        assert table.charge(found).unpriced


def results(chance: random.Random) -> tuple[str, bytes]:
    rows: list[Any] = [
        {"custom_id": "a", "response": {"status_code": 200, "body": chat(OPENAI)}, "error": None},
        {"custom_id": "b", "result": {"type": "succeeded", "message": message(CLAUDE)}},
        {"custom_id": "c", "result": {"type": "expired"}},
    ]
    operation = {"name": "batches/b", "done": True, "response": {"inlinedResponses": {"inlinedResponses": rows}}}
    return chance.choice(
        [
            ("https://api.openai.com/v1/files/f/content", b"\n".join(json.dumps(row).encode() for row in rows)),
            ("https://api.anthropic.com/v1/messages/batches/b/results", json.dumps(rows[1]).encode()),
            ("https://generativelanguage.googleapis.com/v1beta/batches/b", json.dumps(operation).encode()),
            (
                "https://api.openai.com/v1/batches/b",
                json.dumps({"id": "b", "status": "completed", "usage": CLAUDE}).encode(),
            ),
        ]
    )


def test_no_results_of_a_batch_raise_or_are_exactly_nothing() -> None:
    chance = random.Random(7)  # noqa: S311 - not for secrets
    odd = [b"null", b"-1", b'"x"', b"[]", b"{}", b"1.5", b"1e400", b"true", b"NaN", b"99999999999999999999999"]
    seen = set()
    for _ in range(1500):
        url, body = results(chance)
        at = chance.randrange(len(body))
        numbers = [place for place, byte in enumerate(body) if 48 <= byte <= 57]
        place = chance.choice(numbers or [0])
        body = chance.choice(
            [
                body[:at],
                body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :],
                body[:at] + body[at + chance.randrange(1, 30) :],
                body[:place] + chance.choice(odd) + body[place + 1 :],
            ]
        )
        found = read(exchange(url, body, method="GET", headers={}), len)
        assert isinstance(found, Call)
        seen.add(found.status)
        assert (found.usage.total > 0) == (found.status in {"exact", "partial"}), (body, found)
        assert all(count >= 0 for _, count in found.usage.counts())
    assert seen == {"exact", "partial", "missing", "unbilled"}
