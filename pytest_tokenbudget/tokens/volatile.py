"""Parts that look as if they changed at every run: dates, ids, counters, the same lines in another order.

They break the provider's cache and the recording alike, at every run, and nobody meant them to.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.tokens.differences import Difference, shared

__all__ = ["volatile_parts"]

_MONTH: Final = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*"
_DAY: Final = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
_KINDS: Final = (
    ("an id", re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)),
    (
        "a date",
        re.compile(
            rf"\b\d{{4}}[-/.]\d\d?[-/.]\d\d?\b|\b\d\d?[-/.]\d\d?[-/.](?:\d{{4}}|\d\d)\b"
            rf"|\b(?:{_DAY},?\s+)?(?:{_MONTH}\.?\s+\d\d?(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?|\d\d?(?:st|nd|rd|th)?\s+{_MONTH}\.?"
            rf"(?:,?\s+\d{{4}})?)\b|\b{_DAY}\b",
            re.IGNORECASE,
        ),
    ),
    (
        "a time",
        re.compile(
            r"(?:\bT)?\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?\s*(?:[ap]\.?m\.?\b)?(?:\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)\b)?"
            r"|\b1[5-9]\d{8}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?\b",
            re.IGNORECASE,
        ),
    ),
    ("an id", re.compile(r"\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", re.IGNORECASE)),
    ("an id", re.compile(r"\b[A-Za-z]{2,12}[_-](?=[A-Za-z0-9]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{10,}\b")),
    (
        "a counter",
        re.compile(
            r"\b(?:attempt|run|session|request|build|iteration|turn|trace|seed|nonce|counter|number|no\.|ticket|job|pid|port)"
            r"\W{0,3}\d+|\b\d{7,}\b",
            re.IGNORECASE,
        ),
    ),
    (
        "an address in memory or a path",
        re.compile(r"\b0x[0-9a-f]{6,}\b|/tmp/[\w./-]+|/pytest-\d+/[\w./-]*", re.IGNORECASE),
    ),
)
_ORDER: Final = "in another order"
_WORDS: Final = re.compile(r"[^\s,;\[\](){}]+")
_AROUND: Final = 40
"""Characters around a change that tell what it is: `Attempt 3` changed to `Attempt 4` in one digit."""

_MOST_LINES: Final = 12
_LONGEST_LINE: Final = 300
"""What changed in more or longer lines is an edit; patterns take their time."""


def volatile_parts(difference: Difference) -> tuple[str, ...]:
    """Name the changed parts that look so, each with what changed in it, such as `system (a date)`."""
    found: dict[str, dict[str, None]] = {}
    for revision in difference.revisions:
        before, now = revision.before, revision.now
        if before is None or now is None or now.opaque:
            continue
        for kind in _looks(before.text, now.text):
            found.setdefault(_named(now), {})[kind] = None
    if difference.first is not None and not difference.revisions:
        part = difference.first.now or difference.first.before
        if part is not None:
            found.setdefault(part.kind if part.kind == "tools" else "messages", {})[_ORDER] = None
    return tuple(f"{name} ({', '.join(kinds)})" for name, kinds in found.items())


def _named(part: Part) -> str:
    return f"{part.kind} {part.name}" if part.name and part.name != part.kind else part.kind


def _looks(before: str, now: str) -> Iterator[str]:
    """Yield what changed between two texts, of what changes at every run."""
    was, then = Counter(before.splitlines()), Counter(now.splitlines())
    if was == then:
        yield _ORDER
        return
    start, end = shared(before, now)
    start, end = max(0, start - _AROUND), max(0, end - _AROUND)
    was, then = (Counter(text[start : len(text) - end].splitlines()) for text in (before, now))
    lost, found = was - then, then - was
    if len(found) > _MOST_LINES or any(len(line) > _LONGEST_LINE for line in (*lost, *found)):
        return
    bare = {_bare(line): line for line in lost}
    told: set[str] = set()
    for line in found:
        old = bare.get(_bare(line))
        if old is not None:
            told.update(_differing(old, line))
        elif any(_reordered(line, other) for other in lost if len(other) == len(line)):
            told.add(_ORDER)
    yield from sorted(told)


def _bare(line: str) -> str:
    for kind, pattern in _KINDS:
        line = pattern.sub(f"\0{kind}\0", line)
    return line


def _differing(old: str, new: str) -> Iterator[str]:
    """Yield which kinds of values are not the same in two lines that are alike without them."""
    for kind, pattern in _KINDS:
        if pattern.findall(old) != pattern.findall(new):
            yield kind
        old, new = pattern.sub("\0", old), pattern.sub("\0", new)


def _reordered(one: str, other: str) -> bool:
    """Whether two lines hold the same words in another order, as a list written from a set does."""
    words = _WORDS.findall(one)
    return len(words) > 2 and sorted(words) == sorted(_WORDS.findall(other))  # noqa: PLR2004 - two may be a phrase
