"""OpenAI embeddings. The vectors, as numbers or as base64, say nothing of the cost; there is no output."""

from collections.abc import Iterable, Iterator

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.wire.counts import mapping
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_chat import completion_reading
from pytest_tokenbudget.wire.openai_prompt import plain_parts

__all__ = ["OpenAIEmbeddings"]


class OpenAIEmbeddings:
    """`POST …/embeddings`."""

    api = "openai.embeddings"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and endpoint.path.endswith("/embeddings")

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response: usage has `prompt_tokens`, and a `total_tokens` that is the same or alone."""
        usage = mapping(body.get("usage"))
        if usage and "completion_tokens" not in usage and "output_tokens" not in usage:
            usage = {**usage, "completion_tokens": 0}
        return completion_reading(body, usage, None, ())

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - protocol
        """Read an event that carries a whole body; no provider streams embeddings."""
        return self.read_body(next((event for _, event in events), {}))

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the texts to embed."""
        return plain_parts(request.get("input"))
