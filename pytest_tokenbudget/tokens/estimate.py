"""What a changed request would use, from what the recorded one used: the recorded count and what the change adds.

The difference is what is estimated, never the whole: what a provider adds around a prompt is hidden, and up to six
times the prompt, but it is in the recorded count and cancels. So the error falls on the change alone, and where nothing
that the model reads changed the estimate is exact.
"""

from collections.abc import Callable, Iterator, Sequence
from math import ceil, floor, hypot
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.drift import Change, Drift
from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.tokens.band import Bounds, least, middle, most
from pytest_tokenbudget.tokens.cache import DOUBT, cold, split
from pytest_tokenbudget.tokens.differences import Difference, Revision, compare, same_bytes
from pytest_tokenbudget.tokens.families import Family, family_of
from pytest_tokenbudget.tokens.inestimable import Obstacle, obstacles
from pytest_tokenbudget.tokens.modes import Shift, shift
from pytest_tokenbudget.tokens.refit import refitted
from pytest_tokenbudget.tokens.sample import Estimate, Sample
from pytest_tokenbudget.tokens.text_counter import TextCounter
from pytest_tokenbudget.tokens.volatile import volatile_parts
from pytest_tokenbudget.tokens.weights import counted, uncertainty, weigh, weight, worths

__all__ = ["estimate"]

_TAIL: Final = 2.5
"""How many times its median error a counter is off in the worst one of ten texts."""

_EMBEDS: Final = frozenset({"embeddings", "embed", "rerank"})
"""Operations that read texts and no messages."""


def estimate(
    before: Sample,
    now: Prompt,
    counter: TextCounter,
    *,
    known: Sequence[Sample] = (),
    asked: str = "",
    earlier: Sequence[Prompt] = (),
) -> Estimate:
    """Estimate a drifted request. Pure; never raises.

    Args:
        before: The recorded request and what it used.
        now: The request as it is sent.
        counter: Counts texts.
        known: Other recorded samples, to which the weights of the model's family are fitted.
        asked: The model that is asked now, where the recording asked another one.
        earlier: What the same test has sent before: prefixes that are in the provider's cache by now.
    """
    try:
        return _estimate(before, now, counter, known, asked, earlier)
    except Exception as error:  # noqa: BLE001 - a user's test never breaks because an estimate did
        reason = f"The difference cannot be read ({type(error).__name__}): the cost is that of the recording."
        drift = Drift(recorded_usage=before.usage, low=before.usage, high=None, reasons=(reason,))
        return Estimate(usage=before.usage, drift=drift)


def _estimate(
    before: Sample, now: Prompt, counter: TextCounter, known: Sequence[Sample], asked: str, earlier: Sequence[Prompt]
) -> Estimate:
    count = counter.count
    family = family_of(before.provider, before.model)
    difference = compare(before.prompt.parts, now.parts)
    found: list[Obstacle] = []
    reasons: list[str] = []
    bounds = Bounds(low=before.usage.total_input, middle=before.usage.total_input, high=before.usage.total_input)
    if asked or now.state or replace(now, breakpoints=before.prompt.breakpoints) != before.prompt:
        family = refitted(family, known, counter.name, count)
        found = [*obstacles(before, now, difference, asked)]
        shifted = shift(before.prompt, now, family, before.model)
        reasons = [*(obstacle.reason for obstacle in found), *shifted.reasons, *_doubts(family, before, counter)]
        bounds = _bounds(before, now, difference, family, counter, shifted, found)

    worth = worths(family, count)
    usage = before.usage
    media = usage.input_audio + usage.input_image
    divided = split(before, now, bounds.middle - media, worth, earlier)
    estimated = middle(usage, divided)
    lost = min(usage.cache_read, bounds.middle) - divided.cache_read
    if lost > DOUBT * usage.cache_read:
        reasons.append(_invalidated(lost))
    low = bounds.low
    if not all(obstacle.bounded for obstacle in found):
        low = min(low, floor((1 - family.error) * sum(map(worth, now.parts))))
    drift = Drift(
        recorded_usage=usage,
        low=least(estimated, low, usage.cache_read, thinks=now.thinking or not before.prompt.thinking),
        high=most(estimated, bounds.high) if all(obstacle.bounded for obstacle in found) else None,
        cold=middle(estimated, cold(divided, now)),
        counter=counter.name,
        reasons=tuple(reasons),
        first=_change(difference.first, family, count),
        volatile=volatile_parts(difference),
    )
    return Estimate(usage=estimated, drift=drift)


def _bounds(
    before: Sample,
    now: Prompt,
    difference: Difference,
    family: Family,
    counter: TextCounter,
    shifted: Shift,
    found: Sequence[Obstacle],
) -> Bounds:
    """The input in all: what was recorded and what the change adds, with what either may be off."""
    recorded = before.usage.total_input
    messages = 0 if before.api.rpartition(".")[2] in _EMBEDS else now.messages - before.prompt.messages
    weighed = weigh(difference, messages, family, counter.count)
    change = weight(weighed, family.weights) + shifted.tokens + sum(obstacle.added for obstacle in found)
    off = hypot(uncertainty(weighed, family, max(family.error, _TAIL * counter.error)), shifted.error)
    off += sum(obstacle.off for obstacle in found)
    low, high = recorded + change - off, recorded + change + off
    if not shifted.error and not found:
        # what only adds cannot take away
        low = low if weighed.lost else max(low, recorded)
        high = high if weighed.gained else min(high, recorded)
    media = before.usage.input_audio + before.usage.input_image
    middle_ = max(media, round(recorded + change))
    return Bounds(low=max(0, min(middle_, floor(low))), middle=middle_, high=max(middle_, ceil(high)))


def _doubts(family: Family, before: Sample, counter: TextCounter) -> Iterator[str]:
    """Yield why even a text's count is doubtful."""
    if family.name.startswith("other"):
        model = before.model or "this model"
        yield f"How {model} counts tokens was not measured: texts are counted as for OpenAI's models."
    if counter.error > 0:
        yield f"Texts are counted by {counter.name}, which is about {counter.error:.1%} off."


def _invalidated(lost: int) -> str:
    return (
        f"The prompt changes before the end of what was read from the provider's cache: {lost:,} of those tokens are "
        "taken as not cached. If this prompt was sent before, they are."
    )


def _change(first: Revision | None, family: Family, count: Callable[[str], int]) -> Change | None:
    if first is None:
        return None
    before, now = first.before, first.now
    part = now or before
    if part is None:
        return None
    return Change(
        kind=part.kind,
        name=part.name,
        position=first.position,
        byte=same_bytes(before.text, now.text) if before and now else 0,
        before=counted(before, family, count) if before else 0,
        after=counted(now, family, count) if now else 0,
    )
