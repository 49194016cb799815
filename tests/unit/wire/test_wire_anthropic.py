import pytest
from wire_exchanges import MESSAGES, SSE_LABEL, call, message, sse

from pytest_tokenbudget.model.call import SEVERAL_PROMPTS

FULL = {
    "input_tokens": 4,
    "cache_creation_input_tokens": 219,
    "cache_read_input_tokens": 9116,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 19},
    "output_tokens": 156,
    "output_tokens_details": {"thinking_tokens": 56},
    "service_tier": "standard",
    "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 3},
}
CLASSES = {"input": 4, "cache_read": 9116, "cache_write": 200, "cache_write_1h": 19, "output": 100, "thinking": 56}


def test_a_body_tells_everything_about_its_call() -> None:
    content = [
        {"type": "tool_use", "id": "t1", "name": "search", "input": {}},
        {"type": "server_tool_use", "name": "w"},
    ]
    body = message(FULL, content=content, stop_reason="tool_use")
    found = call(MESSAGES, body, request={"model": "claude-sonnet-4-5"})
    assert (found.provider, found.api, found.status, found.notes) == ("anthropic", "anthropic.messages", "exact", ())
    assert (found.tier, found.finish, found.tools) == ("standard", "tool_use", ("search",))
    assert (found.response_id, found.model) == ("msg_1", "claude-sonnet-4-5-20250929")
    assert dict(found.usage.counts()) == CLASSES
    assert dict(found.usage.fees) == {"web_search": 2}


@pytest.mark.parametrize(
    ("more", "context"),
    [
        ({"speed": "fast"}, (("speed", "fast"),)),
        ({"inference_geo": "us"}, (("inference_geo", "us"),)),
        ({"speed": "standard", "inference_geo": "global"}, ()),
        ({"speed": None, "inference_geo": "not_available"}, ()),
        ({"speed": "fast", "inference_geo": "us"}, (("speed", "fast"), ("inference_geo", "us"))),
        ({"server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0}}, (SEVERAL_PROMPTS,)),
        ({"iterations": [{"type": "message", "input_tokens": 4, "output_tokens": 156}] * 2}, (SEVERAL_PROMPTS,)),
        ({"iterations": [{"type": "message", "input_tokens": 4, "output_tokens": 156}]}, ()),
    ],
)
def test_what_selects_another_rate(more: dict[str, object], context: tuple[tuple[str, str], ...]) -> None:
    unsearched = {"web_search_requests": 0, "web_fetch_requests": 0}
    assert call(MESSAGES, message({**FULL, "server_tool_use": unsearched, **more})).price_context == context


@pytest.mark.parametrize("tier", ["standard", "priority", "batch"])
def test_the_served_tier(tier: str) -> None:
    found = call(MESSAGES, message({**FULL, "service_tier": tier}), request={"model": "m", "service_tier": "auto"})
    assert (found.tier, found.notes) == (tier, ())


def written(total: int | None, split: dict[str, int] | None) -> tuple[str, int, int, tuple[str, ...]]:
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": total, "cache_creation": split}
    found = call(MESSAGES, message(usage))
    return found.status, found.usage.cache_write, found.usage.cache_write_1h, found.notes


def test_how_long_cache_writes_live() -> None:
    assert written(2262, None) == ("exact", 2262, 0, ())
    assert written(2262, {"ephemeral_5m_input_tokens": 2262, "ephemeral_1h_input_tokens": 0}) == ("exact", 2262, 0, ())
    assert written(None, {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 7}) == ("exact", 5, 7, ())
    status, five, hour, notes = written(8239, {"ephemeral_5m_input_tokens": 39, "ephemeral_1h_input_tokens": 0})
    assert (status, five, hour) == ("exact", 8239, 0)
    assert notes[0].startswith("8239 cache-written tokens, 39 of them for five minutes and 0 for an hour")
    status, five, hour, notes = written(100, {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 40})
    assert (status, five, hour) == ("partial", 60, 40)
    assert notes[0].startswith("usage does not say how long 60 tokens are cached")
    status, five, hour, notes = written(10, {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 7})
    assert (status, five, hour) == ("partial", 7, 3)
    assert notes == ("usage contradicts itself: 10 cache-written tokens, 7 of them for five minutes and 7 for an hour",)


START = {
    "type": "message_start",
    "message": message(
        {
            "input_tokens": 4,
            "cache_creation_input_tokens": 219,
            "cache_read_input_tokens": 9116,
            "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 19},
            "output_tokens": 1,
            "service_tier": "priority",
            "inference_geo": "us",
        }
    ),
}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
TOOL = {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "search"}}
DELTA = {
    "type": "message_delta",
    "delta": {"stop_reason": "tool_use"},
    "usage": {"input_tokens": None, "output_tokens": 156, "output_tokens_details": {"thinking_tokens": 56}},
}
STOP = {"type": "message_stop"}


def test_a_delta_replaces_what_it_tells_and_keeps_the_rest() -> None:
    found = call(MESSAGES, sse(START, TEXT, TOOL, DELTA, STOP), headers=SSE_LABEL)
    assert (found.status, found.stream, dict(found.usage.counts())) == ("exact", True, CLASSES)
    assert (found.tier, found.price_context) == ("priority", (("inference_geo", "us"),))
    assert (found.tools, found.finish, found.response_id) == (("search",), "tool_use", "msg_1")


def test_a_later_delta_is_cumulative() -> None:
    first = {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 50}}
    assert dict(call(MESSAGES, sse(START, first, DELTA, STOP), headers=SSE_LABEL).usage.counts()) == CLASSES


