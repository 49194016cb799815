"""Costs that other tools got wrong in public: from the raw body to dollars, at prices that stand here.

Each test is named for its number in our notes on wire formats; expected dollars were worked out by hand from the rates.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from bedrock_frames import STREAM_LABEL, chunks

from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.task import TaskCall
from pytest_tokenbudget.policy.budget import Measured, judge
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.wire import Background, read

CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
MESSAGES = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
XAI = "https://api.x.ai/v1/chat/completions"


def price(model: str, *, tier: str | None = None, fees: dict[str, str] | None = None, **rates: str) -> PriceOverride:
    return PriceOverride(
        model=model,
        tier=tier,
        rates={name: Decimal(rate) for name, rate in rates.items()},
        fees={name: Decimal(fee) for name, fee in (fees or {}).items()},
        place="this test",
    )


CLAUDE = {"input": "3", "cache_read": "0.3", "cache_write": "3.75", "cache_write_1h": "6", "output": "15"}
OPUS = {"input": "5", "cache_read": "0.5", "cache_write": "6.25", "cache_write_1h": "10", "output": "25"}
PRICES = PriceTable(
    overrides=(
        price("claude-3-7-sonnet*", fees={"web_search": "0.01"}, **CLAUDE),
        price("claude-opus-5", **OPUS),
        price("gpt-5.2", input="1.75", cache_read="0.175", output="14", fees={"web_search": "0.01"}),
        price("gpt-5.2", tier="priority", input="3.5", cache_read="0.35", output="28"),
        price("gemini-2.5-flash", input="0.3", output="2.5", thinking="2.5"),
        price("global.anthropic.claude-sonnet-4-5", **CLAUDE),
        price("grok-4.20", input="1.25", cache_read="0.2", output="2.5"),
    )
)


def exchange(url: str, body: Any, *, request: Any = None, status: int = 200, method: str = "POST") -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/event-stream" if raw.startswith((b"event:", b"data:", b":")) else "application/json"
    kind = STREAM_LABEL["content-type"] if "response-stream" in url else kind
    return Exchange(
        method=method,
        url=url,
        request_body=json.dumps({"messages": []} if request is None else request).encode(),
        status=status,
        response_headers={"content-type": kind},
        response_body=raw,
        obtained="replayed",
    )


def charged(url: str, body: Any, *, table: PriceTable = PRICES, **given: Any) -> Call:
    found = read(exchange(url, body, **given), len)
    assert isinstance(found, Call)
    return table.charge(found)


def cost(url: str, body: Any, **given: Any) -> Decimal | None:
    return charged(url, body, **given).cost


def message(model: str, **usage: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "Yes."}]
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_reason": "end_turn"}
    return {**head, "content": content, "usage": usage}


def chat(model: str, usage: Any, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "model": model, "choices": [choice], "usage": usage, **more}


def sse(*events: Any) -> bytes:
    named = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return named.encode()


def test_1_a_cache_write_is_billed_once() -> None:
    body = message(
        "claude-3-7-sonnet-20250219",
        input_tokens=3,
        cache_creation_input_tokens=12_304,
        cache_read_input_tokens=0,
        output_tokens=550,
    )
    # 3 × $3 + 12,304 × $3.75 + 550 × $15, per million
    assert cost(MESSAGES, body) == Decimal("0.054399")


def test_2_cached_tokens_are_not_billed_on_top_of_the_prompt() -> None:
    usage = {"input_tokens": 1200, "output_tokens": 340, "total_tokens": 1540}
    usage |= {"input_tokens_details": {"cached_tokens": 1024}, "output_tokens_details": {"reasoning_tokens": 0}}
    body = {"id": "resp_1", "model": "gpt-5.2", "status": "completed", "output": [], "usage": usage}
    # 176 × $1.75 + 1,024 × $0.175 + 340 × $14
    assert cost(RESPONSES, body) == Decimal("0.0052472")
    usage = {"prompt_tokens": 17_903, "completion_tokens": 0, "total_tokens": 17_903}
    usage |= {"prompt_tokens_details": {"cached_tokens": 17_817}}
    # 86 × $1.75 + 17,817 × $0.175
    assert cost(CHAT, chat("gpt-5.2", usage)) == Decimal("0.003268475")


def test_3_a_stream_is_billed_by_its_last_count() -> None:
    start = {"input_tokens": 2, "cache_creation_input_tokens": 47_119, "cache_read_input_tokens": 0, "output_tokens": 4}
    stream = sse(
        {"type": "message_start", "message": message("claude-3-7-sonnet", **start)},
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {**start, "output_tokens": 64}},
        {"type": "message_stop"},
    )
    # 2 × $3 + 47,119 × $3.75 + 64 × $15
    assert cost(MESSAGES, stream) == Decimal("0.17766225")


def test_4_a_one_hour_write_is_billed_at_its_own_rate() -> None:
    split = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 344_139}
    body = message(
        "claude-opus-5", input_tokens=0, cache_creation_input_tokens=344_139, cache_creation=split, output_tokens=0
    )
    assert cost(MESSAGES, body) == Decimal("3.44139")


def test_5_a_compaction_is_billed() -> None:
    iterations = [
        {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
        {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000},
    ]
    found = charged(MESSAGES, message("claude-opus-5", input_tokens=23_000, output_tokens=1_000, iterations=iterations))
    assert (found.usage.total_input, found.usage.total_output) == (203_000, 4_500)
    # 203,000 × $5 + 4,500 × $25
    assert found.cost == Decimal("1.1275")


def test_6_reasoning_outside_of_the_completion_is_billed_and_inside_it_not_twice() -> None:
    usage = {"prompt_tokens": 10_120, "completion_tokens": 1_499, "total_tokens": 14_428}
    usage |= {"prompt_tokens_details": {"cached_tokens": 128}, "completion_tokens_details": {"reasoning_tokens": 2_809}}
    found = charged(XAI, chat("grok-4.20", {**usage, "cost_in_usd_ticks": 232_856_000}))
    # 9,992 × $1.25 + 128 × $0.20 + 4,308 × $2.50
    assert (found.cost, found.reported_cost, found.notes) == (Decimal("0.0232856"), Decimal("0.0232856"), ())
    inside = {"prompt_tokens": 500, "completion_tokens": 500, "total_tokens": 1_000}
    inside |= {"completion_tokens_details": {"reasoning_tokens": 200}}
    # 500 × $1.25 + 500 × $2.50
    assert cost(XAI, chat("grok-4.20", inside)) == Decimal("0.001875")


def thought(thoughts: int | None, total: int) -> dict[str, Any]:
    usage = {"promptTokenCount": 41, "candidatesTokenCount": 5, "totalTokenCount": total}
    told = usage if thoughts is None else usage | {"thoughtsTokenCount": thoughts}
    candidate = {"content": {"role": "model", "parts": [{"text": "Yes."}]}, "finishReason": "STOP"}
    return {"candidates": [candidate], "usageMetadata": told, "modelVersion": "gemini-2.5-flash"}


@pytest.mark.parametrize("stream", [False, True])
def test_7_thoughts_are_billed_as_output_and_not_twice_where_they_are_inside(stream: bool) -> None:  # noqa: FBT001 - a case
    def gemini(body: dict[str, Any]) -> Call:
        first = json.dumps(thought(None, 46) | {"candidates": []})
        raw = f"data: {first}\n\ndata: {json.dumps(body)}\n\n".encode() if stream else body
        return charged(f"{GEMINI}:streamGenerateContent" if stream else f"{GEMINI}:generateContent", raw)

    outside = gemini(thought(343, 389))
    assert (outside.usage.total_output, outside.usage.thinking) == (348, 343)
    # 41 × $0.30 + 348 × $2.50
    assert outside.cost == Decimal("0.0008823")
    # 343 of 348 candidates are thoughts: the total leaves no room for them beside
    inside = gemini(
        thought(343, 389) | {"usageMetadata": {**thought(343, 389)["usageMetadata"], "candidatesTokenCount": 348}}
    )
    assert (inside.usage.total_output, inside.usage.thinking, inside.cost) == (348, 343, outside.cost)


@pytest.mark.parametrize(
    ("fresh", "dollars"),
    [(0, "0.144"), (10_000, "0.204")],  # 240,000 × $0.60, and 10,000 × $6 more
)
def test_8_the_whole_prompt_chooses_the_rates_of_every_class(fresh: int, dollars: str) -> None:
    body = message("claude-sonnet-4-5", input_tokens=fresh, cache_read_input_tokens=240_000, output_tokens=0)
    assert cost(MESSAGES, body, table=PriceTable()) == Decimal(dollars)


@pytest.mark.parametrize(
    ("cached", "dollars"),
    [
        # one token is not cached: 1 × $1.25 + 199,999 × $0.125, and above the threshold 1 × $2.50 + 200,000 × $0.25
        (199_999, "0.025001125"),
        (200_000, "0.0500025"),
    ],
)
def test_8_gemini_changes_above_two_hundred_thousand(cached: int, dollars: str) -> None:
    usage = {"promptTokenCount": cached + 1, "cachedContentTokenCount": cached, "totalTokenCount": cached + 1}
    body = {"candidates": [{"finishReason": "STOP"}], "usageMetadata": usage, "modelVersion": "gemini-2.5-pro"}
    assert cost(f"{GEMINI}:generateContent", body, table=PriceTable()) == Decimal(dollars)


@pytest.mark.parametrize(
    ("url", "model", "prompt", "dollars"),
    [
        (XAI, "grok-4.20", 199_999, "0.24999875"),  # × $1.25
        (XAI, "grok-4.20", 200_000, "0.5"),  # × $2.50
        (CHAT, "gpt-6-sol", 272_000, "0.544"),  # × $2
        (CHAT, "gpt-6-sol", 272_001, "1.088004"),  # × $4
    ],
)
def test_8_where_the_others_change(url: str, model: str, prompt: int, dollars: str) -> None:
    usage = {"prompt_tokens": prompt, "completion_tokens": 0, "total_tokens": prompt}
    assert cost(url, chat(model, usage), table=PriceTable()) == Decimal(dollars)


def test_9_the_served_tier_is_billed() -> None:
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000}
    asked = {"model": "gpt-5.2", "service_tier": "priority"}
    assert cost(CHAT, chat("gpt-5.2", usage, service_tier="default"), request=asked) == Decimal("1.75")
    assert cost(CHAT, chat("gpt-5.2", usage, service_tier="priority"), request=asked) == Decimal("3.5")


def test_9_a_flex_call_before_flex_had_a_price_is_unpriced() -> None:
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000}
    body = chat("gpt-5.2", usage, service_tier="flex")
    before = charged(CHAT, body, table=PriceTable(as_of=datetime(2026, 9, 1, tzinfo=UTC)))
    assert (before.cost, before.unpriced) == (None, ("tier:flex",))
    assert charged(CHAT, body, table=PriceTable()).cost == Decimal("0.875")


def test_10_what_is_not_known_is_not_free() -> None:
    chunks = [{"id": "c", "model": "gpt-5.2", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
    stream = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    assert (charged(CHAT, stream).status, cost(CHAT, stream)) == ("missing", None)
    unmapped = charged(CHAT, chat("gpt-99", {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}))
    assert (unmapped.cost, unmapped.unpriced) == (None, ("model",))
    usage = {"prompt_tokens": 16_111, "completion_tokens": 0, "total_tokens": 16_111}
    usage |= {"prompt_tokens_details": {"cached_tokens": 15_872}}
    # 239 × $1.75 + 15,872 × $0.175
    assert cost(CHAT, chat("gpt-5.2", usage)) == Decimal("0.00319585")


def test_11_a_search_that_was_declared_and_not_used_is_free() -> None:
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    unused = {"input_tokens": 1_000, "output_tokens": 100, "server_tool_use": {"web_search_requests": 0}}
    used = {**unused, "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1}}
    request = {"model": "claude-3-7-sonnet", "messages": [], "tools": tools}
    # 1,000 × $3 + 100 × $15; and two searches at a cent
    assert cost(MESSAGES, message("claude-3-7-sonnet", **unused), request=request) == Decimal("0.0045")
    assert cost(MESSAGES, message("claude-3-7-sonnet", **used), request=request) == Decimal("0.0245")


def test_11_a_stream_of_bedrock_keeps_its_cache() -> None:
    start = {"type": "message_start", "message": message("claude-sonnet-4-5", input_tokens=4, output_tokens=1)}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 50}}
    told = {"inputTokenCount": 4, "outputTokenCount": 50, "cacheReadInputTokenCount": 14_486}
    told |= {"cacheWriteInputTokenCount": 2_238}
    stream = chunks(start, end, {"type": "message_stop", "amazon-bedrock-invocationMetrics": told})
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/global.anthropic.claude-sonnet-4-5/invoke-with-response-stream"
    found = charged(url, stream)
    assert (found.usage.cache_read, found.usage.cache_write) == (14_486, 2_238)
    # 4 × $3 + 14,486 × $0.30 + 2,238 × $3.75 + 50 × $15
    assert found.cost == Decimal("0.0135003")


def test_11_a_refused_request_is_free() -> None:
    limited = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}
    assert (charged(MESSAGES, limited, status=429).status, cost(MESSAGES, limited, status=429)) == ("error", 0)


def test_11_inference_in_the_us_costs_a_tenth_more() -> None:
    usage = {"input_tokens": 18, "output_tokens": 11}
    # 18 × $3 + 11 × $15
    assert cost(MESSAGES, message("claude-3-7-sonnet", **usage, inference_geo="global")) == Decimal("0.000219")
    assert cost(MESSAGES, message("claude-3-7-sonnet", **usage, inference_geo="us")) == Decimal("0.0002409")


def test_11_a_response_is_billed_with_its_request_and_not_with_its_polls() -> None:
    usage = {"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100}
    queued = {"id": "resp_1", "model": "gpt-5.2", "status": "queued", "background": True, "usage": None}
    done = {**queued, "status": "completed", "usage": usage}
    poll = exchange(f"{RESPONSES}/resp_1", done, method="GET")
    sequence = [exchange(RESPONSES, queued), poll, poll, exchange(RESPONSES, done), exchange(RESPONSES, done)]
    background: Background[int] = Background()
    calls: list[Call] = []
    for position, given in enumerate(sequence):
        found = read(given, len)
        assert isinstance(found, Call)
        calls.append(found)
        if settled := background.settle(given, found, position):
            calls[settled[0]] = settled[1]
    # 1,000 × $1.75 + 100 × $14; two more requests are two more calls, even with one id
    once = Decimal("0.00315")
    assert [PRICES.charge(call).cost for call in calls] == [once, 0, 0, once, once]


def step(prompt: int, cached: int = 0, written: int = 0) -> dict[str, Any]:
    return message(
        "claude-opus-5",
        input_tokens=prompt,
        cache_read_input_tokens=cached,
        cache_creation_input_tokens=written,
        output_tokens=0,
    )


def test_a_context_that_grows_is_billed_again_at_every_step() -> None:
    """Thirty steps, 4,000 tokens more at each: 1,860,000 input tokens; with a five-minute cache as good as 324,000."""
    plain = [charged(MESSAGES, step(4_000 * (n + 1))) for n in range(30)]
    cached = [charged(MESSAGES, step(0, 4_000 * n, 4_000)) for n in range(30)]
    used = sum(call.usage for call in cached)
    assert sum(call.usage.total_input for call in plain) == 1_860_000
    # 1,860,000 × $5; and 1,740,000 × $0.50 + 120,000 × $6.25 = 324,000 × $5
    assert sum(call.cost or 0 for call in plain) == Decimal("9.3")
    assert sum(call.cost or 0 for call in cached) == Decimal("1.62")
    assert (used.total_input, round(used.cache_hit_rate or 0, 3)) == (1_860_000, 0.935)


def test_five_hops() -> None:
    hops = [charged(MESSAGES, step(2_000 + 1_700 * hop)) for hop in range(5)]
    assert sum(call.usage.total for call in hops) == 27_000
    # 13.5 times a call of 2,000 tokens at $5
    assert sum(call.cost or 0 for call in hops) == Decimal("0.135")


def test_forty_tickets_at_half_a_dollar_are_twenty_dollars_a_day() -> None:
    ticket = cost(MESSAGES, step(100_000))
    assert ticket == Decimal("0.5")
    assert Decimal(20) / ticket == 40


@pytest.mark.parametrize(("tokens", "state"), [(60_000, "within"), (72_000, "over"), (72_020, "blocked")])
def test_thirty_cents_with_a_fifth_of_tolerance(tokens: int, state: str) -> None:
    """$0.30 is within, $0.36 passes with a warning, $0.3601 blocks: from raw bodies."""
    call = charged(MESSAGES, step(tokens))
    measured = Measured(calls=(TaskCall(call=call),), exchanges=1, skipped=0, named=True, finished=True)
    assert call.cost == Decimal(tokens) * 5 / 1_000_000
    assert judge(measured, Budget(usd=Decimal("0.30"))).state == state
