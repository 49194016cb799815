"""A cause as a sentence: what changed, from how much to how much, and how far it is carried."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pytest_tokenbudget.model.portion import Family, Portion
from pytest_tokenbudget.model.usage import NO_USAGE, Usage
from pytest_tokenbudget.policy.causes import Cause
from pytest_tokenbudget.report.amounts import percent, short_tokens

__all__ = ["cause_sentence", "cause_title"]

_FEW: Final = 3
_MINUS: Final = "\N{MINUS SIGN}"
_TITLES: Final = {
    "calls": "number of calls",
    "system": "system prompt",
    "tools": "tool definitions",
    "schema": "output schema",
    "user": "user messages",
    "history": "what the model said before",
    "media": "images and files",
    "output": "output",
    "thinking": "thinking",
    "cache": "cache hits",
    "warm": "a warmer or colder cache when recorded",
    "carry": "how long messages are carried",
    "model": "model",
    "hidden": "tokens that no text explains",
}

Quote = Callable[[str], str]
"""Writes a name that somebody else chose, so that it stays a name."""


def cause_title(cause: Cause, quote: Quote) -> str:
    """A cause in a few words, for several tasks together."""
    if cause.kind == "result":
        return f"results of {quote(cause.name)}"
    if cause.kind == "fee":
        return f"fees for {quote(cause.name.removeprefix('fee:'))}"
    return _TITLES.get(cause.kind, cause.kind)


def cause_sentence(cause: Cause, before: Sequence[Portion], after: Sequence[Portion], quote: Quote) -> str:
    """A cause in one task, without a full stop.

    Args:
        cause: It.
        before: The task's calls on base.
        after: The task's calls on head.
        quote: Writes names.
    """
    tell = _SENTENCES.get(cause.kind)
    return tell(cause, before, after, quote) if tell else cause_title(cause, quote)


def _usage(portions: Sequence[Portion]) -> Usage:
    return sum((portion.usage for portion in portions), NO_USAGE)


def _count(portions: Sequence[Portion]) -> int:
    return sum(portion.calls for portion in portions)


def _fee(cause: Cause, before: Sequence[Portion], after: Sequence[Portion], quote: Quote) -> str:
    name = cause.name.removeprefix("fee:")
    return f"{quote(name)} {_usage(before).fees.get(name, 0)} → {_usage(after).fees.get(name, 0)} times"


def _families(portions: Sequence[Portion], kind: str, name: str = "") -> list[Family]:
    return [family for portion in portions for family in portion.families if (family.kind, family.name) == (kind, name)]


def _calls(_: Cause, before: Sequence[Portion], after: Sequence[Portion], quote: Quote) -> str:
    old, new = _count(before), _count(after)
    more = abs(new - old)
    if not more:
        return "calls moved from one model to another"
    text = f"{more} {'more' if new > old else 'fewer'} call{'s' if more > 1 else ''} ({old} → {new})"
    names = dict.fromkeys(
        family.name for portion in (*before, *after) for family in portion.families if family.kind == "result"
    )
    ran = [(name, _items(before, name), _items(after, name)) for name in names]
    moved = [(name, one, other) for name, one, other in ran if (other - one) * (new - old) > 0]
    moved.sort(key=lambda entry: -abs(entry[2] - entry[1]))
    return "; ".join([text, *(f"{quote(name)} ran {one} → {other} times" for name, one, other in moved[:1])])


def _items(portions: Sequence[Portion], name: str) -> int:
    return sum(family.items for family in _families(portions, "result", name))


def _arriving(cause: Cause, before: Sequence[Portion], after: Sequence[Portion], quote: Quote) -> str:
    title = cause_title(cause, quote)
    old, new = _families(before, cause.kind, cause.name), _families(after, cause.kind, cause.name)
    carried = _carried(new or old)
    through = f"carried through {carried} calls" if carried > 1 else ""
    if not old:
        size = f"{short_tokens(_largest(new))} tokens"
        return f"{title} are new ({size}, {through})" if through else f"{title} are new ({size})"
    if not new:
        return f"{title} are gone ({short_tokens(_largest(old))} tokens)"
    # the largest, where that moved; else all of them together
    for one, other, of in ((_largest(old), _largest(new), ""), (_fresh(old), _fresh(new), " in all")):
        if (other - one) * (1 if cause.usd > 0 else -1) > 0:
            grew = "grew" if other > one else "shrank"
            text = f"{title} {grew} {short_tokens(one)} → {short_tokens(other)} tokens{of}"
            return f"{text} and are {through}" if through else text
    return f"{title} changed and are {through}" if through else f"{title} changed"


def _largest(families: Sequence[Family]) -> int:
    return max((family.largest for family in families), default=0)


def _fresh(families: Sequence[Family]) -> int:
    return sum(family.fresh for family in families)


def _carried(families: Sequence[Family]) -> int:
    """How many calls an item of the family is sent with, in the mean."""
    fresh = _fresh(families)
    return round(sum(family.sent for family in families) / fresh) if fresh else 0


def _whole(cause: Cause, before: Sequence[Portion], after: Sequence[Portion], quote: Quote) -> str:
    title = cause_title(cause, quote)
    title, verb = (title, "are") if cause.kind == "tools" else (f"the {title}", "is")
    old, new = _families(before, cause.kind), _families(after, cause.kind)
    if not old or not new:
        found = new or old
        return f"{title} {verb} {'new' if new else 'gone'} ({short_tokens(_mean(found))} tokens)"
    one, other = _mean(old), _mean(new)
    if (other - one) * (1 if cause.usd > 0 else -1) > 0:
        sent = f", sent with {_count(after)} calls" if _count(after) > 1 else ""
        grew = "grew" if other > one else "shrank"
        return f"{title} {grew} {short_tokens(one)} → {short_tokens(other)} tokens{sent}"
    return f"{title} {verb} sent {'more' if cause.usd > 0 else 'less'} often"


def _mean(families: Sequence[Family]) -> int:
    return sum(family.fresh for family in families) // max(1, sum(family.items for family in families))


def _tools(cause: Cause, before: Sequence[Portion], after: Sequence[Portion], quote: Quote) -> str:
    old = {name: size for portion in before for name, size in portion.tools}
    new = {name: size for portion in after for name, size in portion.tools}
    come = [name for name in new if name not in old]
    gone = [name for name in old if name not in new]
    grown = [name for name in new if name in old and new[name] != old[name]]
    grown.sort(key=lambda name: -abs(new[name] - old[name]))
    parts = [
        *([f"new: {_some(come, quote)}"] if come else []),
        *([f"gone: {_some(gone, quote)}"] if gone else []),
        *(f"{quote(name)} {short_tokens(old[name])} → {short_tokens(new[name])}" for name in grown[:1]),
    ]
    if not parts:
        return _whole(cause, before, after, quote)
    change = sum(new.values()) - sum(old.values())
    by = f" {'+' if change > 0 else _MINUS}{short_tokens(abs(change))} tokens" if change else ""
    return f"tool definitions{by} ({'; '.join(parts)})"


def _some(names: Sequence[str], quote: Quote) -> str:
    shown = ", ".join(map(quote, names[:_FEW]))
    return f"{shown} and {len(names) - _FEW} more" if len(names) > _FEW else shown


def _generated(cause: Cause, before: Sequence[Portion], after: Sequence[Portion], _: Quote) -> str:
    title = "answers" if cause.kind == "output" else "thinking"
    one, other = (getattr(_usage(side), cause.kind) // max(1, _count(side)) for side in (before, after))
    if (other - one) * (1 if cause.usd > 0 else -1) > 0:
        verb = "grew" if other > one else "shrank"
        return f"{title} {verb} {short_tokens(one)} → {short_tokens(other)} tokens a call"
    return f"{title} changed"


def _cache(_: Cause, before: Sequence[Portion], after: Sequence[Portion], __: Quote) -> str:
    text = (
        f"cache hits {percent(_usage(before).cache_hit_rate or 0.0)} → {percent(_usage(after).cache_hit_rate or 0.0)}"
    )
    versions = sum(family.items for family in _families(after, "system"))
    if versions > max(1, sum(family.items for family in _families(before, "system"))):
        return f"{text}: the system prompt differs from call to call ({versions} versions)"
    return text


def _models(_: Cause, before: Sequence[Portion], after: Sequence[Portion], quote: Quote) -> str:
    old = list(dict.fromkeys(portion.key.model for portion in before))
    new = list(dict.fromkeys(portion.key.model for portion in after))
    left, come = [name for name in old if name not in new], [name for name in new if name not in old]
    if left and come:
        return f"{_some(left, quote)} → {_some(come, quote)}"
    if come or left:
        return f"calls moved {'to' if come else 'away from'} {_some(come or left, quote)}"
    return "calls moved from one model to another"


def _by_sign(more: str, less: str) -> "Tell":
    return lambda cause, _before, _after, _quote: more if cause.usd > 0 else less


Tell = Callable[[Cause, Sequence[Portion], Sequence[Portion], Quote], str]

_SENTENCES: Final[Mapping[str, Tell]] = {
    "calls": _calls,
    "result": _arriving,
    "user": _arriving,
    "media": _arriving,
    "system": _whole,
    "schema": _whole,
    "tools": _tools,
    "output": _generated,
    "thinking": _generated,
    "cache": _cache,
    "model": _models,
    "fee": _fee,
    "warm": _by_sign(
        "a colder cache when it was recorded (luck of the recording)",
        "a warmer cache when it was recorded (luck of the recording)",
    ),
    "carry": _by_sign("messages are carried through more calls", "messages are carried through fewer calls"),
    "history": _by_sign(
        "what the model said before is sent again more", "what the model said before is sent again less"
    ),
    "hidden": _by_sign(
        "the provider billed more tokens than the text explains",
        "the provider billed fewer tokens than the text explains",
    ),
}