def test_a_cut_stream_is_a_lower_bound() -> None:
    found = call(MESSAGES, sse(START, TEXT), headers=SSE_LABEL)
    assert (found.status, found.usage.total_input, found.usage.output) == ("partial", 9339, 1)
    assert found.notes == ("the stream was cut: its usage is what had been told until then",)
    nothing = call(MESSAGES, sse({"type": "ping"}), headers=SSE_LABEL)
    assert (nothing.status, nothing.notes) == ("missing", ("the stream was cut before its usage",))


def test_a_stream_without_its_last_event_is_whole_once_it_told_why_it_stopped() -> None:
    assert call(MESSAGES, sse(START, DELTA), headers=SSE_LABEL).status == "exact"


def test_an_error_in_a_stream_is_noted_without_its_text() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "sk-ant-123"}}
    found = call(MESSAGES, sse(START, TEXT, overloaded), headers=SSE_LABEL)
    assert found.status == "partial"
    assert found.notes[0] == "the response reports an error: overloaded_error"


def test_an_advisor_is_another_model_and_has_no_price_here() -> None:
    advice = {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 900, "output_tokens": 80}
    found = call(MESSAGES, message({**FULL, "iterations": [advice, advice]}))
    assert dict(found.usage.other) == {"advisor.input_tokens": 1800, "advisor.output_tokens": 160}
    assert found.usage.input == 4


@pytest.mark.parametrize(
    "more",
    [
        {"iterations": [{"type": "fallback_message", "model": "x", "input_tokens": 1, "output_tokens": 1}]},
        {"fallback_credit": {"status": {"type": "redeemed"}}},
    ],
)
def test_a_price_that_usage_does_not_tell_is_a_lower_bound(more: dict[str, object]) -> None:
    assert call(MESSAGES, message({**FULL, **more})).status == "partial"


def test_a_fallback_credit_that_was_not_applied_changes_nothing() -> None:
    credit = {"status": {"type": "not_applied", "reason": "expired"}}
    assert call(MESSAGES, message({**FULL, "fallback_credit": credit})).status == "exact"


REFUSAL = {"type": "refusal", "category": "cyber"}
REFUSED = "refused before any output was generated: not billed"


