import json
from collections.abc import Mapping

import pytest
from bedrock_frames import STREAM_LABEL, chunks, frame
from hypothesis import given
from hypothesis import strategies as st
from wire_exchanges import JSON_LABEL, call

from pytest_tokenbudget.model.call import Call

HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
METRICS = "amazon-bedrock-invocationMetrics"


def headers(*counts: int, **more: str) -> dict[str, str]:
    """Response headers with the counts of input, output, cache read and cache write."""
    names = ("input", "output", "cache-read-input", "cache-write-input")
    told = {f"x-amzn-bedrock-{name}-token-count": str(count) for name, count in zip(names, counts, strict=False)}
    return JSON_LABEL | told | {name.replace("_", "-"): value for name, value in more.items()}


def invoke(body: object, model: str = CLAUDE, told: Mapping[str, str] = JSON_LABEL, request: object = None) -> Call:
    return call(f"{HOST}/model/{model.replace(':', '%3A')}/invoke", body, request=request or {}, headers=told)


def stream(*events: object, model: str = CLAUDE, body: bytes | None = None) -> Call:
    url = f"{HOST}/model/{model.replace(':', '%3A')}/invoke-with-response-stream"
    return call(url, chunks(*events) if body is None else body, request={}, headers=STREAM_LABEL)


def counts(found: Call) -> dict[str, int]:
    return dict(found.usage.counts())


def metrics(given: int, output: int, **cache: int) -> dict[str, object]:
    return {METRICS: {"inputTokenCount": given, "outputTokenCount": output, "invocationLatency": 9, **cache}}


MESSAGE = {
    "id": "msg_bdrk_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "t", "name": "lookup", "input": {}}],
    "stop_reason": "tool_use",
    "usage": {
        "input_tokens": 4,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 200,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 50,
    },
}


def test_claude_answers_as_anthropic_does_and_the_url_names_the_model() -> None:
    found = invoke(MESSAGE, told=headers(4, 50, 200, 30))
    assert (found.provider, found.api, found.status, found.notes) == ("aws", "bedrock.invoke", "exact", ())
    assert (found.model_asked, found.model_served, found.model) == (CLAUDE, None, CLAUDE)
    assert counts(found) == {"input": 4, "cache_read": 200, "cache_write": 10, "cache_write_1h": 20, "output": 50}
    assert (found.tools, found.finish, found.response_id) == (("lookup",), "tool_use", "msg_bdrk_1")


NATIVE: list[tuple[str, dict[str, object], dict[str, str], dict[str, int], str | None]] = [
    (  # Amazon Nova answers as Converse does
        "us.amazon.nova-lite-v1:0",
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10, "cacheReadInputTokenCount": 0},
        },
        {},
        {"input": 7, "output": 3},
        "end_turn",
    ),
    (
        "amazon.titan-text-express-v1",
        {
            "inputTextTokenCount": 5,
            "results": [{"tokenCount": 61, "outputText": "Hi", "completionReason": "FINISH"}],
        },
        {},
        {"input": 5, "output": 61},
        "FINISH",
    ),
    (
        "meta.llama3-1-8b-instruct-v1:0",
        {"generation": "Hi", "prompt_token_count": 12, "generation_token_count": 8, "stop_reason": "length"},
        {},
        {"input": 12, "output": 8},
        "length",
    ),
    (
        "mistral.mistral-7b-instruct-v0:2",
        {"outputs": [{"text": "Hi", "stop_reason": "length"}]},
        headers(6, 10),
        {"input": 6, "output": 10},
        "length",
    ),
    (  # Mistral Large: chat, without a usage
        "mistral.mistral-large-2407-v1:0",
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]},
        headers(6, 10),
        {"input": 6, "output": 10},
        "stop",
    ),
    (
        "cohere.command-text-v14",
        {"generations": [{"id": "g", "text": "Hi", "finish_reason": "COMPLETE"}], "id": "x", "prompt": "Say"},
        headers(9, 2),
        {"input": 9, "output": 2},
        "COMPLETE",
    ),
    (
        "cohere.command-r-plus-v1:0",
        {"response_id": "r", "text": "Hi", "finish_reason": "COMPLETE"},
        headers(9, 2),
        {"input": 9, "output": 2},
        "COMPLETE",
    ),
    (
        "ai21.j2-ultra-v1",
        {"id": 1234, "completions": [{"data": {"text": "Hi"}, "finishReason": {"reason": "endoftext"}}]},
        headers(3, 4),
        {"input": 3, "output": 4},
        "endoftext",
    ),
    (
        "ai21.jamba-1-5-large-v1:0",
        {
            "id": "c",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 17, "completion_tokens": 4, "total_tokens": 21},
        },
        headers(17, 4),
        {"input": 17, "output": 4},
        "stop",
    ),
    (
        "us.deepseek.r1-v1:0",
        {"choices": [{"text": "Hi", "stop_reason": "stop"}]},
        headers(11, 40),
        {"input": 11, "output": 40},
        "stop",
    ),
    (
        "openai.gpt-oss-20b-1:0",
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "openai.gpt-oss-20b-1:0",
            "service_tier": "default",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100},
        },
        headers(70, 30),
        {"input": 70, "output": 30},
        "stop",
    ),
    (  # the text completions of old Claudes
        "anthropic.claude-v2:1",
        {"type": "completion", "completion": " Hi", "stop_reason": "stop_sequence", "stop": "\n\nHuman:"},
        headers(12, 3),
        {"input": 12, "output": 3},
        "stop_sequence",
    ),
    (
        "vendor.unheard-of-v1:0",
        {"answer": "Hi"},
        headers(12, 3, 4, 5),
        {"input": 12, "cache_read": 4, "cache_write": 5, "output": 3},
        None,
    ),
]


