"""Batches: the request that starts one, and the results that tell what it used.

Results come as a file of lines (OpenAI and all who imitate it, Mistral, Anthropic, Gemini) or inside the answer to a
poll (Gemini, Mistral), each in the form of the API that answered (openai SDK 3.57, `Batch`; anthropic SDK 2.14,
`MessageBatchIndividualResponse`; google-genai SDK 3.6, `BatchJob`; mistralai SDK 3.7, `BatchJob`; 2026). They are
one call, whose usage is the sum; requests that failed, expired or were cancelled are not billed.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.wire.batch_sum import Answers, summed
from pytest_tokenbudget.wire.counts import Counts, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.events import Events
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.framing import DecodeError, decode_json, unpacked
from pytest_tokenbudget.wire.json_rows import rows_of_text
from pytest_tokenbudget.wire.openai_usage import openai_usage

__all__ = ["BATCHES", "BATCH_RESULTS", "BatchResults", "BatchStart", "BatchState", "batch_state"]

_STARTED: Final = "a batch was started: its usage comes with its results, and none were seen"
_UNREAD: Final = "response: the results of a batch cannot be read"
_LOOKS_SO: Final = re.compile(rb'"(?:custom_id|key)"\s*:.{0,4000}?"(?:response|result)"\s*:', re.DOTALL)
_MOST_LOOKED_AT: Final = 1 << 16
_IDS: Final = ("id", "name", "batch_id")
_OUTPUTS: Final = ("output_file_id", "error_file_id", "output_file", "error_file")
_ENDED: Final = frozenset({"completed", "expired", "cancelled", "failed", "ended", "success", "timeout_exceeded"})
"""OpenAI's, Anthropic's, and in capitals Mistral's."""

_SUCCEEDED: Final = ("completed", "succeeded")


class BatchState(Struct, frozen=True, kw_only=True):
    """What the answer to a poll tells of a batch.

    Attributes:
        id: The batch.
        files: Where its results are.
        told: Its usage where the poll gives that, or that nothing is billed; `None` while nothing is known.
    """

    id: str
    files: tuple[str, ...] = ()
    told: Reading | None = None


class BatchStart:
    """A `POST` that starts a batch; it tells no usage."""

    def __init__(self, provider: str, path: str, *, anywhere: bool = False) -> None:
        """Know the batches of one API, at any host where the path is sure."""
        self.api = f"{provider}.batches"
        self._path = re.compile(path)
        self._anywhere = anywhere

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint start a batch."""
        if endpoint.method != "POST" or not (self._anywhere or endpoint.known):
            return False
        return self._path.fullmatch(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read what was started."""
        started = _id_of(body)
        if started is None:
            return Reading(status="unsupported", notes=(f"{self.api} is billed, but cannot be read yet",))
        return Reading(status="missing", response_id=started, notes=(_STARTED,))

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - protocol
        """Read an event that carries a whole body; no provider streams it."""
        return self.read_body(next((event for _, event in events), {}))

    def prompt(self, request: Json) -> Iterator[Part]:  # noqa: ARG002 - the requests stand in a file, or are many
        """Yield nothing: a batch is no prompt."""
        return iter(())


