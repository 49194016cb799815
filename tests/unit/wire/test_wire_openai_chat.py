from decimal import Decimal

import pytest
from wire_exchanges import CHAT, SSE_LABEL, call, chat, chunk, sse

USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


def classes(usage: object, url: str = CHAT) -> dict[str, int]:
    found = call(url, chat(usage))
    assert found.status == "exact", found.notes
    return dict(found.usage.counts())


def test_a_body_tells_everything_about_its_call() -> None:
    asked = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
    answer = {"message": {"role": "assistant", "tool_calls": [asked]}, "finish_reason": "tool_calls"}
    found = call(response=chat(USAGE, choices=[answer], service_tier="default"), request={"model": "gpt-4o"})
    assert (found.provider, found.api, found.host) == ("openai", "openai.chat", "api.openai.com")
    assert (found.model_asked, found.model_served, found.model) == ("gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-08-06")
    assert (found.tier, found.finish, found.tools) == ("default", "tool_calls", ("search",))
    assert (found.response_id, found.source, found.index) == ("chatcmpl-1", "cassette.yaml", 3)
    assert (found.status, found.stream, found.http_status, found.notes) == ("exact", False, 200, ())
    assert dict(found.usage.counts()) == {"input": 12, "output": 5}
    assert found.cost is None


def test_details_are_parts_of_their_totals() -> None:
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 300,
        "total_tokens": 1300,
        "prompt_tokens_details": {
            "cached_tokens": 512,
            "cache_write_tokens": 128,
            "audio_tokens": 0,
            "image_tokens": 85,
            "text_tokens": 915,
        },
        "completion_tokens_details": {
            "reasoning_tokens": 192,
            "audio_tokens": 30,
            "accepted_prediction_tokens": 10,
            "rejected_prediction_tokens": 7,
        },
    }
    assert classes(usage) == {
        "input": 275,
        "cache_read": 512,
        "cache_write": 128,
        "input_image": 85,
        "output": 78,
        "thinking": 192,
        "output_audio": 30,
    }


def details(prompt: int, **inside: int) -> dict[str, object]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": 1,
        "total_tokens": prompt + 1,
        "prompt_tokens_details": inside,
    }


def test_images_may_be_among_the_cached_tokens() -> None:
    found = call(response=chat(details(2000, cached_tokens=1024, image_tokens=1500)))
    assert (found.status, found.notes) == ("exact", ("at least 524 of 1500 image tokens were cached",))
    assert dict(found.usage.counts()) == {"cache_read": 1024, "input_image": 976, "output": 1}
    found = call(response=chat(details(1000, cached_tokens=100, image_tokens=1500)))
    assert (found.status, found.usage.total_input) == ("partial", 1000)


def test_cached_audio_costs_another_rate_which_usage_does_not_tell_apart() -> None:
    found = call(response=chat(details(2000, cached_tokens=1024, audio_tokens=500)))
    assert (found.status, found.notes) == ("partial", ("usage does not tell how many audio tokens were cached",))


@pytest.mark.parametrize(
    ("model", "fees"),
    [
        ("gpt-4o-search-preview-2025-03-11", {"web_search_preview": 1}),
        ("openai/gpt-4o-mini-search-preview", {"web_search_preview": 1}),
        ("gpt-5-search-api", {"web_search": 1}),
        ("my-search-api-agent", {}),
        ("gpt-4o", {}),
    ],
)
def test_models_that_always_search_bill_a_search(model: str, fees: dict[str, int]) -> None:
    usage = {"prompt_tokens": 8, "completion_tokens": 9, "total_tokens": 17}
    assert dict(call(response=chat(usage, model=model)).usage.fees) == fees
    stream = sse(chunk(usage, finish="stop") | {"model": model}, done=True)
    assert dict(call(response=stream, headers=SSE_LABEL).usage.fees) == fees


@pytest.mark.parametrize(
    ("spelling", "url"),
    [
        ({"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36}, "https://api.deepseek.com/chat/completions"),
        ({"cached_tokens": 64}, "https://api.moonshot.ai/v1/chat/completions"),
        ({"num_cached_tokens": 64}, "https://api.mistral.ai/v1/chat/completions"),
        ({"cache_read_input_tokens": 64}, "https://gateway.test/v1/chat/completions"),
        ({"prompt_tokens_details": {"cached_tokens": 64}, "prompt_cache_hit_tokens": 64}, CHAT),
    ],
)
def test_other_spellings_of_the_cached_count(spelling: dict[str, object], url: str) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109, **spelling}
    assert classes(usage, url) == {"input": 36, "cache_read": 64, "output": 9}


def test_a_gateway_may_leave_the_cached_tokens_outside() -> None:
    usage = {"prompt_tokens": 686, "completion_tokens": 53, "total_tokens": 8253}
    usage |= {"prompt_tokens_details": {"cached_tokens": 7514}}
    assert classes(usage) == {"input": 686, "cache_read": 7514, "output": 53}


def test_reasoning_and_cached_tokens_may_both_stand_outside() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 430}
    usage |= {"cached_tokens": 100, "reasoning_tokens": 300}
    assert classes(usage) == {"input": 10, "cache_read": 100, "output": 20, "thinking": 300}


