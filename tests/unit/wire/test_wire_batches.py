"""Batches: bodies after the SDKs' own types (openai 3.57, anthropic 2.14, google-genai 3.6, mistralai 3.7)."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from wire_exchanges import RESPONSES, call, chat, exchange, message, skipped

from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.wire import Background, is_model_request, read

OPENAI = "https://api.openai.com/v1"
ANTHROPIC = "https://api.anthropic.com/v1/messages/batches"
GEMINI = "https://generativelanguage.googleapis.com/v1beta"
MISTRAL = "https://api.mistral.ai/v1"
USAGE = {"prompt_tokens": 1200, "completion_tokens": 340, "total_tokens": 1540}
USAGE_CACHED = {**USAGE, "prompt_tokens_details": {"cached_tokens": 1024}}


def lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def openai_row(name: str, body: Any, status: int = 200) -> dict[str, Any]:
    answer = {"status_code": status, "request_id": f"req_{name}", "body": body}
    return {"id": f"batch_req_{name}", "custom_id": name, "response": answer, "error": None}


def claude_row(name: str, body: Any = None, kind: str = "succeeded") -> dict[str, Any]:
    return {"custom_id": name, "result": {"type": kind, **({"message": body} if body else {})}}


def fetched(url: str, body: Any, **given: Any) -> Exchange:
    return exchange(url, body, method="GET", request=b"", headers={}, **given)


FILE = f"{OPENAI}/files/file-out/content"
RESULTS = lines(
    openai_row("a", chat(USAGE_CACHED, service_tier="default")),
    openai_row("b", chat(USAGE)),
    openai_row("c", {"error": {"message": "no"}}, 400),
    {"id": "batch_req_d", "custom_id": "d", "response": None, "error": {"code": "batch_expired", "message": "late"}},
)
CLAUDES = lines(
    claude_row(
        "a", message({"input_tokens": 20, "cache_read_input_tokens": 9, "output_tokens": 5, "service_tier": "batch"})
    ),
    claude_row("b", message({"input_tokens": 30, "output_tokens": 6, "service_tier": "batch"})),
    claude_row("c", kind="expired"),
)
GENERATED = {
    "candidates": [{"content": {"parts": [{"text": "Yes."}]}, "finishReason": "STOP"}],
    "usageMetadata": {
        "promptTokenCount": 10,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 6,
        "totalTokenCount": 20,
    },
    "modelVersion": "gemini-2.5-flash",
}
OPERATION = {
    "name": "batches/b1",
    "metadata": {"model": "models/gemini-2.5-flash", "state": "BATCH_STATE_SUCCEEDED", "name": "batches/b1"},
    "done": True,
    "response": {
        "inlinedResponses": {"inlinedResponses": [{"response": GENERATED}, {"response": GENERATED}, {"error": {}}]}
    },
}
EMBEDDED = {"embedding": {"values": [0.1]}, "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}}
JOB = {
    "id": "job-1",
    "object": "batch",
    "status": "SUCCESS",
    "total_requests": 2,
    "succeeded_requests": 1,
    "outputs": [
        {"custom_id": "a", "response": {"status_code": 200, "body": chat(USAGE, model="mistral-large-2512")}},
        {"custom_id": "b", "response": None, "error": {"message": "no"}},
    ],
}


@pytest.mark.parametrize(
    ("url", "body", "api", "classes", "note"),
    [
        (FILE, RESULTS, "openai.batches", {"input": 1376, "cache_read": 1024, "output": 680}, "2 answered, 2 not"),
        (
            "https://t.openai.azure.com/openai/files/file-out/content?api-version=2025-01-01",
            RESULTS,
            "openai.batches",
            {"input": 1376, "cache_read": 1024, "output": 680},
            "2 answered, 2 not",
        ),
        (
            f"{ANTHROPIC}/msgbatch_1/results",
            CLAUDES,
            "anthropic.batches",
            {"input": 50, "cache_read": 9, "output": 11},
            "2 answered, 1 not",
        ),
        (
            f"{GEMINI}/batches/b1",
            json.dumps(OPERATION, indent=2).encode(),
            "gemini.batches",
            {"input": 20, "output": 8, "thinking": 12},
            "2 answered, 1 not",
        ),
        (
            "https://generativelanguage.googleapis.com/download/v1beta/files/batch-b1:download?alt=media",
            lines({"key": "a", "response": GENERATED}, {"key": "b", "error": {"code": 13}}),
            "gemini.batches",
            {"input": 10, "output": 4, "thinking": 6},
            "1 answered, 1 not",
        ),
        (
            f"{GEMINI}/batches/e1",
            {
                "name": "batches/e1",
                "done": True,
                "response": {"inlinedEmbedContentResponses": {"inlinedResponses": [{"response": EMBEDDED}]}},
            },
            "gemini.batches",
            {"input": 7},
            "1 answered, 0 not",
        ),
        (f"{MISTRAL}/batch/jobs/job-1", JOB, "mistral.batches", {"input": 1200, "output": 340}, "1 answered, 1 not"),
        (
            f"{MISTRAL}/files/f-1/content",
            RESULTS,
            "openai.batches",
            {"input": 1376, "cache_read": 1024, "output": 680},
            "2 answered, 2 not",
        ),
        (
            "https://gateway.test/v1/files/file-out/content",
            RESULTS,
            "openai.batches",
            {"input": 1376, "cache_read": 1024, "output": 680},
            "2 answered, 2 not",
        ),
        (
            "http://gateway.test/v1/messages/batches/m/results",
            CLAUDES,
            "anthropic.batches",
            {"input": 50, "cache_read": 9, "output": 11},
            "2 answered, 1 not",
        ),
    ],
)
def test_results_are_one_call_with_the_sum(url: str, body: Any, api: str, classes: dict[str, int], note: str) -> None:
    found = call(url, body, method="GET", request=b"", headers={})
    assert (found.api, found.status, dict(found.usage.counts()), found.tier) == (api, "exact", classes, "batch")
    assert found.notes == (f"a batch: {note}; the usage is their sum",)
    assert not found.is_step
    assert not is_model_request("GET", url)


@pytest.mark.parametrize(
    ("body", "classes"),
    [
        (
            {
                "id": "resp_1",
                "object": "response",
                "model": "m",
                "output": [],
                "usage": {"input_tokens": 5, "output_tokens": 2},
            },
            {"input": 5, "output": 2},
        ),
        ({"object": "list", "data": [], "model": "m", "usage": {"prompt_tokens": 8, "total_tokens": 8}}, {"input": 8}),
        ({"object": "text_completion", "choices": [], "model": "m", "usage": USAGE}, {"input": 1200, "output": 340}),
        (
            {"created": 1, "data": [], "usage": {"input_tokens": 9, "output_tokens": 100, "total_tokens": 109}},
            {"input": 9, "output_image": 100},
        ),
        ({"object": ["odd"], "choices": [], "usage": USAGE}, {"input": 1200, "output": 340}),
    ],
)
def test_each_answer_is_read_as_the_api_that_gave_it(body: Any, classes: dict[str, int]) -> None:
    found = call(FILE, lines(openai_row("a", body)), method="GET", headers={})
    assert (found.status, dict(found.usage.counts())) == ("exact", classes)


def test_pages_of_documents_are_fees() -> None:
    page = openai_row("a", {"model": "mistral-ocr-2505", "pages": [], "usage_info": {"pages_processed": 3}})
    assert dict(call(FILE, lines(page, page), method="GET", headers={}).usage.fees) == {"page": 6}


@pytest.mark.parametrize(
    ("body", "status", "total"),
    [
        (lines(openai_row("a", chat(USAGE)), openai_row("b", chat(None))), "partial", 1540),
        (lines(openai_row("a", chat(None))), "missing", 0),
        (lines(openai_row("a", chat(USAGE))) + b'{"id": "batch_req_b", "custom_id": "b", "resp', "partial", 1540),
        (lines(openai_row("a", chat(USAGE)), openai_row("b", "text")), "partial", 1540),
        (lines(openai_row("a", chat({**USAGE, "total_tokens": 9}))), "partial", 1540),
        (b'{"id": "batch_req_b", "custom_id": "b", "response": {"status_code": 200, "bo', "missing", 0),
        (lines(openai_row("a", [])), "missing", 0),
    ],
)
def test_results_that_tell_too_little_are_not_free(body: bytes, status: str, total: int) -> None:
    found = call(FILE, body, method="GET", headers={})
    assert (found.api, found.status, found.usage.total) == ("openai.batches", status, total)
    assert PriceTable().charge(found).cost is None


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"custom_id": "a", "resu', b"\x1f\x8b damaged"])
def test_results_at_their_own_path_are_never_free_unread(body: bytes) -> None:
    found = call(f"{ANTHROPIC}/msgbatch_1/results", body, method="GET", headers={})
    assert (found.status, found.cost) == ("missing", None)


def test_a_file_that_cannot_be_unpacked_may_have_been_results() -> None:
    assert call(FILE, b"\x1f\x8b damaged", method="GET", headers={}).status == "missing"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"%PDF-1.7 \xff\xfe",
        lines({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"response_format": {}}}),
        lines({"messages": [{"role": "user", "content": "train"}]}),
        b'[{"custom_id": 1}]',
        b'{"pretty": \n1}',
    ],
)
def test_another_file_is_no_batch(body: bytes) -> None:
    found = call(FILE, body, method="GET", headers={})
    assert (found.status, found.api, found.usage.total) == ("unbilled", "openai.files", 0)
    assert (
        skipped("https://files.test/v1/files/f/content", body, method="GET", headers={}).reason == "not model traffic"
    )
    assert call(FILE, body, method="GET", status=404).status == "error"


def test_a_batch_of_which_nothing_was_answered_is_free() -> None:
    body = lines(openai_row("a", {"error": {}}, 500), claude_row("b", kind="canceled"))
    found = call(FILE, body, method="GET", headers={})
    assert (found.status, found.notes) == ("unbilled", ("a batch: no request was answered",))


START = {"id": "batch_1", "object": "batch", "status": "validating", "input_file_id": "file-in", "output_file_id": None}
ENDED = {
    **START,
    "status": "completed",
    "output_file_id": "file-out",
    "error_file_id": "file-err",
    "model": "gpt-4o-2024-08-06",
    "request_counts": {"total": 4, "completed": 2, "failed": 2},
    "usage": {
        "input_tokens": 2400,
        "input_tokens_details": {"cached_tokens": 1024},
        "output_tokens": 680,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 3080,
    },
}
STARTED = exchange(f"{OPENAI}/batches", START, request={"input_file_id": "file-in", "endpoint": "/v1/chat/completions"})
RUNNING = fetched(f"{OPENAI}/batches/batch_1", {**START, "status": "in_progress", "usage": {"input_tokens": 0}})
POLL = fetched(f"{OPENAI}/batches/batch_1", ENDED)
FETCH = fetched(FILE, RESULTS)
ERRORS = fetched(f"{OPENAI}/files/file-err/content", lines(openai_row("c", {"error": {}}, 400)))
CLAUDE_START = exchange(ANTHROPIC, {"id": "msgbatch_1", "type": "message_batch", "processing_status": "in_progress"})
CLAUDE_FETCH = fetched(f"{ANTHROPIC}/msgbatch_1/results", CLAUDES)


def folded(*exchanges: Exchange) -> list[Call]:
    background: Background[int] = Background()
    calls: list[Call] = []
    for position, given in enumerate(exchanges):
        found = read(given, len)
        assert isinstance(found, Call)
        calls.append(found)
        if settled := background.settle(given, found, position):
            calls[settled[0]] = settled[1]
    return calls


@pytest.mark.parametrize(
    ("exchanges", "statuses"),
    [
        ([STARTED], ["missing"]),
        ([STARTED, RUNNING], ["missing", "unbilled"]),
        ([STARTED, RUNNING, POLL], ["exact", "unbilled", "unbilled"]),
        ([STARTED, RUNNING, POLL, POLL, FETCH, FETCH, POLL], ["unbilled"] * 4 + ["exact", "unbilled", "unbilled"]),
        ([STARTED, POLL, ERRORS, FETCH], ["unbilled", "unbilled", "unbilled", "exact"]),
        ([POLL, FETCH, FETCH], ["unbilled", "exact", "unbilled"]),
        ([FETCH], ["exact"]),
        ([STARTED, FETCH], ["missing", "exact"]),  # nothing tells that the file is that batch's
        ([CLAUDE_START, CLAUDE_FETCH, CLAUDE_FETCH], ["unbilled", "exact", "unbilled"]),
        (
            [CLAUDE_START, CLAUDE_START, CLAUDE_FETCH, CLAUDE_FETCH, CLAUDE_FETCH],
            ["unbilled", "unbilled", "exact", "exact", "unbilled"],
        ),
        (
            [
                exchange(
                    f"{GEMINI}/models/gemini-2.5-flash:batchGenerateContent", {"name": "batches/b1", "metadata": {}}
                ),
                fetched(f"{GEMINI}/batches/b1", {"name": "batches/b1", "metadata": {"state": "BATCH_STATE_RUNNING"}}),
                fetched(f"{GEMINI}/batches/b1", OPERATION),
                fetched(f"{GEMINI}/batches/b1", OPERATION),
            ],
            ["unbilled", "unbilled", "exact", "unbilled"],
        ),
        (
            [
                exchange(f"{GEMINI}/models/g:batchGenerateContent", {"name": "batches/b2"}),
                fetched(
                    f"{GEMINI}/batches/b2",
                    {
                        "name": "batches/b2",
                        "done": True,
                        "metadata": {"state": "x"},
                        "response": {"responsesFile": "files/batch-b2"},
                    },
                ),
                fetched(f"{GEMINI}/files/batch-b2:download?alt=media", lines({"key": "a", "response": GENERATED})),
            ],
            ["unbilled", "unbilled", "exact"],
        ),
        (
            [
                exchange(f"{MISTRAL}/batch/jobs", {**JOB, "status": "QUEUED", "outputs": None}),
                fetched(f"{MISTRAL}/batch/jobs/job-1", JOB),
            ],
            ["unbilled", "exact"],
        ),
    ],
)
def test_a_batch_is_billed_once(exchanges: Sequence[Exchange], statuses: list[str]) -> None:
    calls = folded(*exchanges)
    assert [found.status for found in calls] == statuses
    assert all(found.usage.total == 0 for found in calls if found.status != "exact")
    assert all(found.api.endswith(".batches") for found in calls)


def test_results_that_were_cut_are_replaced_by_those_fetched_again() -> None:
    cut = fetched(FILE, RESULTS[:-150])
    assert [found.status for found in folded(cut, FETCH)] == ["unbilled", "exact"]
    assert [found.status for found in folded(FETCH, cut)] == ["exact", "unbilled"]


def test_a_poll_tells_the_bill_where_the_results_stay_away() -> None:
    started, _ = folded(STARTED, POLL)
    assert dict(started.usage.counts()) == {"input": 1376, "cache_read": 1024, "output": 680}
    assert (started.model, started.tier, started.notes) == (
        "gpt-4o-2024-08-06",
        "batch",
        ("a batch was started: its usage is told by a poll",),
    )


@pytest.mark.parametrize(
    "ended",
    [
        {**START, "status": "failed", "request_counts": {"total": 0, "completed": 0, "failed": 0}},
        {**START, "status": "expired", "request_counts": {"total": 2, "completed": 0, "failed": 0}},
    ],
)
def test_a_batch_that_failed_is_free(ended: object) -> None:
    assert [found.status for found in folded(STARTED, fetched(f"{OPENAI}/batches/batch_1", ended))] == ["unbilled"] * 2
    claude = {"id": "msgbatch_1", "processing_status": "ended", "request_counts": {"succeeded": 0, "errored": 2}}
    assert folded(CLAUDE_START, fetched(f"{ANTHROPIC}/msgbatch_1", claude))[0].status == "unbilled"
    gemini = {"name": "batches/b1", "done": True, "metadata": {"state": "BATCH_STATE_FAILED"}, "error": {"code": 3}}
    start = exchange(f"{GEMINI}/models/g:batchGenerateContent", {"name": "batches/b1"})
    assert folded(start, fetched(f"{GEMINI}/batches/b1", gemini))[0].status == "unbilled"


def test_a_batch_that_ended_without_saying_how_is_not_free() -> None:
    older = {key: value for key, value in ENDED.items() if key not in {"usage", "request_counts"}}
    assert folded(STARTED, fetched(f"{OPENAI}/batches/batch_1", older))[0].status == "missing"
    claude = {"id": "msgbatch_1", "processing_status": "ended", "request_counts": {"succeeded": 2}}
    assert folded(CLAUDE_START, fetched(f"{ANTHROPIC}/msgbatch_1", claude))[0].status == "missing"


def test_what_is_not_started_is_named() -> None:
    found = call(f"{OPENAI}/batches", {"answer": 1})
    assert (found.status, found.notes) == ("unsupported", ("openai.batches is billed, but cannot be read yet",))
    assert is_model_request("POST", f"{OPENAI}/batches")
    assert call("http://gateway.test/v1/messages/batches", {"id": "m"}).status == "missing"
    assert call(ANTHROPIC, {"type": "error"}, status=400).status == "error"
    assert call(f"{OPENAI}/batches/batch_1/cancel", ENDED).status == "unbilled"
    assert read(fetched(f"{RESPONSES}/resp_1", {"id": "resp_1"}), len)


def price(model: str, *, tier: str | None = "batch", **rates: str) -> PriceOverride:
    stated = {name: Decimal(rate) for name, rate in rates.items()}
    return PriceOverride(model=model, tier=tier, rates=stated, fees={}, place="this test")


def test_the_sum_is_priced_at_the_batch_rate() -> None:
    table = PriceTable(
        overrides=(
            price("gpt-4o*", input="1.25", cache_read="0.625", output="5"),
            price("gpt-4o*", tier=None, input="9", cache_read="9", output="9"),
        )
    )
    # 1,376 × $1.25 + 1,024 × $0.625 + 680 × $5, per million
    assert table.charge(call(FILE, RESULTS, method="GET", headers={})).cost == Decimal("0.00576")
    # claude-sonnet-4-5 at half of $3, $0.30 and $15: 50 × $1.50 + 9 × $0.15 + 11 × $7.50
    assert PriceTable().charge(call(f"{ANTHROPIC}/m/results", CLAUDES, method="GET")).cost == Decimal("0.00015885")


def claudes(*prompts: int) -> Call:
    rows = [claude_row(str(n), message({"input_tokens": n, "output_tokens": 0})) for n in prompts]
    return PriceTable().charge(call(f"{ANTHROPIC}/m/results", lines(*rows), method="GET"))


def test_many_short_prompts_are_no_long_one() -> None:
    """Rates of long prompts, above 200,000 tokens, are chosen by each prompt, not by the sum of a batch."""
    assert claudes(150_000, 150_000).cost == Decimal("0.45")
    assert claudes(200_000, 200_000).cost == Decimal("0.6")
    mixed = claudes(150_000, 200_001)
    assert (mixed.cost, mixed.unpriced) == (None, ("long_prompt",))


def test_answers_of_several_models_or_places_have_no_one_price() -> None:
    plain = message({"input_tokens": 20, "output_tokens": 5})
    for other in (
        message({"input_tokens": 20, "output_tokens": 5}, model="claude-opus-4-5"),
        message({"input_tokens": 20, "output_tokens": 5, "inference_geo": "us"}),
    ):
        body = lines(claude_row("a", plain), claude_row("b", other))
        found = PriceTable().charge(call(f"{ANTHROPIC}/m/results", body, method="GET"))
        assert (found.status, found.usage.total, found.cost) == ("exact", 50, None)
        assert "batch:mixed" in found.unpriced
        assert "its answers differ in model or rate, and their sum has no one price" in found.notes


def test_notes_of_many_answers_are_not_all_repeated() -> None:
    rows = [openai_row(str(n), chat({**USAGE, "total_tokens": n})) for n in range(9)]
    found = call(FILE, lines(*rows), method="GET", headers={})
    assert (found.status, len(found.notes)) == ("partial", 8)
    assert found.notes[-1] == "and 4 more notes on single answers"
