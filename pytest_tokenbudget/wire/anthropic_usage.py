"""Anthropic's usage object.

Its top-level classes are disjoint: `input_tokens` excludes what was read from and written to the cache. Thinking is
inside `output_tokens`. `cache_creation` splits the writes by lifetime (anthropic SDK 2.12, `Usage`, `BetaUsage`; 2026).
"""

from types import MappingProxyType
from typing import Final

from pytest_tokenbudget.model.call import SEVERAL_PROMPTS
from pytest_tokenbudget.model.usage import NO_USAGE, Usage
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, said, text
from pytest_tokenbudget.wire.format import Json

__all__ = ["anthropic_usage", "price_context"]

_CLASSES: Final = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_input_tokens": "cache read",
    "cache_creation_input_tokens": "cache write",
    "total_tokens": "",  # hosts that imitate the API repeat the sum
}
_THINKING: Final = {"thinking_tokens": "thinking"}
_LIFETIMES: Final = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
_CREDIT: Final = "a fallback credit was redeemed: the call is billed at another price, which usage does not tell"
_FREE_TOOLS: Final = frozenset({"web_fetch_requests", "tool_search_requests"})
_ORDINARY: Final = {"speed": ("standard",), "inference_geo": ("global", "not_available")}


def anthropic_usage(raw: Json, counts: Counts) -> Usage:
    """The disjoint classes of a usage object; all zero, and `counts.known` false, where it tells too little."""
    found: dict[str, int] = {}
    new = counts.tally(found, raw, _CLASSES)
    if not found:
        return NO_USAGE
    counts.known = True
    for name in ("input", "output"):
        if name not in found:
            counts.doubt(f"usage lacks {name}_tokens")
    counts.other.update(new)
    output, thinking = _generated(
        found.get("output", 0), counts.inside(raw.get("output_tokens_details"), "output_tokens_details"), counts
    )
    five, hour = _writes(raw, found.get("cache write"), counts)
    tools = counts.inside(raw.get("server_tool_use"), "server_tool_use")
    for name in tools:
        if name.endswith("_requests") and name not in _FREE_TOOLS:
            counts.fee(name.removesuffix("_requests"), counts.take(tools, name))
    usage = Usage(
        input=found.get("input", 0),
        cache_read=found.get("cache read", 0),
        cache_write=five,
        cache_write_1h=hour,
        output=output,
        thinking=thinking,
        fees=MappingProxyType(counts.fees),
    )
    for entry in counts.each(raw.get("iterations"), "iterations"):
        usage += _iteration(entry, counts)
    if mapping(mapping(raw.get("fallback_credit")).get("status")).get("type") == "redeemed":
        counts.doubt(_CREDIT)
    return usage + Usage(other=MappingProxyType(counts.other)) if counts.other else usage


def _generated(output: int, details: Json, counts: Counts) -> tuple[int, int]:
    """Output without what is told apart, and thinking."""
    if not details:
        return output, 0
    inside: dict[str, int] = {}
    extra = counts.tally(inside, details, _THINKING)
    thinking = counts.part(output, inside.get("thinking", 0), "thinking tokens")
    output -= thinking
    for name, count in extra.items():
        counts.other[name] = counts.part(output, count, name)
        output -= counts.other[name]
    return output, thinking


def _writes(raw: Json, total: int | None, counts: Counts) -> tuple[int, int]:
    """Cache writes that live five minutes, and those that live an hour."""
    split = counts.inside(raw.get("cache_creation"), "cache_creation")
    five, hour = (counts.take(split, lifetime) for lifetime in _LIFETIMES)
    for name in split:
        if name not in _LIFETIMES and name.endswith("_tokens") and (other := counts.take(split, name)):
            # a lifetime without a name of ours has a price of its own
            counts.other[name] = counts.other.get(name, 0) + other
            total = None if total is None else total - counts.part(total, other, name)
    if total is None or total == five + hour:
        return five, hour
    if not split:  # written before lifetimes could be chosen, or by a host that tells only the sum
        return total, 0
    both = f"{total} cache-written tokens, {five} of them for five minutes and {hour} for an hour"
    if total < five + hour:
        counts.doubt(f"usage contradicts itself: {both}")
        return min(five, total), total - min(five, total)
    if hour:
        counts.doubt(f"usage does not say how long {total - five - hour} tokens are cached: {both}")
    else:
        # Server-side tool loops write between their own turns and report that in the sum alone; such writes have the
        # default lifetime, five minutes (platform.claude.com, "Prompt caching", 2026).
        counts.notes.append(f"{both}: the rest is taken as five-minute writes, the default")
    return total - hour, hour


def _iteration(entry: Json, counts: Counts) -> Usage:
    """What one iteration adds to the top level, which holds those of the served model alone.

    `BetaCompactionIterationUsage`: "not included in the top-level usage fields". An advisor is another model with
    another price: its tokens stand under their own names, unpriced.
    """
    kind = text(entry.get("type"))
    if kind == "fallback_message":
        counts.doubt("a fallback model answered: what the declined attempts cost is not told")
    elif kind == "compaction":
        five, hour = _writes(entry, counts.number(entry.get("cache_creation_input_tokens"), "iterations"), counts)
        return Usage(
            input=counts.take(entry, "input_tokens"),
            cache_read=counts.take(entry, "cache_read_input_tokens"),
            cache_write=five,
            cache_write_1h=hour,
            output=counts.take(entry, "output_tokens"),
        )
    elif kind == "advisor_message":
        for key in _CLASSES:
            if count := counts.take(entry, key):
                counts.other[f"advisor.{key}"] = counts.other.get(f"advisor.{key}", 0) + count
    elif kind != "message" and entry:
        counts.doubt("usage has an iteration of an unknown kind, whose tokens the sum may lack")
    return NO_USAGE


def price_context(raw: Json) -> tuple[tuple[str, str], ...]:
    """What selects another rate: fast mode, inference kept in one region, and several prompts in one sum.

    A server-side tool loop is one response of several prompts, whose tokens the usage adds up ("token accumulation
    across server-side tool use loops", anthropic SDK 2.12, `BetaUsage.iterations`).
    """
    told = [(key, found) for key, plain in _ORDINARY.items() if (found := said(raw.get(key))) and found not in plain]
    searched = any(mapping(raw.get("server_tool_use")).values())
    return (*told, SEVERAL_PROMPTS) if searched or len(listed(raw.get("iterations"))) > 1 else tuple(told)