def test_an_unknown_class_inside_a_total_is_taken_out_of_it() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}
    usage |= {"prompt_tokens_details": {"video_tokens": 60, "cached_tokens": 0}}
    assert classes(usage) == {"input": 40, "output": 5, "video_tokens": 60}


def test_an_unknown_class_outside_the_totals_is_added() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 125, "citation_tokens": 20}
    assert classes(usage) == {"input": 100, "output": 5, "citation_tokens": 20}


def test_an_unknown_class_of_unknown_place_is_not_counted_twice() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105, "citation_tokens": 20}
    found = call(response=chat(usage))
    assert (found.status, dict(found.usage.counts())) == ("partial", {"input": 100, "output": 5})
    assert found.notes == ("usage.citation_tokens is 20, and whether prompt or completion contains it is not told",)


def test_pieces_are_fees() -> None:
    found = call("https://api.perplexity.ai/chat/completions", chat({**USAGE, "num_search_queries": 3}))
    assert dict(found.usage.fees) == {"num_search_queries": 3}
    found = call(response=chat({**USAGE, "server_tool_use": {"web_search_requests": 2}}))
    assert dict(found.usage.fees) == {"web_search": 2}


@pytest.mark.parametrize(
    ("more", "reported"),
    [
        ({"cost": 0.01058775, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.01058775}}, "0.01058775"),
        ({"cost": 0.0005, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.01}}, "0.0105"),
        ({"cost": 0.1}, "0.1"),
        ({"cost": 0}, "0"),
        ({"cost": {"total_cost": 0.006}}, "0.006"),
        ({"cost_in_usd_ticks": 232856000}, "0.0232856000"),
    ],
)
def test_the_provider_reports_a_cost(more: dict[str, object], reported: str) -> None:
    assert call("https://openrouter.ai/api/v1/chat/completions", chat({**USAGE, **more})).reported_cost == Decimal(
        reported
    )


def test_a_reported_cost_that_is_none_is_noted() -> None:
    found = call(response=chat({**USAGE, "cost": "free"}))
    assert (found.status, found.reported_cost) == ("exact", None)
    assert found.notes == ("the reported cost is a JSON str, not an amount",)


@pytest.mark.parametrize(
    ("usage", "status", "note"),
    [
        (None, "missing", "no usage in the response"),
        ({}, "missing", "no usage in the response"),
        ([1, 2], "missing", "no usage in the response"),
        (
            {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            "missing",
            "every count in the usage is 0: a placeholder, not a measurement",
        ),
        ({"total_tokens": 9}, "missing", "usage gives only total_tokens (9), which does not tell input from output"),
        ({"prompt_tokens": 9}, "partial", "usage lacks the completion tokens"),
        ({"completion_tokens": 9}, "partial", "usage lacks the prompt tokens"),
        ({"prompt_tokens": -4, "completion_tokens": 9}, "partial", "usage.prompt_tokens is -4, not a count"),
        ({"prompt_tokens": "7", "completion_tokens": 9}, "partial", "usage.prompt_tokens is '7', not a count"),
        (
            {"prompt_tokens": "sk-1", "completion_tokens": 9},
            "partial",
            "usage.prompt_tokens is a JSON str, not a count",
        ),
        ({"prompt_tokens": 10**13, "completion_tokens": 9}, "partial", f"usage.prompt_tokens is {10**13}, not a count"),
        ({"prompt_tokens": True, "completion_tokens": 9}, "partial", "usage.prompt_tokens is True, not a count"),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 515},
            "partial",
            "usage contradicts itself: total_tokens is 515, prompt and completion are 10 and 5",
        ),
        (
            {"prompt_tokens": 10, "input_tokens": 8, "completion_tokens": 5},
            "partial",
            "usage contradicts itself on the prompt tokens: 10, and 8 as input_tokens",
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1000}},
            "partial",
            "usage contradicts itself: 1000 cached tokens where 10 are left to hold them",
        ),
    ],
)
def test_what_is_not_known_is_said(usage: object, status: str, note: str) -> None:
    found = call(response=chat(usage))
    assert found.status == status
    assert note in found.notes
    assert (found.usage.total == 0) == (status == "missing")


