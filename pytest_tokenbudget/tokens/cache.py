"""What a changed prompt still reads from the provider's cache, and what it must write there.

A cache holds prefixes, so nothing after the first difference can be read from it. That is all that is simulated: an
edit may only invalidate what the recording read, never invent a hit. Whether a hit happens at all is the provider's
affair, and simulation alone predicts too many (12 of 59 of OpenAI's calls, 46 of 54 of Gemini's).
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.tokens.differences import same_bytes
from pytest_tokenbudget.tokens.sample import Sample

__all__ = ["DOUBT", "Split", "cold", "split"]

_LEAST_OPENAI: Final = 1024
_STEP_OPENAI: Final = 128
"""OpenAI: "caching is available for prompts containing 1024 tokens or more", in "128 token increments" (2026)."""

_AUTOMATIC_BY_STEPS: Final = frozenset({"openai", "azure"})
_LEAST_CLAUDE: Final = (
    (re.compile(r"opus-4[.-][5-9]|haiku-4[.-]5"), 4096),
    (re.compile(r"haiku-3|3[.-]5-haiku|3-haiku|sonnet-4[.-]6|4[.-]6-sonnet"), 2048),
)
_LEAST: Final = 1024
"""Anthropic's least cacheable prefix where no pattern fits. Source: platform.claude.com, "Prompt caching" (2026)."""

DOUBT: Final = 0.03
"""A prefix that seems shorter than what was read by no more than this share is taken for what was read."""

_MUCH: Final = 4
_MOST_EARLIER: Final = 16
_HOUR: Final = 3600
_HEAD: Final = frozenset({"tools", "system", "schema"})
_NAMED: Final = frozenset({"cachedContent", "cached_content"})
"""Gemini's caches that are created and named: they stay warm whatever the prompt is."""


class Split(Struct, frozen=True, kw_only=True, gc=False):
    """Input tokens other than media, by what is paid for them."""

    input: int
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0


def split(
    before: Sample, now: Prompt, total: int, weigh: Callable[[Part], float], earlier: Sequence[Prompt] = ()
) -> Split:
    """Divide a prompt's input into what is read from the cache, written to it, and neither.

    Args:
        before: What was recorded.
        now: What is sent.
        total: The input's tokens now, media left out.
        weigh: A part's weight in the provider's tokens.
        earlier: What the same test has sent before, as sent now: what it begins with has been cached since.
    """
    usage = before.usage
    read, written = usage.cache_read, usage.cache_write + usage.cache_write_1h
    if not (read or written or now.breakpoints):
        return Split(input=total)
    whole = _text_input(usage)
    if total == whole and before.prompt == replace(now, state=before.prompt.state):
        return _recorded(usage)
    kept = min(read, total, _still_cached(before, now, total, whole, weigh, earlier)) if read else 0
    if not (now.breakpoints or written):
        return Split(input=total - kept, cache_read=kept)
    marked = _marked(before, now, total, whole, weigh)
    kept = min(kept, marked)
    hour = _an_hour(before, now, total, marked, weigh)
    return Split(
        input=total - marked,
        cache_read=kept,
        cache_write=max(0, marked - max(kept, hour)),
        cache_write_1h=max(0, hour - kept),
    )


def cold(found: Split, now: Prompt) -> Split:
    """The same input with nothing read from a cache: what would be read is written, where there are marks for that."""
    if _named(now):
        return found
    if not (now.breakpoints or found.cache_write or found.cache_write_1h):
        return Split(input=found.input + found.cache_read)
    hours = bool(now.breakpoints) and all(seconds >= _HOUR for _, seconds in now.breakpoints)
    to_hour = hours or bool(found.cache_write_1h)
    return Split(
        input=found.input,
        cache_write=found.cache_write + (0 if to_hour else found.cache_read),
        cache_write_1h=found.cache_write_1h + (found.cache_read if to_hour else 0),
    )


def _recorded(usage: Usage) -> Split:
    return Split(
        input=usage.input,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        cache_write_1h=usage.cache_write_1h,
    )


def _text_input(usage: Usage) -> int:
    return usage.input + usage.cache_read + usage.cache_write + usage.cache_write_1h


def _apart(before: Prompt, now: Prompt) -> tuple[int, float]:
    """Where two prompts part: at which part, and after what share of it."""
    old, new = before.parts, now.parts
    place = 0
    while place < min(len(old), len(new)) and old[place] == new[place]:
        place += 1
    if before.tool_choice != now.tool_choice or before.thinking != now.thinking:
        # Anthropic: such a change leaves tools and system cached, and not the messages
        head = next((index for index, part in enumerate(new) if part.kind not in _HEAD), len(new))
        if head < place:
            return head, 0.0
    if place == min(len(old), len(new)) or old[place].kind != new[place].kind or new[place].opaque:
        return place, 0.0
    text = old[place].text
    return place, same_bytes(text, new[place].text) / max(1, len(text.encode("utf-8", "surrogatepass")))