class BatchResults:
    """A `GET` that may bring the results of a batch: `read_response` says `unbilled`, without an id, where it does not.

    Where a file is downloaded, only its lines tell whether it holds results.
    """

    def __init__(self, provider: str, path: str) -> None:
        """Know where one API has its results; the path's group names the batch or the file."""
        self.api = f"{provider}.batches"
        self._path = re.compile(path)

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint may bring results."""
        return endpoint.method == "GET" and self._path.fullmatch(endpoint.path) is not None

    def read_response(self, exchange: Exchange, body: bytes) -> tuple[Reading, bool]:
        """Add up the results, if these are any."""
        found = self._path.search(unquote(exchange.url.partition("?")[0]).rstrip("/"))
        name = found["id"] if found else ""
        rows = _rows(body)
        if rows is None:
            sure = found is not None and found[0].endswith("/results")
            if sure or _LOOKS_SO.search(body, 0, _MOST_LOOKED_AT):
                return Reading(status="missing", response_id=name, notes=(_UNREAD,)), False
            return Reading(status="unbilled"), False
        lines = [event for _, event in rows.events]
        inside = _inside(lines[0]) if len(lines) == 1 else None
        if inside is not None:
            return summed(_answers(inside, 0), _id_of(lines[0]) or name), False
        if not _is_result(lines[0]):
            state = _state_of(lines[0]) if len(lines) == 1 else None
            return Reading(status="unbilled", response_id=state.id if state else None), False
        return summed(_answers(lines, rows.broken), name), False

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        return summed(_answers(_inside(body) or [], 0), _id_of(body) or "")

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - protocol
        """Read results as events; no provider streams them."""
        return summed(_answers([event for _, event in events], 0), "")

    def prompt(self, request: Json) -> Iterator[Part]:  # noqa: ARG002 - asked for earlier
        """Yield nothing: what was asked stands elsewhere."""
        return iter(())


BATCHES: Final = (
    BatchStart("anthropic", r".*/v1/messages/batches", anywhere=True),
    BatchStart("gemini", r".*:(?:asyncBatchEmbedContent|batchGenerateContent)", anywhere=True),
    BatchStart("mistral", r".*/v1/batch/jobs"),
    BatchStart("openai", r".*/batches"),
)
BATCH_RESULTS: Final = (
    BatchResults("anthropic", r".*/v1/messages/batches/(?P<id>[^/]+)(?:/results)?"),
    BatchResults("gemini", r".*/v1(?:alpha|beta)\d*/(?P<id>batches/[^/:]+)"),
    BatchResults("gemini", r".*/v\d\w*/(?P<id>files/[^/:]+):download"),
    BatchResults("mistral", r".*/v1/batch/jobs/(?P<id>[^/]+)"),
    BatchResults("openai", r".*/batches/(?P<id>[^/]+)"),
    BatchResults("openai", r".*/files/(?P<id>[^/]+)/content"),
)
"""In the order in which they are asked: Gemini's batches have a path that OpenAI's would also match."""


def batch_state(exchange: Exchange) -> BatchState | None:
    """What an exchange tells of a batch, where it is a poll that says so; never raises."""
    try:
        body = decode_json(unpacked(exchange.response_body, exchange.response_headers))
    except DecodeError:
        return None
    return _state_of(mapping(body))


def _state_of(body: Json) -> BatchState | None:
    name = _id_of(body)
    operation = mapping(body.get("metadata"))
    state = text(body.get("status")) or text(body.get("processing_status"))
    if name is None or (state is None and not operation):
        return None
    files = [file for key in _OUTPUTS if (file := text(body.get(key)))]
    output = mapping(body.get("response")) or mapping(operation.get("output"))
    if responses := text(output.get("responsesFile")):
        files.append(responses)
    told = None
    if state is not None and state.lower() in _ENDED:
        told = _of_ended(body, name)
    elif body.get("done") is True and body.get("error") and not output:
        told = summed(Answers(failed=1), name)
    return BatchState(id=name, files=tuple(files), told=told)


def _of_ended(body: Json, name: str) -> Reading | None:
    """What is billed of a batch that has ended, where the poll says it: OpenAI's since September 2025."""
    numbers = mapping(body.get("request_counts"))
    succeeded = next((numbers[key] for key in _SUCCEEDED if key in numbers), body.get("succeeded_requests"))
    if type(succeeded) is int and succeeded == 0:
        return summed(Answers(failed=1), name)
    counts = Counts()
    used = openai_usage(mapping(body.get("usage")), counts)
    status, used = counts.status(used, cut=False, missing="")
    if status == "missing":
        return None
    answer = Reading(status=status, usage=used, model=text(body.get("model")), notes=tuple(counts.notes))
    return summed(Answers(readings=[answer], told_as_one=True), name)


def _rows(body: bytes) -> Events | None:
    """The objects in a body: one, however it is laid out, or one to a line."""
    try:
        whole = decode_json(body)
    except DecodeError:
        return rows_of_text(body, labelled=True)
    return Events(events=[("", whole)], done=True) if isinstance(whole, dict) else None


def _id_of(body: Json) -> str | None:
    return next((name for key in _IDS if (name := text(body.get(key)))), None)


def _inside(body: Json) -> list[Json] | None:
    """The results inside the answer to a poll; `None` where there are none."""
    if "done" in body or "metadata" in body:
        output = mapping(body.get("response")) or mapping(mapping(body.get("metadata")).get("output"))
        for key in ("inlinedResponses", "inlinedEmbedContentResponses"):
            found = mapping(output.get(key)).get("inlinedResponses")
            if isinstance(found, list):
                return [mapping(entry) for entry in found]
    outputs = body.get("outputs")
    if isinstance(outputs, list) and outputs and "total_requests" in body:
        return [mapping(entry) for entry in outputs]
    return None


def _is_result(row: Json) -> bool:
    """Whether a line is one request's result."""
    if "custom_id" in row:
        return "response" in row or "error" in row or "type" in mapping(row.get("result"))
    answer = mapping(row.get("response"))
    return "key" in row and ("error" in row or "status" in row or bool(answer))


def _answers(rows: Iterable[Json], broken: int) -> Answers:
    found = Answers(broken=broken)
    for row in rows:
        found.take(_answer(row))
    return found


def _answer(row: Json) -> object:
    """The body that answers one request; `None` where it failed."""
    result = mapping(row.get("result"))
    if result:
        return result.get("message") if result.get("type") == "succeeded" else None
    answer = mapping(row.get("response"))
    if "status_code" not in answer:
        return answer or None
    refused = type(answer["status_code"]) is int and not 200 <= answer["status_code"] < 300  # noqa: PLR2004 - HTTP's
    return None if refused else answer.get("body")
