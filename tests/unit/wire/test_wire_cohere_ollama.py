import json

import pytest
from wire_exchanges import SSE_LABEL, call, skipped, sse

from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.wire import is_model_request

CHAT_V2 = "https://api.cohere.com/v2/chat"
CHAT_V1 = "https://api.cohere.com/v1/chat"
OLLAMA = "http://localhost:11434/api"
ROWS = {"content-type": "application/x-ndjson"}
BILLED = {"billed_units": {"input_tokens": 25.0, "output_tokens": 9.0}}
TOKENS = {"tokens": {"input_tokens": 91.0, "output_tokens": 11.0}}


def rows(*lines: object) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_cohere_bills_units_and_not_tokens() -> None:
    call_of = {"id": "t1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    body = {
        "id": "02069ccc",
        "finish_reason": "TOOL_CALL",
        "message": {"role": "assistant", "tool_calls": [call_of]},
        "usage": {**BILLED, **TOKENS, "cached_tokens": 64},
    }
    found = call(CHAT_V2, body, request={"model": "command-a-03-2025", "messages": []})
    assert (found.api, found.provider, found.status, found.model) == (
        "cohere.chat",
        "cohere",
        "exact",
        "command-a-03-2025",
    )
    assert dict(found.usage.counts()) == {"input": 25, "output": 9}
    assert (found.tools, found.finish, found.response_id) == (("look_up",), "TOOL_CALL", "02069ccc")
    assert found.notes == ("64 prompt tokens came from a cache; what is billed says nothing of them",)


def test_cohere_streams_v2_as_events() -> None:
    tool = {"delta": {"message": {"tool_calls": {"id": "t", "function": {"name": "look_up"}}}}}
    events = [
        {"type": "message-start", "id": "m-1", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}},
        {"type": "tool-call-start", "index": 0, **tool},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {**BILLED, **TOKENS}}},
    ]
    found = call(CHAT_V2, sse(*events), headers=SSE_LABEL)
    assert (found.status, found.stream, found.finish, found.response_id) == ("exact", True, "COMPLETE", "m-1")
    assert dict(found.usage.counts()) == {"input": 25, "output": 9}
    assert found.tools == ("look_up",)
    cut = call(CHAT_V2, sse(*events[:-1]), headers=SSE_LABEL)
    assert (cut.status, cut.notes) == ("missing", ("the stream was cut before its usage",))