@pytest.mark.parametrize(("model", "body", "told", "classes", "finish"), NATIVE)
def test_every_vendors_answer_is_read(
    model: str, body: dict[str, object], told: dict[str, str], classes: dict[str, int], finish: str | None
) -> None:
    found = invoke(body, model, told)
    assert (found.status, counts(found), found.finish) == ("exact", classes, finish)
    assert (found.api, found.model, found.notes) == ("bedrock.invoke", model, ())


def test_titans_results_add_up() -> None:
    found = invoke({"inputTextTokenCount": 5, "results": [{"tokenCount": 6}, {"tokenCount": 7}]}, "amazon.titan-x")
    assert counts(found) == {"input": 5, "output": 13}


def test_without_counts_anywhere_the_usage_is_missing() -> None:
    found = invoke({"outputs": [{"text": "Hi"}]}, "mistral.mistral-7b-instruct-v0:2")
    assert (found.status, found.usage.total, found.notes) == ("missing", 0, ("no usage in the response",))


def test_headers_tell_what_a_lost_body_does_not() -> None:
    found = invoke(b"", told=headers(4, 5))
    assert (found.status, counts(found)) == ("exact", {"input": 4, "output": 5})
    assert found.notes == ("response: the body is empty",)


def test_headers_that_are_no_counts_are_not_zero() -> None:
    told = JSON_LABEL | {"x-amzn-bedrock-input-token-count": "REDACTED", "x-amzn-bedrock-output-token-count": "5"}
    found = invoke({"answer": "Hi"}, told=told)
    assert (found.status, counts(found)) == ("partial", {"output": 5})


def test_a_header_of_thousands_of_digits_is_no_count() -> None:
    found = invoke(b"", told={**headers(4, 5), "x-amzn-bedrock-input-token-count": "9" * 5000})
    assert (found.status, found.cost) == ("partial", None)


def test_the_body_wins_over_headers_and_the_difference_is_told() -> None:
    found = invoke(MESSAGE, told=headers(4, 49))
    assert (found.status, found.usage.output) == ("exact", 50)
    assert found.notes == ("the body tells 234 tokens in and 50 out, Bedrock 4 and 49: the body's are taken",)


def test_tier_and_latency_stand_in_headers() -> None:
    told = headers(4, 5, x_amzn_bedrock_service_tier="flex", x_amzn_bedrock_performanceconfig_latency="optimized")
    found = invoke(MESSAGE, told=told)
    assert (found.tier, found.price_context) == ("flex", (("latency", "optimized"),))


@pytest.mark.parametrize(
    ("model", "body", "told", "tokens"),
    [
        ("amazon.titan-embed-text-v2:0", {"embedding": [0.1], "inputTextTokenCount": 6}, {}, 6),
        ("cohere.embed-english-v3", {"embeddings": [[0.1]], "response_type": "embeddings_floats"}, headers(8), 8),
        ("global.cohere.embed-v4:0", {"embeddings": {"float": [[0.1]]}}, headers(8), 8),
    ],
)
def test_embeddings_have_no_output_and_are_no_step(
    model: str, body: dict[str, object], told: dict[str, str], tokens: int
) -> None:
    found = invoke(body, model, told)
    assert (found.api, found.status, counts(found)) == ("bedrock.embeddings", "exact", {"input": tokens})
    assert not found.is_step


