"""What one model call consumed, in disjoint token counts."""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from msgspec import Struct

__all__ = ["CLASSES", "INPUT_CLASSES", "NO_USAGE", "OUTPUT_CLASSES", "Usage"]

INPUT_CLASSES: Final = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "input_audio",
    "input_image",
)
OUTPUT_CLASSES: Final = ("output", "thinking", "output_audio", "output_image")
CLASSES: Final = INPUT_CLASSES + OUTPUT_CLASSES

_counted: Final = attrgetter(*CLASSES)

_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """Token counts by class, none of which contains another, and counted fees.

    Attributes:
        input: Tokens billed at the plain input rate (text; neither read from nor written to a cache).
        cache_read: Input tokens read from the provider's prompt cache.
        cache_write: Input tokens written to a cache that lives five minutes (or the provider's only kind).
        cache_write_1h: Input tokens written to a cache that lives one hour.
        output: Generated tokens that the caller sees (text and tool calls).
        thinking: Generated tokens of hidden reasoning.
        input_audio: Audio input tokens.
        output_audio: Audio output tokens.
        input_image: Image input tokens, where the provider counts them apart.
        output_image: Image output tokens.
        fees: Counted things that are billed by the piece, such as `web_search: 2`.
        other: Token classes that the provider reports and that have no name here, under the provider's own name.
            They have no price.
    """

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    output: int = 0
    thinking: int = 0
    input_audio: int = 0
    output_audio: int = 0
    input_image: int = 0
    output_image: int = 0
    fees: Mapping[str, int] = _NOTHING
    other: Mapping[str, int] = _NOTHING

    @property
    def total_input(self) -> int:
        """All input tokens, cache included."""
        return (
            self.input + self.cache_read + self.cache_write + self.cache_write_1h + self.input_audio + self.input_image
        )

    @property
    def total_output(self) -> int:
        """All output tokens, thinking included."""
        return self.output + self.thinking + self.output_audio + self.output_image

    @property
    def total(self) -> int:
        """Every token of every class, the nameless ones included."""
        return self.total_input + self.total_output + sum(self.other.values())

    @property
    def cache_hit_rate(self) -> float | None:
        """The share of input tokens that were read from a cache, 0 to 1; `None` without input."""
        total = self.total_input
        return self.cache_read / total if total else None

    def counts(self) -> Iterator[tuple[str, int]]:
        """Yield (class, tokens) for every class that is not zero, in a fixed order, nameless classes last."""
        yield from [pair for pair in zip(CLASSES, _counted(self), strict=True) if pair[1]]
        if self.other:
            yield from sorted((name, count) for name, count in self.other.items() if count)

    def __add__(self, other: object) -> "Usage":
        if not isinstance(other, Usage):
            return NotImplemented
        return Usage(
            input=self.input + other.input,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
            cache_write_1h=self.cache_write_1h + other.cache_write_1h,
            output=self.output + other.output,
            thinking=self.thinking + other.thinking,
            input_audio=self.input_audio + other.input_audio,
            output_audio=self.output_audio + other.output_audio,
            input_image=self.input_image + other.input_image,
            output_image=self.output_image + other.output_image,
            fees=_added(self.fees, other.fees),
            other=_added(self.other, other.other),
        )

    def __radd__(self, other: object) -> "Usage":
        # sum() starts from 0
        return self if other == 0 else NotImplemented


def _added(left: Mapping[str, int], right: Mapping[str, int]) -> Mapping[str, int]:
    if not right:
        return left
    if not left:
        return right
    return MappingProxyType({name: left.get(name, 0) + right.get(name, 0) for name in {**left, **right}})


NO_USAGE: Final = Usage()
