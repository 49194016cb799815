"""Each provider's own SDK over real HTTP: recorded against a proxy on loopback, then replayed; each metered exactly.

Expected counts and dollars are written by hand from what the proxy answers, at prices that the project states.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from loopback.proxy import LoopbackProxy, Raw, event_stream, json_lines

from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.store.load import load_run

for _module in ("cohere", "google.genai", "groq", "mistralai", "ollama", "voyageai"):
    pytest.importorskip(_module, reason=f"{_module} is not installed")

SUITE = Path(__file__).with_name("breadth_clients.py")
INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\nasyncio_default_test_loop_scope = function\n"
SETTINGS = """\
prices:
  gemini-2.5-flash: {input: 0.30, cache_read: 0.03, output: 2.50, thinking: 2.50}
  gemini-embedding-001: {input: 0.15}
  claude-sonnet-4-5-20250929: {input: 3, cache_read: 0.30, output: 15}
  mistral-large-2512: {input: 0.5, output: 1.5}
  command-a-03-2025: {input: 2.5, output: 10}
  command-r-08-2024: {input: 0.15, output: 0.60}
  embed-v4.0: {input: 0.12}
  llama-3.3-70b-versatile: {input: 0.59, cache_read: 0.30, output: 0.79}
  gpt-4o-2024-08-06: {input: 2.5, cache_read: 1.25, output: 10}
  voyage-4: {input: 0.06}
  rerank-2.5: {input: 0.05}
  "gemini-2.5-flas?": {tier: batch, input: 0.15, cache_read: 0.03, output: 1.25, thinking: 1.25}
  "claude-sonnet-4-5-*": {tier: batch, input: 1.5, cache_read: 0.15, output: 7.5}
  "mistral-large-251?": {tier: batch, input: 0.25, output: 0.75}
  "gpt-4o-2024-08-0?": {tier: batch, input: 1.25, cache_read: 1.25, output: 5}
  gpt-image-1: {input: 5, input_image: 10, output_image: 40}
  gpt-4o-transcribe: {input: 2.5, input_audio: 6, output: 10}
