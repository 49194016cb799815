"""Where a request changed since it was recorded, in words."""

from collections.abc import Iterable
from typing import Final

from pytest_tokenbudget.model.drift import Change
from pytest_tokenbudget.model.prompt import SegmentKind

__all__ = ["changed_part", "changes_text", "drifted_message"]

_PARTS: Final[dict[SegmentKind, str]] = {
    "system": "the system prompt",
    "tools": "the tool definitions",
    "user": "a user message",
    "assistant": "an earlier answer",
    "thinking": "earlier thinking",
    "tool_call": "an earlier tool call",
    "tool_result": "a tool's result",
    "schema": "the output schema",
    "media": "media",
}
_NAMED: Final[dict[SegmentKind, str]] = {
    "tools": "the definition of `{}`",
    "tool_call": "an earlier call of `{}`",
    "tool_result": "the result of `{}`",
}
_MOST: Final = 2


def changed_part(change: Change) -> str:
    """Which part of a prompt a change is in: `the system prompt`, `the result of `lookup_order``."""
    named = _NAMED.get(change.kind) if change.name else None
    return named.format(change.name) if named else _PARTS[change.kind]


def _sentence(change: Change) -> str:
    part = changed_part(change)
    if not change.before:
        return f"{part} is new"
    if not change.after:
        return f"{part} is gone"
    return f"{part} changed (first at byte {change.byte:,})"


def changes_text(changes: Iterable[Change]) -> str:
    """Where prompts first differ: the first change in each part of them, of many parts only the first two.

    Args:
        changes: The first change of each of a task's drifted calls, in their order.
    """
    by_part: dict[str, Change] = {}
    for change in changes:
        by_part.setdefault(changed_part(change), change)
    sentences = [_sentence(change) for change in by_part.values()]
    if len(sentences) > _MOST:
        sentences = [*sentences[:_MOST], f"{len(sentences) - _MOST} more parts differ"]
    return ", ".join(sentences)


def drifted_message(
    request: str, *, source: str, index: int | None, where: str | Change | None, task_id: str | None
) -> str:
    """What a test says that is stopped because a request changed since it was recorded.

    Args:
        request: Its method and its URL without the query.
        source: The recording that is nearest to it.
        index: The position in that, from 0, if known.
        where: Where it first differs, if known.
        task_id: The test, if one is running.
    """
    nearest = source if index is None else f"recording {index} of {source}"
    found = _sentence(where) if isinstance(where, Change) else where or "it asks something else"
    test = f"pytest {task_id}" if task_id else "pytest"
    return (
        f"[drift] {request} was stopped: it is not the request that was recorded ({nearest}): {found}. To record it "
        f"again: {test} --tokenbudget-record=all. To replay it and estimate its cost: --tokenbudget-drift=estimate."
    )
