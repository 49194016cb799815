"""One interaction of a cassette, as plain values, to an exchange.

Bodies stand in cassettes in many forms: text, bytes (`!!binary`), under `string` (vcrpy), as base64 under
`base64_string` (vcrpy's JSON, Ruby's VCR), parsed under `parsed_body` (pydantic-ai's serializer), directly parsed, or
under `content` beside a `status_code` (vcrpy below 6 on httpx). Content encodings are left for `wire` to undo.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings.unreadable import COST_UNKNOWN

__all__ = ["read_interaction"]

_UNREAD: Final = f"it is not read, and {COST_UNKNOWN}"
_CUT: Final = f"{COST_UNKNOWN}. The file may be cut off: record it again"
_STATUSES: Final = range(100, 600)
_DIGITS: Final = re.compile("[0-9]{3}")
_BYTE: Final = range(256)


def read_interaction(value: object, source: str, index: int) -> Exchange | Skipped:
    """Read one interaction.

    Args:
        value: What stands in the cassette's list of interactions.
        source: The cassette's path, as it shall be named.
        index: The interaction's position in it, from 0.
    """
    found = _mapping(value)
    request, response = _mapping(found.get("request")), _mapping(found.get("response"))
    url = request.get("uri", request.get("url"))
    method = request.get("method")
    status = _status(response)
    if not isinstance(url, str) or not isinstance(method, str) or status is None:
        return Skipped(reason=_flaw(found, request, response), source=source, index=index)
    return Exchange(
        method=method.upper(),
        url=url.encode("utf-8", "replace").decode(),  # JSON can name half of a surrogate pair, which nobody can print
        request_headers=_headers(request.get("headers")),
        request_body=_body(request),
        status=status,
        response_headers=_headers(response.get("headers")),
        response_body=_body(response),
        obtained="replayed",
        source=source,
        index=index,
    )


def _flaw(found: Mapping[Any, Any], request: Mapping[Any, Any], response: Mapping[Any, Any]) -> str:
    """Why an interaction is no HTTP exchange."""
    if "request_sample" in found or "response_sample" in found:
        return f"a gRPC message, not HTTP: {_UNREAD}"
    if "direction" in found and not request:
        return f"a message of a WebSocket session, not HTTP: {_UNREAD}"
    if not request:
        return f"an interaction without a request: {_CUT}"
    if not isinstance(request.get("uri", request.get("url")), str):
        return f"an interaction whose request names no URI: {_CUT}"
    if not isinstance(request.get("method"), str):
        return f"an interaction whose request names no method: {_CUT}"
    lack = "whose response has no HTTP status" if response else "without a response"
    return f"an interaction {lack}: {_CUT}"


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _status(response: Mapping[Any, Any]) -> int | None:
    status = response.get("status")
    found = status.get("code") if isinstance(status, dict) else response.get("status_code", response.get("code"))
    code = status if found is None else found
    if isinstance(code, str) and _DIGITS.fullmatch(code):
        code = int(code)
    return code if isinstance(code, int) and code in _STATUSES else None


def _headers(headers: object) -> dict[str, str]:
    """Header names in lower case, each with its first value."""
    found: dict[str, str] = {}
    for name, value in _pairs(headers):
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, bytes):
            first = first.decode("latin-1")
        if isinstance(name, str) and first is not None and not isinstance(first, (list, dict)):
            found.setdefault(name.lower(), str(first))
    return found


def _pairs(headers: object) -> Iterator[tuple[object, object]]:
    if isinstance(headers, dict):
        yield from headers.items()
    elif isinstance(headers, list):
        for entry in headers:
            if isinstance(entry, list) and len(entry) == len(("name", "value")):
                yield entry[0], entry[1]


def _body(message: Mapping[Any, Any]) -> bytes:
    """The body of a request or a response, in whichever form it stands."""
    if "parsed_body" in message:
        return _encoded(message["parsed_body"])
    body = message.get("body", message.get("content"))
    if isinstance(body, dict):
        if "string" in body:
            body = body["string"]
        elif isinstance(body.get("base64_string"), str):
            return _decoded(body["base64_string"])
    return _encoded(body)


def _encoded(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    if isinstance(body, bytes):
        return body
    if body is None:
        return b""
    if isinstance(body, list):
        if all(isinstance(item, int) and item in _BYTE for item in body):
            return bytes(body)
        if all(isinstance(item, (str, bytes)) for item in body):
            return b"".join(map(_encoded, body))
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError):
        # text that no JSON can carry, such as half a surrogate pair; `wire` says that the body is none
        return b""


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text)
    except ValueError:
        return b""
