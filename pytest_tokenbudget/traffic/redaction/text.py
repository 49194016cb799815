"""Every secret in a text: of a known form, after a name, in a URL, in base64, or matched by a pattern of the user's."""

import re
from base64 import b64encode, urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pytest_tokenbudget.traffic.redaction.findings import PLACEHOLDERS, Span, spliced
from pytest_tokenbudget.traffic.redaction.named import VALUE, after_name, assigned, names_secrets, quoted
from pytest_tokenbudget.traffic.redaction.patterns import around, holds_long_run, known_forms, private_keys, runs
from pytest_tokenbudget.traffic.redaction.stand_ins import is_random, is_stated

__all__ = ["Nested", "apart", "clean_text", "secrets_in", "told_by_form", "users"]

Nested = Callable[[bytes], bytes]
"""Cleans what was packed inside a text."""

_SHORTEST_PACKED: Final = 24
_MOST_ROUNDS: Final = 4
_LINE_OF_A_KEY: Final = 40
_LONGEST_PLACEHOLDER: Final = 48
_FROM_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_IDENT: Final = re.compile(rb"[a-z]{2,12}[_-][A-Za-z0-9]{12,80}")
"""Ids of answers and tool calls, many to a conversation: text in base64 does not look so."""

_GZIP: Final = b"\x1f\x8b"
_DIGIT: Final = re.compile(rb"[0-9]")
_SCHEME: Final = re.compile(rb"(?i)(?:^|[^A-Za-z0-9])(bearer|basic)\s{1,4}\Z")
_USERINFO: Final = re.compile(rb"://([^\s/?#@\"'<>\\]{1,512})@")
_COOKIE: Final = re.compile(
    rb"(?i:set-cookie2?|cookie)[\"']?\s{0,4}:\s{0,4}([^\s=;:,\"'\\]{1,80}=[^\r\n\"'\\]{4,4096})"
)
_HEX: Final = re.compile(rb"(?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+")


