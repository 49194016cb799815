"""Conversations written by hand, as the requests of each of an agent's steps."""

import json
from collections import Counter
from typing import Any

from vcr import matchers
from vcr.request import Request

from pytest_tokenbudget.traffic.index import RecordingIndex
from pytest_tokenbudget.traffic.matching import Matching

__all__ = ["DEFAULT", "URL", "index_of", "recorded", "request", "steps"]

URL = "https://api.openai.com/v1/chat/completions"
DEFAULT = (matchers.method, matchers.scheme, matchers.host, matchers.port, matchers.path, matchers.query)
"""vcrpy's own."""

Body = dict[str, Any]


def request(body: Any, url: str = URL, method: str = "POST", **headers: str) -> Request:
    text = body if isinstance(body, (bytes, str)) or body is None else json.dumps(body)
    return Request(method, url, text, {name.replace("_", "-"): value for name, value in headers.items()})


def recorded(*bodies: Any, **options: Any) -> list[tuple[Request, dict[str, Any]]]:
    return [(request(body, **options), {"answer": number}) for number, body in enumerate(bodies)]


def index_of(
    *bodies: Any, match_on: Any = DEFAULT, counts: Counter[int] | None = None, **options: Any
) -> RecordingIndex:
    played = Counter[int]() if counts is None else counts
    return RecordingIndex(recorded(*bodies), played, Matching(match_on), **options)


def steps(system: str, *said: str, model: str = "m") -> list[Body]:
    """The requests of an agent that is asked something and then told what each of its tools says.

    Args:
        system: The system prompt.
        said: The question, then in turns what the agent says and what its tool answers.
        model: The model.
    """
    messages: list[Body] = [{"role": "system", "content": system}]
    bodies = []
    for number, text in enumerate(said):
        role = "user" if number == 0 else "assistant" if number % 2 else "tool"
        messages.append({"role": role, "content": text})
        if role != "assistant":
            bodies.append({"model": model, "messages": list(messages)})
    return bodies
