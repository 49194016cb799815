"""OpenAI text completions (the older API, still spoken by vLLM, llama.cpp and for code infilling)."""

from collections.abc import Iterable, Iterator

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_chat import OpenAIChat, completion_reading
from pytest_tokenbudget.wire.openai_prompt import plain_parts

__all__ = ["OpenAICompletions"]


class OpenAICompletions:
    """`POST …/completions`. Body and chunks have one shape (openai SDK 3.54, `Completion`)."""

    api = "openai.completions"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        path = endpoint.path
        chat = path.endswith(("/chat/completions", "/agents/completions"))
        return endpoint.method == "POST" and path.endswith("/completions") and not chat

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        finish = next((text(mapping(choice).get("finish_reason")) for choice in listed(body.get("choices"))), None)
        return completion_reading(body, body.get("usage"), finish, ())

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:
        """Read a streamed response: finish and usage stand where chat has them."""
        return OpenAIChat().read_stream(events, complete=complete)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        yield from plain_parts(request.get("prompt"))
        yield from plain_parts(request.get("suffix"))
