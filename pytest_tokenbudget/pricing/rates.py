"""What one model charges per token, and what a usage costs at that.

A rate card prices the disjoint classes of `Usage`. A class without a rate is *unpriced*: using it makes the cost
unknown, never $0. Two rules stand in for rates that providers do not list apart:

- thinking is billed as output (OpenAI "Reasoning models", Anthropic "Extended thinking", read 2026-11);
- long prompts: the tier is chosen by the whole prompt, cache included, strictly above its threshold, and then applies
  to every class (Anthropic "Long context pricing", OpenAI and Gemini price pages, read 2026-11).

Everything else must have its own rate: a one-hour cache write is not a five-minute one, a cache read is no input.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Context, Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.model.usage import CLASSES, Usage

__all__ = ["EXACT", "FEE", "FREE", "LongPrompt", "RateCard", "Rates", "cost_of", "priced_part", "unpriced_in"]

EXACT: Final = Context(prec=200)
"""Arithmetic of our own: the ambient decimal context belongs to the tests around us and may round."""

FEE: Final = "fee:"
"""Opens the name of a fee among unpriced classes."""

_NOTHING: Final[Mapping[str, Decimal]] = MappingProxyType({})


class Rates(Struct, frozen=True, kw_only=True):
    """US dollars per token by class of `Usage`; `None` is no price, which is not $0.

    `other` has the classes without a name of ours that have a price all the same, such as `cache_read_audio`.
    """

    input: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    output: Decimal | None = None
    thinking: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    input_image: Decimal | None = None
    output_image: Decimal | None = None
    other: Mapping[str, Decimal] = _NOTHING

    @classmethod
    def per_million(cls, rates: Mapping[str, Decimal], *, image_is_input: bool = False) -> "Rates":
        """Take rates as price pages state them, in US dollars per million tokens.

        Args:
            rates: By class.
            image_is_input: Whether the provider bills image tokens without a price of their own as input.
        """
        stated = {name: rate.scaleb(-6, EXACT) for name, rate in rates.items()}
        if "output" in stated:
            stated.setdefault("thinking", stated["output"])
        if image_is_input and "input" in stated:
            stated.setdefault("input_image", stated["input"])
        other = {name: stated.pop(name) for name in tuple(stated) if name not in CLASSES}
        return cls(**stated, other=MappingProxyType(other))

    def of(self, name: str) -> Decimal | None:
        """The rate of a class; `None` where it has none."""
        return getattr(self, name) if name in CLASSES else self.other.get(name)

    def times(self, factor: Decimal) -> "Rates":
        """The same rates, each multiplied."""
        rates = {name: rate for name in CLASSES if (rate := self.of(name)) is not None}
        other = {name: EXACT.multiply(rate, factor) for name, rate in self.other.items()}
        return Rates(
            **{name: EXACT.multiply(rate, factor) for name, rate in rates.items()},
            other=MappingProxyType(other),
        )

    def stated(self) -> Iterator[tuple[str, Decimal]]:
        """Yield (class, rate) for every class that has one, in a fixed order."""
        for name in (*CLASSES, *sorted(self.other)):
            rate = self.of(name)
            if rate is not None:
                yield name, rate


FREE: Final = Rates.per_million(dict.fromkeys(CLASSES, Decimal(0)))
"""Of models that cost nothing."""


class LongPrompt(Struct, frozen=True):
    """Rates of every class once a prompt has more tokens than a threshold."""

    above: int
    rates: Rates


class RateCard(Struct, frozen=True, kw_only=True, dict=True):
    """What one model charges in one context.

    Attributes:
        entry: The price entry, such as `openai/gpt-5.2`.
        source: Whose entry it is: `genai-prices 0.2.3`, or the place of a setting.
        rates: For prompts of ordinary length.
        long_prompts: For longer prompts, by rising threshold.
        fees: US dollars per use, by the fee's name.
        effective: Since when the price holds, where that is stated.
        factors: Multipliers that are contained in the rates, as (reason, factor).
        notes: What a reader of the cost should know.
    """

    entry: str
    source: str
    rates: Rates
    long_prompts: tuple[LongPrompt, ...] = ()
    fees: Mapping[str, Decimal] = _NOTHING
    effective: date | None = None
    factors: tuple[tuple[str, Decimal], ...] = ()
    notes: tuple[str, ...] = ()

    def times(self, reason: str, factor: Decimal) -> "RateCard":
        """The same card with its token rates multiplied; fees stay."""
        return replace(
            self,
            rates=self.rates.times(factor),
            long_prompts=tuple(LongPrompt(tier.above, tier.rates.times(factor)) for tier in self.long_prompts),
            factors=(*self.factors, (reason, factor)),
        )

    def tier_for(self, usage: Usage) -> LongPrompt | None:
        """The long-prompt tier that a usage falls into, if any."""
        prompt = usage.total_input
        return next((tier for tier in reversed(self.long_prompts) if prompt > tier.above), None)

    def rates_for(self, usage: Usage) -> Rates:
        """The rates that a usage is billed at."""
        tier = self.tier_for(usage)
        return self.rates if tier is None else tier.rates

    @cached_property
    def _scales(self) -> "tuple[_Scale, tuple[tuple[int, _Scale], ...]]":
        # cost_of runs once per call: whole numbers on a common scale are exact and take a third of the time
        longer = tuple((tier.above, _scale(tier.rates)) for tier in reversed(self.long_prompts))
        return _scale(self.rates), longer


class _Scale(Struct, frozen=True, kw_only=True):
    """Rates as whole numbers of one small unit of US dollars; `missing` names the classes without one."""

    unit: Decimal
    missing: tuple[str, ...]
    input: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    output: int
    thinking: int
    input_audio: int
    output_audio: int
    input_image: int
    output_image: int


def _scale(rates: Rates) -> _Scale:
    known = {name: rate for name in CLASSES if (rate := rates.of(name)) is not None}
    digits = max((-int(rate.as_tuple().exponent) for rate in known.values()), default=0)
    return _Scale(
        unit=Decimal(1).scaleb(-digits, EXACT),
        missing=tuple(name for name in CLASSES if name not in known),
        **{name: int(known[name].scaleb(digits, EXACT)) if name in known else 0 for name in CLASSES},
    )


def cost_of(usage: Usage, card: RateCard) -> Decimal | None:
    """US dollars, exact; `None` where something that was used has no price (`unpriced_in` says what)."""
    scale, longer = card._scales  # noqa: SLF001 - the card's own arithmetic, kept out of its attributes
    if longer:
        prompt = usage.total_input
        for above, tier in longer:
            if prompt > above:
                scale = tier
                break
    for name in scale.missing:
        if getattr(usage, name):
            return None
    cost = EXACT.multiply(
        scale.unit,
        usage.input * scale.input
        + usage.cache_read * scale.cache_read
        + usage.cache_write * scale.cache_write
        + usage.cache_write_1h * scale.cache_write_1h
        + usage.output * scale.output
        + usage.thinking * scale.thinking
        + usage.input_audio * scale.input_audio
        + usage.output_audio * scale.output_audio
        + usage.input_image * scale.input_image
        + usage.output_image * scale.output_image,
    )
    if usage.other:
        with_other = _with_other(cost, usage.other, card.rates_for(usage))
        if with_other is None:
            return None
        cost = with_other
    return _with_fees(cost, usage.fees, card) if usage.fees else cost


def _with_other(cost: Decimal, counts: Mapping[str, int], rates: Rates) -> Decimal | None:
    for name, count in counts.items():
        if not count:
            continue
        if name not in rates.other:
            return None
        cost = EXACT.add(cost, EXACT.multiply(rates.other[name], count))
    return cost


def _with_fees(cost: Decimal, fees: Mapping[str, int], card: RateCard) -> Decimal | None:
    for name, count in fees.items():
        if not count:
            continue  # a search tool that was declared and not used costs nothing
        if name not in card.fees:
            return None
        cost = EXACT.add(cost, EXACT.multiply(card.fees[name], count))
    return cost


def unpriced_in(usage: Usage, card: RateCard) -> tuple[str, ...]:
    """The classes, and the fees as `fee:<name>`, that were used and have no price."""
    rates = card.rates_for(usage)
    return (
        *(name for name, _ in usage.counts() if rates.of(name) is None),
        *(FEE + name for name, count in sorted(usage.fees.items()) if count and name not in card.fees),
    )


def priced_part(usage: Usage, card: RateCard) -> Decimal:
    """US dollars of what has a price: a lower bound where something has none."""
    rates = card.rates_for(usage)
    cost = Decimal(0)
    for name, count in usage.counts():
        cost = EXACT.add(cost, EXACT.multiply(rates.of(name) or 0, count))
    for name, count in usage.fees.items():
        cost = EXACT.add(cost, EXACT.multiply(card.fees.get(name, Decimal(0)), count))
    return cost
