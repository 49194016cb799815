"""What `prompt_of` says of requests, each written after the types of the provider's own SDK (2026-11)."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.wire import formats, prompt_of
from pytest_tokenbudget.wire.routing import route_of

CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
MESSAGES = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro:generateContent"
INTERACTIONS = "https://generativelanguage.googleapis.com/v1beta/interactions"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0"
CONVERSE, INVOKE = f"{BEDROCK}/converse", f"{BEDROCK}/invoke"
MISTRAL = "https://api.mistral.ai/v1/chat/completions"
CONVERSATIONS = "https://api.mistral.ai/v1/conversations"
COHERE = "https://api.cohere.com/v2/chat"
OLLAMA = "http://localhost:11434/api/chat"
OPENROUTER = "https://openrouter.ai/api/v1/chat/completions"

SAID = {"role": "user", "content": "Hi"}
HI = {"messages": [SAID]}
HOUR = {"type": "ephemeral", "ttl": "1h"}
FIVE = {"type": "ephemeral"}


def prompt(url: str, request: dict[str, Any]) -> Prompt:
    found = prompt_of("POST", url, json.dumps({"model": "m", **request}).encode(), {})
    assert found is not None
    known = route_of("POST", url).format
    assert known is not None
    assert found.parts == tuple(known.prompt({"model": "m", **request}))
    return found


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


CHOICES = [
    *((CHAT, {"tool_choice": word}, word) for word in ("none", "auto")),
    (CHAT, {"tool_choice": "required"}, "forced"),
    (CHAT, {"tool_choice": {"type": "function", "function": {"name": "f"}}}, "forced"),
    (CHAT, {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}}, "auto"),
    (CHAT, {"function_call": {"name": "f"}}, "forced"),
    (CHAT, {"function_call": "none"}, "none"),
    (CHAT, {}, ""),
    (RESPONSES, {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": []}}, "forced"),
    (RESPONSES, {"tool_choice": {"type": "file_search"}}, "forced"),
    (MESSAGES, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, "auto"),
    (MESSAGES, {"tool_choice": {"type": "any"}}, "forced"),
    (MESSAGES, {"tool_choice": {"type": "tool", "name": "f"}}, "forced"),
    (MESSAGES, {"tool_choice": {"type": "none"}}, "none"),
    (GEMINI, {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "forced"),
    (GEMINI, {"tool_config": {"function_calling_config": {"mode": "VALIDATED"}}}, "auto"),
    (GEMINI, {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}}, "none"),
    (INTERACTIONS, {"generation_config": {"tool_choice": "any"}}, "forced"),
    (CONVERSE, {"toolConfig": {"toolChoice": {"any": {}}}}, "forced"),
    (CONVERSE, {"toolConfig": {"toolChoice": {"auto": {}}}}, "auto"),
    (CONVERSE, {"toolConfig": {"toolChoice": {"tool": {"name": "f"}}}}, "forced"),
    (INVOKE, {"anthropic_version": "v", "tool_choice": {"type": "any"}}, "forced"),
    (MISTRAL, {"tool_choice": "any"}, "forced"),
    (CONVERSATIONS, {"inputs": "Hi", "completion_args": {"tool_choice": "required"}}, "forced"),
    (COHERE, {"tool_choice": "REQUIRED"}, "forced"),
    (COHERE, {"tool_choice": "NONE"}, "none"),
]


@pytest.mark.parametrize(("url", "request_", "expected"), CHOICES)
def test_tool_choice(url: str, request_: dict[str, Any], expected: str) -> None:
    assert prompt(url, request_).tool_choice == expected


THINKING = [
    (CHAT, {"reasoning_effort": "low"}),
    (OPENROUTER, {"reasoning": {"max_tokens": 2000}}),
    (OPENROUTER, {"reasoning": {"effort": "high"}}),
    ("https://api.deepseek.com/chat/completions", {"thinking": {"type": "enabled"}}),
    (CHAT, {"chat_template_kwargs": {"enable_thinking": True}}),
    (RESPONSES, {"reasoning": {"effort": "minimal"}}),
    (MESSAGES, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
    (MESSAGES, {"thinking": {"type": "adaptive"}}),
    (GEMINI, {"generationConfig": {"thinkingConfig": {"thinkingBudget": -1}}}),
    (GEMINI, {"generation_config": {"thinking_config": {"thinking_level": "LOW"}}}),
    (GEMINI, {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}),
    (INTERACTIONS, {"generation_config": {"thinking_level": "high"}}),
    (CONVERSE, {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}),
    (CONVERSE, {"additionalModelRequestFields": {"reasoningConfig": {"type": "enabled"}}}),
    (INVOKE, {"anthropic_version": "v", "thinking": {"type": "enabled"}}),
    (MISTRAL, {"prompt_mode": "reasoning"}),
    (COHERE, {"thinking": {"type": "enabled"}}),
    (OLLAMA, {"think": True}),
    (OLLAMA, {"think": "high"}),
]
NOT_THINKING = [
    (CHAT, {}),
    (CHAT, {"reasoning_effort": "none"}),
    (OPENROUTER, {"reasoning": {"enabled": False}}),
    (CHAT, {"chat_template_kwargs": {"enable_thinking": False}}),
    (RESPONSES, {"reasoning": {"effort": "none", "summary": "auto"}}),
    (MESSAGES, {"thinking": {"type": "disabled"}}),
    (GEMINI, {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0, "includeThoughts": True}}}),
    (CONVERSE, {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}),
    (OLLAMA, {"think": False}),
]


@pytest.mark.parametrize(
    ("url", "request_", "expected"),
    [*((*row, True) for row in THINKING), *((*row, False) for row in NOT_THINKING)],
)
def test_whether_the_model_is_asked_to_think(url: str, request_: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    assert prompt(url, request_).thinking is expected


SERVED = [
    (
        CHAT,
        {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "g"}}]},
        (),
    ),
    (CHAT, {"web_search_options": {}}, ("web_search",)),
    (CHAT, {"model": "gpt-4o-search-preview"}, ("web_search",)),
    (OPENROUTER, {"model": "openai/gpt-5:online"}, ("web_search",)),
    (OPENROUTER, {"plugins": [{"id": "web", "max_results": 3}]}, ("web",)),
    (OPENROUTER, {"tools": [{"type": "openrouter:web_search"}]}, ("web_search",)),
    ("https://api.x.ai/v1/chat/completions", {"search_parameters": {"mode": "auto"}}, ("web_search",)),
    ("https://api.perplexity.ai/chat/completions", {"model": "sonar-pro"}, ("web_search",)),
    (
        RESPONSES,
        {"tools": [{"type": "web_search"}, {"type": "file_search"}, {"type": "function", "name": "f"}]},
        ("web_search", "file_search"),
    ),
    (RESPONSES, {"tools": [{"type": "mcp", "server_label": "a"}, {"type": "mcp", "server_label": "b"}]}, ("mcp",)),
    (RESPONSES, {"tools": [{"type": "local_shell"}, {"type": "shell"}, {"type": "apply_patch"}]}, ()),
    (RESPONSES, {"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]}, ("shell",)),
    (RESPONSES, {"tools": [{"type": "tool_search"}]}, ("tool_search",)),
    (RESPONSES, {"tools": [{"type": "tool_search", "execution": "client"}]}, ()),
    (
        MESSAGES,
        {
            "tools": [
                {"type": "web_search_20260318", "name": "web_search"},
                {"type": "web_fetch_20260318", "name": "web_fetch"},
                {"type": "code_execution_20260521", "name": "code_execution"},
                {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
            ]
        },
        ("web_search", "web_fetch", "code_execution", "tool_search_tool_bm25"),
    ),
    (
        MESSAGES,
        {
            "tools": [
                {"name": "f", "input_schema": {}},
                {"type": "custom", "name": "g", "input_schema": {}},
                {"type": "bash_20250124", "name": "bash"},
                {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
                {"type": "computer_20251124", "name": "computer"},
                {"type": "computer_toolset_20260801", "name": "computer"},
                {"type": "memory_20250818", "name": "memory"},
            ]
        },
        (),
    ),
    (
        MESSAGES,
        {
            "mcp_servers": [{"type": "url", "name": "a", "url": "u"}],
            "tools": [{"type": "mcp_toolset", "mcp_server_name": "a"}],
        },
        ("mcp",),
    ),
    (
        GEMINI,
        {"tools": [{"googleSearch": {}}, {"codeExecution": {}, "url_context": {}}, {"functionDeclarations": []}]},
        ("google_search", "code_execution", "url_context"),
    ),
    (GEMINI, {"tools": [{"computerUse": {}}]}, ()),
    (INTERACTIONS, {"tools": [{"type": "google_search"}, {"type": "function", "name": "f"}]}, ("google_search",)),
    (CONVERSE, {"toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}}, ("nova_grounding",)),
    (
        CONVERSE,
        {"additionalModelRequestFields": {"tools": [{"type": "bash_20250124", "name": "bash"}]}},
        (),
    ),
    (
        INVOKE,
        {"anthropic_version": "v", "tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        ("web_search",),
    ),
    (CONVERSATIONS, {"inputs": "Hi", "tools": [{"type": "web_search_premium"}]}, ("web_search_premium",)),
    ("https://api.cohere.com/v1/chat", {"message": "Hi", "connectors": [{"id": "web-search"}]}, ("web-search",)),
]


@pytest.mark.parametrize(("url", "request_", "expected"), SERVED)
def test_tools_that_the_provider_runs(url: str, request_: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert prompt(url, request_).server_tools == expected


STATE = [
    (CHAT, {"messages": [{"role": "assistant", "audio": {"id": "audio_1"}}]}, ("audio",)),
    (CHAT, {"messages": [{"role": "user", "content": "Hi", "audio": None}]}, ()),
    (RESPONSES, {"previous_response_id": "resp_1", "input": "Hi"}, ("previous_response_id",)),
    (RESPONSES, {"conversation": {"id": "conv_1"}}, ("conversation",)),
    (RESPONSES, {"prompt": {"id": "pmpt_1", "variables": {}}}, ("prompt",)),
    (RESPONSES, {"input": [{"type": "item_reference", "id": "msg_1"}]}, ("item_reference",)),
    (RESPONSES, {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, ("container",)),
    (RESPONSES, {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}, ()),
    (MESSAGES, {"container": "container_1"}, ("container",)),
    (MESSAGES, {"container": {"skills": [{"type": "anthropic", "skill_id": "xlsx"}]}}, ("container",)),
    (GEMINI, {"cachedContent": "cachedContents/1"}, ("cachedContent",)),
    (GEMINI, {"cached_content": "cachedContents/1"}, ("cachedContent",)),
    (INTERACTIONS, {"previous_interaction_id": "i_1"}, ("previous_interaction_id",)),
    (CONVERSE, {"promptVariables": {"a": {"text": "b"}}}, ("promptVariables",)),
    (
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprompt%2FP%3A1/converse",
        {},
        ("prompt",),
    ),
    (CONVERSATIONS, {"inputs": "Hi", "agent_id": "ag_1"}, ("agent_id",)),
    (f"{CONVERSATIONS}/conv_1", {"inputs": "Hi"}, ("conversation",)),
    ("http://localhost:11434/api/generate", {"prompt": "Hi", "context": [1, 2, 3]}, ("context",)),
    (CHAT, HI, ()),
    (RESPONSES, {"previous_response_id": None, "input": "Hi"}, ()),
]


@pytest.mark.parametrize(("url", "request_", "expected"), STATE)
def test_what_the_provider_has_stored(url: str, request_: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert prompt(url, request_).state == expected


SEALED = [
    (
        RESPONSES,
        {
            "input": [
                {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x" * 30},
                {"type": "compaction", "encrypted_content": "y" * 12},
            ]
        },
        42,
    ),
    (
        MESSAGES,
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "redacted_thinking", "data": "x" * 30},
                        {"type": "thinking", "thinking": "", "signature": "y" * 12},
                        {"type": "thinking", "thinking": "Hm.", "signature": "z" * 99},
                        {
                            "type": "web_search_tool_result",
                            "tool_use_id": "t",
                            "content": [{"type": "web_search_result", "title": "T", "encrypted_content": "w" * 7}],
                        },
                    ],
                }
            ]
        },
        49,
    ),
    (
        GEMINI,
        {
            "contents": [
                {
                    "role": "model",
                    "parts": [
                        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "x" * 30},
                        {"text": "", "thought_signature": "y" * 12},
                    ],
                }
            ]
        },
        42,
    ),
    (
        CONVERSE,
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"redactedContent": "x" * 30}},
                        {"reasoningContent": {"reasoningText": {"text": "", "signature": "y" * 12}}},
                        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "z" * 99}}},
                    ],
                }
            ]
        },
        42,
    ),
    (
        OPENROUTER,
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": "Hi",
                    "reasoning_details": [{"type": "reasoning.encrypted", "data": "x" * 30}],
                    "tool_calls": [
                        {"function": {"name": "f"}, "extra_content": {"google": {"thought_signature": "y" * 12}}}
                    ],
                }
            ]
        },
        42,
    ),
    (CHAT, HI, 0),
]


@pytest.mark.parametrize(("url", "request_", "expected"), SEALED)
def test_what_only_the_provider_can_read(url: str, request_: dict[str, Any], expected: int) -> None:
    found = prompt(url, request_)
    assert found.encrypted == expected
    for part in found.parts:
        assert part.opaque or not any(mark in part.text for mark in ("xxx", "yyy", "zzz", "www"))


def test_breakpoints_of_anthropic() -> None:
    request = {
        "tools": [{"name": "f", "input_schema": {}}, {"name": "g", "input_schema": {}, "cache_control": HOUR}],
        "system": [text("a"), text("b", cache_control=FIVE)],
        "output_config": {"format": {"type": "json_schema", "schema": {}}},
        "messages": [
            {"role": "user", "content": [text("x"), text("y")]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t",
                        "content": [text("c"), text("d", cache_control=FIVE), text("e")],
                    },
                    text("f", cache_control=HOUR),
                ],
            },
        ],
    }
    found = prompt(MESSAGES, request)
    assert [part.text for part in found.parts[2:5]] == ["a", "b", '{"type":"json_schema","schema":{}}']
    assert [part.text for part in found.parts[8:]] == ["c", "d", "e", "f"]
    assert found.breakpoints == ((2, 3600), (4, 300), (10, 300), (12, 3600))
    assert '"cache_control"' not in found.parts[1].text
    assert found.messages == 3


def test_breakpoints_that_anthropic_places_itself() -> None:
    assert prompt(MESSAGES, {**HI, "system": "a", "cache_control": FIVE}).breakpoints == ((2, 300),)
    assert prompt(MESSAGES, {**HI, "cache_control": HOUR}).breakpoints == ((1, 3600),)
    both = {"messages": [{"role": "user", "content": [text("a", cache_control=FIVE)]}], "cache_control": HOUR}
    assert prompt(MESSAGES, both).breakpoints == ((1, 3600),)
    assert prompt(INVOKE, {"anthropic_version": "v", **both}).breakpoints == ((1, 3600),)


def test_breakpoints_of_converse() -> None:
    point = {"cachePoint": {"type": "default"}}
    request = {
        "toolConfig": {"tools": [{"toolSpec": {"name": "f"}}, point]},
        "system": [{"text": "a"}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [{"text": "b"}, {"image": {"format": "png", "source": {}}}, point]},
            {"role": "assistant", "content": [{"text": "c"}]},
        ],
    }
    found = prompt(CONVERSE, request)
    assert [part.kind for part in found.parts] == ["tools", "system", "user", "media", "assistant"]
    assert found.breakpoints == ((1, 300), (2, 3600), (4, 300))


def test_breakpoints_in_the_format_of_chat() -> None:
    request = {
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
        "tools": [{"type": "function", "function": {"name": "f"}, "cache_control": HOUR}],
        "messages": [
            {"role": "system", "content": [text("a"), text("b", cache_control=FIVE)]},
            {"role": "assistant", "reasoning_content": "Hm.", "content": [text("c", cache_control=FIVE)]},
            {"role": "user", "content": [text("d", prompt_cache_breakpoint={}), text("e")]},
            {"role": "user", "content": [text("f", prompt_cache_breakpoint={"mode": "explicit"}), text("g")]},
        ],
    }
    found = prompt(OPENROUTER, request)
    assert [part.text for part in found.parts[2:]] == ["a", "b", "Hm.", "c", "d", "e", "f", "g"]
    assert found.breakpoints == ((2, 3600), (4, 300), (6, 300), (9, 1800))


def test_breakpoints_of_responses() -> None:
    item = {"role": "user", "content": [{"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"x": 1}}]}
    request = {"instructions": "Be brief.", "tools": [{"type": "function", "name": "f"}], "input": [SAID, item, SAID]}
    assert prompt(RESPONSES, request).breakpoints == ((4, 1800),)
    assert prompt(RESPONSES, {**request, "prompt_cache_options": {"ttl": "12h"}}).breakpoints == ((4, 43_200),)


MESSAGE_COUNTS = [
    (CHAT, {"messages": [{"role": "system", "content": "a"}, SAID]}, 2),
    (RESPONSES, {"instructions": "a", "input": "b"}, 2),
    (RESPONSES, {"input": [SAID, {"type": "function_call_output", "call_id": "c", "output": "d"}]}, 2),
    (MESSAGES, {"system": "a", **HI}, 1),
    (GEMINI, {"contents": [{"parts": [{"text": "a"}]}, {"parts": []}], "systemInstruction": {"parts": []}}, 2),
    (GEMINI, {"contents": "a"}, 1),
    (CONVERSE, {"messages": [{"role": "user", "content": [{"text": "a"}]}]}, 1),
    (INVOKE, {"anthropic_version": "v", **HI}, 1),
    (INVOKE, {"prompt": "a"}, 0),
    (CONVERSATIONS, {"instructions": "a", "inputs": [{"role": "user", "content": "b"}]}, 2),
    (COHERE, HI, 1),
    ("https://api.cohere.com/v1/chat", {"preamble": "a", "chat_history": [{"message": "b"}], "message": "c"}, 3),
    ("http://localhost:11434/api/generate", {"system": "a", "prompt": "b"}, 2),
    ("https://api.openai.com/v1/embeddings", {"input": ["a", "b"]}, 0),
    ("https://api.openai.com/v1/completions", {"prompt": "a"}, 0),
]


@pytest.mark.parametrize(("url", "request_", "expected"), MESSAGE_COUNTS)
def test_messages(url: str, request_: dict[str, Any], expected: int) -> None:
    assert prompt(url, request_).messages == expected


def shown(url: str, request: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(part.kind, part.text, part.opaque) for part in prompt(url, request).parts]


@pytest.mark.parametrize("model", ["deepseek-r1", "Qwen/Qwen3-32B", "zai-org/GLM-4.6", "qwq-32b"])
def test_thoughts_in_an_answer_that_templates_leave_out_of_history(model: str) -> None:
    messages = [SAID, {"role": "assistant", "content": "<think>\nLong.\n</think>\n\nHello."}]
    assert shown(CHAT, {"model": model, "messages": messages})[1:] == [
        ("thinking", "<think>\nLong.\n</think>", True),
        ("assistant", "Hello.", False),
    ]


def test_such_words_are_text_to_other_models_and_of_other_roles() -> None:
    content = "<think>Long.</think>Hello."
    said = {"role": "assistant", "content": content}
    assert shown(CHAT, {"model": "gpt-5", "messages": [said]}) == [("assistant", content, False)]
    assert shown(CHAT, {"model": "qwen3", "messages": [{**said, "role": "user"}]}) == [("user", content, False)]


OPAQUE = [
    (CHAT, {"messages": [{"role": "user", "content": [{"type": "image", "image": "QkFTRTY0"}]}]}),
    (MISTRAL, {"messages": [{"role": "user", "content": [{"type": "document_url", "document_url": "QkFTRTY0"}]}]}),
    (
        RESPONSES,
        {
            "input": [
                {
                    "type": "computer_call_output",
                    "call_id": "c",
                    "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,QkFTRTY0"},
                }
            ]
        },
    ),
    (RESPONSES, {"input": [{"type": "image_generation_call", "id": "ig_1", "result": "QkFTRTY0"}]}),
    (
        MESSAGES,
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "web_fetch_tool_result",
                            "content": {
                                "type": "web_fetch_result",
                                "url": "u",
                                "content": {
                                    "type": "document",
                                    "source": {"type": "base64", "media_type": "application/pdf", "data": "QkFTRTY0"},
                                },
                            },
                        }
                    ],
                }
            ]
        },
    ),
    (
        GEMINI,
        {
            "contents": [
                {
                    "parts": [
                        {
                            "functionResponse": {
                                "name": "f",
                                "response": {},
                                "parts": [{"inlineData": {"mimeType": "image/png", "data": "QkFTRTY0"}}],
                            }
                        }
                    ]
                }
            ]
        },
    ),
    (INTERACTIONS, {"input": [{"type": "thought", "signature": "QkFTRTY0"}]}),
    (CONVERSE, {"messages": [{"content": [{"image": {"format": "png", "source": {"bytes": "QkFTRTY0"}}}]}]}),
    (OLLAMA, {"messages": [{"role": "user", "content": "Hi", "images": ["QkFTRTY0"]}]}),
]


@pytest.mark.parametrize(("url", "request_"), OPAQUE)
def test_no_base64_is_text(url: str, request_: dict[str, Any]) -> None:
    parts = prompt(url, request_).parts
    assert any("QkFTRTY0" in part.text for part in parts)
    assert all(part.opaque for part in parts if "QkFTRTY0" in part.text)


def test_ids_and_ciphers_are_no_text() -> None:
    call = {"type": "web_search_call", "id": "ws_17", "status": "completed", "action": {"query": "q"}}
    reasoning = {"type": "reasoning", "id": "rs_17", "summary": [{"type": "summary_text", "text": "Hm."}]}
    stored = {"type": "reasoning", "id": "rs_18", "summary": []}
    program = {"type": "mcp_call", "id": "mcp_17", "name": "f", "arguments": "{}", "output": "found"}
    assert shown(RESPONSES, {"input": [call, reasoning, stored, program]}) == [
        ("tool_call", '{"type":"web_search_call","action":{"query":"q"}}', False),
        ("thinking", "Hm.", True),
        ("thinking", "", True),
        ("tool_call", "{}", False),
        ("tool_result", "found", False),
    ]


def test_thoughts_are_thoughts_in_every_vendors_blocks() -> None:
    content = [{"type": "thinking", "thinking": [text("Hm.")]}, text("Hello.")]
    assert shown(MISTRAL, {"messages": [{"role": "assistant", "content": content}]}) == [
        ("thinking", "Hm.", False),
        ("assistant", "Hello.", False),
    ]
    plain = [{"type": "thinking", "thinking": "Hm."}]
    assert shown(COHERE, {"messages": [{"role": "assistant", "content": plain}]}) == [("thinking", "Hm.", False)]


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", f"{RESPONSES}/resp_1", b""),
        ("POST", CHAT, b""),
        ("POST", CHAT, b"{"),
        ("POST", CHAT, b"[1]"),
        ("POST", "https://example.test/orders", b'{"model": "m"}'),
        ("POST", "https://example.test/v1/messages", b'{"text": "no model"}'),
        ("POST", "https://api.anthropic.com/v1/messages/count_tokens", b'{"model": "m"}'),
        ("POST", "https://api.openai.com/v1/audio/speech", b'{"model": "m", "input": "Hi"}'),
        ("", "::", b"{}"),
    ],
)
def test_what_is_no_readable_request_to_a_model_is_none(method: str, url: str, body: bytes) -> None:
    assert prompt_of(method, url, body, {}) is None


class Plain:
    """A user's format from before there were whole prompts."""

    api = "own.chat"

    def matches(self, endpoint: Any) -> bool:
        return bool(endpoint.path == "/own")

    read_body = read_stream = matches

    def prompt(self, request: Any) -> Iterator[Part]:
        if request.get("broken"):
            raise ValueError
        yield Part("user", "", request["said"])


