"""JSON texts without their secrets: one document, or the events of a stream, where a secret may be cut in two.

A model that says a key says it token by token. So what a stream says piece by piece is put together again, by what it
belongs to, and searched as a whole; a secret's placeholder stands where the secret begins, and the rest of it is gone.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.traffic.redaction.findings import Span, placeholder, spliced
from pytest_tokenbudget.traffic.redaction.names import secret_name
from pytest_tokenbudget.traffic.redaction.sightings import Sightings
from pytest_tokenbudget.traffic.redaction.strings import Leaf, decoded, encoded, strings
from pytest_tokenbudget.traffic.redaction.text import Nested, apart, clean_text, secrets_in

__all__ = ["clean_texts"]

_PIECES: Final = frozenset(
    b"text content delta partial_json arguments thinking reasoning reasoning_content reasoning_text input refusal "
    b"transcript value output_text response code output summary completion outputText generation message data".split()
)
"""The names under which streams send texts in pieces."""

_POSITIONS: Final = re.compile(
    rb'"(?:index|output_index|content_index|summary_index|contentBlockIndex)"\s*:\s*([0-9]{1,9})|"type"\s*:\s*"([^"\\]{1,80})"'
)
_ODD_ESCAPE: Final = re.compile(rb"\\u00[2-7]|\\/")
"""Escapes of letters that need none; behind them a secret does not look like one."""


class _Piece(Struct, gc=False):
    event: int
    leaf: Leaf
    said: bytes


def clean_texts(
    texts: Sequence[bytes], custom: tuple[re.Pattern[str], ...], seen: Sightings, place: str, nested: Nested
) -> list[bytes]:
    """Clean JSON texts; those without a secret come back as they are.

    Args:
        texts: One document, or the events of one stream in order.
        custom: The user's patterns.
        seen: Takes in what was found.
        place: What the texts are part of.
        nested: What cleans packed texts.
    """
    edits: defaultdict[int, dict[int, tuple[int, bytes]]] = defaultdict(dict)
    channels: defaultdict[object, list[_Piece]] = defaultdict(list)
    streamed = len(texts) > 1
    for event, text in enumerate(texts):
        in_parts = streamed or text.lstrip()[:1] == b"["
        doubtful = _is_doubtful(text, custom, nested)
        if not in_parts and not doubtful:
            continue
        told = tuple(_POSITIONS.findall(text)) if streamed else ()
        for leaf in strings(text):
            content = text[leaf.start : leaf.end]
            if in_parts and not leaf.key and leaf.name in _PIECES:
                said = decoded(content)
                if said:
                    steps = leaf.steps if streamed else leaf.steps[1:]
                    channels[told, steps].append(_Piece(event, leaf, said))
                    continue
            if doubtful and (cleaned := _clean_leaf(leaf, content, custom, seen, place, nested)) is not None:
                edits[event][leaf.start] = leaf.end, cleaned
    for pieces in channels.values():
        for piece, cleaned in _clean_channel(pieces, texts, custom, seen, place, nested):
            edits[piece.event][piece.leaf.start] = piece.leaf.end, cleaned
    return [_edited(text, edits[event]) if event in edits else text for event, text in enumerate(texts)]


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
    pieces: list[_Piece],
    texts: Sequence[bytes],
    custom: tuple[re.Pattern[str], ...],
    seen: Sightings,
    place: str,
    nested: Nested,
) -> list[tuple[_Piece, bytes]]:
    """Clean what was said in pieces; returns those that changed, with their new contents."""
    whole = b"".join(piece.said for piece in pieces)
    found = secrets_in(whole, custom, nested)
    if len(pieces) > 1:
        at = 0
        for piece in pieces:
            # a piece may look like a secret by itself, and not behind the letters before it
            found += (
                span._replace(start=span.start + at, end=span.end + at)
                for span in _spans(piece.leaf, piece.said, custom, nested)
            )
            at += len(piece.said)
    else:
        found = _spans(pieces[0].leaf, whole, custom, nested)
    if not found:
        return []
    spans = apart(whole, found)
    changed: list[tuple[_Piece, bytes]] = []
    at = 0
    for piece in pieces:
        start, at = at, at + len(piece.said)
        mine = [_within(span, start, at) for span in spans if span.start < at and span.end > start]
        if mine:
            for span in mine:
                seen.add(span.kind, f"{place} {piece.leaf.path(partial(clean_text, custom=custom))}")
            content = texts[piece.event][piece.leaf.start : piece.leaf.end]
            changed.append((piece, encoded(spliced(piece.said, mine), content)))
    return changed


def _within(span: Span, start: int, end: int) -> Span:
    """The part of a span that lies in a piece; its placeholder stands where it begins."""
    instead = span.instead if span.instead is not None else placeholder(span.kind)
    return Span(
        max(span.start, start) - start, min(span.end, end) - start, span.kind, instead if span.start >= start else b""
    )


def _edited(text: bytes, edits: dict[int, tuple[int, bytes]]) -> bytes:
    parts: list[bytes] = []
    at = 0
    for start, (end, cleaned) in sorted(edits.items()):
        parts += text[at:start], cleaned
        at = end
    return b"".join([*parts, text[at:]])
