"""Bedrock Converse and ConverseStream: one shape for every vendor's models.

The stream's last event, `metadata`, tells usage, tier and trace (botocore 1.44, `ConverseStreamMetadataEvent`; 2026).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.wire.bedrock_facts import converse_prompt
from pytest_tokenbudget.wire.bedrock_model import bedrock_path, model_name
from pytest_tokenbudget.wire.bedrock_prompt import converse_parts
from pytest_tokenbudget.wire.bedrock_usage import bedrock_usage
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint, endpoint_of
from pytest_tokenbudget.wire.eventstream import decode_frames, is_framed
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.framing import DecodeError, decode_json

__all__ = ["BedrockConverse", "converse_body", "converse_events", "damage", "price_context"]

_OPERATIONS: Final = frozenset({"converse", "converse-stream"})
_OF_NO_INTEREST: Final = frozenset({"contentBlockDelta", "contentBlockStop"})
_OPENAI: Final = re.compile(r"(?:[a-z-]+\.)?openai\..+")
_HOUR: Final = re.compile(rb'"ttl"\s*:\s*"1h"')
_GUARDED: Final = "a guardrail was applied: its text units are billed apart, and not in the cost"
_ROUTED: Final = "prompt_router"


class BedrockConverse:
    """`POST …/model/{id}/converse` and `…/converse-stream`."""

    api = "bedrock.converse"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        path = bedrock_path(endpoint.path)
        return endpoint.method == "POST" and path is not None and path.operation in _OPERATIONS

    def read_response(self, exchange: Exchange, body: bytes) -> tuple[Reading, bool]:
        """Read a response, binary stream or JSON; its id stands in a header."""
        headers = exchange.response_headers
        ident = headers.get("x-amzn-requestid")
        hour = _HOUR.search(exchange.request_body) is not None
        if not is_framed(body, headers):
            decoded = decode_json(body)
            return converse_body(mapping(decoded), ident, hour=hour), False
        frames = decode_frames(body)
        events: list[tuple[str, Json]] = []
        for name, payload in frames.events:
            if name in _OF_NO_INTEREST:
                continue
            try:
                events.append((name, mapping(decode_json(payload))))
            except DecodeError:
                frames.broken += 1
        gross = _is_openai(exchange)
        notes = [f"the stream reports an error: {kind:.60}" for kind in frames.errors]
        reading = converse_events(events, ident=ident, gross=gross, hour=hour, notes=notes)
        return damage(reading, frames.broken, cut=frames.cut), True

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        return converse_body(body)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - protocol
        """Read a stream's decoded events, as gateways send them on."""
        return converse_events(events)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        return converse_parts(request)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return converse_prompt(request)


def _is_openai(exchange: Exchange) -> bool:
    path = bedrock_path(endpoint_of(exchange.method, exchange.url).path)
    return path is not None and _OPENAI.fullmatch(path.model) is not None


def converse_body(body: Json, ident: str | None = None, *, hour: bool = False) -> Reading:
    """What a Converse response says of itself; Amazon's models answer InvokeModel in the same shape.

    Args:
        body: The response.
        ident: The response's id, if a header tells it.
        hour: Whether the request asks for a cache that lives an hour.
    """
    message = mapping(mapping(body.get("output")).get("message"))
    tools = tuple(name for block in listed(message.get("content")) for name in _tool_name(mapping(block)))
    return _reading(body, tools, text(body.get("stopReason")), ident, hour=hour, missing="no usage in the response")


def converse_events(
    events: Iterable[tuple[str, Json]],
    *,
    ident: str | None = None,
    gross: bool = False,
    hour: bool = False,
    notes: Iterable[str] = (),
) -> Reading:
    """What a stream says of itself.

    Args:
        events: (event type, payload) pairs.
        ident: The response's id, if a header tells it.
        gross: Whether `inputTokens` is known to hold the cached ones too.
        hour: Whether the request asks for a cache that lives an hour.
        notes: What a reader should know besides.
    """
    last: Json = {}
    finish: str | None = None
    tools: list[str] = []
    for name, event in events:
        if name == "contentBlockStart":
            tools.extend(_tool_name(mapping(event.get("start"))))
        elif name == "messageStop":
            finish = text(event.get("stopReason")) or finish
        elif name == "metadata":
            last = event
    return _reading(last, tuple(tools), finish, ident, gross=gross, hour=hour, notes=notes)


def _reading(
    told: Json,
    tools: tuple[str, ...],
    finish: str | None,
    ident: str | None,
    *,
    gross: bool = False,
    hour: bool = False,
    missing: str = "the stream was cut before its usage",
    notes: Iterable[str] = (),
) -> Reading:
    counts = Counts()
    counts.notes.extend(notes)
    trace = mapping(told.get("trace"))
    routed = text(mapping(trace.get("promptRouter")).get("invokedModelId"))
    usage = mapping(told.get("usage"))
    if usage and routed:
        counts.fee(_ROUTED, 1)  # billed by the request
    found = bedrock_usage(usage, counts, gross=gross, hour=hour)
    if "guardrail" in trace or finish == "guardrail_intervened":
        counts.notes.append(_GUARDED)
    status, found = counts.status(found, cut=False, missing=missing)
    return Reading(
        status=status,
        usage=found,
        model=model_name(routed) if routed else None,
        tier=text(mapping(told.get("serviceTier")).get("type")),
        price_context=price_context(mapping(told.get("performanceConfig")).get("latency")),
        tools=tools,
        finish=finish,
        response_id=ident,
        notes=tuple(counts.notes),
    )


def price_context(latency: object) -> tuple[tuple[str, str], ...]:
    """What selects another rate: latency-optimized inference costs more, where a model has it."""
    found = text(latency)
    return () if found in {None, "standard"} else (("latency", str(found)),)


def damage(reading: Reading, broken: int, *, cut: bool) -> Reading:
    """The reading of a stream of which messages are damaged or its end is lacking: at best a lower bound."""
    if not broken and not cut:
        return reading
    what = f"{broken} of the stream's messages are damaged" if broken else "the stream ends within a message"
    status = "partial" if reading.status == "exact" else reading.status
    return replace(reading, status=status, notes=(*reading.notes, f"response: {what}"))


def _tool_name(block: Json) -> Iterator[str]:
    name = text(mapping(block.get("toolUse")).get("name"))
    if name:
        yield name
