import pytest
from msgspec.structs import replace
from wire_exchanges import RESPONSES, SSE_LABEL, call, exchange, sse

from pytest_tokenbudget.model.call import SEVERAL_PROMPTS, Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.wire import Background, read

USAGE = {
    "input_tokens": 9299,
    "input_tokens_details": {"cached_tokens": 8448},
    "output_tokens": 577,
    "output_tokens_details": {"reasoning_tokens": 512},
    "total_tokens": 9876,
}
CLASSES = {"input": 851, "cache_read": 8448, "output": 65, "thinking": 512}


def body(**more: object) -> dict[str, object]:
    head = {"id": "resp_1", "object": "response", "model": "gpt-5-2025-08-07", "status": "completed", "output": []}
    return {**head, "service_tier": "default", "usage": USAGE, **more}


def test_a_body_tells_everything_about_its_call() -> None:
    output = [
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "name": "get_weather", "call_id": "c1", "arguments": "{}"},
        {"type": "custom_tool_call", "name": "shell", "call_id": "c2", "input": "ls"},
        {"type": "computer_call", "call_id": "c3"},
    ]
    found = call(RESPONSES, body(output=output), request={"model": "gpt-5"})
    assert (found.api, found.status, dict(found.usage.counts())) == ("openai.responses", "exact", CLASSES)
    assert (found.tools, found.finish) == (("get_weather", "shell", "computer"), "completed")
    assert (found.model_asked, found.model_served, found.tier) == ("gpt-5", "gpt-5-2025-08-07", "default")
    assert (found.response_id, found.notes) == ("resp_1", ())


def test_writes_that_live_twelve_hours_stand_under_their_own_name() -> None:
    details = {"cached_tokens": 100, "cache_write_tokens": 500}
    details["cache_write_tokens_details"] = {"ttl_30m_tokens": 300, "ttl_12h_tokens": 200}
    usage = {"input_tokens": 1000, "input_tokens_details": details, "output_tokens": 5, "total_tokens": 1005}
    counts = {"input": 400, "cache_read": 100, "cache_write": 300, "output": 5, "ttl_12h_tokens": 200}
    assert dict(call(RESPONSES, body(usage=usage)).usage.counts()) == counts


SEARCH = {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}}
DRAWN = {"type": "image_generation_call"}
DRAW = "image_generation"
PREVIEW = {"type": "web_search_preview_2025_03_11"}
HOSTED = {"type": "shell_call", "environment": {"type": "container_reference", "container_id": "k"}}
OPENED = {"type": "web_search_call", "status": "completed", "action": {"type": "open_page", "url": "u"}}


@pytest.mark.parametrize(
    ("more", "fees"),
    [
        ({"output": [SEARCH, SEARCH, OPENED]}, {"web_search": 2}),
        ({"output": [SEARCH, SEARCH], "tool_usage": {"web_search": {"num_requests": 1}}}, {"web_search": 1}),
        ({"output": [SEARCH], "tool_usage": {"web_search": {"num_requests": 0}}}, {}),
        ({"output": [{"type": "file_search_call"}] * 3}, {"file_search": 3}),
        ({"output": [{"type": "image_generation_call"}]}, {"image_generation": 1}),
        (
            {"output": [{"type": "code_interpreter_call", "container_id": "k"}] * 2},
            {"code_interpreter_container": 1},
        ),
        ({"output": [{"type": "code_interpreter_call"}]}, {"code_interpreter_container": 1}),
        ({"output": [HOSTED, HOSTED]}, {"code_interpreter_container": 1}),
        ({"output": [{**HOSTED, "environment": {"type": "local"}}]}, {}),
        ({"tools": [{"type": "web_search"}]}, {}),
        ({"output": [SEARCH], "tools": [{"type": "function"}, PREVIEW]}, {"web_search_preview": 1}),
        ({"output": [SEARCH], "tools": [{"type": "web_search_2025_08_26"}, PREVIEW]}, {"web_search": 1}),
        ({"output": [DRAWN], "tool_usage": {"image_gen": {"input_tokens": 0, "output_tokens": 0}}}, {DRAW: 1}),
    ],
)
def test_hosted_tools_are_fees(more: dict[str, object], fees: dict[str, int]) -> None:
    found = call(RESPONSES, body(**more))
    assert dict(found.usage.fees) == fees
    assert dict(found.usage.counts()) == CLASSES


def test_a_hosted_shell_is_no_tool_of_the_caller() -> None:
    assert call(RESPONSES, body(output=[HOSTED, {"type": "shell_call", "environment": None}])).tools == ("shell",)


@pytest.mark.parametrize(
    ("kind", "several"),
    [("web_search_call", True), ("mcp_call", True), ("function_call", False), ("message", False)],
)
def test_tools_that_the_provider_runs_make_several_prompts(kind: str, several: bool) -> None:  # noqa: FBT001 - expected
    found = call(RESPONSES, body(output=[{"type": kind}]))
    assert found.price_context == ((SEVERAL_PROMPTS,) if several else ())


def test_images_drawn_on_the_way_are_classes_of_their_own() -> None:
    tool_usage = {"image_gen": {"input_tokens": 50, "output_tokens": 4160, "total_tokens": 4210}}
    found = call(RESPONSES, body(output=[{"type": "image_generation_call"}], tool_usage=tool_usage))
    assert dict(found.usage.other) == {"image_gen.input_tokens": 50, "image_gen.output_tokens": 4160}
    assert dict(found.usage.fees) == {}


