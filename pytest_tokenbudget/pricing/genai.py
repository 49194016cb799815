"""Price data from genai-prices, as it is bundled in the installed release.

Its own extraction and arithmetic are not used.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from pytest_tokenbudget.errors import PriceError
from pytest_tokenbudget.pricing.bedrock import bedrock_model
from pytest_tokenbudget.pricing.bundled import bundled_providers
from pytest_tokenbudget.pricing.context import PriceContext, Unpriced
from pytest_tokenbudget.pricing.entries import card_at
from pytest_tokenbudget.pricing.rates import RateCard

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

__all__ = ["data_source", "installed_version", "knows", "list_price", "listed_models", "unreadable"]

SUPPORTED: Final = ">=0.2.3,<0.3"


@lru_cache(maxsize=1)
def installed_version() -> str:
    """The version of the installed genai-prices."""
    try:
        return version("genai-prices")
    except PackageNotFoundError:
        return "(not installed)"


def data_source() -> str:
    """How the price data is named where a price comes from it."""
    return f"genai-prices {installed_version()}"


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
    name = bedrock_model(model) if provider == "aws" else model
    if isinstance(name, Unpriced):
        return name
    try:
        found = _entry(provider, name)
        if found is None:
            return None
        owner, entry = found
        return card_at(entry, owner, context, as_of, data_source(), has_tiers=owner == provider)
    except Exception as error:
        raise unreadable(error) from error


def knows(provider: str) -> bool:
    """Whether genai-prices lists a provider by this id.

    Raises:
        PriceError: The installed genai-prices is not as we know it.
    """
    try:
        return provider in _providers()
    except Exception as error:
        raise unreadable(error) from error


def listed_models(provider: str | None = None, name: str | None = None) -> Iterator[tuple[str, "ModelInfo"]]:
    """Yield (provider id, entry), by provider and model id.

    Args:
        provider: Only this one's, those that it lists by reference included; each one's own where none is given.
        name: Only the entry that prices this name.
    """
    for provider_id, listing in sorted(_providers().items()):
        if provider is not None and provider_id != provider:
            continue
        if name is None:
            own = sorted(listing.models, key=lambda model: model.id)
            yield from ((provider_id, model) for model in own)
        elif (found := _entry(provider_id, name)) and (provider is not None or found[0] == provider_id):
            yield found


def unreadable(error: Exception) -> PriceError:
    """An error on price data that is not as we know it."""
    return PriceError(
        f"genai-prices {installed_version()} cannot be read ({error!r:.200}). Supported: {SUPPORTED}. "
        f'Type: python -m pip install "genai-prices{SUPPORTED}"'
    )


@lru_cache(maxsize=1)
def _providers() -> "Mapping[str, Provider]":
    return {provider.id: provider for provider in bundled_providers()}


def _entry(provider_id: str, name: str) -> "tuple[str, ModelInfo] | None":
    """The entry that prices a name, with the provider who lists it."""
    providers = _providers()
    provider = providers.get(provider_id)
    model = provider.find_model(name, all_providers=list(providers.values())) if provider else None
    return None if provider is None or model is None else (_owner(provider, model, providers), model)


def _owner(provider: "Provider", model: "ModelInfo", providers: "Mapping[str, Provider]") -> str:
    # Azure and Google list other providers' models by reference
    candidates: tuple[str, ...] = (provider.id, *(provider.fallback_model_providers or ()))
    return next(found for found in candidates if any(model is listed for listed in providers[found].models))
