"""Ollama's own API: counts stand on the line that says `done` (ollama SDK 0.6, `BaseGenerateResponse`; 2026).

What runs on one's own machine costs nothing; the tokens are counted all the same.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire.chat_facts import ollama_prompt
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_chat import error_note
from pytest_tokenbudget.wire.openai_prompt import chat_parts, minified, plain_parts

__all__ = ["OLLAMA", "Ollama"]

_CUT: Final = "the stream was cut before its usage"


class Ollama:
    """`POST /api/{operation}` at Ollama."""

    def __init__(self, operation: str, path: str) -> None:
        """Read one operation, such as `chat`; the older way to embed tells no usage."""
        self.api = f"ollama.{operation}"
        self._path = re.compile(f"{path}$")
        self._generates = operation != "embed"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.provider == "ollama" and self.matches_elsewhere(endpoint)

    def matches_elsewhere(self, endpoint: Endpoint) -> bool:
        """Whether requests to another host could speak the format: a proxy has the path behind one of its own."""
        return endpoint.method == "POST" and self._path.search(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response; a stream of one line looks the same."""
        return self._reading(body, tuple(_tools(body)), cut=body.get("done") is False)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response."""
        last: dict[str, Any] = {}
        tools: list[str] = []
        for _, line in events:
            tools.extend(_tools(line))
            if line.get("done") is True or line.get("error") or not last:
                last.update(line)
        return self._reading(last, tuple(tools), cut=last.get("done") is not True)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the model sees them."""
        if text(request.get("system")):
            yield Part("system", "system", str(request["system"]))
        schema = request.get("format")
        if isinstance(schema, dict):
            yield Part("schema", "", minified(schema))
        yield from chat_parts(request)
        for message in listed(request.get("messages")):
            for image in listed(mapping(message).get("images")):
                yield Part("media", "image", minified(image), opaque=True)
        for key in ("prompt", "suffix", "input"):
            yield from plain_parts(request.get(key))
        for image in listed(request.get("images")):
            yield Part("media", "image", minified(image), opaque=True)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return ollama_prompt(request, tuple(self.prompt(request)))

    def _reading(self, body: Json, tools: tuple[str, ...], *, cut: bool) -> Reading:
        counts = Counts()
        if body.get("error"):
            counts.notes.append(error_note(body["error"]))
        counts.known = "prompt_eval_count" in body or "eval_count" in body
        usage = Usage(
            # absent where the whole prompt was still in the model's memory, and nothing was evaluated
            input=counts.take(body, "prompt_eval_count"),
            output=counts.take(body, "eval_count") if self._generates else 0,
        )
        status, usage = counts.status(usage, cut=cut, missing=_CUT if cut else "no usage in the response")
        return Reading(
            status=status,
            usage=usage,
            model=text(body.get("model")),
            tools=tools,
            finish=text(body.get("done_reason")),
            notes=tuple(counts.notes),
        )


OLLAMA: Final = (
    Ollama("chat", "/api/chat"),
    Ollama("generate", "/api/generate"),
    Ollama("embed", "/api/embed(?:dings)?"),
)


def _tools(body: Json) -> Iterator[str]:
    for entry in listed(mapping(body.get("message")).get("tool_calls")):
        if name := text(mapping(mapping(entry).get("function")).get("name")):
            yield name