def users(patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """The user's patterns, ready."""
    return tuple(re.compile(pattern) for pattern in patterns)


def secrets_in(data: bytes, custom: Sequence[re.Pattern[str]] = (), nested: Nested | None = None) -> list[Span]:
    """The secrets in a text, in order and apart.

    Args:
        data: The text.
        custom: The user's patterns.
        nested: What cleans packed texts; without it, they are not looked into.
    """
    found = _in_runs(data, nested)
    if b"=" in data:
        found += assigned(data)
        if b"ookie" in data or b"OOKIE" in data:
            found += (Span(*match.span(1), "cookie") for match in _COOKIE.finditer(data) if is_stated(match[1]))
    if names_secrets(data):
        found += quoted(data)
    if b"@" in data and b"://" in data:
        found += _userinfo(data)
    for pattern in custom:
        found += _matches(data, pattern)
    return apart(data, found) if found else found


def clean_text(data: bytes, custom: Sequence[re.Pattern[str]] = (), nested: Nested | None = None) -> bytes:
    """A text without its secrets: cleaned until nothing is found, as what one hid may show another."""
    for _ in range(_MOST_ROUNDS):
        spans = secrets_in(data, custom, nested)
        if not spans:
            break
        data = spliced(data, spans)
    return data


def _in_runs(data: bytes, nested: Nested | None) -> list[Span]:
    """What stands in, or is packed in, long runs of letters and digits."""
    found: list[Span] = []
    parts: list[tuple[int, int]] = []
    searched = longest = 0
    for start, stop in runs(data):
        longest = max(longest, stop - start)
        run = data[start:stop]
        if run.islower() and _DIGIT.search(run) is None:
            continue  # words that are joined: names of tools, mostly
        if start >= searched:
            begin, end = around(data, start, stop)
            parts.append((max(begin, searched), end))
            searched = end
        near = data[max(start - 4, 0) : start]
        if near.endswith((b" ", b"\t")):
            found += _after_scheme(data, start)
        if b":" in near and b'":' not in near:
            found += after_name(data, start)
        if nested is not None and stop - start >= _SHORTEST_PACKED and _IDENT.fullmatch(run) is None:
            found += _packed(data, start, stop, nested)
    found += known_forms(data, parts)
    if longest >= _LINE_OF_A_KEY:
        found += private_keys(data)
    return found


def _after_scheme(data: bytes, start: int) -> Iterator[Span]:
    """What stands after `Bearer` or `Basic`, as in a header that somebody prints."""
    scheme = _SCHEME.search(data, max(start - 12, 0), start)
    value = VALUE.match(data, start)
    if scheme is None or value is None:
        return
    if scheme[1].lower() == b"basic":
        if b":" in _from_base64(value[0])[0]:
            yield Span(start, value.end(), "basic-credentials")
    elif is_random(value[0]):
        yield Span(start, value.end(), "bearer-token")


def _userinfo(data: bytes) -> Iterator[Span]:
    for match in _USERINFO.finditer(data):
        user, colon, password = match[1].partition(b":")
        if colon and is_stated(password):
            yield Span(match.start(1) + len(user) + 1, match.end(1), "password")
        elif not colon and is_random(user):  # a token, or the key of a DSN
            yield Span(*match.span(1), "token")


def _packed(data: bytes, start: int, stop: int, nested: Nested) -> Iterator[Span]:
    """Base64 and hexadecimal digits that hold a secret: what they hold is cleaned, and packed again."""
    run = data[start:stop]
    if _HEX.fullmatch(run):
        held = bytes.fromhex(run.decode())
        if (cleaned := nested(held)) != held:
            yield Span(start, stop, "packed-secret", cleaned.hex().encode())
        return
    if data[start - 1 : start] == b"\\":  # the letter of an escape
        start, run = start + 1, run[1:]
    held, url_safe = _from_base64(run)
    if not held.isascii() and held[:2] != _GZIP and not holds_long_run(held):
        return  # noise, as most ids are
    if (cleaned := nested(held)) == held:
        return
    equals = len(data[stop : stop + 2]) - len(data[stop : stop + 2].lstrip(b"="))
    again = (urlsafe_b64encode if url_safe else b64encode)(cleaned)
    yield Span(start, stop + equals, "packed-secret", again if equals or len(run) % 4 == 0 else again.rstrip(b"="))


def _from_base64(run: bytes) -> tuple[bytes, bool]:
    """The bytes that base64 in either alphabet holds, and whether it is the one for URLs; none where it is neither."""
    run = run.rstrip(b"=")
    url_safe = b"-" in run or b"_" in run
    if len(run) % 4 == 1:
        run = run[:-1]  # cut off
    try:
        return a2b_base64((run.translate(_FROM_URL_SAFE) if url_safe else run) + b"=" * (-len(run) % 4)), url_safe
    except ValueError:
        return b"", url_safe


def _matches(data: bytes, pattern: re.Pattern[str]) -> Iterator[Span]:
    text = data.decode("utf-8", "surrogateescape")
    for match in pattern.finditer(text):
        if match.end() > match.start():
            start = match.start() if data.isascii() else len(text[: match.start()].encode("utf-8", "surrogateescape"))
            yield Span(start, start + len(match[0].encode("utf-8", "surrogateescape")), "custom")


def apart(data: bytes, found: list[Span]) -> list[Span]:
    """The spans in order; of those that overlap the union, under the kind of the first told; placeholders are left."""
    united: list[Span] = []
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        last = united[-1] if united else None
        if last is not None and span.start < last.end:
            # a form is more telling than a name
            kind = last.kind if told_by_form(last.kind) else span.kind
            inside = last.instead if span.end <= last.end and span.instead is None else None
            united[-1] = Span(last.start, max(last.end, span.end), kind, inside)
        else:
            united.append(span)
    return list(_outside(data, united)) if b"REDACTED-" in data else united


_BY_NAME: Final = frozenset(
    [
        "api-key",
        "authorization",
        "basic-credentials",
        "bearer-token",
        "cookie",
        "custom",
        "password",
        "secret",
        "signature",
        "token",
    ]
)


def told_by_form(kind: str) -> bool:
    """Whether it was the secret's own letters that told it, not a name beside it."""
    return kind not in _BY_NAME


def _outside(data: bytes, spans: list[Span]) -> Iterator[Span]:
    """What of the spans is no placeholder of ours already."""
    for span in spans:
        at = span.start
        for kept in () if span.instead is not None else _placeholders_near(data, span):
            if kept.start() > at:
                yield Span(at, kept.start(), span.kind)
            at = max(at, kept.end())
        if at < span.end:
            yield span if at == span.start else Span(at, span.end, span.kind)


def _placeholders_near(data: bytes, span: Span) -> Iterator[re.Match[bytes]]:
    """The placeholders that a span touches; one may begin before it, or end behind it."""
    start = max(span.start - _LONGEST_PLACEHOLDER, 0)
    for kept in PLACEHOLDERS.finditer(data, start, span.end + _LONGEST_PLACEHOLDER):
        if kept.end() > span.start and kept.start() < span.end:
            yield kept
