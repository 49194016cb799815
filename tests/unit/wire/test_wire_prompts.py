import hashlib
from typing import Any

import pytest
from wire_exchanges import CHAT, MESSAGES, RESPONSES, call

from pytest_tokenbudget.model.prompt import Segment

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}


def parts(url: str, request: dict[str, Any]) -> list[Segment]:
    return list(call(url, {}, request={"model": "m", **request}).prompt)


def said(kind: Any, name: str, text: str, *, counted: bool = True) -> Segment:
    """A segment of this text; the counter in use counts characters."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Segment(kind, name, digest, len(text), len(text) if counted else 0)


def test_a_chat_request() -> None:
    request = {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Weather?"}, {"type": "image_url", "image_url": "u"}],
            },
            {
                "role": "assistant",
                "content": "",
                "reasoning_content": "hmm",
                "tool_calls": [{"id": "c1", "function": {"name": "weather", "arguments": '{"city":"Rom"}'}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "Sunny"},
            {"role": "tool", "tool_call_id": "nobody", "content": [{"type": "text", "text": "?"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {}}},
    }
    assert parts(CHAT, request) == [
        said("schema", "answer", '{"name":"answer","schema":{}}'),
        said(
            "tools",
            "weather",
            '{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}',
        ),
        said("system", "developer", "Be brief."),
        said("user", "user", "Weather?"),
        said("media", "image", '{"type":"image_url","image_url":"u"}', counted=False),
        said("thinking", "assistant", "hmm"),
        said("tool_call", "weather", '{"city":"Rom"}'),
        said("tool_result", "weather", "Sunny"),
        said("tool_result", "", "?"),
        said("assistant", "assistant", "No."),
    ]


def test_the_older_functions_of_chat() -> None:
    request = {
        "messages": [
            {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{}"}},
            {"role": "function", "name": "weather", "content": "Sunny"},
        ],
        "functions": [{"name": "weather"}],
    }
    assert parts(CHAT, request) == [
        said("tools", "weather", '{"name":"weather"}'),
        said("tool_call", "weather", "{}"),
        said("tool_result", "weather", "Sunny"),
    ]


def test_a_responses_request() -> None:
    request = {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": "Weather?"},
            {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "u"}]},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hmm"}], "encrypted_content": "xxxx"},
            {"type": "reasoning", "summary": [], "encrypted_content": "sealed"},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "Sunny"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Sun."}]},
            {"type": "compaction", "encrypted_content": "zz"},
        ],
        "tools": [{"type": "function", "name": "weather"}, {"type": "web_search"}],
        "text": {"format": {"type": "json_schema", "name": "answer", "schema": {}}},
    }
    assert parts(RESPONSES, request) == [
        said("schema", "answer", '{"type":"json_schema","name":"answer","schema":{}}'),
        said("tools", "weather", '{"type":"function","name":"weather"}'),
        said("tools", "web_search", '{"type":"web_search"}'),
        said("system", "instructions", "Be brief."),
        said("user", "user", "Weather?"),
        said("media", "image", '{"type":"input_image","image_url":"u"}', counted=False),
        said("thinking", "", "hmm", counted=False),
        said("thinking", "encrypted", "sealed", counted=False),
        said("tool_call", "weather", "{}"),
        said("tool_result", "weather", "Sunny"),
        said("assistant", "assistant", "Sun."),
        said("user", "compaction", '{"type":"compaction","encrypted_content":"zz"}', counted=False),
    ]
    assert parts(RESPONSES, {"input": "Hello"}) == [said("user", "user", "Hello")]


def test_an_anthropic_request() -> None:
    request = {
        "system": [{"type": "text", "text": "Be brief."}],
        "tools": [{"name": "weather", "input_schema": WEATHER}],
        "output_config": {"format": {"type": "json_schema", "schema": {}}},
        "messages": [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hmm", "signature": "s"},
                    {"type": "redacted_thinking", "data": "sealed"},
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Rom"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "Sunny"}]},
                    {"type": "tool_result", "tool_use_id": "t1", "content": "Hot"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A page"}},
                    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "B"}},
                    {"type": "code_execution_tool_result", "tool_use_id": "t1", "content": {"stdout": "1"}},
                    {"type": "later_invention", "x": 1},
                ],
            },
        ],
    }
    assert parts(MESSAGES, request) == [
        said(
            "tools",
            "weather",
            '{"name":"weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}',
        ),
        said("system", "system", "Be brief."),
        said("schema", "", '{"type":"json_schema","schema":{}}'),
        said("user", "user", "Weather?"),
        said("thinking", "assistant", "hmm"),
        said("thinking", "encrypted", "sealed", counted=False),
        said("assistant", "assistant", "Let me see."),
        said("tool_call", "weather", '{"city":"Rom"}'),
        said("tool_result", "weather", "Sunny"),
        said("tool_result", "weather", "Hot"),
        said("media", "image/png", '{"type":"base64","media_type":"image/png","data":"AAAA"}', counted=False),
        said("user", "user", "A page"),
        said("media", "application/pdf", '{"type":"base64","media_type":"application/pdf","data":"B"}', counted=False),
        said("tool_result", "weather", '{"stdout":"1"}'),
        said("user", "user", '{"type":"later_invention","x":1}'),
    ]


def test_equal_texts_have_equal_digests_and_others_do_not() -> None:
    def digest(text: str) -> str:
        return call(CHAT, {}, request={"model": "m", "messages": [{"role": "user", "content": text}]}).prompt[0].digest

    assert digest("a") == digest("a") != digest("b")
    assert digest("hello") == "2cf24dba5fb0a30e"  # the same in every process: it goes into files
    assert digest("x" * 30_000) == digest("x" * 30_000) != digest("x" * 30_001)


def test_a_segment_keeps_no_text() -> None:
    found = call(CHAT, {}, request={"model": "m", "messages": [{"role": "user", "content": "hello"}]}).prompt
    assert found == (Segment("user", "user", "2cf24dba5fb0a30e", 5, 5),)


@pytest.mark.parametrize("url", [CHAT, RESPONSES, MESSAGES])
@pytest.mark.parametrize("odd", [None, 1, "x", [], [None, 1, "x", [1]], {"a": 1}, [{"type": 1}], [{"role": 2}]])
def test_no_request_is_too_odd(url: str, odd: object) -> None:
    for key in ("messages", "input", "system", "instructions", "tools", "text", "response_format", "output_config"):
        found = call(url, {}, request={"model": "m", key: odd})
        assert not any("cannot be taken apart" in note for note in found.notes), found.notes
    messages = [{"role": "user", "content": odd, "tool_calls": odd, "tool_call_id": odd, "function_call": odd}]
    found = call(url, {}, request={"model": "m", "messages": messages, "input": messages})
    assert not any("cannot be taken apart" in note for note in found.notes), found.notes
