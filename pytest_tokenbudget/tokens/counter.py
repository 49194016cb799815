"""A fast local token count for prompt segments.

It says how large a part of a prompt is, and how two versions of it differ. It is an estimate of its own kind: close to
OpenAI's `o200k_base` on what agents send, equal to no provider's count, and never scaled to a billed total. How it was
fitted, and how far off it is, stands in docs/decisions/0004-segment-token-counter.md.

Every byte of the UTF-8 text has a fixed weight in thirty-seconds of a token, and the count is their sum. Two passes
written in C do it: `bytes.translate` puts each byte's weight in its place, and Adler-32, whose low half is by
definition (RFC 1950, section 8.2) the plain sum of the bytes modulo 65521, adds them up.
"""

from typing import Final
from zlib import adler32

__all__ = ["COUNTER", "count"]

COUNTER: Final = "tb1"
"""The counter's name. Its counts are stored in runs and locks, so other weights must come under another name."""

_UNIT: Final = 32

# Common letters hide inside longer words' tokens; rare ones, capitals, digits and stops begin tokens of their own.
# A space mostly joins the next word's token, a line break does not.
_ASCII: Final = {
    "cdflnsty": 3,
    "abeghimopruw": 5,
    "jkqvxz": 25,
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ": 16,
    "0123456789": 25,
    " ": 6,
    "\n": 41,
    "\t\r": 32,
    "\"'`": 10,
    "(){}[]<>=#": 3,
    ".,": 43,
    "-/": 26,
    ":;_": 3,
    "!$%&*+?@\\^|~": 20,
}
_CONTROL: Final = 8

# Beyond ASCII the first byte of a character tells its block; the bytes after it weigh nothing.
_LEAD_BYTES: Final = (
    (0xC0, 0xCB, 37),  # Latin with diacritics
    (0xCC, 0xDF, 10),  # Greek, Cyrillic, Hebrew, Arabic
    (0xE0, 0xE1, 13),  # the scripts of India and South-East Asia
    (0xE2, 0xE2, 48),  # punctuation, arrows, boxes
    (0xE3, 0xE3, 21),  # kana
    (0xE4, 0xE9, 28),  # Chinese characters
    (0xEA, 0xEF, 20),  # Hangul, full-width forms
    (0xF0, 0xFF, 56),  # emoji
)


def _weights() -> bytes:
    table = [_CONTROL] * 128 + [0] * 128
    for characters, weight in _ASCII.items():
        for character in characters:
            table[ord(character)] = weight
    for first, last, weight in _LEAD_BYTES:
        table[first : last + 1] = [weight] * (last + 1 - first)
    return bytes(table)


_WEIGHTS: Final = _weights()
_CHUNK: Final = 65_520 // max(_WEIGHTS)
"""Bytes whose weights cannot sum to 65521, where Adler-32 would wrap."""


def count(text: str) -> int:
    """Estimate the tokens of a text: 0 for an empty one, at least 1 otherwise.

    Deterministic across platforms, Python versions and how the string is stored; lone surrogates are counted too.
    """
    if not text:
        return 0
    weights = text.encode("utf-8", "surrogatepass").translate(_WEIGHTS)
    if len(weights) <= _CHUNK:
        total = adler32(weights, 0) & 0xFFFF
    else:
        total = sum([adler32(weights[start : start + _CHUNK], 0) & 0xFFFF for start in range(0, len(weights), _CHUNK)])
    return max(1, (total + _UNIT // 2) // _UNIT)
