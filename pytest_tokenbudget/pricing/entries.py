"""From an entry of the price data to a rate card: the prices in force at an instant, in one context.

Where the data is silent we say so instead of guessing: a class without a price, a context without a variant in force at
the instant asked for, an entry priced by the request.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

from pytest_tokenbudget.pricing.context import PriceContext, Unpriced, special_tier
from pytest_tokenbudget.pricing.hours import is_open
from pytest_tokenbudget.pricing.rates import EXACT, FEE, LongPrompt, RateCard, Rates

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices, TimeOfDateConstraint

__all__ = ["card_at", "contexts_of", "starts_of"]

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
    "cache_audio_read_mtok": "cache_read_audio",
    "cache_image_read_mtok": "cache_read_image",
    "input_video_mtok": "input_video",
    "output_video_mtok": "output_video",
}
"""The last four are classes that usage has no field for: they stand there under these names."""

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
_IMAGE_IS_INPUT: Final = frozenset({"openai", "google"})
"""Where a model lists no rate for images, their tokens are billed like text (OpenAI "Images and vision"; Gemini API
"Pricing", which states one rate for text, image and video; read 2026-11)."""

Prices = Mapping[str, "Decimal | TieredPrices"]
"""genai-prices' keys, such as `input_mtok`, to US dollars per million, or per thousand for fees."""


def card_at(
    model: "ModelInfo", owner: str, context: PriceContext, as_of: datetime, source: str, *, has_tiers: bool = True
) -> RateCard | Unpriced:
    """What an entry charges at an instant.

    Args:
        model: The entry.
        owner: The provider who lists it.
        context: What is not ordinary about the call.
        as_of: An aware instant.
        source: Whose data it is.
        has_tiers: Whether the entry's contexts hold for the call: the tiers of another provider say nothing of what
            this one charges for its own.
    """
    entry = f"{owner}/{model.id}"
    prices, effective, notes = _standard(model, owner, as_of)
    if context.labels:
        variant = _variant(model, context, as_of) if has_tiers else None
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
        source=source,
        rates=_rates(prices, 0, owner),
        long_prompts=tuple(LongPrompt(above, _rates(prices, above + 1, owner)) for above in _thresholds(prices)),
        fees=_fees(prices, owner, model.id),
        effective=effective,
        notes=notes,
    )


def contexts_of(model: "ModelInfo") -> Iterator[PriceContext]:
    """Yield every context that an entry has or will have a price for, the ordinary one first, each once."""
    seen = [PriceContext()]
    yield seen[0]
    for variant in model.price_variants or ():
        items = dict(variant.when)
        tier = items.pop("service_tier", None)
        if items.get("processing") == "batch":
            tier = items.pop("processing")
        context = PriceContext(tier=special_tier(tier), items=tuple(sorted(items.items())))
        if context not in seen:
            seen.append(context)
            yield context


def starts_of(model: "ModelInfo") -> tuple[date, ...]:
    """The days on which a price of an entry begins, in order."""
    dated = model.prices if isinstance(model.prices, list) else ()
    constraints = [one.constraint for one in (*dated, *(model.price_variants or ()))]
    return tuple(sorted({day for one in constraints if (day := getattr(one, "start_date", None)) is not None}))


def _standard(model: "ModelInfo", owner: str, as_of: datetime) -> tuple[Prices, date | None, tuple[str, ...]]:
    """The prices in force: of those listed the last that is active."""
    if not isinstance(model.prices, list):
        return _stated(model.prices), None, ()

    def in_force(constraint: "StartDateConstraint | TimeOfDateConstraint | None") -> bool:
        if hasattr(constraint, "start_time"):
            return is_open(cast("TimeOfDateConstraint", constraint), owner, model.id, as_of)
        return constraint is None or constraint.active(as_of)

    chosen = next((price for price in reversed(model.prices) if in_force(price.constraint)), None)
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
