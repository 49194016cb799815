"""What a request asks, whatever its client's spacing, order of keys, boundaries and random ids.

vcrpy's default matching compares method and URL alone, and all calls of an agent share one URL: without this, a changed
prompt would replay the old answer, and its old cost, unnoticed.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from pytest_tokenbudget.traffic.body_parts import BodyParts, without_ids
from pytest_tokenbudget.traffic.exchanges import body_bytes, header_values
from pytest_tokenbudget.traffic.volatile import NOTHING_MORE, Volatile
from pytest_tokenbudget.traffic.words import Words, excerpt, words_of
from pytest_tokenbudget.wire.framing import unpacked
from pytest_tokenbudget.wire.routing import route_of

__all__ = ["Form", "Forms", "line_of", "same_request"]

_BOUNDARY: Final = re.compile(r'boundary="?([^";,]+)', re.IGNORECASE)
_PORTS: Final = {"http": 80, "https": 443}
_UNREADABLE: Final = (msgspec.DecodeError, ValueError, RecursionError)

_MOST_WORDED: Final = 4096

Line = tuple[Any, ...]


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
    values: tuple[int, ...]
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
        forms = Forms(volatile)
        return forms.of(sent).same == forms.of(recorded).same
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


class Forms:
    """Builds canonical forms; of a message only once, in however many requests it is sent again."""

    def __init__(self, volatile: Volatile = NOTHING_MORE) -> None:
        """Prepare.

        Args:
            volatile: The fields to leave out.
        """
        self._volatile = volatile
        self._known: dict[str, dict[int, tuple[int, tuple[str, ...]]]] = {}
        self._excerpts: dict[int, bytes] = {}
        self._words: dict[int, Words] = {}

    def of(self, request: Any) -> Form:
        """Build the canonical form of a vcrpy request's body.

        Raises:
            Exception: It is no request of vcrpy's.
        """
        body, headers = _body(request)
        try:
            return self._of_json(request, BodyParts(body, self._volatile))
        except _UNREADABLE:
            return self._of_bytes(request, body, headers or header_values(request.headers))

    def words(self, part: int) -> Words:
        """The words of a part of one of the forms."""
        found = self._words.get(part)
        if found is None:
            if len(self._words) >= _MOST_WORDED:
                self._words.clear()
            found = self._words[part] = words_of(self._excerpts[part])
        return found

    def _part(self, name: str, text: bytes) -> int:
        part = hash((name, text))
        self._excerpts[part] = excerpt(text)
        return part

    def _of_json(self, request: Any, taken: BodyParts) -> Form:
        hashes: list[int] = []
        names: list[str] = []
        ids: list[str] = []
        for name, elements in taken.parts:
            known = self._known.setdefault(name, {})
            keys = [hash(bytes(element)) for element in elements]
            for key, element in zip(keys, elements, strict=True):
                if key not in known:
                    text, found = without_ids(element)
                    known[key] = self._part(name, text), found
            hashes += [known[key][0] for key in keys]
            names += [name] * len(keys)
            for key in keys:
                ids += known[key][1]
        numbers: dict[str, int] = {}
        return _formed(
            request,
            hashes,
            names,
            [hash(value) for value in taken.values],
            is_json=True,
            left_out=(*taken.left_out, *ids),
            order=tuple([numbers.setdefault(found, len(numbers)) for found in ids]),
            model=taken.model,
            stream=taken.stream,
        )

    def _of_bytes(self, request: Any, body: bytes, headers: Mapping[str, str]) -> Form:
        label = headers.get("content-type", "")
        pieces = [("", body)] if body else []
        left_out: tuple[Any, ...] = ()
        if "x-www-form-urlencoded" in label:
            pairs = sorted(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
            pieces = [(name, value.encode()) for name, value in pairs if not self._volatile.names(name)]
            left_out = tuple(pair for pair in pairs if self._volatile.names(pair[0]))
        elif found := _BOUNDARY.search(label):
            # a form of several parts, without the boundary that its client drew at random
            pieces = [("", piece) for piece in body.split(found[1].encode())]
        hashes = [self._part(name, text) for name, text in pieces]
        return _formed(request, hashes, [name for name, _ in pieces], [], left_out=left_out)


def _body(request: Any) -> tuple[bytes, Mapping[str, str]]:
    """A request's body without its content encoding; and its headers, unless it is plain JSON."""
    body = body_bytes(request.body)
    if body[:1] in (b"{", b"["):
        return body, {}
    headers = header_values(request.headers)
    with suppress(ValueError):
        body = unpacked(body, headers)
    return body, headers


def _formed(  # noqa: PLR0913 - the fields of a form
    request: Any,
    hashes: list[int],
    names: list[str],
    values: list[int],
    *,
    is_json: bool = False,
    left_out: tuple[Any, ...] = (),
    order: tuple[int, ...] = (),
    model: str = "",
    stream: bool = False,
) -> Form:
    parts, kept = tuple(hashes), tuple(values)
    return Form(
        hash((is_json, parts, kept, order)),
        hash(left_out),
        parts,
        tuple(names),
        kept,
        model or route_of(request.method, request.uri).model or "",
        stream,
        is_json,
    )