"""

SAID = "On its way."
GEMINI_USAGE = {
    "promptTokenCount": 1200,
    "cachedContentTokenCount": 1024,
    "candidatesTokenCount": 212,
    "thoughtsTokenCount": 128,
    "totalTokenCount": 1540,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1200}],
}


def gemini(text: str, usage: object, finish: str | None = None) -> dict[str, object]:
    candidate: dict[str, object] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    ended = {"finishReason": finish} if finish else {}
    return {"candidates": [candidate | ended], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"}


def completion(model: str, usage: object, **more: object) -> dict[str, object]:
    choice = {"index": 0, "message": {"role": "assistant", "content": SAID}, "finish_reason": "stop"}
    head = {"id": "c-1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
    return {**head, "usage": usage, **more}


def pieces(model: str, last: Mapping[str, object], *more: object) -> Raw:
    head = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    said = [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in ("On its", " way.")]
    end = {"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}
    chunks = [*({**head, "choices": [choice]} for choice in said), {**head, "choices": [end], **last}]
    return event_stream(*chunks, *({**head, **extra} for extra in more if isinstance(extra, dict)), done=True)


CHAT_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 340,
    "total_tokens": 1540,
    "prompt_tokens_details": {"cached_tokens": 1024},
}
BILLED = {"billed_units": {"input_tokens": 25.0, "output_tokens": 9.0}, "tokens": {"input_tokens": 91.0}}
COHERE = {
    "id": "m-1",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": SAID}]},
    "usage": BILLED,
}
COHERE_V1 = {
    "response_id": "r-1",
    "generation_id": "g-1",
    "text": SAID,
    "finish_reason": "COMPLETE",
    "meta": {"api_version": {"version": "1"}, "billed_units": BILLED["billed_units"]},
}
COHERE_EVENTS = (
    {"type": "message-start", "id": "m-1", "delta": {"message": {"role": "assistant", "content": []}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": SAID}}}},
    {"type": "content-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": BILLED}},
)
DONE = {"model": "gemma3:1b", "done": True, "done_reason": "stop", "prompt_eval_count": 16, "eval_count": 51}
CONVERSATION = {
    "object": "conversation.response",
    "conversation_id": "conv_1",
    "outputs": [{"type": "message.output", "model": "mistral-large-2512", "role": "assistant", "content": SAID}],
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "connector_tokens": 300,
        "total_tokens": 420,
        "connectors": {},
    },
}
PAGES = {"model": "mistral-ocr-2505", "pages": [], "usage_info": {"pages_processed": 3, "doc_size_bytes": 9}}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": SAID}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 50, "cache_read_input_tokens": 1000, "output_tokens": 40},
}
DRAWN = {
    "created": 1,
    "data": [{"b64_json": "AAAA"}],
    "usage": {
        "input_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        "output_tokens": 1056,
        "total_tokens": 1106,
    },
}
HEARD = {
    "text": SAID,
    "usage": {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
        "output_tokens": 45,
        "total_tokens": 59,
    },
}
BATCH = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-in",
    "completion_window": "24h",
    "created_at": 1,
    "status": "validating",
}
BATCHES_AT = "api.anthropic.com/v1/messages/batches"
MESSAGE_BATCH = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "ended",
    "request_counts": {"processing": 0, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 0},
    "created_at": "2026-11-01T00:00:00Z",
    "expires_at": "2026-11-02T00:00:00Z",
    "results_url": f"http://{BATCHES_AT}/msgbatch_1/results",
}
JOB = {
    "id": "job-1",
    "object": "batch",
    "input_files": ["f-1"],
    "endpoint": "/v1/chat/completions",
    "model": "mistral-large-2512",
    "errors": [],
    "status": "SUCCESS",
    "created_at": 1,
    "total_requests": 1,
    "completed_requests": 1,
    "succeeded_requests": 1,
    "failed_requests": 0,
    "output_file": "f-2",
}


def answered(name: str, body: object) -> dict[str, object]:
    answer = {"status_code": 200, "request_id": f"req_{name}", "body": body}
    return {"id": f"batch_req_{name}", "custom_id": name, "response": answer, "error": None}


def operation(**ended: object) -> Raw:
    state = "BATCH_STATE_SUCCEEDED" if ended else "BATCH_STATE_PENDING"
    about = {"name": "batches/b1", "model": "models/gemini-2.5-flash", "state": state}
    return Raw(
        json={"name": "batches/b1", "metadata": {**about, "output": ended}, "done": bool(ended), "response": ended}
    )


GOOGLE = "generativelanguage.googleapis.com/v1beta/models"
AZURE = "team.openai.azure.com/openai/deployments/our-gpt/chat/completions"
ANSWERS = {
    f"{GOOGLE}/gemini-2.5-flash:generateContent": Raw(json=gemini(SAID, GEMINI_USAGE, "STOP")),
    f"{GOOGLE}/gemini-2.5-flash:streamGenerateContent": event_stream(
        gemini("On its", {"promptTokenCount": 1200, "totalTokenCount": 1200}), gemini(" way.", GEMINI_USAGE, "STOP")
    ),
    f"{GOOGLE}/gemini-2.5-flash:countTokens": Raw(json={"totalTokens": 3}),
    f"{GOOGLE}/gemini-embedding-001:batchEmbedContents": Raw(
        json={"embeddings": [{"values": [0.5]}], "usageMetadata": {"promptTokenCount": 77, "totalTokenCount": 77}}
    ),
    "aiplatform.googleapis.com/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent": Raw(
        json=gemini(SAID, GEMINI_USAGE | {"trafficType": "ON_DEMAND"}, "STOP")
    ),
    "aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/anthropic/models/"
    "claude-sonnet-4-5@20250929:rawPredict": Raw(json=MESSAGE),
    "api.mistral.ai/v1/chat/completions": Raw(
        json=completion("mistral-large-2512", {**CHAT_USAGE, "prompt_tokens_details": None})
    ),
    "api.mistral.ai/v1/chat/completions#stream": pieces(
        "mistral-large-2512", {"usage": {"prompt_tokens": 1200, "completion_tokens": 340, "total_tokens": 1540}}
    ),
    "api.mistral.ai/v1/conversations": Raw(json=CONVERSATION),
    "api.mistral.ai/v1/ocr": Raw(json=PAGES),
    "api.cohere.com/v2/chat": Raw(json=COHERE),
    "api.cohere.com/v2/chat#stream": event_stream(*COHERE_EVENTS, names=True),
    "api.cohere.com/v1/chat": Raw(json=COHERE_V1),
    "api.cohere.com/v1/chat#stream": json_lines(
        {"is_finished": False, "event_type": "stream-start", "generation_id": "g-1"},
        {"is_finished": False, "event_type": "text-generation", "text": SAID},
        {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": COHERE_V1},
        content_type="application/stream+json",
    ),
    "api.cohere.com/v2/embed": Raw(
        json={
            "id": "e-1",
            "response_type": "embeddings_by_type",
            "embeddings": {"float": [[0.5]]},
            "texts": ["Where?"],
            "meta": {"billed_units": {"input_tokens": 77.0}},
        }
    ),
    "api.cohere.com/v2/rerank": Raw(
        json={
            "id": "k-1",
            "results": [{"index": 0, "relevance_score": 0.9}],
            "meta": {"billed_units": {"search_units": 1.0}},
        }
    ),
    "api.groq.com/openai/v1/chat/completions": Raw(
        json=completion("llama-3.3-70b-versatile", CHAT_USAGE, x_groq={"id": "req_1"}, service_tier="on_demand")
    ),
    "api.groq.com/openai/v1/chat/completions#stream": pieces(
        "llama-3.3-70b-versatile", {"x_groq": {"id": "req_1", "usage": CHAT_USAGE}}
    ),
    "models.test:11434/api/chat": Raw(json={**DONE, "message": {"role": "assistant", "content": SAID}}),
    "models.test:11434/api/chat#stream": json_lines(
        {"model": "gemma3:1b", "message": {"role": "assistant", "content": SAID}, "done": False},
        {**DONE, "message": {"role": "assistant", "content": ""}},
    ),
    "models.test:11434/api/generate": Raw(json={**DONE, "response": SAID}),
    "models.test:11434/api/embed": Raw(
        json={"model": "nomic-embed-text", "embeddings": [[0.5]], "prompt_eval_count": 4}
    ),
    AZURE: Raw(json=completion("gpt-4o-2024-08-06", CHAT_USAGE, prompt_filter_results=[])),
    f"{AZURE}#stream": pieces("gpt-4o-2024-08-06", {}, {"choices": [], "usage": CHAT_USAGE}),
    "api.voyageai.com/v1/embeddings": Raw(
        json={
            "object": "list",
            "data": [{"object": "embedding", "embedding": [0.5], "index": 0}],
            "model": "voyage-4",
            "usage": {"total_tokens": 3},
        }
    ),
    "api.voyageai.com/v1/rerank": Raw(
        json={
            "object": "list",
            "data": [{"index": 0, "relevance_score": 0.9}],
            "model": "rerank-2.5",
            "usage": {"total_tokens": 26},
        }
    ),
    "api.openai.com/v1/images/generations": Raw(json=DRAWN),
    "api.openai.com/v1/audio/transcriptions": Raw(json=HEARD),
    "api.openai.com/v1/files": Raw(json={"id": "file-in", "object": "file", "purpose": "batch"}),
    "api.openai.com/v1/batches": Raw(json=BATCH),
    "api.openai.com/v1/batches/batch_1": Raw(json={**BATCH, "status": "completed", "output_file_id": "file-out"}),
    "api.openai.com/v1/files/file-out/content": json_lines(
        answered("a", completion("gpt-4o-2024-08-06", CHAT_USAGE)),
        answered("b", completion("gpt-4o-2024-08-06", CHAT_USAGE)),
        content_type="application/octet-stream",
    ),
    BATCHES_AT: Raw(json={**MESSAGE_BATCH, "processing_status": "in_progress", "results_url": None}),
    f"{BATCHES_AT}/msgbatch_1": Raw(json=MESSAGE_BATCH),
    f"{BATCHES_AT}/msgbatch_1/results": json_lines(
        {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}},
        {"custom_id": "b", "result": {"type": "succeeded", "message": MESSAGE}},
        {"custom_id": "c", "result": {"type": "errored", "error": {"type": "error", "error": {"type": "api_error"}}}},
        content_type="application/x-jsonl",
    ),
    f"{GOOGLE}/gemini-2.5-flash:batchGenerateContent": operation(),
    "generativelanguage.googleapis.com/v1beta/batches/b1": operation(
        inlinedResponses={"inlinedResponses": [{"response": gemini(SAID, GEMINI_USAGE, "STOP")}] * 2}
    ),
    "api.mistral.ai/v1/batch/jobs/job-1": Raw(json=JOB),
    "api.mistral.ai/v1/files/f-2/content": json_lines(
        answered("a", completion("mistral-large-2512", {**CHAT_USAGE, "prompt_tokens_details": None})),
        content_type="application/octet-stream",
    ),
}

Expected = tuple[str, str, dict[str, int], str | None]
GEMINI: Expected = (
    "google",
    "gemini.generate",
    {"input": 176, "cache_read": 1024, "output": 212, "thinking": 128},
    "0.00093352",  # 176 × $0.30 + 1,024 × $0.03 + 340 × $2.50 per million
)
MISTRAL: Expected = ("mistral", "openai.chat", {"input": 1200, "output": 340}, "0.00111")
COHERE_CHAT: Expected = ("cohere", "cohere.chat", {"input": 25, "output": 9}, "0.0001525")
COHERE_R: Expected = ("cohere", "cohere.chat", {"input": 25, "output": 9}, "0.00000915")
CACHED = {"input": 176, "cache_read": 1024, "output": 340}
GROQ: Expected = ("groq", "openai.chat", CACHED, "0.00067964")
OPENAI: Expected = ("azure", "openai.chat", CACHED, "0.00512")
OLLAMA: Expected = ("ollama", "ollama.chat", {"input": 16, "output": 51}, "0")

EXPECTED: dict[str, Expected] = {
    **{f"test_gemini{how}": GEMINI for how in ("", "_streamed", "_async", "_streamed_async")},
    "test_gemini_embeds": ("google", "gemini.embed", {"input": 77}, "0.00001155"),
    "test_gemini_counts_tokens": ("google", "google.count_tokens", {}, "0"),
    "test_vertex_gemini": GEMINI,
    # 50 × $3 + 1,000 × $0.30 + 40 × $15
    "test_vertex_claude": ("google", "anthropic.messages", {"input": 50, "cache_read": 1000, "output": 40}, "0.00105"),
    **{f"test_mistral{how}": MISTRAL for how in ("", "_streamed", "_async", "_streamed_async")},
    "test_mistral_converses": ("mistral", "mistral.conversations", {"input": 400, "output": 20}, "0.00023"),
    "test_mistral_reads": ("mistral", "mistral.ocr", {}, None),
    **{f"test_cohere{how}": COHERE_CHAT for how in ("", "_streamed", "_async", "_streamed_async")},
    **{f"test_cohere_v1{how}": COHERE_R for how in ("", "_streamed")},
    "test_cohere_embeds": ("cohere", "cohere.embed", {"input": 77}, "0.00000924"),
    "test_cohere_ranks": ("cohere", "cohere.rerank", {}, None),
    **{f"test_groq{how}": GROQ for how in ("", "_streamed", "_async", "_streamed_async")},
    **{f"test_ollama{how}": OLLAMA for how in ("", "_streamed", "_streamed_async")},
    "test_ollama_async": ("ollama", "ollama.generate", {"input": 16, "output": 51}, "0"),
    "test_ollama_embeds": ("ollama", "ollama.embed", {"input": 4}, "0"),
    **{f"test_azure{how}": OPENAI for how in ("", "_streamed", "_async", "_streamed_async")},
    "test_voyage_embeds": ("voyageai", "voyageai.embeddings", {"input": 3}, "0.00000018"),
    "test_voyage_ranks": ("voyageai", "voyageai.rerank", {"input": 26}, "0.0000013"),
    # 10 × $5 + 40 × $10 + 1,056 × $40
    "test_openai_draws": (
        "openai",
        "openai.images",
        {"input": 10, "input_image": 40, "output_image": 1056},
        "0.04269",
    ),
    # 4 × $2.50 + 10 × $6 + 45 × $10
    "test_openai_hears": ("openai", "openai.audio", {"input": 4, "output": 45, "input_audio": 10}, "0.00052"),
}
TWICE = {"input": 352, "cache_read": 2048, "output": 680}
RUNS: dict[str, tuple[tuple[str, ...], Expected]] = {
    # every exchange's status, in order; then the one that is billed: 352 × $1.25 + 2,048 × $1.25 + 680 × $5
    "test_openai_batch": (
        ("unbilled", "unbilled", "unbilled", "exact", "unbilled"),
        ("openai", "openai.batches", TWICE, "0.0064"),
    ),
    # 100 × $1.50 + 2,000 × $0.15 + 80 × $7.50
    "test_anthropic_batch": (
        ("unbilled", "unbilled", "exact"),
        ("anthropic", "anthropic.batches", {"input": 100, "cache_read": 2000, "output": 80}, "0.00105"),
    ),
    # 352 × $0.15 + 2,048 × $0.03 + 680 × $1.25
    "test_gemini_batch": (
        ("unbilled", "exact"),
        ("google", "gemini.batches", {**TWICE, "output": 424, "thinking": 256}, "0.00096424"),
    ),
    # 1,200 × $0.25 + 340 × $0.75
    "test_mistral_batch": (
        ("unbilled", "exact"),
        ("mistral", "openai.batches", {"input": 1200, "output": 340}, "0.000555"),
    ),
}
FEES = {"test_mistral_reads": {"page": 3}, "test_cohere_ranks": {"rerank_search": 1}}


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of the suite, recorded and replayed."""

    recorded: Mapping[str, Task]
    replayed: Mapping[str, Task]
    asked: tuple[str, ...]
    asked_in_replay: tuple[str, ...]


