"""Multipliers that providers publish and the price data lacks. They apply to tokens, not to fees."""

from decimal import Decimal
from typing import Final

from pytest_tokenbudget.pricing.context import PriceContext, Unpriced
from pytest_tokenbudget.pricing.rates import RateCard

__all__ = ["UPLIFTS", "with_geo", "with_region"]

UPLIFTS: Final = {"anthropic inference_geo:us": Decimal("1.1"), "openai region": Decimal("1.1")}
"""Part of the price table's identity.

Anthropic: inference in the US only costs 1.1 times in every token class (Pricing, "Data residency", read 2026-11).
OpenAI: data residency endpoints cost 10% more for models released on or after 2026-03-05 ("Data residency", read
2026-11).
"""

_GEO_US: Final = ("inference_geo", "us")
_OPENAI_HOST: Final = ".api.openai.com"
_OPENAI_UPLIFTED: Final = ("gpt-5.4", "gpt-5.5", "gpt-5.6", "gpt-6")
"""Families released on 2026-03-05 (gpt-5.4) or later."""

_OPENAI_OLDER: Final = (
    *("gpt-3.5", "gpt-4", "gpt-5-", "gpt-5.1", "gpt-5.2", "gpt-5.3", "o1", "o3", "o4"),
    *("text-embedding", "ft:gpt-3.5", "ft:gpt-4"),
)
"""Families released before, with `gpt-5` itself."""


def with_geo(provider: str, context: PriceContext) -> tuple[PriceContext, tuple[tuple[str, Decimal], ...]]:
    """Take the place of inference out of a context, as the multiplier that it stands for."""
    if provider != "anthropic" or _GEO_US not in context.items:
        return context, ()
    rest = tuple(item for item in context.items if item != _GEO_US)
    return PriceContext(tier=context.tier, items=rest), (("inference_geo:us", UPLIFTS["anthropic inference_geo:us"]),)


def with_region(host: str, model: str, card: RateCard) -> RateCard | Unpriced:
    """A list price as the regional host of a call charges it.

    Args:
        host: The call's host.
        model: The price entry's model id.
        card: Its rates at the global host.
    """
    if not host.endswith(_OPENAI_HOST):
        return card
    region = host.removesuffix(_OPENAI_HOST)
    if model.startswith(_OPENAI_UPLIFTED):
        return card.times(f"region:{region}", UPLIFTS["openai region"])
    if model == "gpt-5" or model.startswith(_OPENAI_OLDER):
        return card
    return Unpriced((f"region:{region}",), f"whether {host} charges more for {model} is not known")
