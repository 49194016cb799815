import pytest
from wire_exchanges import SSE_LABEL, call, chat, sse

MISTRAL = "https://api.mistral.ai/v1"
USAGE = {
    "prompt_tokens": 188,
    "completion_tokens": 55,
    "total_tokens": 7355,
    "connector_tokens": 7112,
    "connectors": {"web_search": 1},
}
ANSWER = {"type": "message.output", "id": "m1", "model": "mistral-medium-latest", "role": "assistant", "content": "Hi"}


def test_chat_tells_its_tier_inside_the_usage() -> None:
    usage = {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30, "service_tier": "priority"}
    found = call(f"{MISTRAL}/chat/completions", chat(usage, model="mistral-large-2512"))
    assert (found.api, found.provider, found.status, found.tier) == ("openai.chat", "mistral", "exact", "priority")
    assert dict(found.usage.counts()) == {"input": 21, "output": 9}


def test_audio_is_billed_by_the_second() -> None:
    usage = {"prompt_tokens": 4, "completion_tokens": 635, "total_tokens": 3264, "prompt_audio_seconds": 203}
    found = call(f"{MISTRAL}/chat/completions", chat(usage, model="voxtral-small-2507"))
    assert (found.status, dict(found.usage.counts())) == ("exact", {"input": 4, "output": 635})
    assert dict(found.usage.fees) == {"prompt_audio_seconds": 203}
    assert found.notes == ("2625 tokens of audio are billed as its 203 seconds",)


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("agents/completions", "openai.chat"),
        ("fim/completions", "openai.completions"),
        ("embeddings", "openai.embeddings"),
    ],
)
def test_what_speaks_openais_formats(path: str, api: str) -> None:
    tool = {"id": "t", "function": {"name": "look_up", "arguments": "{}"}}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [tool]}}
    body = {
        "id": "1",
        "model": "codestral-2508",
        "choices": [choice],
        "usage": {"prompt_tokens": 8, "total_tokens": 8, "completion_tokens": 0},
    }
    found = call(f"{MISTRAL}/{path}", body)
    assert (found.api, found.provider, found.status) == (api, "mistral", "exact")
    assert dict(found.usage.counts()) == {"input": 8}
    assert found.tools == (("look_up",) if api == "openai.chat" else ())


@pytest.mark.parametrize("path", ["conversations", "conversations/conv_1", "conversations/conv_1/restart"])
def test_a_conversation_is_billed_with_what_its_connectors_brought(path: str) -> None:
    asked = {"type": "function.call", "id": "f1", "tool_call_id": "t1", "name": "look_up", "arguments": "{}"}
    body = {"object": "conversation.response", "conversation_id": "conv_1", "outputs": [ANSWER, asked], "usage": USAGE}
    found = call(f"{MISTRAL}/{path}", body)
    assert (found.api, found.status, found.model_served) == ("mistral.conversations", "exact", "mistral-medium-latest")
    assert dict(found.usage.counts()) == {"input": 7300, "output": 55}
    assert dict(found.usage.fees) == {"web_search": 1}
    assert (found.tools, found.response_id) == (("look_up",), "conv_1")
    assert found.price_context == (("prompts", "several"),)


def test_connector_tokens_may_be_inside_the_prompt() -> None:
    usage = {**USAGE, "prompt_tokens": 7300}
    found = call(f"{MISTRAL}/conversations", {"outputs": [ANSWER], "usage": usage})
    assert (found.status, dict(found.usage.counts())) == ("exact", {"input": 7300, "output": 55})
    torn = call(f"{MISTRAL}/conversations", {"outputs": [ANSWER], "usage": {**USAGE, "total_tokens": 9}})
    assert torn.status == "partial"


def test_a_conversation_that_is_handed_on_has_no_one_price() -> None:
    other = {**ANSWER, "id": "m2", "model": "mistral-large-latest"}
    for outputs in ([ANSWER, other], [{"type": "agent.handoff"}, ANSWER]):
        found = call(f"{MISTRAL}/conversations", {"outputs": outputs, "usage": USAGE})
        assert (found.status, found.usage.total) == ("partial", 7355)


def test_a_conversation_streamed() -> None:
    events = [
        {"type": "conversation.response.started", "conversation_id": "conv_1"},
        {"type": "message.output.delta", "id": "m1", "model": "mistral-medium-latest", "content": "Hi"},
        {"type": "function.call.delta", "id": "f1", "name": "look_up", "arguments": "{"},
        {"type": "function.call.delta", "id": "f1", "name": "look_up", "arguments": "}"},
        {"type": "conversation.response.done", "usage": USAGE},
    ]
    found = call(f"{MISTRAL}/conversations#stream", sse(*events), headers=SSE_LABEL)
    assert (found.status, found.stream, found.model_served) == ("exact", True, "mistral-medium-latest")
    assert dict(found.usage.counts()) == {"input": 7300, "output": 55}
    assert (found.tools, found.response_id) == (("look_up",), "conv_1")
    failed = {"type": "conversation.response.error", "message": "no", "code": 500}
    cut = call(f"{MISTRAL}/conversations", sse(*events[:-1], failed), headers=SSE_LABEL)
    assert cut.status == "missing"
    assert cut.notes[0].startswith("the response reports an error")
    handed = {"type": "agent.handoff.started", "id": "h"}
    found = call(f"{MISTRAL}/conversations", sse(handed, *events), headers=SSE_LABEL)
    assert found.status == "partial"


def test_the_prompt_of_a_conversation() -> None:
    request = {
        "instructions": "Be kind.",
        "tools": [{"type": "web_search"}],
        "inputs": [
            {"type": "message.input", "role": "user", "content": "Hi"},
            {"type": "function.call", "tool_call_id": "t1", "name": "look_up", "arguments": "{}"},
            {"type": "function.result", "tool_call_id": "t1", "result": "home"},
        ],
    }
    found = call(f"{MISTRAL}/conversations", {}, request=request)
    assert [(part.kind, part.name, part.characters) for part in found.prompt] == [
        ("tools", "web_search", 21),
        ("system", "instructions", 8),
        ("user", "user", 2),
        ("tool_call", "look_up", 2),
        ("tool_result", "look_up", 4),
    ]
    plain = call(f"{MISTRAL}/conversations", {}, request={"inputs": "Hello"})
    assert [(part.kind, part.characters) for part in plain.prompt] == [("user", 5)]


def test_documents_are_read_by_the_page() -> None:
    body = {
        "model": "mistral-ocr-2505",
        "pages": [{"index": 0, "images": []}],
        "usage_info": {"pages_processed": 29, "doc_size_bytes": 3002783},
    }
    found = call(f"{MISTRAL}/ocr", body, request={"document": {"type": "document_url", "document_url": "u"}})
    assert (found.api, found.status, found.model, found.is_step) == ("mistral.ocr", "exact", "mistral-ocr-2505", False)
    assert (found.usage.total, dict(found.usage.fees)) == (0, {"page": 29})
    assert [part.kind for part in found.prompt] == ["media"]
    dear = call(f"{MISTRAL}/ocr", {**body, "document_annotation": "{}"})
    assert dict(dear.usage.fees) == {"annotated_page": 29}
    dear = call(f"{MISTRAL}/ocr", {**body, "pages": [{"images": [{"image_annotation": "{}"}]}]})
    assert dict(dear.usage.fees) == {"annotated_page": 29}
    assert call(f"{MISTRAL}/ocr", {"pages": []}).status == "missing"
