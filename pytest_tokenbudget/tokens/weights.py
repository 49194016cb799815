"""What the difference between two prompts weighs: counted by kind and name, then in the provider's tokens."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import hypot
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Struct

from pytest_tokenbudget.model.prompt import Part, SegmentKind
from pytest_tokenbudget.tokens.differences import Difference, shared
from pytest_tokenbudget.tokens.families import Family, Weights
from pytest_tokenbudget.tokens.typescript import declaration

__all__ = ["Weighed", "counted", "uncertainty", "weigh", "weight", "worths"]

_FIELDS: Final[Mapping[SegmentKind, str]] = {
    "system": "text",
    "user": "text",
    "assistant": "text",
    "thinking": "text",
    "media": "text",
    "tool_call": "tool",
    "tool_result": "tool",
    "tools": "tools",
    "schema": "schema",
}
_BLOCKS: Final[Mapping[SegmentKind, str]] = {"tool_call": "call", "tool_result": "result"}

_FOREIGN_TOOL: Final = 0.77
"""What is no function has no rendering: its minified JSON is about so much too long."""

_EDIT: Final = 0.35
"""The share of a family's error that each changed token carries by itself; the rest is in the family's slope."""

_TOOL_EDGE: Final = 2
"""How far off a tool's definition may be whatever its length, in tokens: what stands between two of them."""

_WRITTEN_ANEW: Final = frozenset({"tools", "tool_call", "tool_result"})
"""What OpenAI does not lay before the model as it came."""

_THOUGHT: Final = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Weighed(Struct, frozen=True, kw_only=True, gc=False):
    """A difference in counted tokens.

    Attributes:
        counts: For each kind and name that changed, the changed parts' counted tokens before and now.
        net: What was added less what was taken away, by the weight that it takes: counted tokens, messages, blocks.
        gross: What was added and what was taken away together, by weight; of a changed text only what changed of it.
        tools: How many tool definitions changed.
        gained: Whether anything was added.
        lost: Whether anything was taken away.
    """

    counts: Mapping[tuple[SegmentKind, str], tuple[int, int]]
    net: Mapping[str, float]
    gross: Mapping[str, float]
    tools: int
    gained: bool
    lost: bool


def weigh(difference: Difference, messages: int, family: Family, count: Callable[[str], int]) -> Weighed:
    """Count a difference; only what changed is counted.

    Args:
        difference: What changed.
        messages: How many messages were added.
        family: The model's.
        count: Counts the tokens of a text.
    """
    counts: dict[tuple[SegmentKind, str], tuple[int, int]] = {}
    net: dict[str, float] = {"message": messages}
    gross: dict[str, float] = {"message": abs(messages)}
    tools = 0
    gained, lost = messages > 0, messages < 0
    for revision in difference.revisions:
        sides = (revision.before, revision.now)
        was, now = (0 if part is None else counted(part, family, count) for part in sides)
        for part, tokens, sign in zip(sides, (was, now), (-1, 1), strict=True):
            if part is None:
                continue
            old = counts.get((part.kind, part.name), (0, 0))
            counts[part.kind, part.name] = (old[0] + tokens, old[1]) if sign < 0 else (old[0], old[1] + tokens)
            _add(net, _FIELDS[part.kind], sign * tokens)
            if part.kind in _BLOCKS:
                _add(net, _BLOCKS[part.kind], sign)
        tools += any(part is not None and part.kind == "tools" for part in sides)
        before, after = sides
        if before is not None and after is not None and before.text and after.text:
            same = sum(shared(before.text, after.text))
            lost, gained = lost or same < len(before.text), gained or same < len(after.text)
            _add(gross, _FIELDS[after.kind], was * (1 - same / len(before.text)) + now * (1 - same / len(after.text)))
        else:
            lost, gained = lost or was > 0, gained or now > 0
            for part, tokens in zip(sides, (was, now), strict=True):
                if part is not None:
                    _add(gross, _FIELDS[part.kind], tokens)
    for name in ("call", "result"):
        gross[name] = abs(net.get(name, 0))
    return Weighed(counts=MappingProxyType(counts), net=net, gross=gross, tools=tools, gained=gained, lost=lost)


def _add(to: dict[str, float], name: str, amount: float) -> None:
    to[name] = to.get(name, 0) + amount


def weight(weighed: Weighed, weights: Weights) -> float:
    """What a difference adds to the input, in the provider's tokens."""
    return sum(_of(weights, name) * amount for name, amount in weighed.net.items())


def _of(weights: Weights, name: str) -> float:
    found: float = getattr(weights, name)
    return found


def uncertainty(weighed: Weighed, family: Family, error: float) -> float:
    """How far off the weight of a difference may be, in tokens; 0 where nothing is counted.

    The errors of texts, tools and blocks are each other's strangers, so they add up by their squares.

    Args:
        weighed: The difference.
        family: The model's.
        error: How far off a counted text may be, as a share of it.
    """
    weights, net, gross = family.weights, weighed.net, weighed.gross

    def off(name: str, slope: float, edit: float) -> float:
        return _of(weights, name) * max(slope * abs(net.get(name, 0)), edit * gross.get(name, 0))

    blocks = gross.get("call", 0) + gross.get("result", 0)
    tools_error = max(error, family.tools_error)
    return hypot(
        off("text", error, _EDIT * error),
        off("tool", error, _EDIT * error),
        off("tools", tools_error, max(error, family.tools_edit)) + _TOOL_EDGE * weighed.tools,
        tools_error * gross.get("schema", 0),
        family.block_error * blocks,
        min(weights.message, 1) * gross.get("message", 0) / 2,
    )


def worths(family: Family, count: Callable[[str], int]) -> Callable[[Part], float]:
    """What weighs a part of a prompt in the provider's tokens, with the message or block that it is."""
    weights = family.weights
    scales = {
        kind: (
            _of(weights, name),
            0.0 if kind in {"tools", "schema"} else _of(weights, _BLOCKS.get(kind, "message")),
        )
        for kind, name in _FIELDS.items()
    }

    def worth(part: Part) -> float:
        scale, block = scales[part.kind]
        return scale * counted(part, family, count) + block

    return worth


def counted(part: Part, family: Family, count: Callable[[str], int]) -> int:
    """A part's tokens as a family's weights expect them to be counted; 0 for one that nobody can count."""
    kind, text = part.kind, part.text
    if part.opaque or kind == "media":
        return 0
    if kind == "assistant" and family.forgets and "<think>" in text:
        return count(_THOUGHT.sub("", text))
    if not family.typescript or kind not in _WRITTEN_ANEW:
        return count(text)
    if kind == "tools":
        rendered = _rendered(text)
        return round(_FOREIGN_TOOL * count(text)) if rendered is None else count(rendered)
    return count(_minified(text) if kind == "tool_call" else text) + (count(part.name) if family.names else 0)


_rendered = lru_cache(maxsize=512)(declaration)


@lru_cache(maxsize=512)
def _minified(arguments: str) -> str:
    """Arguments without the spaces that a model wrote into them: OpenAI lays them before the model as it pleases."""
    if not arguments.startswith(("{", "[")):
        return arguments
    try:
        return _encode(_decode(arguments)).decode()
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError, OverflowError):
        return arguments
