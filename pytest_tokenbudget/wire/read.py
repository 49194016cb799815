"""One exchange in, one call out, or the reason why it is none."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.prompt import Segment
from pytest_tokenbudget.model.usage import NO_USAGE
from pytest_tokenbudget.wire.counts import mapping, text
from pytest_tokenbudget.wire.events import Events, decode_events
from pytest_tokenbudget.wire.format import Format, Json, Reading, WholeReader
from pytest_tokenbudget.wire.formats import format_problems
from pytest_tokenbudget.wire.framing import DecodeError, decode_json, is_stream, unpacked
from pytest_tokenbudget.wire.json_rows import is_labelled_rows, rows_of_array, rows_of_text
from pytest_tokenbudget.wire.multipart import form_fields, is_form
from pytest_tokenbudget.wire.routing import Route, route_of
from pytest_tokenbudget.wire.segments import segments

__all__ = ["read", "request_of", "response_of"]

_CREDENTIALS: Final = re.compile(r"^(\w+://)[^/]*@")
_CHOSEN: Final = re.compile(r"[a-z0-9-]{1,40}")
_SWITCHED: Final = 101
"""HTTP's word for a web socket: a request that is free by itself opens what is billed."""

_REDIRECT: Final = 300
_ERROR: Final = 400
_ORDINARY_TIERS: Final = frozenset({"auto", "default", "standard", "standard_only"})
_FOREIGN: Final = "not model traffic"
_POLLED: Final = "a poll: its usage is that of the request that started the response, and counts there"


def read(exchange: Exchange, count: Callable[[str], int]) -> Call | Skipped:
    """Read an exchange.

    Args:
        exchange: One HTTP request and response.
        count: Counts the tokens of a prompt segment's text.

    Returns:
        A call without its cost (see `pricing/`), or why the exchange is no model call. Malformed bodies never raise:
        what could not be read stands in the call's notes.
    """
    route = route_of(exchange.method, exchange.url)
    if route.kind == "foreign":
        return _skipped(exchange, _FOREIGN)
    if route.kind in {"read", "perhaps"} and route.format is not None:
        return _answered(route, route.format, exchange, count)
    if route.kind == "unbilled" and exchange.status != _SWITCHED:
        return _unbilled(route, exchange)
    if route.kind == "results" and route.format is not None:
        return _brought(route, route.format, exchange)
    reading = _refused(exchange) or Reading(
        status="unsupported", notes=(f"{route.api} is billed, but cannot be read yet", *format_problems())
    )
    request, _ = request_of(exchange)
    return _call(route, exchange, request, reading)


def _answered(route: Route, known: Format, exchange: Exchange, count: Callable[[str], int]) -> Call | Skipped:
    request, request_notes = request_of(exchange)
    reading, stream = response_of(known, exchange)
    if not route.sure and reading.status in {"missing", "error"}:
        if route.kind == "perhaps":
            return _skipped(exchange, _FOREIGN)
        if "model" not in request:
            return _skipped(exchange, "not model traffic: the path could be, but no model is named and no usage given")
    prompt: tuple[Segment, ...] = ()
    try:
        prompt = segments(known.prompt(request), count)
    except Exception as error:  # noqa: BLE001 - a request that nobody foresaw, or a user's format or counter
        request_notes = (*request_notes, f"request: its prompt cannot be taken apart ({type(error).__name__})")
    return _call(route, exchange, request, reading, prompt=prompt, stream=stream, notes=request_notes)


def _unbilled(route: Route, exchange: Exchange) -> Call:
    reading = _refused(exchange)
    if reading is None and route.format is not None:
        reading, _ = response_of(route.format, exchange)
        reading = replace(reading, status="unbilled", usage=NO_USAGE, reported_cost=None, notes=(_POLLED,))
    return _call(route, exchange, {}, reading or Reading(status="unbilled"))


def _brought(route: Route, known: Format, exchange: Exchange) -> Call | Skipped:
    """What a `GET` brings that may bring the results of a batch; where it does not, it is free."""
    reading, _ = response_of(known, exchange)
    if reading.response_id is not None:
        return _call(replace(route, api=known.api), exchange, {}, reading)
    if not route.endpoint.known:
        return _skipped(exchange, _FOREIGN)
    return _call(route, exchange, {}, reading)


def _call(
    route: Route,
    exchange: Exchange,
    request: Json,
    reading: Reading,
    *,
    prompt: tuple[Segment, ...] = (),
    stream: bool = False,
    notes: tuple[str, ...] = (),
) -> Call:
    endpoint = route.endpoint
    tier = reading.tier
    notes = (*notes, *reading.notes) if notes else reading.notes
    asked = _asked_tier(exchange, request)
    if tier is None and asked and asked not in _ORDINARY_TIERS:
        tier = asked
        notes = (*notes, f"the response does not name the tier it was served at: {asked}, as asked, is assumed")
    model_asked, model_served = _models(route, request, reading.model)
    return Call(
        provider=_provider(endpoint.provider, exchange.response_headers),
        api=route.api,
        host=endpoint.host,
        model_asked=model_asked,
        model_served=model_served,
        tier=tier,
        price_context=reading.price_context,
        stream=stream,
        http_status=exchange.status,
        status=reading.status,
        usage=reading.usage,
        reported_cost=reading.reported_cost,
        prompt=prompt,
        tools=reading.tools,
        finish=reading.finish,
        response_id=reading.response_id,
        started_at=exchange.started_at,
        seconds=exchange.seconds,
        obtained=exchange.obtained,
        source=exchange.source,
        index=exchange.index,
        notes=notes,
    )


