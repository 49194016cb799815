"""vcrpy's requests and responses as exchanges. What cannot be read is left out: nothing here raises for odd values."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pytest_tokenbudget.model.exchange import Exchange, Obtained, RecordedRequest

__all__ = ["body_bytes", "exchange_of", "header_values", "recorded_request", "request_line"]


def exchange_of(request: Any, response: Any, obtained: Obtained) -> Exchange:
    """Build an exchange from a vcrpy request and what stubs pass to a cassette as its response."""
    answer = response if isinstance(response, Mapping) else {}
    body = answer.get("body")
    return Exchange(
        method=str(request.method).upper(),
        url=str(request.uri),
        request_body=body_bytes(request.body),
        request_headers=header_values(request.headers),
        status=_status(answer),
        response_headers=header_values(answer.get("headers")),
        # recordings of old httpx stubs are flat
        response_body=body_bytes(body.get("string") if isinstance(body, Mapping) else answer.get("content", body)),
        obtained=obtained,
    )


def recorded_request(request: Any) -> RecordedRequest | None:
    """Build what a drifted exchange says of the request that its response answered; `None` where it cannot be read."""
    try:
        return RecordedRequest(
            url=str(request.uri), body=body_bytes(request.body), headers=header_values(request.headers)
        )
    except Exception:  # noqa: BLE001 - whatever a recording holds
        return None


def request_line(request: Any) -> str:
    """A request's or exchange's method and URL for a note; without the query, where some providers carry the key."""
    url = getattr(request, "uri", None) or getattr(request, "url", "(no URL)")
    return f"{getattr(request, 'method', '(no method)')} {str(url).partition('?')[0]}"


def _status(response: Mapping[str, Any]) -> int:
    status = response.get("status")
    code = status.get("code") if isinstance(status, Mapping) else response.get("status_code", status)
    try:
        return int(code)  # type: ignore[arg-type]  # whatever a recording holds
    except (TypeError, ValueError):
        return 0


def header_values(headers: Any) -> dict[str, str]:
    """Header names in lower case, each with its first value; from a mapping or from pairs (Tornado's stub)."""
    found: dict[str, str] = {}
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for pair in pairs if isinstance(pairs, Iterable) and not isinstance(pairs, (str, bytes)) else ():
        try:
            name, value = pair
        except (TypeError, ValueError):
            continue
        if isinstance(value, (list, tuple)):
            value = value[0] if value else None
        if type(name) is str and type(value) is str:  # nearly always, and this runs for every header of every call
            found.setdefault(name.lower(), value)
        elif value is not None:
            found.setdefault(_text(name).lower(), _text(value))
    return found


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def body_bytes(body: Any) -> bytes:
    """A body in any form that clients hand to vcrpy; empty where it is none that can be read without side effects.

    vcrpy gives out a new file or iterator each time it is asked for a body that came as one.
    """
    if isinstance(body, bytes):
        return body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    try:
        if hasattr(body, "read"):
            return body_bytes(body.read())
        if isinstance(body, (dict, list)):  # aiohttp's json=
            return msgspec.json.encode(body)
        return b"".join(bytes((part,)) if isinstance(part, int) else body_bytes(part) for part in body)
    except Exception:  # noqa: BLE001 - any object of a client's may stand here, such as a form of aiohttp's
        return b""
