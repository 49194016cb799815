"""What no count can tell offline: the cases in which a changed prompt has no honest estimate, each with its sentence.

How far off an estimate would be in each of them was measured; see docs/decisions/0010-estimating-drift.md.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.tokens.differences import Difference
from pytest_tokenbudget.tokens.families import family_of
from pytest_tokenbudget.tokens.sample import Sample

__all__ = ["Obstacle", "obstacles", "unlike"]

_SETTLES: Final = "Record the test again to know."
_SAME_FAMILY: Final = 0.1
"""How much the tokens of one prompt differ between models of a family."""


class Obstacle(Struct, frozen=True, kw_only=True, gc=False):
    """Why a difference cannot be estimated as closely as its texts can be counted.

    Attributes:
        reason: What is in the way, and what settles it.
        bounded: Whether the estimate has an upper bound all the same.
        added: Tokens that the middle of the estimate takes in.
        off: How far off the input may be because of it, in tokens.
    """

    reason: str
    bounded: bool = False
    added: float = 0
    off: float = 0


def obstacles(before: Sample, now: Prompt, difference: Difference, asked: str) -> Iterator[Obstacle]:
    """Yield what is in the way of an estimate.

    Args:
        before: What was recorded.
        now: What is sent.
        difference: Their difference, by parts.
        asked: The model asked now where it is another than the one recorded; else empty.
    """
    was = before.prompt
    if asked:
        yield _other_model(before, asked)
    media = [part for part in _changed(difference) if part.kind == "media"]
    if media:
        yield Obstacle(
            reason=f"{_what(media)} changed, and how many tokens that becomes cannot be told offline. {_SETTLES}"
        )
    if tools := _together(was.server_tools, now.server_tools):
        told = f"The provider runs {_listed(tools)} by itself, and what that brings is input as well: held as recorded."
        yield Obstacle(reason=f"{told} {_SETTLES}")
    if fields := _together(was.state, now.state):
        told = f"{_listed(fields)} refers to what the provider has stored, which is input but not in the request."
        yield Obstacle(reason=f"{told} {_SETTLES}")
    if _sealed(was, now, difference):
        yield _thoughts(before, now)
    if now.thinking and not was.thinking:
        told = "Thinking was switched on: how much the model will think is in no recording."
        yield Obstacle(reason=f"{told} {_SETTLES}")


def unlike(before: Prompt, now: Prompt) -> bool:
    """Whether anything but countable texts may tell two prompts apart, so that they teach nothing about weights."""
    hidden = [part.text for part in before.parts if part.opaque], [part.text for part in now.parts if part.opaque]
    return (
        before.encrypted != now.encrypted
        or hidden[0] != hidden[1]
        or any((before.server_tools, now.server_tools, before.state, now.state))
    )


def _other_model(before: Sample, asked: str) -> Obstacle:
    told = f"The model changed from {before.model or 'an unnamed one'} to {asked}"
    if family_of(before.provider, before.model) == family_of(before.provider, asked):
        return Obstacle(
            reason=f"{told}, which may count the same text otherwise and answer at another length. {_SETTLES}",
            bounded=True,
            off=_SAME_FAMILY * before.usage.total_input,
        )
    return Obstacle(reason=f"{told}, which counts tokens by other rules (10 to 70% apart). {_SETTLES}")


def _changed(difference: Difference) -> Iterator[Part]:
    """Yield the parts that no counter can count and that changed."""
    for revision in difference.revisions:
        for part in (revision.now, revision.before):
            if part is not None and (part.opaque or part.kind == "media"):
                yield part
                break


def _sealed(before: Prompt, now: Prompt, difference: Difference) -> bool:
    return before.encrypted != now.encrypted or any(part.kind != "media" for part in _changed(difference))


def _thoughts(before: Sample, now: Prompt) -> Obstacle:
    """Sealed thoughts; those of Gemini 3 weigh what they weighed as output, if they are of the turn just recorded."""
    told = "What only the provider can read (encrypted content, hidden reasoning, token numbers) changed"
    thought = before.usage.thinking
    old = before.prompt.parts
    follows = len(now.parts) > len(old) and now.parts[: len(old)] == old
    if "gemini-3" in before.model.lower() and thought and follows:
        counted = (
            f"it is taken for the {thought:,} thinking tokens of the turn before, which some endpoints do not count"
        )
        return Obstacle(reason=f"{told}: {counted}. {_SETTLES}", bounded=True, added=thought, off=thought)
    return Obstacle(reason=f"{told}: how many tokens it is cannot be told offline. {_SETTLES}")


def _what(media: list[Part]) -> str:
    names = tuple(dict.fromkeys(part.name or "media" for part in media))
    return f"Media ({', '.join(names)})" if names != ("media",) else "Media"


def _together(*names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name or "a tool" for group in names for name in group))


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(names)
