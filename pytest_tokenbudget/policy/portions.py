"""A task's calls, summed by rate card and prompt family: what a comparison reads, without any text or recording.

A token is *fresh* when the task sends it to a model for the first time, and *repeated* afterwards. Telling the two
apart is what lets a change in cost be split into its causes (see `causes`).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.portion import Family, FamilyKind, Portion, RateKey
from pytest_tokenbudget.model.prompt import Segment, SegmentKind
from pytest_tokenbudget.model.usage import NO_USAGE

__all__ = ["portions", "rate_key"]

_FAMILIES: Final[Mapping[SegmentKind, FamilyKind]] = {
    "system": "system",
    "tools": "tools",
    "schema": "schema",
    "user": "user",
    "assistant": "history",
    "tool_call": "history",
    "thinking": "history",
    "tool_result": "result",
    "media": "media",
}

_Name = tuple[FamilyKind, str]


def rate_key(call: Call, above: int = 0) -> RateKey:
    """What decides the price of a call; `above` is the long-prompt threshold that it exceeds, if any."""
    return RateKey(
        provider=call.provider,
        api=call.api,
        host=call.host,
        served=call.model_served or "",
        asked=call.model_asked or call.model_served or "",
        tier=call.tier or "",
        context=call.price_context,
        above=above,
    )


def portions(calls: Iterable[Call], above: Callable[[Call], int]) -> tuple[Portion, ...]:
    """Sum calls by rate card, sorted by it; calls that cost nothing or an unknown amount are left out.

    Args:
        calls: A task's calls, in order.
        above: The long-prompt threshold that a call's prompt exceeds, or 0.
    """
    seen: dict[tuple[str, str], dict[Segment, int]] = {}
    sums: dict[RateKey, _Sum] = {}
    for call in calls:
        if call.status != "exact":
            continue
        key = rate_key(call, above(call))
        known = seen.setdefault((call.provider, key.model), {})
        sums.setdefault(key, _Sum()).add(call, known)
    return tuple(total.portion(key) for key, total in sorted(sums.items()))


class _Sum:
    """Calls of one rate card, as they are added."""

    def __init__(self) -> None:
        self._calls = self._drifted = 0
        self._usage = NO_USAGE
        self._families: dict[_Name, list[int]] = {}
        self._tools: dict[str, int] = {}

    def add(self, call: Call, known: dict[Segment, int]) -> None:
        """Add a call; `known` counts what the task has sent to its model before."""
        self._calls += 1
        self._drifted += call.obtained == "drifted"
        self._usage += call.usage
        here: dict[Segment, int] = {}
        for segment in call.prompt:
            here[segment] = times = here.get(segment, 0) + 1
            is_fresh = times > known.get(segment, 0)
            if is_fresh:
                known[segment] = times
            self._count(segment, is_fresh=is_fresh)

    def _count(self, segment: Segment, *, is_fresh: bool) -> None:
        kind, tokens = _FAMILIES[segment.kind], segment.tokens
        if kind == "tools" and self._tools.get(segment.name, -1) < tokens:
            self._tools[segment.name] = tokens
        name = kind, segment.name if kind == "result" else ""
        family = self._families.get(name)
        if family is None:
            family = self._families[name] = [0, 0, 0, 0]
        family[3] += tokens
        family[1] = max(family[1], tokens)
        if is_fresh:
            family[0] += 1
            family[2] += tokens

    def portion(self, key: RateKey) -> Portion:
        """What was summed."""
        return Portion(
            key=key,
            calls=self._calls,
            usage=self._usage,
            drifted=self._drifted,
            tools=tuple(sorted(self._tools.items())),
            families=tuple(
                Family(kind=kind, name=name, items=items, largest=largest, fresh=fresh, sent=sent)
                for (kind, name), (items, largest, fresh, sent) in sorted(self._families.items())
                if sent
            ),
        )