class Whole(Plain):
    def whole_prompt(self, request: Any) -> Prompt:
        return Prompt(parts=tuple(self.prompt(request)), thinking=True)


@pytest.mark.parametrize(("own", "thinking"), [(Plain(), False), (Whole(), True)])
def test_a_users_format_needs_no_more_than_its_parts(
    own: Plain,
    thinking: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(formats, "registered_formats", lambda: ((own,), ()))
    route_of.cache_clear()
    url = "https://own.test/own"
    try:
        found = prompt_of("POST", url, b'{"said": "Hi"}', {})
        assert found == Prompt(parts=(Part("user", "", "Hi"),), thinking=thinking)
        assert prompt_of("POST", url, b'{"broken": true}', {}) is None
    finally:
        route_of.cache_clear()


KEYS = (
    *("role", "content", "type", "text", "messages", "input", "tools", "system", "cache_control", "ttl", "cachePoint"),
    *("parts", "contents", "thinking", "signature", "encrypted_content", "name", "id", "function", "tool_choice"),
    *("reasoning", "container", "toolConfig", "output", "summary", "functionResponse", "toolResult", "source"),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 2)
    | st.sampled_from(("text", "thinking", "1h", "assistant", "<think>")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)
URLS = (CHAT, RESPONSES, MESSAGES, GEMINI, INTERACTIONS, CONVERSE, INVOKE, CONVERSATIONS, COHERE, OLLAMA)


FIELDS = (
    *("messages", "input", "inputs", "tools", "system", "contents", "toolConfig", "tool_config", "generationConfig"),
    *("tool_choice", "thinking", "reasoning", "cache_control", "prompt", "instructions", "plugins", "response_format"),
    *("anthropic_version", "additionalModelRequestFields", "chat_history", "message", "documents"),
)


@given(st.sampled_from(URLS), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_no_request_is_too_odd(url: str, request: dict[str, Any]) -> None:
    found = prompt_of("POST", url, msgspec.json.encode({"model": "m", **request}), {})
    assert found is not None
    known = route_of("POST", url).format
    assert known is not None
    assert found.parts == tuple(known.prompt({"model": "m", **request}))
    assert all(0 < place <= len(found.parts) for place, _ in found.breakpoints)
