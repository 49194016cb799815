"""Gemini's usage metadata.

`promptTokenCount` contains what was read from a cache and excludes what server-side tools brought
(`toolUsePromptTokenCount`); `candidatesTokenCount` excludes `thoughtsTokenCount` (google-genai SDK 3.4,
`GenerateContentResponseUsageMetadata`; 2026). Some models count thoughts among the candidates all the same:
`totalTokenCount` decides, because it adds up in one way only.

Text, images, video and documents are input at one rate, audio at another ("Gemini Developer API pricing",
ai.google.dev, read 2026-11). Cached audio has a rate of its own too, and no class of ours: it keeps a name of its own.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from types import MappingProxyType
from typing import Final, NamedTuple

from pytest_tokenbudget.model.usage import NO_USAGE, Usage
from pytest_tokenbudget.wire.counts import Counts
from pytest_tokenbudget.wire.format import Json

__all__ = ["Names", "gemini_usage"]

_IN_NUMBERS: Final = ("TEXT", "TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT")
"""Where a client asks for enumerations as numbers (`MediaModality`)."""

_TEXTUAL: Final = frozenset({"TEXT", "MODALITY_UNSPECIFIED"})
_IMAGES: Final = ("IMAGE", "DOCUMENT")
"""Pages of documents are read as images."""


class Names(NamedTuple):
    """What the counts are called: in `generateContent`, and in the newer Interactions API.

    Attributes:
        tokens: Slots by key; an empty slot is of no interest.
        details: Slots by the key of a list of modalities.
        number: The key of a modality's count.
        suffix: How the keys of further counts would end.
    """

    tokens: Mapping[str, str]
    details: Mapping[str, str]
    number: str
    suffix: str


_GENERATE: Final = Names(
    tokens={
        "promptTokenCount": "prompt",
        "candidatesTokenCount": "candidates",
        "responseTokenCount": "candidates",
        "cachedContentTokenCount": "cached",
        "thoughtsTokenCount": "thoughts",
        "toolUsePromptTokenCount": "tool use",
        "totalTokenCount": "total",
    },
    details={
        "promptTokensDetails": "prompt",
        "candidatesTokensDetails": "candidates",
        "responseTokensDetails": "candidates",
        "cacheTokensDetails": "cached",
        "toolUsePromptTokensDetails": "tool use",
    },
    number="tokenCount",
    suffix="TokenCount",
)


def gemini_usage(raw: Json, counts: Counts, names: Names = _GENERATE, *, video_is_input: bool = True) -> Usage:
    """The disjoint classes of a usage; all zero, and `counts.known` false, where it tells too little.

    Args:
        raw: The usage object.
        counts: Takes in notes, fees and classes without a name of ours.
        names: What the counts are called.
        video_is_input: Whether video costs what text does, as it does for every model that generates.
    """
    found: dict[str, int] = {}
    for key, slot in names.tokens.items():
        if slot and raw.get(key) is not None:
            _put(found, slot, counts.number(raw[key], key), counts)
    told = {slot: _modalities(raw[key], key, names, counts) for key, slot in names.details.items() if raw.get(key)}
    for key, value in raw.items():
        if type(value) is int and value > 0 and key.endswith(names.suffix) and key not in names.tokens:
            counts.doubt(f"usage.{key} is {value}, and what contains it is not known")
    prompt, output = found.get("prompt"), found.get("candidates")
    if prompt is None and output is None:
        return NO_USAGE
    counts.known = True
    output, thoughts = _output(found, counts)
    if "tool use" not in found:
        told.pop("tool use", None)
    usage = _input(found, told, counts, video_is_input=video_is_input) + _generated(output, thoughts, told, counts)
    if not (counts.fees or counts.other):
        return usage
    return usage + Usage(fees=MappingProxyType(counts.fees), other=MappingProxyType(counts.other))


def _put(found: dict[str, int], slot: str, count: int | None, counts: Counts) -> None:
    if count is None:
        return
    before = found.setdefault(slot, count)
    if before != count:
        counts.doubt(f"usage contradicts itself on the {slot} tokens: {before} and {count}")


def _modalities(value: object, key: str, names: Names, counts: Counts) -> dict[str, int]:
    """Counts by modality, without text, which is what is left of the whole."""
    found: dict[str, int] = {}
    for part in counts.each(value, key):
        kind = part.get("modality")
        if type(kind) is int and 0 <= kind < len(_IN_NUMBERS):
            kind = _IN_NUMBERS[kind]
        name = str(kind or "TEXT").upper()
        count = counts.number(part.get(names.number), f"{key}.{name:.20}") if name not in _TEXTUAL else None
        if count:
            found[name] = found.get(name, 0) + count
    return found


def _output(found: dict[str, int], counts: Counts) -> tuple[int, int]:
    """Generated tokens without thoughts, and thoughts; takes a tool's tokens out where the prompt contains them."""
    prompt, candidates, thoughts = found.get("prompt", 0), found.get("candidates"), found.get("thoughts", 0)
    total = found.get("total")
    if "prompt" not in found:
        counts.doubt("usage lacks the prompt tokens")
    beside = {name: found[name] for name in ("thoughts", "tool use") if found.get(name)}
    if total is None:
        return candidates or 0, thoughts
    if candidates is None:  # absent means 0, unless the total tells of more
        rest = total - prompt - sum(beside.values())
        if rest > 0:
            counts.notes.append(f"usage lacks the output tokens: {rest}, as totalTokenCount leaves them")
        elif rest < 0:
            counts.doubt(_contradiction(prompt, 0, total, beside))
        return max(rest, 0), thoughts
    outside = _outside(total - prompt - candidates, beside)
    if outside is None:
        counts.doubt(_contradiction(prompt, candidates, total, beside))
        return candidates, thoughts
    if "tool use" not in outside:
        found.pop("tool use", None)
    if thoughts and "thoughts" not in outside:
        thoughts = counts.part(candidates, thoughts, "thought tokens")
        candidates -= thoughts
    return candidates, thoughts


