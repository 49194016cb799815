"""Bedrock's own counts: the usage of Converse, the metrics that end a stream, and those in headers.

`inputTokens` excludes what was read from and written to the cache, and `totalTokens` adds all four up (botocore 1.44,
`TokenUsage`; "Prompt caching", Amazon Bedrock user guide, 2026). One exception was measured: of OpenAI's models the
stream reports `inputTokens` with the cached ones inside, and a `totalTokens` that counts those twice, where the same
prompt without streaming follows the rule (maximhq/bifrost 6942, earendil-works/pi 8752; 2026).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pytest_tokenbudget.model.usage import NO_USAGE, Usage
from pytest_tokenbudget.wire.counts import Counts, text
from pytest_tokenbudget.wire.format import Json

__all__ = ["bedrock_usage", "counts_in_headers"]

_CLASSES: Final = {
    "inputTokens": "input",
    "inputTokenCount": "input",
    "outputTokens": "output",
    "outputTokenCount": "output",
    "totalTokens": "total",
    "cacheReadInputTokens": "cache read",
    "cacheReadInputTokenCount": "cache read",
    "cacheWriteInputTokens": "cache write",
    "cacheWriteInputTokenCount": "cache write",
}
_HEADERS: Final = {
    "x-amzn-bedrock-input-token-count": "inputTokenCount",
    "x-amzn-bedrock-output-token-count": "outputTokenCount",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokenCount",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokenCount",
}
_DIGITS: Final = re.compile("[0-9]{1,18}")
"""Python refuses to read thousands of digits; nobody counts to a quintillion."""

_COUNTS: Final = ("Tokens", "TokenCount")
_LIFETIMES: Final = ("5m", "1h")


def counts_in_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    """The token counts that InvokeModel tells beside the body, under the names they have in metrics."""
    return {name: _whole(headers[header]) for header, name in _HEADERS.items() if header in headers}


def _whole(value: str) -> object:
    """The number in a header; text that is none stays, to be noted as no count."""
    return int(value) if _DIGITS.fullmatch(value) else value


def bedrock_usage(
    raw: Json, counts: Counts, *, gross: bool = False, hour: bool = False, no_output: bool = False
) -> Usage:
    """The disjoint classes; all zero, and `counts.known` false, where too little is told.

    Args:
        raw: The usage object, the metrics, or the counts of the headers.
        counts: What is said about them.
        gross: Whether `inputTokens` is known to hold the cached ones too.
        hour: Whether the request asks for a cache that lives an hour.
        no_output: Whether nothing is generated, so that no output need be told.
    """
    found: dict[str, int] = {}
    counts.tally(found, raw, _CLASSES)
    total = found.pop("total", None)
    if not found:
        return NO_USAGE
    counts.known = True
    if no_output:
        found.setdefault("output", 0)
    for name in ("input", "output"):
        if name not in found:
            counts.doubt(f"usage lacks {name} tokens")
    given, output = found.get("input", 0), found.get("output", 0)
    cached, written = found.get("cache read", 0), found.get("cache write", 0)
    _check_total(total, given, output, cached + written, counts)
    if gross and given >= cached + written > 0:
        counts.notes.append("the stream counts cached tokens in inputTokens too: they were taken out")
        given -= cached + written
    details = counts.each(raw.get("cacheDetails"), "cacheDetails")
    if hour and written and not details:
        counts.doubt(f"an hour of caching was asked for, and usage does not say how long {written} tokens are cached")
    five, long = _writes(details, written, counts)
    _nameless(raw, counts)
    tools = counts.inside(raw.get("serverToolUsage"), "serverToolUsage")
    for name in tools:
        counts.fee(name, counts.take(tools, name))
    return Usage(
        input=given,
        cache_read=cached,
        cache_write=five,
        cache_write_1h=long,
        output=output,
        fees=MappingProxyType(counts.fees),
        other=MappingProxyType(counts.other),
    )


def _check_total(total: int | None, given: int, output: int, cache: int, counts: Counts) -> None:
    if total is None or total == given + output + cache:
        return
    if total == given + output and cache > given:
        counts.notes.append(f"totalTokens is {total}, without the {cache} cached ones")
        return
    counts.doubt(
        f"usage contradicts itself: totalTokens is {total}, input and output are {given} and {output}, cached {cache}"
    )


def _writes(details: list[Json], written: int, counts: Counts) -> tuple[int, int]:
    """Cache writes that live five minutes, and those that live an hour."""
    split = dict.fromkeys(_LIFETIMES, 0)
    for entry in details:
        lifetime = text(entry.get("ttl")) or "unknown"
        count = counts.take(entry, "inputTokens")
        if lifetime in split:
            split[lifetime] += count
        elif count:  # a lifetime without a name of ours has a price of its own
            counts.other[f"cache_write_{lifetime}"] = counts.other.get(f"cache_write_{lifetime}", 0) + count
            written -= counts.part(written, count, f"tokens cached for {lifetime}")
    five, hour = split["5m"], split["1h"]
    if five + hour > written:
        counts.doubt(f"usage contradicts itself: {written} cache-written tokens, {five} for 5m and {hour} for 1h")
        return min(five, written), written - min(five, written)
    if hour and five + hour < written:
        counts.doubt(f"usage does not say how long {written - five - hour} of {written} tokens are cached")
    # without details all of them have the default lifetime, five minutes
    return written - hour, hour


def _nameless(raw: Json, counts: Counts) -> None:
    for key, value in raw.items():
        if key not in _CLASSES and key.endswith(_COUNTS) and type(value) is int and value > 0:
            counts.doubt(f"usage.{key} is {value}, and which class contains it is not told")
