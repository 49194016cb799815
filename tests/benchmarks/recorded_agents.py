"""Recorded agents of a given size, and the same agents after an edit, for the benchmarks of replay."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from vcr.request import Request

__all__ = ["EDITS", "URL", "agents", "answer", "questions", "sent"]

URL = "https://api.openai.com/v1/chat/completions"
STEPS = 40

Body = dict[str, Any]


class _Writer:
    """Writes text of nonsense words, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - no secrets
        letters = "abcdefghijklmnopqrstuvwxyz"
        self.words = ["".join(self.random.choices(letters, k=self.random.randint(2, 9))) for _ in range(4000)]

    def text(self, characters: int) -> str:
        words = self.random.choices(self.words, k=characters // 6)
        for place in range(9, len(words), 10):
            words[place] += "."
        return " ".join(words)


def agents(calls: int, seed: int = 1) -> list[Body]:
    """Bodies of agents that loop, each step sending all that was said before: 2 to 60 KB, 31 KB on average."""
    writer = _Writer(seed)
    tools = [
        {"type": "function", "function": {"name": f"tool_{number}", "description": writer.text(150), "parameters": {}}}
        for number in range(6)
    ]
    bodies: list[Body] = []
    while len(bodies) < calls:
        said: list[Body] = [
            {"role": "system", "content": writer.text(1500)},
            {"role": "user", "content": writer.text(400)},
        ]
        for step in range(STEPS):
            bodies.append({"model": "gpt-5-mini", "messages": list(said), "tools": tools, "temperature": 0.5})
            called = f"call_{len(bodies)}"
            arguments = json.dumps({"query": writer.text(60), "step": step})
            call = {"id": called, "type": "function", "function": {"name": "tool_1", "arguments": arguments}}
            said += [
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": called, "content": writer.text(1150)},
            ]
    return bodies[:calls]


def questions(calls: int, seed: int = 2) -> list[Body]:
    """Bodies of single questions under one system prompt, each about a document of its own: 31 KB."""
    writer = _Writer(seed)
    system = {"role": "system", "content": writer.text(1000)}
    return [
        {"model": "gpt-5-mini", "messages": [system, {"role": "user", "content": writer.text(30_000)}]}
        for _ in range(calls)
    ]


def _system(body: Body, _: int) -> Body:
    first, *rest = body["messages"]
    return body | {"messages": [first | {"content": first["content"] + " Be brief."}, *rest]}


def _newest(body: Body, number: int) -> Body:
    *rest, last = body["messages"]
    return body | {"messages": [*rest, last | {"content": f"At {number} seconds: {last['content']}"}]}


def _asked(body: Body, number: int) -> Body:
    system, user, *rest = body["messages"]
    return body | {"messages": [system, user | {"content": f"{user['content']} In {number} words."}, *rest]}


EDITS: dict[str, Callable[[Body, int], Body]] = {
    "its system prompt": _system,
    "its first question": _asked,
    "its newest message": _newest,
}


def sent(body: Body) -> Request:
    """A request as a client sends it."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Request("POST", URL, text.encode(), {"content-type": "application/json", "user-agent": "benchmark"})


def answer(number: int, tokens: int = 9_000) -> dict[str, Any]:
    """A recorded answer of 1.5 KB to a prompt of so many tokens."""
    said = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-5-mini-2025-08-07",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "On its way. " * 100}}
        ],
        "usage": {"prompt_tokens": tokens, "completion_tokens": 300, "total_tokens": tokens + 300},
    }
    return {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["application/json"]},
        "body": {"string": json.dumps(said).encode()},
    }
