"""Multipliers that providers publish and the price data lacks. They apply to tokens, not to fees."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from pytest_tokenbudget.pricing.context import PriceContext, Unpriced
from pytest_tokenbudget.pricing.rates import RateCard

__all__ = ["UPLIFTS", "uplifts_of", "with_geo", "with_region"]

UPLIFTS: Final = {
    "anthropic inference_geo:us": Decimal("1.1"),
    "google region": Decimal("1.1"),
    "openai region": Decimal("1.1"),
}
"""Part of the price table's identity.

Anthropic: inference in the US only costs 1.1 times in every token class (Pricing, "Data residency", read 2026-11).
Google Cloud: regional and multi-region endpoints cost 10% more than the global one for Claude from Sonnet 4.5 on
(Anthropic's Pricing, "Third-party platforms", read 2026-11) and, since 2026-07-01, for Gemini 3 and later (Vertex AI
"Pricing", read 2026-11).
OpenAI: data residency endpoints cost 10% more for models released on or after 2026-03-05 ("Data residency", read
2026-11).

Bedrock's ids for one region or one geography have entries of their own in the price data, 10% above the global ones.
"""

_GEO_US: Final = ("inference_geo", "us")
_GEMINI_SINCE: Final = datetime(2026, 7, 1, tzinfo=UTC)

_OPENAI: Final = re.compile(r"([a-z0-9-]+)\.api\.openai\.com")
_VERTEX: Final = re.compile(r"(?:([a-z0-9-]+)-aiplatform|aiplatform\.([a-z]+)\.rep)\.googleapis\.com")
_HOSTS: Final = {"openai": _OPENAI, "google": _VERTEX}

_UPLIFTED: Final = {
    "openai": ("gpt-5.4", "gpt-5.5", "gpt-5.6", "gpt-6"),
    "google": ("gemini-3", "gemini-4", "claude-"),
}
"""Families that cost more. Of OpenAI's, those released on 2026-03-05 (gpt-5.4) or later."""

_SAME: Final = {
    "openai": (
        *("gpt-3.5", "gpt-4", "gpt-5-", "gpt-5.1", "gpt-5.2", "gpt-5.3", "o1", "o3", "o4"),
        *("text-embedding", "ft:gpt-3.5", "ft:gpt-4"),
    ),
    "google": (
        *("gemini-1", "gemini-2", "gemini-live-2", "gemini-pro", "gemini-flash-1", "gemini-embedding-001"),
        *("claude-3", "claude-4", "claude-opus-4-0", "claude-opus-4-1", "claude-sonnet-4-0"),
    ),
}
"""Families from before, with `gpt-5` itself; they are looked for first."""


def with_geo(provider: str, context: PriceContext) -> tuple[PriceContext, tuple[tuple[str, Decimal], ...]]:
    """Take the place of inference out of a context, as the multiplier that it stands for."""
    if provider != "anthropic" or _GEO_US not in context.items:
        return context, ()
    rest = tuple(item for item in context.items if item != _GEO_US)
    return PriceContext(tier=context.tier, items=rest), (("inference_geo:us", UPLIFTS["anthropic inference_geo:us"]),)


def with_region(host: str, provider: str, model: str, card: RateCard, as_of: datetime) -> RateCard | Unpriced:
    """A list price as the regional host of a call charges it.

    Args:
        host: The call's host.
        provider: Whose prices apply.
        model: The price entry's model id.
        card: Its rates at the global host.
        as_of: The instant whose prices are used.
    """
    known = _HOSTS.get(provider)
    regional = known.fullmatch(host) if known else None
    if regional is None:
        return card
    region = next(name for name in regional.groups() if name)
    factor = _factor(provider, model, as_of)
    if factor is None:
        return Unpriced((f"region:{region}",), f"whether {host} charges more for {model} is not known")
    return card if factor == 1 else card.times(f"region:{region}", factor)


def _factor(provider: str, model: str, as_of: datetime) -> Decimal | None:
    if model == "gpt-5" or model.startswith(_SAME[provider]):
        return Decimal(1)
    if not model.startswith(_UPLIFTED[provider]):
        return None
    if model.startswith("gemini") and as_of < _GEMINI_SINCE:
        return Decimal(1)
    return UPLIFTS[f"{provider} region"]


def uplifts_of(provider: str, model: str, as_of: datetime) -> tuple[tuple[str, Decimal], ...]:
    """The multipliers that may apply to a price entry, as (when, factor).

    Args:
        provider: Who lists it.
        model: Its model id.
        as_of: The instant whose prices are used.
    """
    if provider == "anthropic":
        return (("inference_geo us", UPLIFTS["anthropic inference_geo:us"]),)
    factor = _factor(provider, model, as_of) if provider in _HOSTS else None
    return () if factor is None or factor == 1 else (("regional hosts", factor),)
