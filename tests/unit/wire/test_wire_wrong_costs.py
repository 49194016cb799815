"""Bugs that other tools shipped, at the level of usage; the facts page numbers them. Dollars are pricing's to test."""

from decimal import Decimal

import pytest
from wire_exchanges import CHAT, MESSAGES, RESPONSES, SSE_LABEL, call, chat, chunk, message, sse


def counts(url: str, body: object) -> dict[str, int]:
    found = call(url, body)
    assert found.status == "exact", found.notes
    return dict(found.usage.counts())


def test_1_a_cache_write_is_billed_once() -> None:
    usage = {"input_tokens": 3, "cache_creation_input_tokens": 12304, "cache_read_input_tokens": 0}
    usage |= {"output_tokens": 550}
    assert counts(MESSAGES, message(usage)) == {"input": 3, "cache_write": 12304, "output": 550}


def test_2_cached_tokens_are_inside_the_prompt() -> None:
    usage = {"prompt_tokens": 17903, "completion_tokens": 40, "total_tokens": 17943}
    usage |= {"prompt_tokens_details": {"cached_tokens": 17817}}
    assert counts(CHAT, chat(usage)) == {"input": 86, "cache_read": 17817, "output": 40}
    usage = {"input_tokens": 1200, "output_tokens": 340, "total_tokens": 1540}
    usage |= {"input_tokens_details": {"cached_tokens": 1024}}
    assert counts(RESPONSES, {"status": "completed", "usage": usage}) == {
        "input": 176,
        "cache_read": 1024,
        "output": 340,
    }


def test_3_the_deltas_of_a_stream_are_not_summed() -> None:
    start = {"input_tokens": 2, "cache_creation_input_tokens": 47119, "cache_read_input_tokens": 0, "output_tokens": 4}
    end = {**start, "output_tokens": 64}
    stream = sse(
        {"type": "message_start", "message": message(start)},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
        {"type": "message_stop"},
    )
    found = call(MESSAGES, stream, headers=SSE_LABEL)
    assert dict(found.usage.counts()) == {"input": 2, "cache_write": 47119, "output": 64}


def test_4_one_hour_writes_are_a_class_of_their_own() -> None:
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 344139, "output_tokens": 1}
    usage |= {"cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 344139}}
    assert counts(MESSAGES, message(usage)) == {"input": 1, "cache_write_1h": 344139, "output": 1}


def test_5_a_compaction_is_not_in_the_top_level() -> None:
    iterations = [
        {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500},
        {"type": "message", "input_tokens": 23000, "output_tokens": 1000},
    ]
    usage = {"input_tokens": 23000, "output_tokens": 1000, "iterations": iterations}
    assert counts(MESSAGES, message(usage)) == {"input": 203000, "output": 4500}


def test_6_reasoning_outside_or_inside_the_completion() -> None:
    outside = {"prompt_tokens": 10120, "completion_tokens": 1499, "total_tokens": 14428}
    outside |= {"prompt_tokens_details": {"cached_tokens": 128}, "cost_in_usd_ticks": 232856000}
    outside |= {"completion_tokens_details": {"reasoning_tokens": 2809}}
    found = call("https://api.x.ai/v1/chat/completions", chat(outside))
    assert (found.status, found.provider, found.reported_cost) == ("exact", "x-ai", Decimal("0.0232856"))
    assert dict(found.usage.counts()) == {"input": 9992, "cache_read": 128, "output": 1499, "thinking": 2809}
    inside = {"prompt_tokens": 500, "completion_tokens": 500, "total_tokens": 1000}
    inside |= {"completion_tokens_details": {"reasoning_tokens": 200}}
    found = call("https://api.x.ai/v1/chat/completions", chat(inside))
    assert (found.status, found.usage.total_output) == ("exact", 500)


@pytest.mark.parametrize("done", [True, False])
def test_10_a_stream_without_usage_is_unknown_and_not_zero(done: bool) -> None:  # noqa: FBT001 - the two cases
    found = call(CHAT, sse(chunk(content="Hi"), chunk(finish="stop"), done=done), headers=SSE_LABEL)
    assert (found.status, found.cost) == ("missing", None)


def test_10_most_of_a_prompt_may_be_cached() -> None:
    usage = {"prompt_tokens": 16111, "completion_tokens": 1, "total_tokens": 16112}
    usage |= {"prompt_tokens_details": {"cached_tokens": 15872}}
    assert counts(CHAT, chat(usage)) == {"input": 239, "cache_read": 15872, "output": 1}


def test_9_the_served_tier_wins() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    asked = {"model": "gpt-4o", "service_tier": "priority"}
    assert call(CHAT, chat(usage, service_tier="default"), request=asked).tier == "default"
    stream = sse(chunk(usage, finish="stop") | {"service_tier": "default"}, done=True)
    assert call(CHAT, stream, request=asked, headers=SSE_LABEL).tier == "default"


def test_11_a_declared_but_unused_search_and_a_refused_request_cost_nothing() -> None:
    usage = {"input_tokens": 5, "output_tokens": 5, "server_tool_use": {"web_search_requests": 0}}
    assert dict(call(MESSAGES, message(usage)).usage.fees) == {}
    refused = call(CHAT, chat({"prompt_tokens": 5, "completion_tokens": 5}), status=429)
    assert (refused.status, refused.usage.total, refused.http_status) == ("error", 0, 429)