def _still_cached(
    before: Sample,
    now: Prompt,
    total: int,
    whole: int,
    weigh: Callable[[Part], float],
    earlier: Sequence[Prompt],
) -> int:
    """How many tokens at most stand before the first difference, of those that a cache can end at."""
    was, read = before.prompt, before.usage.cache_read
    place, share = _apart(was, now)
    if (was.parts == now.parts and place == len(was.parts)) or _named(was) & _named(now):
        return read
    if was.breakpoints:
        if place >= was.breakpoints[-1][0]:
            return read
        place, share = _last_mark(was, place), 0.0
    size = _until(was.parts, whole, place, share, weigh)
    if sent := max(((*_apart(sent, now), sent) for sent in earlier[-_MOST_EARLIER:]), key=_first_two, default=None):
        place, share, prompt = sent
        if now.breakpoints:
            place, share = _last_mark(prompt, place), 0.0
        size = max(size, _until(now.parts, total, place, share, weigh))
    if size > read * (1 - DOUBT):
        return read
    return _stepped(before, size, read)


def _named(prompt: Prompt) -> frozenset[str]:
    return _NAMED.intersection(prompt.state)


def _first_two(found: tuple[int, float, Prompt]) -> tuple[int, float]:
    return found[:2]


def _last_mark(prompt: Prompt, place: int) -> int:
    """The last place before another at which a prompt is marked to be cached; 0 where there is none."""
    return max((mark for mark, _ in prompt.breakpoints if mark <= place), default=0)


def _until(parts: Sequence[Part], total: float, place: int, share: float, weigh: Callable[[Part], float]) -> float:
    """How many tokens stand before a place, of a prompt with so many in all.

    What stands after it is weighed and taken from the whole, for what a provider adds stands before it all; unless
    little stands before it, which is then weighed itself.
    """
    if place == 0 and share == 0:
        return 0.0
    characters = [len(part.text) for part in parts]
    if sum(characters[: place + 1]) * _MUCH < sum(characters):
        rest = share * weigh(parts[place]) if place < len(parts) else 0.0
        return sum(map(weigh, parts[:place])) + rest
    return total - _after(parts, place, share, weigh)


def _after(parts: Sequence[Part], place: int, share: float, weigh: Callable[[Part], float]) -> float:
    rest = sum(map(weigh, parts[place + 1 :]))
    return rest + weigh(parts[place]) * (1 - min(1.0, share)) if place < len(parts) else rest


def _stepped(before: Sample, prefix: float, read: int) -> int:
    size = max(0, int(prefix))
    if before.provider in _AUTOMATIC_BY_STEPS and read % _STEP_OPENAI == 0:
        size -= size % _STEP_OPENAI
        return size if size >= _LEAST_OPENAI else 0
    return size


def _marked(before: Sample, now: Prompt, total: int, whole: int, weigh: Callable[[Part], float]) -> int:
    """How many tokens stand before the last breakpoint: all that was cached, and what was added to it."""
    was, usage = before.prompt, before.usage
    cached = whole - usage.input
    if now.breakpoints:
        last = now.breakpoints[-1][0]
        if cached and was.breakpoints and was.breakpoints[-1][0] == last <= _apart(was, now)[0]:
            return min(cached, total)
        after = sum(map(weigh, now.parts[last:]))
        if cached and was.breakpoints:
            old = sum(map(weigh, was.parts[was.breakpoints[-1][0] :]))
            marked = cached + (total - whole) - (after - old)
        else:
            marked = total - after
    elif was.breakpoints:
        return 0
    else:
        # cached without a mark that is known: what was not cached stays so
        marked = total - usage.input
    size = min(total, max(0, round(marked)))
    least = next((size for names, size in _LEAST_CLAUDE if names.search(before.model.lower())), _LEAST)
    return size if size >= min(least, cached or least) else 0


def _an_hour(before: Sample, now: Prompt, total: int, marked: int, weigh: Callable[[Part], float]) -> int:
    """How many tokens stand before the last breakpoint that lives for an hour; such stand before those of minutes."""
    usage = before.usage
    if not now.breakpoints:
        return marked if usage.cache_write_1h and not usage.cache_write else 0
    places = [place for place, seconds in now.breakpoints if seconds >= _HOUR]
    untold = usage.cache_write and not usage.cache_write_1h and not usage.cache_read
    if not places or (untold and any(seconds >= _HOUR for _, seconds in before.prompt.breakpoints)):
        return 0
    if places[-1] == now.breakpoints[-1][0]:
        return marked
    return min(marked, max(0, round(total - sum(map(weigh, now.parts[places[-1] :])))))
