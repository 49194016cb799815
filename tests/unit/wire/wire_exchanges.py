"""Builders: a test of the wire states only what matters to it."""

import json
from collections.abc import Mapping
from typing import Any

from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.wire import read

CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
MESSAGES = "https://api.anthropic.com/v1/messages"
JSON_LABEL = {"content-type": "application/json"}
SSE_LABEL = {"content-type": "text/event-stream; charset=utf-8"}


def exchange(
    url: str = CHAT,
    response: object = b"",
    *,
    request: object = None,
    method: str = "POST",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Exchange:
    """Build an exchange; bodies that are no bytes are sent as JSON."""
    return Exchange(
        method=method,
        url=url,
        request_body=_bytes({"model": "m", "messages": []} if request is None else request),
        request_headers=JSON_LABEL,
        status=status,
        response_headers=JSON_LABEL if headers is None else headers,
        response_body=_bytes(response),
        obtained="replayed",
        source="cassette.yaml",
        index=3,
    )


def call(url: str = CHAT, response: object = b"", **given: Any) -> Call:
    """Read an exchange that is a call."""
    found = read(exchange(url, response, **given), len)
    assert isinstance(found, Call)
    return found


def skipped(url: str, response: object = b"", **given: Any) -> Skipped:
    """Read an exchange that is none."""
    found = read(exchange(url, response, **given), len)
    assert isinstance(found, Skipped)
    return found


def chat(usage: object, **more: object) -> dict[str, object]:
    """A chat completion with a usage."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06", "choices": [choice]}
    return {**head, "usage": usage, **more}


def message(usage: object, **more: object) -> dict[str, object]:
    """An Anthropic message with a usage."""
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929"}
    return {**head, "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": usage, **more}


def sse(*events: object, done: bool = False) -> bytes:
    """A stream of events: each is its data, named by its `type` where it has one."""
    lines = []
    for event in events:
        if isinstance(event, dict) and "type" in event:
            lines.append(f"event: {event['type']}\n")
        lines.append(f"data: {json.dumps(event)}\n\n")
    return "".join([*lines, "data: [DONE]\n\n" * done]).encode()


def chunk(usage: object = None, *, finish: str | None = None, **delta: object) -> dict[str, object]:
    """A chat completion chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "chatcmpl-2", "object": "chat.completion.chunk", "model": "gpt-4o-2024-08-06", "choices": [choice]}
    return {**head, "usage": usage}


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()
