"""Bodies as a recording may keep them: JSON, streams, forms, texts, packed or not; in the shape in which they came."""

import gzip
import json
import re
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from pytest_tokenbudget.traffic.redaction.events import clean_texts
from pytest_tokenbudget.traffic.redaction.findings import placeholder, spliced
from pytest_tokenbudget.traffic.redaction.frames import Frame, frames_of, joined
from pytest_tokenbudget.traffic.redaction.headers import first_values
from pytest_tokenbudget.traffic.redaction.names import secret_name
from pytest_tokenbudget.traffic.redaction.sightings import Sightings
from pytest_tokenbudget.traffic.redaction.text import secrets_in, told_by_form
from pytest_tokenbudget.traffic.redaction.urls import clean_pairs
from pytest_tokenbudget.wire.eventstream import is_framed
from pytest_tokenbudget.wire.framing import DecodeError, unpacked

__all__ = ["clean_body", "clean_packed"]

Custom = tuple[re.Pattern[str], ...]

_DEEPEST: Final = 3
_MOST_ROUNDS: Final = 4
_EVENT_STARTS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_ROWS: Final = re.compile(rb"[}\]]\s*\r?\n\s*[{\[]")
_LINES: Final = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_DATA: Final = re.compile(rb"data:[ \t]*")
_CHUNK: Final = re.compile(rb'"bytes"\s*:\s*"([A-Za-z0-9+/=]*)"')
_PART_NAME: Final = re.compile(rb'(?i)[;\s]name="([^"\r\n]{0,200})"')
_SYNTAX: Final = frozenset(b'"\\{}[]')
_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)"?')


def clean_body(
    body: bytes, headers: dict[str, list[str]], custom: Custom, seen: Sightings
) -> tuple[bytes, dict[str, list[str]]]:
    """A body without its secrets, and its headers.

    One that came encoded, and in which something was found, comes back decoded and without `content-encoding`. What
    nothing here can decode may hold anything: its digest takes its place.

    Args:
        body: The body, still encoded as its headers say, or decoded already.
        headers: Those that are kept.
        custom: The user's patterns.
        seen: Takes in what was found.
    """
    if not body:
        return body, headers
    told = first_values(headers)
    try:
        plain = unpacked(body, told)
    except DecodeError:
        if not _is_text(body):
            seen.add("unreadable-body", "body")
            return placeholder("unreadable-body") + b"-" + sha256(body).hexdigest()[:16].encode(), _decoded(headers)
        plain = body
    cleaned = _clean(plain, told, custom, seen, depth=0)
    if cleaned == plain:
        return body, headers
    return cleaned, headers if plain is body else _decoded(headers)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decoded(headers: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in headers.items() if name.lower() != "content-encoding"}


def _clean(body: bytes, headers: dict[str, str], custom: Custom, seen: Sightings, *, depth: int) -> bytes:
    """Clean until nothing more is found: what a secret hid may show another one."""
    for _ in range(_MOST_ROUNDS):
        cleaned = _clean_once(body, headers, custom, seen, depth=depth)
        if cleaned == body:
            break
        body = cleaned
    return body


def _clean_once(body: bytes, headers: dict[str, str], custom: Custom, seen: Sightings, *, depth: int) -> bytes:
    def nested(held: bytes) -> bytes:
        return clean_packed(held, custom, depth + 1)

    label = headers.get("content-type", "").lower()
    if is_framed(body, headers):
        return _clean_frames(body, custom, seen, nested)
    if label.startswith("multipart/") and (named := _BOUNDARY.search(headers["content-type"])):
        return _clean_parts(body, b"--" + named[1].strip().encode(), custom, seen, nested)
    if label.startswith("application/x-www-form-urlencoded"):
        return clean_pairs(body, custom, seen, "body", nested)
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(_EVENT_STARTS):
        return _clean_lines(body, custom, seen, nested)
    if start[:1] in {b"{", b"[", b'"'}:
        if b"\n" in body and (b"\n{" in body or b"\n[" in body) and _ROWS.search(body) is not None:
            return _clean_lines(body, custom, seen, nested)
        (cleaned,), doubtful = clean_texts([body], custom, seen, "body", nested)
        return _clean_leftovers(cleaned, custom, seen, nested) if doubtful else cleaned
    return _clean_text(body, custom, seen, "body", nested)


