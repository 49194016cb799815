from typing import Any

import pytest
from bedrock_frames import STREAM_LABEL, converse_stream, frame
from wire_exchanges import JSON_LABEL, call

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.prompt import Segment

HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
REQUEST_ID = {"x-amzn-requestid": "68547039-f30c-4aff"}


def converse(usage: object, **more: object) -> dict[str, object]:
    content = [{"text": "Look."}, {"toolUse": {"toolUseId": "t", "name": "lookup", "input": {}}}]
    message = {"role": "assistant", "content": content}
    return {"output": {"message": message}, "stopReason": "tool_use", "usage": usage, "metrics": {}} | more


def read(usage: object, model: str = SONNET, request: object = None, **more: object) -> Call:
    url = f"{HOST}/model/{model.replace(':', '%3A')}/converse"
    return call(url, converse(usage, **more), request=request or {"messages": []}, headers=JSON_LABEL | REQUEST_ID)


def stream(usage: object, model: str = SONNET, body: bytes | None = None, **metadata: object) -> Call:
    url = f"{HOST}/model/{model.replace(':', '%3A')}/converse-stream"
    sent = converse_stream(usage, "Look", ".", **metadata) if body is None else body
    return call(url, sent, request={"messages": []}, headers=STREAM_LABEL | REQUEST_ID)


def counts(found: Call) -> dict[str, int]:
    return dict(found.usage.counts())


def test_a_response_is_a_call() -> None:
    found = read({"inputTokens": 433, "outputTokens": 16, "totalTokens": 449})
    assert (found.provider, found.api, found.host) == ("aws", "bedrock.converse", HOST.removeprefix("https://"))
    assert (found.model_asked, found.model_served, found.model) == (SONNET, None, SONNET)
    assert (found.status, counts(found), found.notes) == ("exact", {"input": 433, "output": 16}, ())
    assert (found.tools, found.finish, found.response_id) == (("lookup",), "tool_use", "68547039-f30c-4aff")
    assert found.is_step
    assert not found.stream


def test_a_stream_tells_its_usage_at_the_end() -> None:
    found = stream({"inputTokens": 433, "outputTokens": 16, "totalTokens": 449})
    assert (found.status, counts(found), found.notes) == ("exact", {"input": 433, "output": 16}, ())
    assert (found.api, found.model, found.stream) == ("bedrock.converse", SONNET, True)
    assert (found.tools, found.finish, found.response_id) == (("lookup",), "tool_use", "68547039-f30c-4aff")


