"""From an estimate's numbers to usages: the middle, the least and the most that a changed request can use.

Whatever a provider charges, as long as reading a cache costs no more than plain input and writing one no less, the
least costs no more than the middle, and the most no less.
"""

from math import ceil, floor
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.tokens.cache import Split

__all__ = ["Bounds", "least", "middle", "most"]

LEAST_OUTPUT: Final = 0.54
MOST_OUTPUT: Final = 1.54
"""The tenth and ninetieth percentile of the output of identical requests, recorded again, as shares of the first."""


class Bounds(Struct, frozen=True, kw_only=True, gc=False):
    """All input tokens of an estimate, media included: low ≤ middle ≤ high."""

    low: int
    middle: int
    high: int


def middle(usage: Usage, found: Split) -> Usage:
    """The recorded usage with another input; media, output and fees are held."""
    return replace(
        usage,
        input=found.input,
        cache_read=found.cache_read,
        cache_write=found.cache_write,
        cache_write_1h=found.cache_write_1h,
    )


def least(estimated: Usage, total: int, warm: int, *, thinks: bool) -> Usage:
    """The least that can be used.

    Args:
        estimated: The middle of the estimate.
        total: The least input in all.
        warm: What the recording read from the cache: the prompt may have been sent before as it is now.
        thinks: Whether the model still thinks.
    """
    media = estimated.input_audio + estimated.input_image
    held = min(media, total)
    audio = min(estimated.input_audio, held)
    text = total - held
    read = min(max(warm, estimated.cache_read), text)
    plain = min(estimated.input, text - read)
    written = min(text - read - plain, estimated.cache_write + estimated.cache_write_1h)
    hour = min(estimated.cache_write_1h, written)
    return replace(
        estimated,
        input=text - read - written,
        cache_read=read,
        cache_write=written - hour,
        cache_write_1h=hour,
        input_audio=audio,
        input_image=held - audio,
        output=floor(LEAST_OUTPUT * estimated.output),
        thinking=floor(LEAST_OUTPUT * estimated.thinking) if thinks else 0,
        output_audio=floor(LEAST_OUTPUT * estimated.output_audio),
    )


def most(estimated: Usage, total: int) -> Usage:
    """The most that can be used; what comes on top is written to the cache where anything is.

    Args:
        estimated: The middle of the estimate.
        total: The most input in all.
    """
    more = max(0, total - estimated.total_input)
    dearest = "cache_write_1h" if estimated.cache_write_1h else "cache_write" if estimated.cache_write else "input"
    dearer = {dearest: getattr(estimated, dearest) + more}
    return replace(
        estimated,
        **dearer,
        output=ceil(MOST_OUTPUT * estimated.output),
        thinking=ceil(MOST_OUTPUT * estimated.thinking),
        output_audio=ceil(MOST_OUTPUT * estimated.output_audio),
    )
