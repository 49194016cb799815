"""JSON texts without their secrets: one document, or the events of a stream, where a secret may be cut in two.

A model that says a key says it token by token. So what a stream says piece by piece is put together again, by what it
belongs to, and searched as a whole; a secret's placeholder stands where the secret begins, and the rest of it is gone.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.traffic.redaction.findings import Span, placeholder, spliced
from pytest_tokenbudget.traffic.redaction.names import secret_name
from pytest_tokenbudget.traffic.redaction.sightings import Sightings
from pytest_tokenbudget.traffic.redaction.strings import Leaf, decoded, encoded, strings
from pytest_tokenbudget.traffic.redaction.text import Nested, apart, clean_text, secrets_in

__all__ = ["clean_texts"]

_PIECES: Final = (
    b"text content delta partial_json arguments thinking reasoning reasoning_content reasoning_text input refusal "
    b"transcript value output_text response code output summary completion outputText generation message data".split()
)
"""The names under which streams send texts in pieces."""

_PIECE: Final = re.compile(rb'"(' + b"|".join(_PIECES) + rb')"\s*:\s*\[?\s*"((?:[^"\\]|\\.)*+)"', re.DOTALL)

_POSITIONS: Final = re.compile(
    rb'"(?:index|output_index|content_index|summary_index|contentBlockIndex)"\s*:\s*([0-9]{1,9})|"type"\s*:\s*"([^"\\]{1,80})"'
)
_ODD_ESCAPE: Final = re.compile(rb"\\u00[2-7]|\\/")
"""Escapes of letters that need none; behind them a secret does not look like one."""


class _Piece(Struct, gc=False):
    event: int
    start: int
    end: int
    said: bytes


def clean_texts(
    texts: Sequence[bytes], custom: tuple[re.Pattern[str], ...], seen: Sightings, place: str, nested: Nested
) -> tuple[list[bytes], bool]:
    """Clean JSON texts; those without a secret come back as they are.

    Also says whether anything looked like a secret, which may then stand beside the strings, or be no JSON at all.

    Args:
        texts: One document, or the events of one stream in order.
        custom: The user's patterns.
        seen: Takes in what was found.
        place: What the texts are part of.
        nested: What cleans packed texts.
    """
    edits: defaultdict[int, dict[int, tuple[int, bytes]]] = defaultdict(dict)
    # pieces first: once a piece that shows its secret is cleaned, nothing tells that the next one is the rest of it
    for pieces in _channels(texts).values():
        for piece, kinds, cleaned in _clean_channel(pieces, texts, custom, nested):
            edits[piece.event][piece.start] = piece.end, cleaned
            for kind in kinds:
                seen.add(kind, f"{place} {_path(texts[piece.event], piece.start, custom)}")
    texts = _edited(texts, edits)
    if not _is_doubtful(texts[0] if len(texts) == 1 else b"\n".join(texts), custom, nested):
        return texts, bool(edits)
    edits.clear()
    for event, text in enumerate(texts):
        for leaf in strings(text):
            content = text[leaf.start : leaf.end]
            if (cleaned_leaf := _clean_leaf(leaf, content, custom, seen, place, nested)) is not None:
                edits[event][leaf.start] = leaf.end, cleaned_leaf
    return _edited(texts, edits), True


def _channels(texts: Sequence[bytes]) -> dict[object, list[_Piece]]:
    """What is said in pieces, by what the pieces belong to: a name, and the numbers and the type in the event."""
    channels: defaultdict[object, list[_Piece]] = defaultdict(list)
    if len(texts) == 1 and texts[0].lstrip()[:1] != b"[":
        return channels
    for event, text in enumerate(texts):
        told = tuple(_POSITIONS.findall(text)) if len(texts) > 1 else ()
        places: defaultdict[bytes, int] = defaultdict(int)
        for found in _PIECE.finditer(text):
            if said := decoded(found[2]):
                # of a whole stream in one list, the position in an event cannot be told
                place = places[found[1]] if len(texts) > 1 else 0
                channels[told, found[1], place].append(_Piece(event, *found.span(2), said))
                places[found[1]] += 1
    return {told: pieces for told, pieces in channels.items() if len(pieces) > 1}


def _path(text: bytes, start: int, custom: tuple[re.Pattern[str], ...]) -> str:
    leaf = next((leaf for leaf in strings(text) if leaf.start == start), None)
    return leaf.path(partial(clean_text, custom=custom)) if leaf is not None else "$"


def _is_doubtful(text: bytes, custom: tuple[re.Pattern[str], ...], nested: Nested) -> bool:
    if b"\\" in text and (custom or _ODD_ESCAPE.search(text) is not None):
        return True
    return bool(secrets_in(text, custom, nested))


def _clean_leaf(
    leaf: Leaf, content: bytes, custom: tuple[re.Pattern[str], ...], seen: Sightings, place: str, nested: Nested
) -> bytes | None:
    """The content of a string without its secrets; `None` where there is none."""
    said = decoded(content)
    raw = said is None
    said = content if said is None else said
    spans = _spans(leaf, said, custom, nested)
    if not spans:
        return None
    for span in spans:
        seen.add(span.kind, f"{place} {leaf.path(partial(clean_text, custom=custom))}")
    cleaned = spliced(said, spans)
    return cleaned if raw else encoded(cleaned, content)


def _spans(leaf: Leaf, said: bytes, custom: tuple[re.Pattern[str], ...], nested: Nested) -> list[Span]:
    spans = secrets_in(said, custom, nested)
    kind = None if leaf.key else secret_name(leaf.name, said)
    return spans if kind is None else apart(said, [*spans, Span(0, len(said), kind)])


def _clean_channel(
    pieces: list[_Piece], texts: Sequence[bytes], custom: tuple[re.Pattern[str], ...], nested: Nested
) -> Iterator[tuple[_Piece, list[str], bytes]]:
    """Clean what was said in pieces; yields those that change, with what was found in them and their new contents."""
    whole = b"".join([piece.said for piece in pieces])
    spans = secrets_in(whole, custom, nested)
    at = 0
    for piece in pieces if spans else ():
        start, at = at, at + len(piece.said)
        mine = [_within(span, start, at) for span in spans if span.start < at and span.end > start]
        if mine:
            content = texts[piece.event][piece.start : piece.end]
            yield piece, [span.kind for span in mine], encoded(spliced(piece.said, mine), content)


def _within(span: Span, start: int, end: int) -> Span:
    """The part of a span that lies in a piece; its placeholder stands where it begins."""
    instead = span.instead if span.instead is not None else placeholder(span.kind)
    return Span(
        max(span.start, start) - start, min(span.end, end) - start, span.kind, instead if span.start >= start else b""
    )


def _edited(texts: Sequence[bytes], edits: Mapping[int, dict[int, tuple[int, bytes]]]) -> list[bytes]:
    return [_put(text, edits[event]) if event in edits else text for event, text in enumerate(texts)]


def _put(text: bytes, edits: dict[int, tuple[int, bytes]]) -> bytes:
    parts: list[bytes] = []
    at = 0
    for start, (end, cleaned) in sorted(edits.items()):
        parts += text[at:start], cleaned
        at = end
    return b"".join([*parts, text[at:]])