def test_a_refusal_before_any_output_is_not_billed() -> None:
    used = {"input_tokens": 106, "output_tokens": 1}
    body = message(used, content=[], stop_reason="refusal", stop_details=REFUSAL)
    found = call(MESSAGES, body)
    assert (found.status, found.usage.total, found.finish, found.notes) == ("unbilled", 0, "refusal", (REFUSED,))
    end = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": REFUSAL}, "usage": used}
    found = call(MESSAGES, sse(START, end, STOP), headers=SSE_LABEL)
    assert (found.status, found.usage.total, found.finish, found.notes) == ("unbilled", 0, "refusal", (REFUSED,))


def test_a_refusal_is_billed_after_output_and_where_no_classifier_says_so() -> None:
    used = {"input_tokens": 106, "output_tokens": 9}
    late = call(MESSAGES, message(used, stop_reason="refusal", stop_details=REFUSAL))
    older = call(MESSAGES, message(used, content=[], stop_reason="refusal"))
    end = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": REFUSAL}, "usage": used}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    streamed = call(MESSAGES, sse(START, block, TEXT, end, STOP), headers=SSE_LABEL)
    assert [found.status for found in (late, older, streamed)] == ["exact"] * 3


def test_a_container_is_billed_apart() -> None:
    found = call(MESSAGES, message(FULL, container={"id": "container_1", "expires_at": "2026-11-01T00:00:00Z"}))
    note = "code ran in a container: its hours beyond the free ones are billed apart, and not in the cost"
    assert (found.status, found.notes) == ("exact", (note,))


def test_a_lifetime_of_a_write_that_nobody_knows_keeps_its_own_name() -> None:
    split = {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20, "ephemeral_1d_input_tokens": 30}
    found = call(MESSAGES, message({**FULL, "cache_creation_input_tokens": 60, "cache_creation": split}))
    assert (found.status, found.usage.cache_write, found.usage.cache_write_1h) == ("exact", 10, 20)
    assert dict(found.usage.other) == {"ephemeral_1d_input_tokens": 30}


def test_the_sum_that_other_hosts_repeat_is_no_class() -> None:
    found = call(MESSAGES, message({"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}))
    assert (found.status, dict(found.usage.counts())) == ("exact", {"input": 3, "output": 4})


def test_unknown_classes_and_tools_keep_their_own_name() -> None:
    more = {"video_input_tokens": 70, "server_tool_use": {"deep_search_requests": 1}}
    found = call(MESSAGES, message({**FULL, **more}))
    assert dict(found.usage.other) == {"video_input_tokens": 70}
    drawn = call(MESSAGES, message({**FULL, "output_tokens_details": {"image_tokens": 50, "thinking_tokens": 56}}))
    assert dict(drawn.usage.other) == {"image_tokens": 50}
    assert (drawn.usage.output, drawn.usage.thinking) == (50, 56)
    assert dict(found.usage.fees) == {"deep_search": 1}


@pytest.mark.parametrize(
    ("usage", "status", "note"),
    [
        (None, "missing", "no usage in the response"),
        ({}, "missing", "no usage in the response"),
        ({"input_tokens": 3}, "partial", "usage lacks output_tokens"),
        ({"input_tokens": "3", "output_tokens": 4}, "partial", "usage.input_tokens is '3', not a count"),
        (
            {"input_tokens": 0, "output_tokens": 0},
            "missing",
            "every count in the usage is 0: a placeholder, not a measurement",
        ),
        (
            {"input_tokens": 3, "output_tokens": 4, "output_tokens_details": {"thinking_tokens": 9}},
            "partial",
            "usage contradicts itself: 9 thinking tokens where 4 are left to hold them",
        ),
    ],
)
def test_what_is_not_known_is_said(usage: object, status: str, note: str) -> None:
    found = call(MESSAGES, message(usage))
    assert found.status == status
    assert note in found.notes
