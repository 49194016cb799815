"""What a request asks, whatever its client's spacing, order of keys, boundaries and random ids.

vcrpy's default matching compares method and URL alone, and all calls of an agent share one URL: without this, a changed
prompt would replay the old answer, and its old cost, unnoticed.
"""

import re
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from pytest_tokenbudget.traffic.exchanges import body_bytes, header_values
from pytest_tokenbudget.traffic.volatile import NOTHING_MORE, Volatile, take_ids
from pytest_tokenbudget.wire.framing import unpacked
from pytest_tokenbudget.wire.routing import route_of

__all__ = ["Form", "form_of", "line_of", "same_request"]

_BOUNDARY: Final = re.compile(r'boundary="?([^";,]+)', re.IGNORECASE)
_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_VALUE: Final = 64
_WHOLE: Final = 2**53

Line = tuple[Any, ...]


def _number(text: str) -> float:
    value = float(text)
    # some clients write 1.0 where others write 1
    return int(value) if abs(value) < _WHOLE and value.is_integer() else value


_decode: Final = msgspec.json.Decoder(float_hook=_number).decode
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Form(Struct, frozen=True, gc=False):
    """The canonical form of a request's body, as numbers that tell equal things from different ones in this process.

    They are Python's own keyed hashes: five times as fast as a digest, and this runs over every byte of every request.

    Attributes:
        same: Equal for bodies that ask the same.
        left_out: Equal where what was left out of that is equal too: labels and ids.
        parts: Of each message, tool, instruction and other long value, in order.
        names: The field that each of these stands in.
        values: Of each short value, such as a temperature.
        model: The model asked, by the body or the URL; empty where neither says.
        stream: Whether the answer is asked for as a stream.
        is_json: Whether the body is JSON.
    """

    same: int
    left_out: int
    parts: tuple[int, ...]
    names: tuple[str, ...]
    values: frozenset[int]
    model: str
    stream: bool
    is_json: bool


def same_request(sent: Any, recorded: Any, volatile: Volatile = NOTHING_MORE) -> bool:
    """Whether two vcrpy requests, both after the user's filters, ask the same.

    They do with equal methods, equal URLs but for the order of the query, and equal bodies: byte for byte, or in
    canonical form. Headers say nothing about what a model is asked.
    """
    try:
        if line_of(sent.method, sent.uri) != line_of(recorded.method, recorded.uri):
            return False
        if body_bytes(sent.body) == body_bytes(recorded.body):
            return True
        return form_of(sent, volatile)[0].same == form_of(recorded, volatile)[0].same
    except Exception:  # noqa: BLE001 - a request that a filter made unreadable is not shown to be the same
        return False


@lru_cache(maxsize=1024)
def line_of(method: str, url: str) -> Line:
    """A request line such that order of the query, an empty path and a port that goes without saying do not matter.

    Raises:
        ValueError: The URL has no sound port.
    """
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    query = tuple(sorted(parse_qsl(parts.query)))  # as vcrpy reads it
    return method, parts.scheme, parts.hostname, port, parts.path or "/", query


def form_of(request: Any, volatile: Volatile = NOTHING_MORE) -> tuple[Form, list[bytes]]:
    """Build the canonical form of a vcrpy request's body.

    Returns:
        The form, and the text of each of its parts.
    """
    headers = header_values(request.headers)
    body = body_bytes(request.body)
    try:
        body = unpacked(body, headers)
        value = _decode(body)
    except (msgspec.DecodeError, ValueError):
        return _of_bytes(request, body, headers.get("content-type", ""), volatile)
    if isinstance(value, dict):
        return _of_object(request, value, volatile)
    text = _encode(value)
    return _formed(request, [("", text)], [], is_json=True)


def _of_object(request: Any, body: dict[str, Any], volatile: Volatile) -> tuple[Form, list[bytes]]:
    taken = volatile.take(body)
    ids: list[Any] = []
    parts: list[tuple[str, bytes]] = []
    values: list[tuple[str, bytes]] = []
    for name in sorted(body):
        inner = body[name]
        # one level deeper are Gemini's instructions and the settings of generation
        if isinstance(inner, dict):
            for key in sorted(inner):
                _add(f"{name}.{key}", inner[key], parts, values, ids)
            values.append((name, b"{}"))
        else:
            _add(name, inner, parts, values, ids)
    numbers: dict[Any, int] = {}
    order = tuple([numbers.setdefault(found, len(numbers)) for found in ids])
    model = body.get("model")
    return _formed(
        request,
        parts,
        values,
        is_json=True,
        left_out=(*taken, *ids),
        order=order,
        model=model if isinstance(model, str) else "",
        stream=bool(body.get("stream")),
    )


def _add(
    name: str, value: object, parts: list[tuple[str, bytes]], values: list[tuple[str, bytes]], ids: list[Any]
) -> None:
    if isinstance(value, list):
        values.append((name, b"[]"))
        for element in value:
            if isinstance(element, dict):
                take_ids(element, ids)
            parts.append((name, _encode(element)))
        return
    text = _encode(value)
    (parts if len(text) > _LONGEST_VALUE else values).append((name, text))


def _of_bytes(request: Any, body: bytes, label: str, volatile: Volatile) -> tuple[Form, list[bytes]]:
    if "x-www-form-urlencoded" in label:
        pairs = sorted(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
        kept = [(name, value.encode()) for name, value in pairs if not volatile.names(name)]
        left_out = tuple(pair for pair in pairs if volatile.names(pair[0]))
        return _formed(request, kept, [], left_out=left_out)
    found = _BOUNDARY.search(label)
    if found:
        # a form of several parts, without the boundary that its client drew at random
        return _formed(request, [("", part) for part in body.split(found[1].encode())], [])
    return _formed(request, [("", body)] if body else [], [])


def _formed(
    request: Any,
    parts: list[tuple[str, bytes]],
    values: list[tuple[str, bytes]],
    *,
    is_json: bool = False,
    left_out: tuple[Any, ...] = (),
    order: tuple[int, ...] = (),
    model: str = "",
    stream: bool = False,
) -> tuple[Form, list[bytes]]:
    hashes = tuple([hash(part) for part in parts])
    kept = frozenset([hash(value) for value in values])
    form = Form(
        hash((is_json, hashes, kept, order)),
        hash(left_out),
        hashes,
        tuple([name for name, _ in parts]),
        kept,
        model or route_of(request.method, request.uri).model or "",
        stream,
        is_json,
    )
    return form, [text for _, text in parts]
