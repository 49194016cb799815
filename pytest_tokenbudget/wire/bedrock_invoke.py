"""Bedrock InvokeModel, with and without a stream: bodies are the vendors' own, the counts are also Bedrock's.

Whatever the body leaves out stands in headers (`X-Amzn-Bedrock-Input-Token-Count` and its kin) or, of a stream, in
`amazon-bedrock-invocationMetrics` beside its last event ("InvokeModel", Amazon Bedrock API reference, 2026).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from pytest_tokenbudget.model.call import Status
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire.bedrock_converse import damage, price_context
from pytest_tokenbudget.wire.bedrock_facts import native_prompt
from pytest_tokenbudget.wire.bedrock_model import bedrock_path
from pytest_tokenbudget.wire.bedrock_native import METRICS, is_missing_note, native_body, native_events
from pytest_tokenbudget.wire.bedrock_prompt import native_parts
from pytest_tokenbudget.wire.bedrock_usage import bedrock_usage, counts_in_headers
from pytest_tokenbudget.wire.counts import Counts, mapping
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.eventstream import Frames, decode_frames, is_framed
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.framing import DecodeError, decode_json

__all__ = ["BEDROCK_INVOKE", "BedrockInvoke"]

_OPERATIONS: Final = frozenset({"invoke", "invoke-with-response-stream"})
_DELTA: Final = b'{"type":"content_block_delta"'
"""How the many events of a Claude stream begin that tell nothing of its cost."""

_UNREAD: Final = {
    "images": "images are billed by the piece, at a price for their size and quality that the response does not tell",
    "rerank": "reranking is billed by the search unit, which the response does not tell",
}


class _Chunk(msgspec.Struct):
    """A stream's event: the vendor's own as base64, beside padding."""

    bytes: bytes


_unpack: Final = msgspec.json.Decoder(_Chunk).decode


class BedrockInvoke:
    """`POST …/model/{id}/invoke` and `…/invoke-with-response-stream`, of models of one kind.

    Attributes:
        api: `bedrock.invoke` for models that generate text; of others what they do, as in `bedrock.embeddings`.
    """

    def __init__(self, operation: str, models: str) -> None:
        """Prepare.

        Args:
            operation: The last part of `api`.
            models: A pattern to find in the ids of the models meant.
        """
        self.api = f"bedrock.{operation}"
        self._models = re.compile(models)
        self._unread = _UNREAD.get(operation)
        self._no_output = operation != "invoke"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        path = bedrock_path(endpoint.path)
        return (
            endpoint.method == "POST"
            and path is not None
            and path.operation in _OPERATIONS
            and self._models.search(path.model) is not None
        )

    def read_response(self, exchange: Exchange, body: bytes) -> tuple[Reading, bool]:
        """Read a response, binary stream or body; tier and counts may stand in headers."""
        headers = exchange.response_headers
        streamed = is_framed(body, headers)
        reading = self._stream(body) if streamed else self._whole(body, headers)
        if self._unread is not None and reading.status == "missing":
            reading = replace(reading, status="unsupported", notes=(self._unread,))
        if reading.status == "exact" and b'"inputImage"' in exchange.request_body:
            usage = replace(reading.usage, fees={**reading.usage.fees, "input_image": 1})
            reading = replace(reading, usage=usage)  # Titan's embeddings of images cost by the piece
        return (
            replace(
                reading,
                model=None,  # the URL's is the one with the region
                tier=headers.get("x-amzn-bedrock-service-tier") or reading.tier,
                price_context=(
                    *reading.price_context,
                    *price_context(headers.get("x-amzn-bedrock-performanceconfig-latency")),
                ),
                response_id=reading.response_id or headers.get("x-amzn-requestid"),
            ),
            streamed,
        )

    def _whole(self, body: bytes, headers: Mapping[str, str]) -> Reading:
        told = counts_in_headers(headers)
        try:
            decoded = decode_json(body)
        except DecodeError as error:
            if not told:
                raise
            return self._joined(Reading(status="missing", notes=(f"response: {error}",)), told)
        return self._joined(native_body(mapping(decoded), no_output=self._no_output), told)

    def _stream(self, body: bytes) -> Reading:
        frames = decode_frames(body)
        events = list(_events(frames))
        told = mapping(next((event[METRICS] for event in reversed(events) if METRICS in event), None))
        reading = self._joined(native_events(events, whole=bool(told)), told)
        notes = tuple(f"the stream reports an error: {kind:.60}" for kind in frames.errors)
        return damage(replace(reading, notes=(*notes, *reading.notes)), frames.broken, cut=frames.cut)

    def _joined(self, reading: Reading, told: Json) -> Reading:
        """The vendor's own reading with Bedrock's counts: in its place where it has none, else as a check."""
        counts = Counts()
        found = bedrock_usage(told, counts, no_output=self._no_output) if told else None
        if found is None or not counts.known:
            return reading
        if reading.status == "missing":
            status: Status
            status, found = counts.status(found, cut=False, missing="no usage in the response")
            kept = (note for note in reading.notes if not is_missing_note(note))
            return replace(reading, status=status, usage=found, notes=(*kept, *counts.notes))
        usage = reading.usage
        if found.cache_read + found.cache_write and not usage.cache_read + usage.cache_write + usage.cache_write_1h:
            usage = replace(usage, cache_read=found.cache_read, cache_write=found.cache_write)
            reading = replace(reading, usage=usage)
        note = _disagreement(usage, found)
        return replace(reading, notes=(*reading.notes, note)) if note and reading.status == "exact" else reading

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response without its headers."""
        return native_body(body, no_output=self._no_output)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:
        """Read a stream's decoded events, as gateways send them on."""
        return native_events([event for _, event in events], whole=complete)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        return native_parts(request)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return native_prompt(request)


def _disagreement(usage: Usage, told: Usage) -> str | None:
    same = usage.total_output == told.total_output and told.input in {usage.input, usage.total_input}
    if same or usage.fees:  # a server's tools make several prompts of one request
        return None
    return (
        f"the body tells {usage.total_input} tokens in and {usage.total_output} out, "
        f"Bedrock {told.total_input} and {told.total_output}: the body's are taken"
    )


def _events(frames: Frames) -> Iterator[dict[str, Any]]:
    """Yield the vendor's events, which stand as base64 in `chunk`; what is none counts as broken."""
    for name, payload in frames.events:
        if name != "chunk":
            continue
        try:
            inside = _unpack(payload).bytes
            if inside.startswith(_DELTA):
                continue
            event = decode_json(inside)
        except (ValueError, msgspec.DecodeError):
            event = None
        if isinstance(event, dict):
            yield event
        else:
            frames.broken += 1


BEDROCK_INVOKE: Final = (
    BedrockInvoke("embeddings", r"embed"),
    BedrockInvoke("rerank", r"rerank"),
    BedrockInvoke("images", r"image|canvas|\bstability\.|\bsd3|diffusion"),
    BedrockInvoke("invoke", r""),
)
"""By what a model does, which its id tells; what none of the first names generates text."""
