"""One exchange in, one call out, or the reason why it is none."""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

from pytest_tokenbudget.model.call import Call, Segment, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.wire.counts import mapping
from pytest_tokenbudget.wire.endpoint import endpoint_of
from pytest_tokenbudget.wire.format import Format, Part, Reading
from pytest_tokenbudget.wire.formats import format_of
from pytest_tokenbudget.wire.framing import DecodeError, decode_events, decode_json, is_stream, unpacked

__all__ = ["read"]

_HTTP_ERROR = 400


def read(exchange: Exchange, count: Callable[[str], int]) -> Call | Skipped:
    """Read an exchange.

    Args:
        exchange: One HTTP request and response.
        count: Counts the tokens of a prompt segment's text.

    Returns:
        A call without its cost (see `pricing/`), or why the exchange is no model call. Malformed bodies never raise:
        what could not be read stands in the call's notes.
    """
    endpoint = endpoint_of(exchange.method, exchange.url)
    known = format_of(endpoint)
    if known is None:
        return Skipped(reason="not model traffic", source=exchange.source, index=exchange.index, url=exchange.url)
    request, request_note = _request(exchange)
    reading, stream = _response(known, exchange)
    return Call(
        provider=endpoint.provider,
        api=known.api,
        host=endpoint.host,
        model_asked=asked if isinstance(asked := request.get("model"), str) else None,
        model_served=reading.model,
        tier=reading.tier,
        price_context=reading.price_context,
        stream=stream,
        http_status=exchange.status,
        status=reading.status,
        usage=reading.usage,
        reported_cost=reading.reported_cost,
        prompt=tuple(_segments(known.prompt(request), count)),
        tools=reading.tools,
        finish=reading.finish,
        response_id=reading.response_id,
        started_at=exchange.started_at,
        seconds=exchange.seconds,
        obtained=exchange.obtained,
        source=exchange.source,
        index=exchange.index,
        notes=(*request_note, *reading.notes),
    )


def _request(exchange: Exchange) -> tuple[Any, tuple[str, ...]]:
    if not exchange.request_body:
        return {}, ()
    try:
        return mapping(decode_json(unpacked(exchange.request_body, exchange.request_headers))), ()
    except DecodeError as error:
        return {}, (f"request: {error}",)


def _response(known: Format, exchange: Exchange) -> tuple[Reading, bool]:
    if exchange.status >= _HTTP_ERROR:
        return Reading(status="error"), False
    try:
        body = unpacked(exchange.response_body, exchange.response_headers)
        if is_stream(body, exchange.response_headers):
            stream = decode_events(body)
            reading = known.read_stream(stream.events, complete=stream.done)
            return reading, True
        return known.read_body(mapping(decode_json(body))), False
    except DecodeError as error:
        return Reading(status="missing", notes=(f"response: {error}",)), False


def _segments(parts: Iterator[Part], count: Callable[[str], int]) -> Iterator[Segment]:
    for part in parts:
        digest = blake2b(part.text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        yield Segment(part.kind, part.name, digest, len(part.text), count(part.text))