def _outside(rest: int, beside: Mapping[str, int]) -> frozenset[str] | None:
    """Which counts stand beside prompt and candidates: all of them, as documented, or the one way that adds up."""
    ways = [names for names in _subsets(tuple(beside)) if sum(beside[name] for name in names) == rest]
    if not ways:
        return None
    if len(ways[0]) == len(beside):
        return frozenset(ways[0])
    # of two equal counts the thoughts are the ones that some models count inside
    return frozenset(max(ways, key=lambda names: "tool use" in names))


def _subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for size in range(len(names), -1, -1):
        yield from combinations(names, size)


def _contradiction(prompt: int, candidates: int, total: int, beside: Mapping[str, int]) -> str:
    return (
        f"usage contradicts itself: totalTokenCount is {total}, prompt and candidates are {prompt} and {candidates}"
        + "".join(f", {name} {count}" for name, count in beside.items())
    )


def _input(
    found: Mapping[str, int], told: Mapping[str, Mapping[str, int]], counts: Counts, *, video_is_input: bool
) -> Usage:
    """What was read: the prompt without its cached part, by what it costs, and what tools brought."""
    prompt, brought = found.get("prompt", 0), found.get("tool use", 0)
    cached = counts.part(prompt, found.get("cached", 0), "cached tokens")
    of_cache = told.get("cached", {})
    asked = told.get("prompt", {})
    if cached and "AUDIO" in asked and "cached" not in told:
        counts.doubt("usage does not tell how many audio tokens were cached")
    cached_audio = counts.part(cached, of_cache.get("AUDIO", 0), "cached audio tokens")
    left = prompt - cached
    by_kind: dict[str, int] = {}
    for kind in asked:
        count = asked[kind]
        in_cache = counts.part(count, of_cache.get(kind, 0), f"cached {kind.lower()} tokens")
        fresh = count - in_cache
        if fresh > left and "cached" not in told and cached >= fresh - left:
            counts.notes.append(f"at least {fresh - left} of {count} {kind.lower()} tokens were cached")
            fresh = left
        by_kind[kind] = counts.part(left, fresh, f"{kind.lower()} tokens")
        left -= by_kind[kind]
    plain = left + brought
    for kind, count in told.get("tool use", {}).items():
        fresh = counts.part(brought, count, f"{kind.lower()} tokens from tools")
        by_kind[kind] = by_kind.get(kind, 0) + fresh
        brought -= fresh
        plain -= fresh
    if video_is_input:
        plain += by_kind.pop("VIDEO", 0)
    audio = by_kind.pop("AUDIO", 0)
    image = sum(by_kind.pop(kind, 0) for kind in _IMAGES)
    for kind, count in by_kind.items():
        _keep(f"input_{kind.lower():.20}", count, counts)
    _keep("cache_read_audio", cached_audio, counts)
    return Usage(input=plain, cache_read=cached - cached_audio, input_audio=audio, input_image=image)


def _generated(output: int, thoughts: int, told: Mapping[str, Mapping[str, int]], counts: Counts) -> Usage:
    by_kind: dict[str, int] = {}
    for kind, count in told.get("candidates", {}).items():
        by_kind[kind] = counts.part(output, count, f"{kind.lower()} tokens")
        output -= by_kind[kind]
    spoken, drawn = by_kind.pop("AUDIO", 0), by_kind.pop("IMAGE", 0)
    for kind, count in by_kind.items():
        _keep(f"output_{kind.lower():.20}", count, counts)
    return Usage(output=output, thinking=thoughts, output_audio=spoken, output_image=drawn)


def _keep(name: str, count: int, counts: Counts) -> None:
    if count:
        counts.other[name] = counts.other.get(name, 0) + count