@pytest.mark.parametrize("last", ["completed", "incomplete", "failed"])
def test_a_stream_ends_with_the_whole_response(last: str) -> None:
    found = call(
        RESPONSES,
        sse(
            {"type": "response.created", "response": body(status="in_progress", usage=None)},
            {"type": "response.output_text.delta", "delta": "Hel"},
            {"type": f"response.{last}", "response": body(status=last)},
        ),
        headers=SSE_LABEL,
    )
    assert (found.status, found.stream, found.finish) == ("exact", True, last)
    assert dict(found.usage.counts()) == CLASSES


def test_the_reason_why_it_is_incomplete_is_its_finish() -> None:
    found = call(RESPONSES, body(status="incomplete", incomplete_details={"reason": "max_output_tokens"}))
    assert (found.status, found.finish) == ("exact", "max_output_tokens")


def test_a_cut_stream_has_no_usage() -> None:
    started = {"type": "response.created", "response": body(status="in_progress", usage=None)}
    found = call(RESPONSES, sse(started), headers=SSE_LABEL)
    assert (found.status, found.notes) == ("missing", ("the stream was cut before its usage",))
    assert (found.model_served, found.response_id) == ("gpt-5-2025-08-07", "resp_1")


def test_an_error_in_a_stream_is_noted() -> None:
    started = {"type": "response.created", "response": body(status="in_progress", usage=None)}
    broken = {"type": "error", "code": "server_error", "message": "secret text"}
    found = call(RESPONSES, sse(started, broken), headers=SSE_LABEL)
    assert found.notes == ("the response reports an error: server_error", "the stream was cut before its usage")


def test_a_failed_response_without_usage_is_not_free() -> None:
    found = call(RESPONSES, body(status="failed", usage=None, error={"code": "server_error", "message": "no"}))
    assert found.status == "missing"
    assert found.notes == ("the response reports an error: server_error", "no usage in the response")


def test_a_compaction_is_billed() -> None:
    usage = {"input_tokens": 141, "output_tokens": 183, "total_tokens": 324}
    answer = {"id": "resp_c", "object": "response.compaction", "output": [], "usage": usage}
    found = call(f"{RESPONSES}/compact", answer, request={"model": "gpt-4.1"})
    assert (found.status, dict(found.usage.counts())) == ("exact", {"input": 141, "output": 183})
    assert found.model == "gpt-4.1"


QUEUED = body(status="queued", usage=None, service_tier="auto", background=True)
POLL = exchange(f"{RESPONSES}/resp_1?stream=false", body(), method="GET", request=b"")


def test_a_background_response_has_no_usage_yet() -> None:
    found = call(RESPONSES, QUEUED)
    assert (found.status, found.finish, found.response_id) == ("missing", "queued", "resp_1")
    assert found.notes[0].startswith("the response is queued: its usage comes with a later poll")


def test_a_poll_repeats_the_usage_and_is_not_billed() -> None:
    found = read(POLL, len)
    assert isinstance(found, Call)
    assert (found.status, found.usage.total, found.response_id, found.api) == (
        "unbilled",
        0,
        "resp_1",
        "openai.responses",
    )
    assert found.notes == ("a poll: its usage is that of the request that started the response, and counts there",)


def joined(*exchanges: Exchange) -> list[Call]:
    """Read exchanges as a sequence, each call at its place."""
    background: Background[int] = Background()
    calls: list[Call] = []
    for position, given in enumerate(exchanges):
        found = read(given, len)
        assert isinstance(found, Call)
        calls.append(found)
        earlier = background.settle(given, found, position)
        if earlier is not None:
            calls[earlier[0]] = earlier[1]
    return calls


def test_a_poll_settles_the_call_that_started_the_response() -> None:
    found, poll = joined(exchange(RESPONSES, QUEUED), POLL)
    assert (poll.status, poll.usage.total) == ("unbilled", 0)
    assert (found.status, dict(found.usage.counts()), found.tier) == ("exact", CLASSES, "default")
    assert found.notes == ("ran in the background: its usage is told by a poll",)


@pytest.mark.parametrize(
    ("started", "poll"),
    [
        (body(), POLL),
        ({**QUEUED, "id": "resp_2"}, POLL),
        (QUEUED, exchange(f"{RESPONSES}/resp_1", QUEUED, method="GET")),
        (QUEUED, exchange(f"{RESPONSES}/resp_1", body(), method="GET", status=500)),
        (QUEUED, exchange(RESPONSES, body())),
    ],
)
def test_nothing_else_settles_it(started: dict[str, object], poll: Exchange) -> None:
    first = exchange(RESPONSES, started)
    assert joined(first, poll)[0] == read(first, len)


def test_each_request_is_settled_once_and_in_order() -> None:
    start, running = exchange(RESPONSES, QUEUED), exchange(f"{RESPONSES}/resp_1", QUEUED, method="GET")
    calls = joined(start, start, running, POLL, POLL, POLL)
    assert [found.status for found in calls] == ["exact", "exact", "unbilled", "unbilled", "unbilled", "unbilled"]
    assert [found.status for found in joined(start, start, POLL)] == ["exact", "missing", "unbilled"]


def test_polls_of_another_recording_settle_nothing() -> None:
    elsewhere = replace(POLL, source="other.yaml")
    assert joined(exchange(RESPONSES, QUEUED), elsewhere)[0].status == "missing"


def test_an_item_without_a_proper_type_does_not_hide_the_usage() -> None:
    usage = {"input_tokens": 50, "output_tokens": 6, "total_tokens": 56}
    items = [{"type": {"type": "search"}}, {"type": "web_search_call", "action": {"type": []}}]
    found = call(RESPONSES, {"id": "resp_1", "status": "completed", "output": items, "usage": usage})
    assert (found.status, found.usage.total) == ("exact", 56)