def test_cohere_v1_as_a_body_and_as_lines() -> None:
    body = {
        "response_id": "r-1",
        "generation_id": "g-1",
        "text": "Hi",
        "finish_reason": "COMPLETE",
        "tool_calls": [{"name": "look_up", "parameters": {}}],
        "meta": {"api_version": {"version": "1"}, "billed_units": {**BILLED["billed_units"], "search_units": 2}},
    }
    found = call(CHAT_V1, body)
    assert dict(found.usage.counts()) == {"input": 25, "output": 9}
    assert (dict(found.usage.fees), found.tools, found.response_id) == (
        {"rerank_search": 2},
        ("look_up",),
        "g-1",
    )
    lines = [
        {"is_finished": False, "event_type": "stream-start", "generation_id": "g-1"},
        {"is_finished": False, "event_type": "text-generation", "text": "Hi"},
        {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": body},
    ]
    for label in ("application/stream+json", "application/json"):
        found = call(CHAT_V1, rows(*lines), headers={"content-type": label})
        assert (found.status, found.stream, found.finish) == ("exact", True, "COMPLETE")
        assert dict(found.usage.counts()) == {"input": 25, "output": 9}
        assert found.tools == ("look_up",)
    cut = call(CHAT_V1, rows(*lines[:2]), headers={"content-type": "application/stream+json"})
    assert cut.status == "missing"


def test_cohere_tokens_without_billed_units_are_a_lower_bound() -> None:
    found = call(CHAT_V2, {"usage": TOKENS})
    assert (found.status, dict(found.usage.counts())) == ("partial", {"input": 91, "output": 11})
    assert call(CHAT_V2, {"usage": {}}).status == "missing"


@pytest.mark.parametrize(
    ("path", "units", "usage", "fees"),
    [
        ("v2/embed", {"input_tokens": 12}, {"input": 12}, {}),
        ("v1/embed", {"images": 1}, {}, {"image": 1}),
        ("v2/embed", {"image_tokens": 1032, "text_tokens": 8}, {"input": 8, "input_image": 1032}, {}),
        (
            "v2/embed",
            {"input_tokens": 1040, "image_tokens": 1032, "text_tokens": 8},
            {"input": 8, "input_image": 1032},
            {},
        ),
        ("v2/rerank", {"search_units": 1}, {}, {"rerank_search": 1}),
        ("v1/classify", {"classifications": 3}, {}, {"classification": 3}),
        ("v1/generate", {"input_tokens": 3, "output_tokens": 4}, {"input": 3, "output": 4}, {}),
        ("v1/summarize", {"input_tokens": 3, "output_tokens": 4}, {"input": 3, "output": 4}, {}),
    ],
)
def test_other_cohere_operations(path: str, units: object, usage: dict[str, int], fees: dict[str, int]) -> None:
    found = call(f"https://api.cohere.com/{path}", {"id": "1", "meta": {"billed_units": units}})
    assert (found.api, found.status) == (f"cohere.{path[3:]}", "exact")
    assert (dict(found.usage.counts()), dict(found.usage.fees)) == (usage, fees)


@pytest.mark.parametrize("base", ["http://gateway.test", "http://gateway.test:8080/cohere"])
def test_cohere_behind_a_proxy(base: str) -> None:
    body = {"id": "1", "finish_reason": "COMPLETE", "message": {}, "usage": {**BILLED, **TOKENS}}
    for version in ("v1", "v2"):
        found = call(f"{base}/{version}/chat", {**body, "meta": BILLED}, request={"model": "command-r"})
        assert (found.api, found.status, dict(found.usage.counts())) == (
            "cohere.chat",
            "exact",
            {"input": 25, "output": 9},
        )
        assert found.provider == found.host  # whose prices apply there, only `hosts` can tell
    assert is_model_request("POST", f"{base}/v2/chat")
    assert call(f"{base}/v2/chat", {}, request={"model": "command-r"}).status == "missing"
    assert skipped(f"{base}/v2/chat", {"said": "hello"}, request={"say": "hello"})
    embedded = call(f"{base}/v2/embed", {"embeddings": {}, "meta": {"billed_units": {"input_tokens": 77.0}}})
    assert (embedded.api, dict(embedded.usage.counts())) == ("cohere.embed", {"input": 77})


@pytest.mark.parametrize("base", ["http://gpu.example.test:8080", "https://gateway.test/ollama"])
def test_ollama_behind_a_proxy_is_known_by_its_counts_alone(base: str) -> None:
    """`/api/chat` is what many call a back end of their own."""
    found = call(f"{base}/api/chat", rows(DONE), headers=ROWS)
    assert (found.api, found.status, dict(found.usage.counts())) == (
        "ollama.chat",
        "exact",
        {"input": 16, "output": 51},
    )
    assert PriceTable().charge(found).cost == 0
    assert not is_model_request("POST", f"{base}/api/chat")
    for answer in ({"said": "hello"}, {"model": "m", "message": "hi"}, b"hello", b""):
        assert skipped(f"{base}/api/chat", answer).reason == "not model traffic"
    assert skipped(f"{base}/api/chat", {"error": "model not found"}, status=404)


def test_units_that_do_not_tell_images_apart() -> None:
    found = call(
        "https://api.cohere.com/v2/embed", {"meta": {"billed_units": {"input_tokens": 1040, "image_tokens": 40}}}
    )
    assert (found.status, dict(found.usage.counts())) == ("partial", {"input": 1000, "input_image": 40})


def test_units_without_a_name_of_ours_are_kept_and_doubted() -> None:
    found = call(CHAT_V2, {"usage": {"billed_units": {"input_tokens": 5, "output_tokens": 1, "moods": 2}}})
    assert (found.status, dict(found.usage.fees)) == ("partial", {"moods": 2})
    assert found.notes == ("usage bills 2 moods, of which we know nothing",)


def test_what_cohere_does_not_let_us_read() -> None:
    assert call("https://api.cohere.com/v1/embed-jobs", {}).api == "cohere.embed_jobs"
    assert call("https://api.cohere.com/v1/tokenize", {}).status == "unbilled"


def test_cohere_prompts() -> None:
    request = {
        "model": "command-r",
        "preamble": "Be kind.",
        "chat_history": [{"role": "USER", "message": "Hi"}, {"role": "CHATBOT", "message": "Hello!"}],
        "documents": [{"id": "1", "text": "A"}],
        "message": "And now?",
    }
    found = call(CHAT_V1, {"meta": BILLED}, request=request)
    assert [(part.kind, part.name, part.characters) for part in found.prompt] == [
        ("system", "preamble", 8),
        ("user", "user", 2),
        ("assistant", "assistant", 6),
        ("user", "document", 21),
        ("user", "user", 8),
    ]
    ranked = call("https://api.cohere.com/v2/rerank", {}, request={"query": "Who?", "documents": ["A", {"text": "B"}]})
    assert [(part.name, part.characters) for part in ranked.prompt] == [("query", 4), ("document", 1), ("document", 12)]
    embedded = call("https://api.cohere.com/v2/embed", {}, request={"texts": ["abc"], "images": ["data:image/png"]})
    assert [(part.kind, part.characters) for part in embedded.prompt] == [("user", 3), ("media", 16)]


DONE = {
    "model": "gemma3:1b",
    "created_at": "2025-05-19T09:27:00Z",
    "done": True,
    "done_reason": "stop",
    "total_duration": 482007750,
    "prompt_eval_count": 16,
    "eval_count": 51,
}


def test_ollama_counts_on_its_last_line() -> None:
    piece = {"model": "gemma3:1b", "message": {"role": "assistant", "content": "Hi"}, "done": False}
    tool = {"function": {"name": "look_up", "arguments": {}}}
    asks = {"model": "gemma3:1b", "message": {"role": "assistant", "tool_calls": [tool]}, "done": False}
    for label in (ROWS, {}):
        found = call(f"{OLLAMA}/chat", rows(piece, asks, DONE), headers=label)
        assert (found.api, found.provider, found.status, found.stream) == ("ollama.chat", "ollama", "exact", True)
        assert dict(found.usage.counts()) == {"input": 16, "output": 51}
        assert (found.model_served, found.finish, found.tools) == ("gemma3:1b", "stop", ("look_up",))
    cut = call(f"{OLLAMA}/chat", rows(piece, piece), headers=ROWS)
    assert (cut.status, cut.notes) == ("missing", ("the stream was cut before its usage",))
    # cut after its first line it looks like a body
    assert call(f"{OLLAMA}/chat", rows(piece)[:-1], headers={}).notes == ("the stream was cut before its usage",)


def test_ollama_as_a_body() -> None:
    found = call(f"{OLLAMA}/generate", {**DONE, "response": "Hi"})
    assert (found.api, found.stream, dict(found.usage.counts())) == (
        "ollama.generate",
        False,
        {"input": 16, "output": 51},
    )
    embedded = call(f"{OLLAMA}/embed", {"model": "nomic", "embeddings": [[0.1]], "prompt_eval_count": 4})
    assert (embedded.api, embedded.status, embedded.is_step) == ("ollama.embed", "exact", False)
    assert dict(embedded.usage.counts()) == {"input": 4}
    remembered = call(f"{OLLAMA}/generate", {"model": "m", "done": True, "eval_count": 3})
    assert (remembered.status, dict(remembered.usage.counts())) == ("exact", {"output": 3})
    assert call(f"{OLLAMA}/generate", {"model": "m", "done": True}).status == "missing"
    older = call(f"{OLLAMA}/embeddings", {"embedding": [0.1]})
    assert (older.api, older.status) == ("ollama.embed", "missing")
    assert call(f"{OLLAMA}/show", {}).status == "unbilled"


def test_ollama_prompts() -> None:
    request = {
        "model": "m",
        "format": {"type": "object"},
        "messages": [{"role": "user", "content": "What is it?", "images": ["iVBOR"]}],
    }
    found = call(f"{OLLAMA}/chat", DONE, request=request)
    assert [(part.kind, part.characters) for part in found.prompt] == [("schema", 17), ("user", 11), ("media", 7)]
    request = {"model": "m", "system": "Be kind.", "prompt": "Hi", "suffix": "!", "images": ["iVBOR"]}
    found = call(f"{OLLAMA}/generate", DONE, request=request)
    assert [(part.kind, part.characters) for part in found.prompt] == [
        ("system", 8),
        ("user", 2),
        ("user", 1),
        ("media", 7),
    ]


@pytest.mark.parametrize("path", ["embeddings", "contextualizedembeddings"])
def test_voyage_embeddings(path: str) -> None:
    body = {"object": "list", "model": "voyage-4", "usage": {"total_tokens": 3}}
    found = call(f"https://api.voyageai.com/v1/{path}", body, request={"input": ["Hello"], "inputs": [["a", "b"]]})
    assert (found.api, found.provider, found.status, found.is_step) == (
        "voyageai.embeddings",
        "voyageai",
        "exact",
        False,
    )
    assert dict(found.usage.counts()) == {"input": 3}
    assert call(f"https://api.voyageai.com/v1/{path}", {"data": []}).status == "missing"


def test_voyage_sees_by_the_pixel() -> None:
    usage = {"text_tokens": 5, "image_pixels": 2000000, "video_pixels": 0, "total_tokens": 3576}
    content = [{"type": "text", "text": "This is"}, {"type": "image_url", "image_url": "u"}]
    found = call(
        "https://api.voyageai.com/v1/multimodalembeddings",
        {"model": "voyage-multimodal-3.5", "usage": usage},
        request={"inputs": [{"content": content}]},
    )
    assert (found.status, dict(found.usage.counts()), dict(found.usage.fees)) == (
        "exact",
        {"input": 5},
        {"image_pixels": 2000000},
    )
    assert [part.kind for part in found.prompt] == ["user", "media"]


def test_ranking() -> None:
    usage = {"usage": {"total_tokens": 26}, "model": "rerank-2.5"}
    found = call("https://api.voyageai.com/v1/rerank", usage)
    assert (found.api, found.status, dict(found.usage.counts())) == ("voyageai.rerank", "exact", {"input": 26})
    usage = {"usage": {"total_tokens": 815, "prompt_tokens": 815}, "model": "jina-reranker-v2"}
    found = call("https://api.jina.ai/v1/rerank", usage)
    assert (found.api, found.provider, dict(found.usage.counts())) == ("jina.rerank", "jina", {"input": 815})
    assert not found.is_step
    found = call("http://localhost:8000/v1/rerank", {"id": "r", "usage": {"total_tokens": 56}, "results": []})
    assert (found.api, found.provider, dict(found.usage.counts())) == ("jina.rerank", "localhost:8000", {"input": 56})
    found = call("https://api.together.xyz/v1/rerank", {"meta": {"billed_units": {"search_units": 2}}})
    assert (found.status, dict(found.usage.fees)) == ("exact", {"rerank_search": 2})
    assert call("https://api.jina.ai/v1/rerank", {"results": []}).status == "missing"
    assert skipped("https://shop.test/v1/rerank", {"ok": True}, request={"list": 1})


def test_jina_embeds_as_openai_does() -> None:
    found = call("https://api.jina.ai/v1/embeddings", {"usage": {"total_tokens": 6, "prompt_tokens": 6}})
    assert (found.api, found.provider, dict(found.usage.counts())) == ("openai.embeddings", "jina", {"input": 6})