def test_an_embedded_image_is_billed_by_the_piece() -> None:
    body = {"embedding": [0.1], "inputTextTokenCount": 6}
    found = invoke(body, "amazon.titan-embed-image-v1", request={"inputText": "cat", "inputImage": "AAAA"})
    assert (found.status, counts(found), dict(found.usage.fees)) == ("exact", {"input": 6}, {"input_image": 1})


@pytest.mark.parametrize(
    ("model", "api"),
    [
        ("amazon.nova-canvas-v1:0", "bedrock.images"),
        ("amazon.titan-image-generator-v2:0", "bedrock.images"),
        ("stability.sd3-5-large-v1:0", "bedrock.images"),
        ("cohere.rerank-v3-5:0", "bedrock.rerank"),
        ("amazon.rerank-v1:0", "bedrock.rerank"),
    ],
)
def test_what_is_billed_otherwise_is_unsupported_by_name(model: str, api: str) -> None:
    found = invoke({"images": ["AAAA"]}, model)
    assert (found.api, found.status, found.is_step) == (api, "unsupported", False)
    assert "billed by the" in found.notes[0]


START = {
    "type": "message_start",
    "message": MESSAGE | {"content": [], "usage": {"input_tokens": 4, "output_tokens": 2}},
}
DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
TOOL = {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "lookup", "input": {}}}
ENDED = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 50}}
STOPPED = {"type": "message_stop"}


def test_a_claude_stream_keeps_the_cache_that_only_the_metrics_tell() -> None:
    told = metrics(4, 50, cacheReadInputTokenCount=14486, cacheWriteInputTokenCount=2238)
    found = stream(START, TOOL, DELTA, DELTA, ENDED, STOPPED | told)
    assert (found.status, found.stream, found.notes) == ("exact", True, ())
    assert counts(found) == {"input": 4, "cache_read": 14486, "cache_write": 2238, "output": 50}
    assert (found.tools, found.finish, found.response_id, found.model) == (
        ("lookup",),
        "tool_use",
        "msg_bdrk_1",
        CLAUDE,
    )


def test_a_claude_stream_tells_its_own_cache_with_its_lifetimes() -> None:
    start = START | {"message": MESSAGE}
    told = metrics(4, 50, cacheReadInputTokenCount=200, cacheWriteInputTokenCount=30)
    found = stream(start, ENDED, STOPPED | told)
    assert counts(found) == {"input": 4, "cache_read": 200, "cache_write": 10, "cache_write_1h": 20, "output": 50}
    assert found.notes == ()


STREAMS: list[tuple[str, list[dict[str, object]], dict[str, int]]] = [
    (
        "amazon.nova-pro-v1:0",
        [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}},
            {"messageStop": {"stopReason": "end_turn"}},
            {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 2, "totalTokens": 11}}, **metrics(9, 2)},
        ],
        {"input": 9, "output": 2},
    ),
    (
        "amazon.titan-text-lite-v1",
        [
            {"outputText": "Hi", "index": 0, "totalOutputTextTokenCount": None, "inputTextTokenCount": 5},
            {"outputText": "", "totalOutputTextTokenCount": 61, "completionReason": "FINISH", **metrics(5, 61)},
        ],
        {"input": 5, "output": 61},
    ),
    (
        "meta.llama3-1-8b-instruct-v1:0",
        [
            {"generation": "H", "prompt_token_count": 12, "generation_token_count": 1, "stop_reason": None},
            {
                "generation": "i",
                "prompt_token_count": None,
                "generation_token_count": 2,
                "stop_reason": "stop",
                **metrics(12, 2),
            },
        ],
        {"input": 12, "output": 2},
    ),
    (
        "mistral.mistral-7b-instruct-v0:2",
        [
            {"outputs": [{"text": "Hi", "stop_reason": None}]},
            {"outputs": [{"text": "", "stop_reason": "stop"}], **metrics(6, 3)},
        ],
        {"input": 6, "output": 3},
    ),
    (
        "openai.gpt-oss-20b-1:0",
        [
            {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]},
            {
                "id": "c",
                "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
                **metrics(70, 30),
            },
        ],
        {"input": 70, "output": 30},
    ),
    (
        "cohere.command-r-v1:0",
        [
            {"event_type": "text-generation", "text": "Hi"},
            {"event_type": "stream-end", "finish_reason": "COMPLETE", **metrics(8, 4)},
        ],
        {"input": 8, "output": 4},
    ),
]