def clean_packed(held: bytes, custom: Custom, depth: int = 1) -> bytes:
    """Clean what was packed in a text; a packed text in it is looked into, but not for ever."""
    if depth > _DEEPEST:
        return held
    hidden = Sightings()
    if held[:2] == b"\x1f\x8b":
        try:
            plain = unpacked(held, {})
        except DecodeError:
            return held
        cleaned = _clean(plain, {}, custom, hidden, depth=depth)
        return held if cleaned == plain else gzip.compress(cleaned, mtime=0)
    return _clean(held, {}, custom, hidden, depth=depth)


def _clean_text(body: bytes, custom: Custom, seen: Sightings, place: str, nested: Callable[[bytes], bytes]) -> bytes:
    spans = secrets_in(body, custom, nested)
    for span in spans:
        seen.add(span.kind, place)
    return spliced(body, spans) if spans else body


def _clean_leftovers(text: bytes, custom: Custom, seen: Sightings, nested: Callable[[bytes], bytes]) -> bytes:
    """What stands beside the strings, or all of a text that only begins like JSON, as the lines of many logs do.

    Of what is JSON, only forms that no syntax depends on: names and values were seen with their strings.
    """
    spans = secrets_in(text, custom, nested)
    if spans and _is_json(text):
        spans = [
            span for span in spans if told_by_form(span.kind) and not _SYNTAX.intersection(text[span.start : span.end])
        ]
    for span in spans:
        seen.add(span.kind, "body")
    return spliced(text, spans) if spans else text


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _clean_lines(body: bytes, custom: Custom, seen: Sightings, nested: Callable[[bytes], bytes]) -> bytes:
    """Server-sent events, or JSON line by line."""
    lines = _LINES.findall(body)
    events: list[tuple[int, bytes, bytes]] = []
    for number, line in enumerate(lines):
        data = _DATA.match(line)
        prefix = data[0] if data is not None else b""
        rest = line[len(prefix) :]
        if rest[:1] in {b"{", b"[", b'"'} and not rest.startswith(b"[DONE]"):
            events.append((number, prefix, rest))
        elif len(line.strip()) > len(b"event: "):
            lines[number] = _clean_text(line, custom, seen, "body", nested)
    cleaned, doubtful = clean_texts([rest for _, _, rest in events], custom, seen, "body", nested)
    for (number, prefix, _), text in zip(events, cleaned, strict=True):
        lines[number] = prefix + (_clean_leftovers(text, custom, seen, nested) if doubtful else text)
    return b"".join(lines)


def _clean_frames(body: bytes, custom: Custom, seen: Sightings, nested: Callable[[bytes], bytes]) -> bytes:
    """AWS's binary events: JSON, or JSON packed in base64 under `bytes`."""
    frames = frames_of(body)
    chunks = [_CHUNK.search(frame.payload) for frame in frames]
    texts = [
        frame.payload if chunk is None else _from_base64(chunk[1]) for frame, chunk in zip(frames, chunks, strict=True)
    ]
    cleaned, doubtful = clean_texts(texts, custom, seen, "body", nested)
    if doubtful:  # what is cut off is no JSON
        cleaned = [_clean_leftovers(text, custom, seen, nested) for text in cleaned]
    if cleaned == texts:
        return body
    again = []
    for frame, chunk, text, new in zip(frames, chunks, texts, cleaned, strict=True):
        payload = frame.payload
        if new != text:
            payload = new if chunk is None else payload[: chunk.start(1)] + b64encode(new) + payload[chunk.end(1) :]
        again.append(Frame(frame.headers, payload))
    return joined(again)


def _from_base64(text: bytes) -> bytes:
    try:
        return b64decode(text)
    except NoBase64:
        return b""


def _clean_parts(
    body: bytes, boundary: bytes, custom: Custom, seen: Sightings, nested: Callable[[bytes], bytes]
) -> bytes:
    """A multipart body, part by part; a field that is named like a secret is one."""
    parts = body.split(boundary)
    for number, part in enumerate(parts):
        head, gap, content = part.partition(b"\r\n\r\n")
        if not gap:
            continue
        end = b"\r\n" if content.endswith(b"\r\n") else b""
        said = content.removesuffix(b"\r\n")
        name = _PART_NAME.search(head)
        kind = secret_name(name[1], said) if name is not None else None
        if kind is not None:
            seen.add(kind, "body")
            said = placeholder(kind)
        else:
            said = _clean(said, {}, custom, seen, depth=0)
        parts[number] = _clean_text(head, custom, seen, "body", nested) + gap + said + end
    return boundary.join(parts)
