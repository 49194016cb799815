"""Secrets that the name beside them gives away: `name=value`, `name: value`, `"name": "value"`."""

import re
from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Final

from pytest_tokenbudget.traffic.redaction.findings import Span
from pytest_tokenbudget.traffic.redaction.names import secret_name, secret_parameter
from pytest_tokenbudget.traffic.redaction.stand_ins import is_random

__all__ = ["VALUE", "after_name", "assigned", "names_secrets", "quoted"]

VALUE: Final = re.compile(rb"[^\s\"'`&,;<>(){}\[\]\\|]+")
"""A value that nothing quotes."""

_LONGEST_NAMED: Final = 1 << 16
_NAME: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_BEFORE_VALUE: Final = b" \t\"'`\\"
_LOOK_BACK: Final = 96
_END: Final = itemgetter(slice(-20, None))
_COLON: Final = re.compile(rb"[\"']\s{0,4}:")
_QUOTED: Final = re.compile(rb"\s*\[?\s*(\\{0,8})([\"'])")
_SIGNED: Final = re.compile(rb"[0-9a-f]{64}|[A-Za-z0-9%+/=_-]{40,}")
_IN_A_QUERY: Final = re.compile(rb"[?&](?:amp;)?\Z")
_WEAK_PARAMETER: Final = 12
"""In the middle of a text, a short `?key=value` is more often an example than a secret."""


def assigned(data: bytes) -> Iterator[Span]:
    """Values after `name=`: in queries, forms, connection strings, settings."""
    at = data.find(b"=")
    while at >= 0:
        head = data[max(at - _LOOK_BACK, 0) : at]
        name = head[len(head.rstrip(_NAME)) :]
        begin = at + 1
        at = data.find(b"=", begin)
        if not name or data[begin : begin + 1] == b"=":
            continue
        in_query = _IN_A_QUERY.search(head[: len(head) - len(name)]) is not None
        if not in_query and secret_name(name) is None and name.lower() not in {b"signature", b"sig", b"token"}:
            continue
        value = VALUE.match(data, begin, begin + _LONGEST_NAMED)
        if value is None:
            continue
        at = data.find(b"=", value.end())
        kind = _kind_assigned(name, value[0], in_query=in_query)
        after = data[value.end() : value.end() + 1]
        if kind is not None and after not in {b"(", b"["}:  # a call or a look-up in code
            yield Span(value.start(), value.end(), kind)


def _kind_assigned(name: bytes, value: bytes, *, in_query: bool) -> str | None:
    if in_query:
        kind = secret_parameter(name, value)
        return kind if kind is None or len(value) >= _WEAK_PARAMETER or secret_name(name, value) else None
    if name.lower() in {b"signature", b"sig", b"token"}:
        return "signature" if _SIGNED.fullmatch(value) and is_random(value) else None
    kind = secret_name(name, value)
    # code assigns variables, which are words; passwords of connection strings hold a digit or a sign
    return kind if kind is not None and _is_no_word(value) else None


def _is_no_word(value: bytes) -> bool:
    return any(digit in value for digit in b"0123456789!#$%^*~+@") and b"(" not in value


def after_name(data: bytes, start: int) -> Iterator[Span]:
    """What stands after `name: `, as in YAML, or in a header that somebody prints."""
    head = data[max(start - _LOOK_BACK, 0) : start].rstrip(_BEFORE_VALUE)
    if not head.endswith(b":"):
        return
    name = head[len(head[:-1].rstrip(_NAME)) : -1]
    if name and secret_name(name) is not None:
        value = VALUE.match(data, start, start + _LONGEST_NAMED)
        if value is not None and is_random(value[0]) and (kind := secret_name(name, value[0])) is not None:
            yield Span(start, value.end(), kind)


def names_secrets(data: bytes) -> bool:
    """Whether a quoted name with a colon behind it is one of a secret.

    The ends of names are few, whatever the size: each is looked up once.
    """
    if b'" :' in data:  # as some print JSON, whether it is the body or stands in a text
        return True
    ends: set[bytes] = set()
    if b'":' in data:
        ends.update(map(_END, data.split(b'":')))
    if b"'" in data and b"':" in data:
        ends.update(map(_END, data.split(b"':")))
    return any(map(_is_secret, ends))


@lru_cache(maxsize=8192)
def _is_secret(end: bytes) -> bool:
    end = end.rstrip(b"\\")
    return secret_name(end[len(end.rstrip(_NAME)) :]) is not None


def quoted(data: bytes) -> Iterator[Span]:
    """Values after `"name":`, whether it is JSON or only looks like it, and however deep it is quoted."""
    for colon in _COLON.finditer(data):
        head = data[max(colon.start() - _LOOK_BACK, 0) : colon.start()].rstrip(b"\\")
        name = head[len(head.rstrip(_NAME)) :]
        if name and secret_name(name) is not None:
            yield from _value_after(data, colon.end(), name)


def _value_after(data: bytes, at: int, name: bytes) -> Iterator[Span]:
    opening = _QUOTED.match(data, at)
    if opening is None:
        return
    start = opening.end()
    limit = min(start + _LONGEST_NAMED, len(data))
    end = data.find(opening[2], start, limit)
    while end >= 0 and _backslashes(data, start, end) > len(opening[1]):
        end = data.find(opening[2], end + 1, limit)  # a quote inside the value
    # the backslashes before the closing quote belong to it
    end = limit if end < 0 else end - len(opening[1])
    kind = secret_name(name, data[start:end])
    if kind is not None:
        yield Span(start, end, kind)


def _backslashes(data: bytes, start: int, end: int) -> int:
    near = data[max(start, end - 16) : end]
    return len(near) - len(near.rstrip(b"\\"))
