"""Rate cards from genai-prices: price data only, read as it is bundled in the installed release.

Its own extraction and arithmetic are not used. Where its data is silent we say so instead of guessing: a class without
a price, a context without a variant in force at the instant asked for, an entry priced by the request.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from pytest_tokenbudget.errors import PriceError
from pytest_tokenbudget.pricing.bundled import bundled_providers
from pytest_tokenbudget.pricing.context import PriceContext, Unpriced
from pytest_tokenbudget.pricing.rates import EXACT, FEE, LongPrompt, RateCard, Rates

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

__all__ = ["installed_version", "knows", "list_price"]

SUPPORTED: Final = ">=0.2.3,<0.3"

_CLASSES: Final = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
    "output_reasoning_mtok": "thinking",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
    "input_image_mtok": "input_image",
    "output_image_mtok": "output_image",
}
_FEES: Final = {
    "web_searches_kcount": "web_search",
    "social_searches_kcount": "social_search",
    "storage_searches_kcount": "file_search",
    "code_executions_kcount": "code_execution",
    "rerank_searches_kcount": "rerank_search",
}
_SEARCH, _PREVIEW = "web_search", "web_search_preview"
_MINI_SEARCHES: Final = ("gpt-4o-mini", "gpt-4.1-mini")
_NOT_REASONING: Final = ("gpt-4o", "gpt-4.1")
"""OpenAI bills a search by the older tool like any other where the model reasons, and dearer where it does not; by the
newer tool it adds 8,000 input tokens on the mini models, which usage need not tell ("Pricing", read 2026-11). The data
has one fee for all: what it does not hold for has none here."""

_PER_REQUEST: Final = "requests_kcount"
_IMAGE_IS_INPUT: Final = frozenset({"openai"})
"""OpenAI meters an image's tokens like text where a model lists no image rate ("Images and vision", read 2026-11)."""

Prices = Mapping[str, "Decimal | TieredPrices"]
"""genai-prices' keys, such as `input_mtok`, to US dollars per million, or per thousand for fees."""


@lru_cache(maxsize=1)
def installed_version() -> str:
    """The version of the installed genai-prices."""
    try:
        return version("genai-prices")
    except PackageNotFoundError:
        return "(not installed)"


def list_price(provider: str, model: str, context: PriceContext, as_of: datetime) -> RateCard | Unpriced | None:
    """What a provider lists for a model at an instant; `None` where it lists no such model.

    Args:
        provider: One of our provider ids, which are also genai-prices'.
        model: The model's name in a request or response; matched as genai-prices matches it.
        context: What is not ordinary about the call.
        as_of: An aware instant.

    Raises:
        PriceError: The installed genai-prices is not as we know it.
    """
    try:
        return _list_price(provider, model, context, as_of)
    except Exception as error:
        raise _unreadable(error) from error


def knows(provider: str) -> bool:
    """Whether genai-prices lists a provider by this id.

    Raises:
        PriceError: The installed genai-prices is not as we know it.
    """
    try:
        return provider in _providers()
    except Exception as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> PriceError:
    return PriceError(
        f"genai-prices {installed_version()} cannot be read ({error!r:.200}). Supported: {SUPPORTED}. "
        f'Type: python -m pip install "genai-prices{SUPPORTED}"'
    )


def _list_price(provider_id: str, name: str, context: PriceContext, as_of: datetime) -> RateCard | Unpriced | None:
    providers = _providers()
    provider = providers.get(provider_id)
    model = provider.find_model(name, all_providers=list(providers.values())) if provider else None
    if provider is None or model is None:
        return None
    owner = _owner(provider, model, providers)
    entry = f"{owner}/{model.id}"
    prices, effective, notes = _standard(model, as_of)
    if context.labels:
        # the tiers of another provider say nothing of what this one charges for its own
        variant = _variant(model, context, as_of) if owner == provider_id else None
        if variant is None:
            what = " with ".join(context.labels)
            return Unpriced(context.labels, f"{entry} has no price for {what} as of {as_of:%Y-%m-%d}")
        prices, effective = {**prices, **variant[0]}, variant[1] or effective
    if _PER_REQUEST in prices:
        return Unpriced((FEE + "request",), f"{entry} has a fee for each request that varies; only its bound is listed")
    if not _CLASSES.keys() & prices.keys():
        return Unpriced(("model",), f"{entry} is listed without a price per token")
    return RateCard(
        entry=entry,
        source=f"genai-prices {installed_version()}",
        rates=_rates(prices, 0, owner),
        long_prompts=tuple(LongPrompt(above, _rates(prices, above + 1, owner)) for above in _thresholds(prices)),
        fees=_fees(prices, owner, model.id),
        effective=effective,
        notes=notes,
    )


