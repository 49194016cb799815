"""One interaction of a recording, as plain values, to an exchange.

vcrpy's interactions and those of its likes (Ruby's VCR, betamax, go-vcr) are read here; entries of HAR archives and of
nock, which are told by their keys, in modules of their own.
"""

from collections.abc import Mapping
from typing import Any, Final

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings.har import is_har_entry, read_har_entry
from pytest_tokenbudget.recordings.message import body_of, headers_of, mapping_of, status_of, text_of, url_of
from pytest_tokenbudget.recordings.nock import is_nock_entry, read_nock_entry
from pytest_tokenbudget.recordings.unreadable import COST_UNKNOWN

__all__ = ["read_interaction"]

_UNREAD: Final = f"it is not read, and {COST_UNKNOWN}"
_CUT: Final = f"{COST_UNKNOWN}. The file may be cut off: record it again"


def read_interaction(value: object, source: str, index: int) -> Exchange | Skipped:
    """Read one interaction.

    Args:
        value: What stands in the recording's list of interactions.
        source: The recording's path, as it shall be named.
        index: The interaction's position in it, from 0.
    """
    found = mapping_of(value)
    request, response = mapping_of(found.get("request")), mapping_of(found.get("response"))
    if is_nock_entry(found):
        return read_nock_entry(found, source, index)
    if is_har_entry(found, response):
        return read_har_entry(found, request, response, source, index)
    url, method = text_of(_url(request)), text_of(request.get("method"))
    status = _status(response)
    if not isinstance(url, str) or not isinstance(method, str) or status is None:
        return Skipped(reason=_flaw(found, request, response), source=source, index=index)
    return Exchange(
        method=method.upper(),
        url=url_of(url),
        request_headers=headers_of(request.get("headers")),
        request_body=body_of(request),
        status=status,
        response_headers=headers_of(response.get("headers")),
        response_body=body_of(response),
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
    if not isinstance(text_of(_url(request)), str):
        return f"an interaction whose request names no URI: {_CUT}"
    if not isinstance(text_of(request.get("method")), str):
        return f"an interaction whose request names no method: {_CUT}"
    lack = "whose response has no HTTP status" if response else "without a response"
    return f"an interaction {lack}: {_CUT}"


def _url(request: Mapping[Any, Any]) -> object:
    return request.get("uri", request.get("url"))


def _status(response: Mapping[Any, Any]) -> int | None:
    status = response.get("status")
    found = status.get("code") if isinstance(status, dict) else response.get("status_code", response.get("code"))
    return status_of(status if found is None else found)