def run_suite(folder: Path, proxy: LoopbackProxy, *options: str) -> dict[str, Task]:
    theirs = re.compile(
        r"PYTEST|TOKENBUDGET|GOOGLE|GEMINI|MISTRAL|CO_API|GROQ|OLLAMA|AZURE|OPENAI|VOYAGE|.*_proxy$", re.IGNORECASE
    )
    environment = {name: value for name, value in os.environ.items() if not theirs.match(name)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=environment | proxy.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{len(EXPECTED) + len(RUNS)} passed" in done.stdout, done.stdout + done.stderr
    tasks = load_run(folder / ".tokenbudget" / "run.json").tasks
    return {task.id.partition("::")[2]: task for task in tasks}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("breadth")
    (folder / "test_breadth.py").write_text(SUITE.read_text())
    (folder / "pytest.ini").write_text(INI)
    (folder / "tokenbudget.yml").write_text(SETTINGS)
    with LoopbackProxy(ANSWERS) as proxy:
        recorded = run_suite(folder, proxy, "--record-mode=once")
        asked = tuple(proxy.asked)
        replayed = run_suite(folder, proxy)
        again = tuple(proxy.asked[len(asked) :])
    return Played(recorded=recorded, replayed=replayed, asked=asked, asked_in_replay=again)


def check(task: Task, expected: Expected, fees: Mapping[str, int], obtained: str) -> None:
    (entry,) = task.calls
    found = entry.call
    provider, api, usage, cost = expected
    status = "unbilled" if api.endswith("count_tokens") else "exact"
    assert (found.provider, found.api, found.status, found.obtained) == (provider, api, status, obtained)
    assert (dict(found.usage.counts()), dict(found.usage.fees)) == (usage, fees)
    assert task.totals.cost == (None if cost is None else Decimal(cost))
    assert task.notes == ()


@pytest.mark.parametrize("test", EXPECTED)
def test_a_recorded_call_is_metered(played: Played, test: str) -> None:
    check(played.recorded[test], EXPECTED[test], FEES.get(test, {}), "recorded")


@pytest.mark.parametrize("test", EXPECTED)
def test_the_same_call_replayed_has_the_same_usage_and_is_free(played: Played, test: str) -> None:
    task = played.replayed[test]
    check(task, EXPECTED[test], FEES.get(test, {}), "replayed")
    assert (task.totals.incurred, task.calls[0].call.stream) == (0, "streamed" in test)


@pytest.mark.parametrize("test", RUNS)
def test_a_batch_is_billed_once_with_its_results(played: Played, test: str) -> None:
    statuses, (provider, api, usage, cost) = RUNS[test]
    for task in (played.recorded[test], played.replayed[test]):
        assert tuple(entry.call.status for entry in task.calls) == statuses
        (billed,) = (entry.call for entry in task.calls if entry.call.status == "exact")
        assert (billed.provider, billed.api, billed.tier, dict(billed.usage.counts())) == (
            provider,
            api,
            "batch",
            usage,
        )
        assert (task.totals.cost, task.totals.steps, task.notes) == (Decimal(cost or 0), 0, ())


def test_every_call_was_asked_once_and_none_in_replay(played: Played) -> None:
    assert set(played.recorded) == set(played.replayed) == set(EXPECTED) | set(RUNS)
    assert len(played.asked) == len(EXPECTED) + sum(len(statuses) for statuses, _ in RUNS.values())
    assert played.asked_in_replay == ()
    assert set(played.asked) == set(ANSWERS)