@lru_cache(maxsize=1)
def _providers() -> "Mapping[str, Provider]":
    return {provider.id: provider for provider in bundled_providers()}


def _owner(provider: "Provider", model: "ModelInfo", providers: "Mapping[str, Provider]") -> str:
    # Azure and Google list other providers' models by reference
    candidates: tuple[str, ...] = (provider.id, *(provider.fallback_model_providers or ()))
    return next(found for found in candidates if any(model is listed for listed in providers[found].models))


def _standard(model: "ModelInfo", as_of: datetime) -> tuple[Prices, date | None, tuple[str, ...]]:
    """The prices in force: of those listed the last that is active."""
    if not isinstance(model.prices, list):
        return _stated(model.prices), None, ()
    chosen = next(
        (price for price in reversed(model.prices) if price.constraint is None or price.constraint.active(as_of)), None
    )
    notes: tuple[str, ...] = ()
    if any(hasattr(price.constraint, "start_time") for price in model.prices):
        notes = (f"{model.id} is priced by the hour of the day: as at {as_of.astimezone(UTC):%H:%M} UTC",)
    if chosen is None:
        return {}, None, notes
    return _stated(chosen.prices), getattr(chosen.constraint, "start_date", None), notes


def _variant(model: "ModelInfo", context: PriceContext, as_of: datetime) -> tuple[Prices, date | None] | None:
    """What the variants for exactly this context change, and since when; `None` where none is in force."""
    wanted = dict(context.items)
    if context.tier is not None:
        wanted["processing" if context.tier == "batch" else "service_tier"] = context.tier
    active = [
        variant
        for variant in model.price_variants or ()
        if variant.when == wanted and (variant.constraint is None or variant.constraint.active(as_of))
    ]
    if not active:
        return None
    changes: dict[str, Decimal | TieredPrices] = {}
    for variant in reversed(active):  # the first stated wins
        changes.update(_stated(variant.prices))
    return changes, getattr(active[0].constraint, "start_date", None)


def _stated(prices: "ModelPrice") -> Prices:
    return {key: price for key, price in vars(prices).items() if price is not None}


def _thresholds(prices: Prices) -> Iterable[int]:
    starts = {tier.start for price in prices.values() if not isinstance(price, Decimal) for tier in price.tiers}
    return sorted(starts)


def _rates(prices: Prices, prompt: int, owner: str) -> Rates:
    return Rates.per_million(
        {name: _at(prices[key], prompt) for key, name in _CLASSES.items() if key in prices},
        image_is_input=owner in _IMAGE_IS_INPUT,
    )


def _fees(prices: Prices, owner: str, model: str) -> dict[str, Decimal]:
    fees = {fee: _at(prices[key], 0).scaleb(-3, EXACT) for key, fee in _FEES.items() if key in prices}
    if owner == "openai" and _SEARCH in fees:
        if not model.startswith(_NOT_REASONING):
            fees[_PREVIEW] = fees[_SEARCH]
        if model.startswith(_MINI_SEARCHES):
            del fees[_SEARCH]
    return fees


def _at(price: "Decimal | TieredPrices", prompt: int) -> Decimal:
    """A price for a prompt of some length: tiers begin strictly above their start, and stand in rising order."""
    if isinstance(price, Decimal):
        return price
    return next((tier.price for tier in reversed(price.tiers) if prompt > tier.start), price.base)
