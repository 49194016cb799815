"""Whether the request that is sent now is the one that was recorded.

vcrpy's default matching compares method and URL alone, and all calls of an agent share one URL: without this, a changed
prompt would replay the old answer, and its old cost, unnoticed.
"""

import re
from typing import Any, Final

import msgspec

from pytest_tokenbudget.traffic.exchanges import body_bytes, header_values
from pytest_tokenbudget.wire.framing import unpacked

__all__ = ["same_request"]

_BOUNDARY: Final = re.compile(r'boundary="?([^";,]+)', re.IGNORECASE)


def same_request(sent: Any, recorded: Any) -> bool:
    """Whether two vcrpy requests, both after the user's filters, ask the same.

    They do with equal methods, equal URLs but for the order of the query, and equal bodies: byte for byte, or as JSON
    whatever its spacing and the order of keys, or as a form of several parts whatever its random boundary. Headers say
    nothing about what a model is asked.
    """
    try:
        return _same_line(sent, recorded) and _same_body(sent, recorded)
    except Exception:  # noqa: BLE001 - a request that a filter made unreadable is not shown to be the same
        return False


def _same_line(sent: Any, recorded: Any) -> bool:
    if sent.method != recorded.method:
        return False
    return bool(sent.uri == recorded.uri or _parts(sent) == _parts(recorded))


def _parts(request: Any) -> tuple[Any, ...]:
    return request.scheme, request.host, request.port, request.path or "/", request.query


def _same_body(sent: Any, recorded: Any) -> bool:
    left, right = body_bytes(sent.body), body_bytes(recorded.body)
    if left == right:
        return True
    if not left or not right:
        return False
    try:
        return bool(_decoded(left, sent) == _decoded(right, recorded))
    except (msgspec.DecodeError, ValueError):
        return _unbound(left, sent) == _unbound(right, recorded)


def _decoded(body: bytes, request: Any) -> object:
    return msgspec.json.decode(unpacked(body, header_values(request.headers)))


def _unbound(body: bytes, request: Any) -> bytes:
    """A form of several parts without the boundary that its client drew at random."""
    found = _BOUNDARY.search(header_values(request.headers).get("content-type", ""))
    return body.replace(found[1].encode(), b"") if found else body