@pytest.mark.parametrize(("model", "events", "classes"), STREAMS)
def test_every_vendors_stream_is_read(model: str, events: list[dict[str, object]], classes: dict[str, int]) -> None:
    found = stream(*events, model=model)
    assert (found.status, counts(found), found.notes) == ("exact", classes, ())
    assert (found.api, found.model, found.stream) == ("bedrock.invoke", model, True)


@pytest.mark.parametrize(("model", "events", "classes"), STREAMS)
def test_a_stream_that_is_cut_is_never_exact(
    model: str, events: list[dict[str, object]], classes: dict[str, int]
) -> None:
    whole = chunks(*events)
    for length in range(len(whole)):
        assert stream(model=model, body=whole[:length]).status in {"missing", "partial"}, length
    assert classes


def test_a_claude_stream_without_its_end_is_a_lower_bound() -> None:
    found = stream(START, DELTA)
    assert (found.status, counts(found)) == ("partial", {"input": 4, "output": 2})


def test_a_damaged_message_makes_it_a_lower_bound() -> None:
    whole = bytearray(chunks(START, DELTA, ENDED, STOPPED | metrics(4, 50)))
    whole[len(chunks(START)) + 90] ^= 1
    found = stream(body=bytes(whole))
    assert (found.status, counts(found)) == ("partial", {"input": 4, "output": 50})
    assert found.notes == ("response: 1 of the stream's messages are damaged",)


def test_a_chunk_that_is_no_json_counts_as_damaged() -> None:
    body = frame("chunk", {"bytes": "####"}) + frame("chunk", b"{") + chunks(START, ENDED, STOPPED | metrics(4, 50))
    found = stream(body=body)
    assert (found.status, found.usage.output) == ("partial", 50)
    assert found.notes == ("response: 2 of the stream's messages are damaged",)


def test_an_exception_in_the_stream_is_named() -> None:
    found = stream(body=chunks(START) + frame("throttlingException", {"message": "no"}, kind="exception"))
    assert found.status == "partial"
    assert found.notes[0] == "the stream reports an error: throttlingException"


@pytest.mark.parametrize(
    ("request_body", "parts"),
    [
        (
            {"anthropic_version": "bedrock-2023-05-31", "system": "S", "messages": [{"role": "user", "content": "Hi"}]},
            ["system", "user"],
        ),
        ({"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "system": [{"text": "S"}]}, ["system", "user"]),
        ({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}]}, ["system", "user"]),
        ({"prompt": "Hi", "max_gen_len": 5}, ["user"]),
        ({"inputText": "Hi", "textGenerationConfig": {}}, ["user"]),
        ({"texts": ["a", "b"], "input_type": "search_query"}, ["user", "user"]),
        ({"message": "Hi", "chat_history": [{"role": "USER", "message": "Before"}]}, ["user", "user"]),
    ],
)
def test_prompts_of_every_vendor_are_taken_apart(request_body: dict[str, object], parts: list[str]) -> None:
    assert [part.kind for part in invoke(MESSAGE, request=request_body).prompt] == parts


def test_a_model_in_the_body_does_not_hide_the_one_in_the_url() -> None:
    assert invoke(MESSAGE, request={"model": "gpt-oss", "messages": []}).model == CLAUDE


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "usage",
        "results",
        "choices",
        "inputTextTokenCount",
        "generation_token_count",
        "type",
        "metadata",
        METRICS,
        "delta",
    ]
)


@given(
    st.dictionaries(KEYS, JSON_VALUES, max_size=4),
    st.dictionaries(st.sampled_from(list(headers(1, 1, 1, 1))), st.text(max_size=4)),
)
def test_nothing_raises_and_nothing_unknown_is_free(body: dict[str, object], told: dict[str, str]) -> None:
    for found in (invoke(body, told=told), stream(body, body)):
        assert "cannot read it" not in " ".join(found.notes)
        assert found.status in {"missing", "partial"} or found.usage.total or found.usage.fees
    assert json.dumps(body)
