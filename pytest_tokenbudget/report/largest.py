"""Where a task's prompts are large: which parts were sent, how often the same part again.

Everything here counts tokens locally, part by part; nothing is scaled to the billed total.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.prompt import Segment
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import opened, printable

__all__ = ["carried", "largest_part"]

_CARRIED: Final = 0.15
_LARGE: Final = 0.3
_MOST_CARRIED: Final = 2
_FEW: Final = 100
_NAME_COLUMNS: Final = 24

_KINDS: Final = {
    "system": ("system prompt", "the system prompt"),
    "tools": ("tool definitions", "tool definitions"),
    "schema": ("output schema", "the output schema"),
    "assistant": ("history", "the model's own earlier turns"),
    "tool_call": ("history", "the model's own earlier turns"),
    "thinking": ("history", "the model's own earlier turns"),
    "user": ("user", "user messages"),
    "media": ("media", "media"),
}

_Family = tuple[str, str]
"""In a column, and in a sentence."""


def _family(segment: Segment) -> _Family:
    if segment.kind != "tool_result":
        return _KINDS[segment.kind]
    name = opened(printable(segment.name), _NAME_COLUMNS) or "tools"
    return name, f"results of {name}"


def carried(call: Call) -> str:
    """The one or two largest parts of a call's prompt, if they are a good part of it: `lookup_order 9.4K`."""
    families: Counter[_Family] = Counter()
    for segment in call.prompt:
        families[_family(segment)] += segment.tokens
    total = families.total()
    large = [(name, size) for (name, _), size in families.most_common(_MOST_CARRIED) if size >= total * _CARRIED]
    return ", ".join(f"{name} {amounts.short_tokens(size)}" for name, size in large if size >= _FEW)


def largest_part(calls: Sequence[Call]) -> str:
    """What made up most of all prompts, and how often its heaviest piece was sent; empty where nothing stands out."""
    sent: Counter[_Family] = Counter()
    for call in calls:
        for segment in call.prompt:
            sent[_family(segment)] += segment.tokens
    total = sent.total()
    if total < _FEW or len(sent) == 1:
        return ""
    family, size = sent.most_common(1)[0]
    if size < total * _LARGE:
        return ""
    whole = f"{amounts.short_tokens(size)} of {amounts.short_tokens(total)} tokens sent"
    share = amounts.percent(size / total)
    return f"Largest part of the prompts: {family[1]}, {whole} ({share}, counted locally).{_sent_again(calls, family)}"


def _sent_again(calls: Sequence[Call], family: _Family) -> str:
    sizes: dict[str, int] = {}
    times: Counter[str] = Counter()
    for call in calls:
        pieces = {segment.digest: segment.tokens for segment in call.prompt if _family(segment) == family}
        sizes |= pieces
        times.update(pieces.keys())
    heaviest = max(sizes, key=lambda digest: sizes[digest] * times[digest])
    if times[heaviest] == 1:
        return ""
    which = "The same" if len(sizes) == 1 else "The heaviest piece,"
    comma = "" if len(sizes) == 1 else ","
    went = (
        f"{amounts.short_tokens(sizes[heaviest])} tokens{comma} went out with {times[heaviest]} of {len(calls)} calls"
    )
    return f" {which} {went}."