def _asked_tier(exchange: Exchange, request: Json) -> str | None:
    """The tier that a request asks for: most in `service_tier`, Gemini and Bedrock in `serviceTier`, or in a header."""
    found = request.get("service_tier") or request.get("serviceTier")
    named = mapping(found).get("type") if isinstance(found, dict) else found
    return text(named) or exchange.request_headers.get("x-amzn-bedrock-service-tier")


def _models(route: Route, request: Json, served: str | None) -> tuple[str | None, str | None]:
    """The model asked for and the one served.

    What is sent to AWS names a model with the region that its price depends on; what comes back leaves that out.
    """
    asked = text(request.get("model")) or route.model
    if route.api.startswith("bedrock."):
        asked = route.model or asked
    elif route.endpoint.provider == "aws" and asked and served and served in asked:
        served = None
    return asked, served


def _provider(provider: str, headers: Mapping[str, str]) -> str:
    """Whose price list applies: behind Hugging Face's router, that of whom it chose, which a header tells."""
    chosen = headers.get("x-inference-provider", "") if provider == "huggingface" else ""
    return f"huggingface_{chosen}" if _CHOSEN.fullmatch(chosen) else provider


def _skipped(exchange: Exchange, reason: str) -> Skipped:
    url = _CREDENTIALS.sub(r"\1", exchange.url.partition("?")[0])
    return Skipped(reason=reason, source=exchange.source, index=exchange.index, url=url)


def request_of(exchange: Exchange) -> tuple[Json, tuple[str, ...]]:
    """A request's fields, and notes on why there are none."""
    if not exchange.request_body:
        return {}, ()
    try:
        body = unpacked(exchange.request_body, exchange.request_headers)
        if is_form(exchange.request_headers):
            return form_fields(body, exchange.request_headers), ()
        return mapping(decode_json(body)), ()
    except DecodeError as error:
        return {}, (f"request: {error}",)


def _refused(exchange: Exchange) -> Reading | None:
    """What an HTTP status alone tells: neither an error nor a redirect has generated anything."""
    if exchange.status >= _ERROR:
        return Reading(status="error")
    if exchange.status >= _REDIRECT:
        return Reading(status="unbilled", notes=(f"HTTP {exchange.status} leads elsewhere: nothing was generated",))
    return None


def response_of(known: Format, exchange: Exchange) -> tuple[Reading, bool]:
    """What a format reads in an exchange's response, and whether that was a stream; never raises."""
    refused = _refused(exchange)
    if refused is not None:
        return refused, False
    headers = exchange.response_headers
    try:
        body = unpacked(exchange.response_body, headers)
        whole: WholeReader | None = getattr(known, "read_response", None)
        if whole is not None:
            return whole(exchange, body)
        streamed, label = is_stream(body, headers)
        if streamed:
            reading = _streamed(known, decode_events(body, getattr(known, "telling", ())))
        else:
            decoded = _decoded(body, labelled=is_labelled_rows(headers))
            if isinstance(decoded, Events):
                reading, streamed = _streamed(known, decoded), True
            elif isinstance(decoded, dict):
                reading = known.read_body(decoded)
            else:
                note = f"response: it is a JSON {type(decoded).__name__}, no object"
                return Reading(status="missing", notes=(note,)), False
    except DecodeError as error:
        return Reading(status="missing", notes=(f"response: {error}",)), "event-stream" in headers.get(
            "content-type", ""
        )
    except Exception as error:  # noqa: BLE001 - a user's format, or a body that nobody foresaw, must not break a test
        return Reading(
            status="missing", notes=(f"response: {known.api} cannot read it ({type(error).__name__})",)
        ), False
    if label is not None:
        reading = replace(reading, notes=(*reading.notes, f"response: {label}"))
    return reading, streamed


def _decoded(body: bytes, *, labelled: bool) -> object:
    """A JSON body; or its objects in a row, where it holds several.

    Raises:
        DecodeError: It is neither.
    """
    rows = rows_of_text(body, labelled=True) if labelled else None
    if rows is not None:
        return rows
    try:
        decoded = decode_json(body)
    except DecodeError:
        rows = rows_of_text(body, labelled=False)
        if rows is None:
            raise
        return rows
    return rows_of_array(decoded) or decoded


def _streamed(known: Format, found: Events) -> Reading:
    reading = known.read_stream(found.events, complete=found.done)
    if not found.broken:
        return reading
    notes = (*reading.notes, f"response: {found.broken} of the stream's events cannot be read")
    status = "partial" if found.lost_usage and reading.status == "exact" else reading.status
    return replace(reading, status=status, notes=notes)