USAGES: list[tuple[dict[str, object], dict[str, int], str]] = [
    (  # input excludes the cache; both spellings of it stand side by side
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "totalTokens": 2067,
            "cacheReadInputTokens": 2000,
            "cacheReadInputTokenCount": 2000,
            "cacheWriteInputTokens": 52,
            "cacheWriteInputTokenCount": 52,
            "serverToolUsage": {},
        },
        {"input": 10, "cache_read": 2000, "cache_write": 52, "output": 5},
        "exact",
    ),
    (
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "totalTokens": 67,
            "cacheWriteInputTokens": 52,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 40}, {"ttl": "5m", "inputTokens": 12}],
        },
        {"input": 10, "cache_write": 12, "cache_write_1h": 40, "output": 5},
        "exact",
    ),
    (
        {"inputTokens": 1, "outputTokens": 5, "cacheWriteInputTokens": 7, "cacheDetails": []},
        {"input": 1, "cache_write": 7, "output": 5},
        "exact",
    ),
    (  # twelve hours are neither of our lifetimes: unpriced, by a name of their own
        {
            "inputTokens": 1,
            "outputTokens": 5,
            "cacheWriteInputTokens": 9,
            "cacheDetails": [{"ttl": "12h", "inputTokens": 9}],
        },
        {"input": 1, "output": 5, "cache_write_12h": 9},
        "exact",
    ),
    (
        {
            "inputTokens": 1,
            "outputTokens": 5,
            "cacheWriteInputTokens": 9,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 4}],
        },
        {"input": 1, "cache_write": 5, "cache_write_1h": 4, "output": 5},
        "partial",
    ),
    (  # two spellings that contradict each other
        {"inputTokens": 1, "outputTokens": 5, "cacheReadInputTokens": 7, "cacheReadInputTokenCount": 8},
        {"input": 1, "cache_read": 7, "output": 5},
        "partial",
    ),
    ({"inputTokens": 4, "outputTokens": 5, "totalTokens": 11}, {"input": 4, "output": 5}, "partial"),
    (  # a total without the cache, which input cannot hold
        {"inputTokens": 4, "outputTokens": 5, "totalTokens": 9, "cacheReadInputTokens": 100},
        {"input": 4, "cache_read": 100, "output": 5},
        "exact",
    ),
    (  # a total without the cache, which input might hold
        {"inputTokens": 400, "outputTokens": 5, "totalTokens": 405, "cacheReadInputTokens": 100},
        {"input": 400, "cache_read": 100, "output": 5},
        "partial",
    ),
    ({"inputTokens": 4}, {"input": 4}, "partial"),
    ({"outputTokens": 4}, {"output": 4}, "partial"),
    ({"inputTokens": 4, "outputTokens": 5, "reasoningTokens": 3}, {"input": 4, "output": 5}, "partial"),
    ({"inputTokens": "4", "outputTokens": 5}, {"output": 5}, "partial"),
    ({"inputTokens": 4.0, "outputTokens": 5}, {"input": 4, "output": 5}, "exact"),
    ({"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}, {}, "missing"),
    ({"totalTokens": 8}, {}, "missing"),
    ({}, {}, "missing"),
]


@pytest.mark.parametrize(("usage", "classes", "status"), USAGES)
def test_classes_are_disjoint(usage: dict[str, object], classes: dict[str, int], status: str) -> None:
    for found in (read(usage), stream(usage)):
        assert (counts(found), found.status) == (classes, status)


@pytest.mark.parametrize("usage", [None, 7, [], "x"])
def test_a_usage_that_is_none_is_missing_not_zero(usage: object) -> None:
    assert read(usage).status == "missing"
    assert stream(usage).status == "missing"


def test_an_hour_of_caching_is_not_taken_for_five_minutes() -> None:
    request = {"messages": [], "system": [{"text": "S"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]}
    usage: dict[str, object] = {"inputTokens": 1, "outputTokens": 5, "cacheWriteInputTokens": 9}
    found = read(usage, request=request)
    assert (found.status, counts(found)) == ("partial", {"input": 1, "cache_write": 9, "output": 5})
    told = read(usage | {"cacheDetails": [{"ttl": "1h", "inputTokens": 9}]}, request=request)
    assert (told.status, counts(told)) == ("exact", {"input": 1, "cache_write_1h": 9, "output": 5})
    assert read({"inputTokens": 1, "outputTokens": 5}, request=request).status == "exact"


# Measured on gpt-5.6: the stream tells 4,995 and the same prompt without streaming 2.
GROSS = {"inputTokens": 4995, "outputTokens": 19, "totalTokens": 10007, "cacheWriteInputTokens": 4993}
NET = {"inputTokens": 2, "outputTokens": 19, "totalTokens": 5014, "cacheWriteInputTokens": 4993}


@pytest.mark.parametrize("model", ["openai.gpt-5.6-sol", "us.openai.gpt-5.6-sol", "global.openai.gpt-6-luna"])
def test_streams_of_openai_models_count_the_cache_in_the_input(model: str) -> None:
    expected = {"input": 2, "cache_write": 4993, "output": 19}
    assert counts(stream(GROSS, model)) == expected
    assert counts(stream(NET, model)) == expected
    assert counts(read(NET, model)) == expected
    assert {stream(GROSS, model).status, stream(NET, model).status, read(NET, model).status} == {"exact"}


def test_streams_of_other_models_do_not() -> None:
    assert counts(stream(GROSS)) == {"input": 4995, "cache_write": 4993, "output": 19}


def test_the_tier_and_the_latency_select_a_price() -> None:
    usage = {"inputTokens": 1, "outputTokens": 1}
    more: dict[str, Any] = {"serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "optimized"}}
    for found in (read(usage, **more), stream(usage, **more)):
        assert (found.tier, found.price_context) == ("flex", (("latency", "optimized"),))
    ordinary = read(usage, serviceTier={"type": "default"}, performanceConfig={"latency": "standard"})
    assert (ordinary.tier, ordinary.price_context) == ("default", ())
    asked = read(usage, request={"messages": [], "serviceTier": {"type": "priority"}})
    assert asked.tier == "priority"
    assert asked.notes == ("the response does not name the tier it was served at: priority, as asked, is assumed",)


def test_a_prompt_router_names_the_model_and_is_billed() -> None:
    profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0"
    usage = {"inputTokens": 1, "outputTokens": 1}
    found = read(usage, "router", trace={"promptRouter": {"invokedModelId": profile}})
    assert found.model == "us.anthropic.claude-haiku-4-5-20251001-v1:0"
    assert dict(found.usage.fees) == {"prompt_router": 1}


def test_a_guardrail_is_billed_apart() -> None:
    note = "a guardrail was applied: its text units are billed apart, and not in the cost"
    usage = {"inputTokens": 1, "outputTokens": 1}
    assert read(usage, trace={"guardrail": {}}).notes == (note,)
    stopped = read({"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}, stopReason="guardrail_intervened")
    assert (stopped.status, stopped.notes[0]) == ("missing", note)


def test_tools_of_the_server_are_fees() -> None:
    found = read({"inputTokens": 1, "outputTokens": 1, "serverToolUsage": {"webGroundingRequests": 2}})
    assert dict(found.usage.fees) == {"webGroundingRequests": 2}


WHOLE = converse_stream({"inputTokens": 4, "outputTokens": 5, "totalTokens": 9}, "a", "b")


def test_a_cut_stream_is_unknown_not_free() -> None:
    assert stream(None, body=WHOLE).status == "exact"
    for length in range(len(WHOLE)):
        found = stream(None, body=WHOLE[:length])
        assert (found.status, found.usage.total) == ("missing", 0), length


def test_a_stream_with_a_damaged_message_is_a_lower_bound() -> None:
    damaged = bytearray(WHOLE)
    damaged[len(frame("messageStart", {"role": "assistant", "p": "abc"})) + 100] ^= 1
    found = stream(None, body=bytes(damaged))
    assert (found.status, counts(found)) == ("partial", {"input": 4, "output": 5})
    assert found.notes == ("response: 1 of the stream's messages are damaged",)


def test_a_payload_that_is_no_json_counts_as_damaged() -> None:
    found = stream(None, body=frame("messageStop", b"{") + WHOLE)
    assert (found.status, counts(found)) == ("partial", {"input": 4, "output": 5})


def test_an_exception_within_a_stream_is_named() -> None:
    body = frame("messageStart", {}) + frame("modelStreamErrorException", {"message": "secret"}, kind="exception")
    found = stream(None, body=body)
    assert found.status == "missing"
    assert found.notes == (
        "the stream reports an error: modelStreamErrorException",
        "the stream was cut before its usage",
    )


def test_a_refused_call_costs_nothing() -> None:
    found = call(f"{HOST}/model/m/converse", {"message": "Too many requests"}, status=429, headers=JSON_LABEL)
    assert (found.status, found.api, found.usage.total) == ("error", "bedrock.converse", 0)


@pytest.mark.parametrize("body", [b"", b"no JSON", b"\0\0\0\x10", b"[1, 2]", b'"text"', b"<html>"])
def test_a_body_that_is_none_is_missing(body: bytes) -> None:
    for label in (JSON_LABEL, STREAM_LABEL):
        assert call(f"{HOST}/model/m/converse-stream", body, headers=label).status == "missing"


@pytest.mark.parametrize(
    ("quoted", "model"),
    [
        ("amazon.nova-lite-v1%3A0", "amazon.nova-lite-v1:0"),
        ("amazon.nova-lite-v1%253A0", "amazon.nova-lite-v1:0"),
        ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("global.anthropic.claude-opus-5", "global.anthropic.claude-opus-5"),
        (
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Feu.anthropic.claude-opus-5",
            "eu.anthropic.claude-opus-5",
        ),
        (
            "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-opus-5",
            "anthropic.claude-opus-5",
        ),
        (
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3",
        ),
        (
            "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/x9",
            "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/x9",
        ),
    ],
)
def test_the_url_names_the_model(quoted: str, model: str) -> None:
    found = call(f"{HOST}/model/{quoted}/converse", converse({"inputTokens": 1, "outputTokens": 1}), request={})
    assert (found.status, found.model) == ("exact", model)


@pytest.mark.parametrize(
    "host",
    [
        "bedrock-runtime.us-east-1.amazonaws.com",
        "bedrock-runtime-fips.us-east-1.amazonaws.com",
        "bedrock-runtime.cn-north-1.amazonaws.com.cn",
        "bedrock-runtime.eu-west-1.api.aws",
        "vpce-0123-abc.bedrock-runtime.us-east-1.vpce.amazonaws.com",
    ],
)
def test_every_endpoint_of_bedrock_is_aws(host: str) -> None:
    found = call(f"https://{host}/model/m/converse", converse({"inputTokens": 1, "outputTokens": 1}), request={})
    assert (found.provider, found.api, found.status) == ("aws", "bedrock.converse", "exact")


def test_other_hosts_may_speak_it_too() -> None:
    found = call("http://127.0.0.1:81/model/m/converse", converse({"inputTokens": 1, "outputTokens": 1}), request={})
    assert (found.provider, found.api, found.status) == ("127.0.0.1:81", "bedrock.converse", "exact")


@pytest.mark.parametrize(
    ("path", "asked", "served", "billed"),
    [
        ("openai/v1/chat/completions", "global.openai.gpt-6-luna", "gpt-6-luna", "global.openai.gpt-6-luna"),
        ("v1/chat/completions", "router", "openai.gpt-6-luna", "openai.gpt-6-luna"),
    ],
)
def test_a_served_model_without_its_region_does_not_hide_it(path: str, asked: str, served: str, billed: str) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    url = f"https://bedrock-mantle.us-east-1.api.aws/{path}"
    found = call(url, {"model": served, "choices": [], "usage": usage}, request={"model": asked, "messages": []})
    assert (found.provider, found.api, found.model) == ("aws", "openai.chat", billed)


def test_counting_tokens_is_free() -> None:
    found = call(f"{HOST}/model/{SONNET}/count-tokens", {"inputTokens": 15})
    assert (found.status, found.api, found.usage.total) == ("unbilled", "aws.count_tokens", 0)


def test_a_prompt_of_odd_values_raises_nothing() -> None:
    odd = [{"toolUse": {"toolUseId": [1], "name": {}}}, {"toolResult": {"toolUseId": {}, "content": 7}}, 7, None, []]
    request = {"system": odd, "toolConfig": {"tools": odd}, "messages": [7, {"role": [], "content": odd}]}
    found = read({"inputTokens": 1, "outputTokens": 1}, request=request)
    assert (found.status, found.notes) == ("exact", ())


def kinds(parts: tuple[Segment, ...]) -> list[tuple[str, str, int]]:
    return [(part.kind, part.name, part.characters) for part in parts]


def test_the_prompt_is_taken_apart() -> None:
    request = {
        "system": [{"text": "You help."}, {"cachePoint": {"type": "default"}}],
        "toolConfig": {"tools": [{"toolSpec": {"name": "lookup", "inputSchema": {"json": {}}}}, {"cachePoint": {}}]},
        "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}"}}}},
        "messages": [
            {"role": "user", "content": [{"text": "Hi"}, {"image": {"format": "png", "source": {"bytes": "AAAA"}}}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Hmm"}}},
                    {"reasoningContent": {"redactedContent": "AAAA"}},
                    {"toolUse": {"toolUseId": "t1", "name": "lookup", "input": {"a": 1}}},
                ],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "21"}, {"json": {"b": 2}}]}}],
            },
        ],
    }
    found = read({"inputTokens": 1, "outputTokens": 1}, request=request)
    assert kinds(found.prompt) == [
        ("schema", "", len('{"jsonSchema":{"schema":"{}"}}')),
        ("tools", "lookup", len('{"toolSpec":{"name":"lookup","inputSchema":{"json":{}}}}')),
        ("system", "system", 9),
        ("user", "user", 2),
        ("media", "image/png", len('{"format":"png","source":{"bytes":"AAAA"}}')),
        ("thinking", "assistant", 3),
        ("thinking", "encrypted", len('{"redactedContent":"AAAA"}')),
        ("tool_call", "lookup", 7),
        ("tool_result", "lookup", 2),
        ("tool_result", "lookup", 7),
    ]