def test_one_side_may_follow_from_the_total() -> None:
    assert classes({"prompt_tokens": 9, "total_tokens": 12}) == {"input": 9, "output": 3}
    assert classes({"completion_tokens": 9, "total_tokens": 12}) == {"input": 3, "output": 9}


def test_counts_written_as_whole_floats_are_counts() -> None:
    assert classes({"prompt_tokens": 9.0, "completion_tokens": 3.0}) == {"input": 9, "output": 3}


def test_an_asked_tier_stands_where_the_response_names_none() -> None:
    found = call(response=chat(USAGE), request={"model": "m", "service_tier": "flex"})
    assert found.tier == "flex"
    assert found.notes == ("the response does not name the tier it was served at: flex, as asked, is assumed",)
    ordinary = call(response=chat(USAGE), request={"model": "m", "service_tier": "auto"})
    assert (ordinary.tier, ordinary.notes) == (None, ())
    served = call(response=chat(USAGE, service_tier="default"), request={"model": "m", "service_tier": "priority"})
    assert (served.tier, served.notes) == ("default", ())


def test_an_answer_that_is_an_error_is_not_free() -> None:
    found = call(response={"error": {"code": "overloaded", "message": "key sk-123 is busy"}})
    assert found.status == "missing"
    assert found.notes == ("the response reports an error: overloaded", "no usage in the response")


def test_a_compound_system_cannot_be_priced_by_one_usage() -> None:
    body = chat(USAGE, usage_breakdown={"models": [{"model": "a"}, {"model": "b"}]})
    assert call("https://api.groq.com/openai/v1/chat/completions", body).status == "partial"


def stream(*chunks: object, done: bool = True) -> tuple[str, dict[str, int], tuple[str, ...]]:
    found = call(response=sse(*chunks, done=done), headers=SSE_LABEL)
    assert found.stream
    return found.status, dict(found.usage.counts()), found.notes


def test_a_stream_with_usage_in_its_last_chunk() -> None:
    last = {"id": "chatcmpl-2", "choices": [], "usage": USAGE}
    assert stream(chunk(content="Hel"), chunk(finish="stop"), last) == ("exact", {"input": 12, "output": 5}, ())


def test_a_stream_without_usage_says_how_to_get_it() -> None:
    note = "no usage in the stream: ask for it with stream_options.include_usage"
    assert stream(chunk(content="Hel"), chunk(finish="stop")) == ("missing", {}, (note,))


def test_the_last_usage_counts_wherever_it_stands() -> None:
    early = {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 13}
    assert stream(chunk(early), chunk(USAGE, finish="stop"), chunk()) == ("exact", {"input": 12, "output": 5}, ())


def test_a_cut_stream_is_a_lower_bound() -> None:
    early = {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 13}
    assert stream(chunk(early), chunk(content="Hel"), done=False) == ("partial", {"input": 12, "output": 1}, ())
    assert stream(chunk(early), chunk(finish="stop"), done=False)[0] == "partial"
    assert stream(chunk(content="Hel"), done=False) == ("missing", {}, ("the stream was cut before its usage",))


def test_usage_on_the_finishing_chunk_is_final_without_done() -> None:
    assert stream(chunk(USAGE, finish="stop"), done=False)[0] == "exact"


def test_a_stream_tells_tools_and_errors() -> None:
    asked = [{"index": 0, "id": "c1", "function": {"name": "search", "arguments": ""}}]
    more = [{"index": 0, "function": {"arguments": "{}"}}]
    body = sse(chunk(tool_calls=asked), chunk(tool_calls=more), chunk(USAGE, finish="tool_calls"), done=True)
    found = call(response=body, headers=SSE_LABEL)
    assert (found.tools, found.finish, found.model_served) == (("search",), "tool_calls", "gpt-4o-2024-08-06")
    assert (
        stream(chunk(), {"error": {"type": "server_error"}}, done=False)[2][0]
        == "the response reports an error: server_error"
    )


def test_groq_puts_the_usage_of_a_stream_under_its_own_key() -> None:
    assert stream({"choices": [{"finish_reason": "stop"}], "x_groq": {"usage": USAGE}})[:2] == (
        "exact",
        {"input": 12, "output": 5},
    )
