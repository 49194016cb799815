"""What we rely on in the installed genai-prices: the one test that reads its data."""

from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price
from genai_prices.data import providers
from genai_prices.types import ModelPrice, StartDateConstraint, TieredPrices, TimeOfDateConstraint
from genai_prices.units import UnitRegistry

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import DEFAULT_AS_OF, PriceTable
from pytest_tokenbudget.pricing.genai import SUPPORTED

TABLE = PriceTable()
CONTEXT_KEYS = {"processing", "service_tier", "speed", "route", "search_type"}
"""Keys that select a variant; a new one needs a look at what our formats put into a call's price context."""


def call(provider: str, model: str, usage: Usage, **stated: Any) -> Call:
    return Call(
        provider=provider,
        api="openai.chat",
        host="localhost",
        model_asked=model,
        status="exact",
        usage=usage,
        obtained="replayed",
        **stated,
    )


def every_price() -> list[tuple[str, ModelPrice]]:
    return [
        (f"{provider.id}/{model.id}", price)
        for provider in providers
        for model in provider.models
        for price in (
            *([model.prices] if isinstance(model.prices, ModelPrice) else [one.prices for one in model.prices]),
            *(variant.prices for variant in model.price_variants or ()),
        )
    ]


def test_the_installed_version_is_in_the_supported_range() -> None:
    assert SUPPORTED == ">=0.2.3,<0.3"
    assert version("genai-prices").startswith("0.2.")


def test_every_price_is_a_decimal_or_tiers_of_decimals_in_rising_order() -> None:
    for entry, price in every_price():
        for key, stated in vars(price).items():
            where = f"{entry} {key}"
            if isinstance(stated, TieredPrices):
                assert [tier.start for tier in stated.tiers] == sorted({tier.start for tier in stated.tiers}), where
                assert all(isinstance(one, Decimal) for one in (stated.base, *(t.price for t in stated.tiers))), where
            else:
                assert isinstance(stated, Decimal), where


def test_tokens_are_priced_by_the_million_and_uses_by_the_thousand() -> None:
    from genai_prices.data_units import unit_data

    for unit in UnitRegistry(unit_data).units.values():
        if unit.price_key.endswith("_mtok"):
            assert unit.per == 1_000_000
        if unit.price_key.endswith("_kcount"):
            assert unit.per == 1_000


def test_constraints_and_contexts_are_of_the_kinds_we_know() -> None:
    for provider in providers:
        for model in provider.models:
            for variant in model.price_variants or ():
                assert set(variant.when) <= CONTEXT_KEYS, f"{provider.id}/{model.id}"
                assert isinstance(variant.constraint, StartDateConstraint | None)
            if not isinstance(model.prices, ModelPrice):
                assert model.prices[0].constraint is None, f"{provider.id}/{model.id}"
                for price in model.prices:
                    assert isinstance(price.constraint, StartDateConstraint | TimeOfDateConstraint | None)


@pytest.mark.parametrize(
    ("provider", "model", "usage", "dollars"),
    [
        ("anthropic", "claude-3-7-sonnet-20250219", Usage(input=3, cache_write=12_304, output=550), "0.054399"),
        ("openai", "gpt-5.2", Usage(input=176, cache_read=1_024, output=340), "0.0052472"),
        ("anthropic", "claude-opus-5", Usage(cache_write_1h=344_139), "3.44139"),
        ("anthropic", "claude-sonnet-4-5", Usage(cache_read=240_000), "0.144"),
        ("openai", "text-embedding-3-small", Usage(input=1_000_000), "0.02"),
        ("openai", "gpt-4o", Usage(fees={"web_search": 1}), "0.01"),
    ],
)
def test_known_costs(provider: str, model: str, usage: Usage, dollars: str) -> None:
    assert TABLE.charge(call(provider, model, usage)).cost == Decimal(dollars)


@pytest.mark.parametrize(
    ("provider", "model", "tier"),
    [
        ("openai", "gpt-4o-mini", None),
        ("openai", "gpt-5.4", None),
        ("openai", "gpt-5.4", "flex"),
        ("openai", "gpt-6-sol", "priority"),
        ("anthropic", "claude-haiku-4-5", None),
        ("anthropic", "claude-haiku-5-5", "batch"),
        ("azure", "gpt-4o", None),
        ("x-ai", "grok-4.20", None),
    ],
)
@pytest.mark.parametrize("prompt", [1_000, 272_000, 272_001])
def test_where_their_arithmetic_is_right_ours_agrees(provider: str, model: str, tier: str | None, prompt: int) -> None:
    context = {"processing" if tier == "batch" else "service_tier": tier} if tier else None
    theirs = calc_price(
        TheirUsage(input_tokens=prompt, cache_read_tokens=400, output_tokens=700),
        model,
        provider_id=provider,
        genai_request_timestamp=DEFAULT_AS_OF,
        price_context=context,
    )
    ours = TABLE.charge(call(provider, model, Usage(input=prompt - 400, cache_read=400, output=700), tier=tier))

    assert ours.cost == theirs.total_price


def test_flex_had_no_price_before_october() -> None:
    flex = call("openai", "gpt-5.2", Usage(input=1), tier="flex")

    assert PriceTable(as_of=datetime(2026, 10, 11, tzinfo=UTC)).charge(flex).unpriced == ("tier:flex",)
    assert TABLE.charge(flex).cost == Decimal("0.000000875")


def test_every_listed_model_is_priced_or_says_why_not() -> None:
    for provider in providers:
        for model in provider.models:
            charged = TABLE.charge(call(provider.id, model.id, Usage(input=1)))
            assert (charged.cost is None) == bool(charged.unpriced), f"{provider.id}/{model.id}"
            assert charged.cost is not None or charged.notes or charged.unpriced == ("input",)
