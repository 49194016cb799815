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


@pytest.mark.parametrize(
    ("provider", "model", "last_of_the_base", "base", "longer"),
    [
        ("google", "gemini-2.5-pro", 200_000, "1.25", "2.5"),
        ("google", "gemini-3-pro-preview", 200_000, "2", "4"),
        ("x-ai", "grok-4.20", 199_999, "1.25", "2.5"),
        ("x-ai", "grok-4.7", 199_999, None, None),
        ("openai", "gpt-6-sol", 272_000, "2", "4"),
        ("openai", "gpt-5.4", 272_000, "2.5", "5"),
        ("anthropic", "claude-sonnet-4-5", 200_000, "3", "6"),
        ("anthropic", "claude-haiku-5-5", 100_000, "0.1", "0.5"),
        ("aws", "global.openai.gpt-6-sol", 272_000, None, None),
    ],
)
def test_long_prompts_begin_where_each_provider_says(
    provider: str, model: str, last_of_the_base: int, base: str | None, longer: str | None
) -> None:
    below = TABLE.charge(call(provider, model, Usage(input=last_of_the_base))).cost
    above = TABLE.charge(call(provider, model, Usage(input=last_of_the_base + 1))).cost

    assert below is not None
    assert above is not None
    if base is not None and longer is not None:
        assert below == Decimal(base) * last_of_the_base / 1_000_000
        assert above == Decimal(longer) * (last_of_the_base + 1) / 1_000_000
    assert above > below * Decimal("1.9")


def test_bedrocks_claude_costs_a_tenth_more_outside_of_the_global_profile() -> None:
    listed = next(provider for provider in providers if provider.id == "aws").models
    claude = [model.id for model in listed if model.id.startswith("global.anthropic.")]
    assert len(claude) >= 17
    for name in claude:
        usage = Usage(input=1_000, cache_read=1_000, cache_write=1_000, output=1_000)
        everywhere = TABLE.charge(call("aws", name, usage)).cost
        bare = TABLE.charge(call("aws", name.removeprefix("global."), usage)).cost
        geographic = TABLE.charge(call("aws", f"us.{name.removeprefix('global.')}", usage)).cost
        assert everywhere is not None, name
        assert bare == geographic, name
        factor = "1" if "claude-sonnet-4-2025" in name else "1.1"  # that one began before there were two prices
        assert bare == everywhere * Decimal(factor), name


@pytest.mark.parametrize("tier", ["flex", "priority", "reserved"])
def test_bedrocks_tiers_are_not_in_the_data(tier: str) -> None:
    used = call("aws", "openai.gpt-oss-120b-1:0", Usage(input=1), tier=tier)

    assert TABLE.charge(used).unpriced == (f"tier:{tier}",)


def test_two_models_double_in_december() -> None:
    december = PriceTable(as_of=datetime(2026, 12, 1, tzinfo=UTC))
    used = call("google", "gemini-4-argon", Usage(input=1_000_000, output=1_000_000))

    assert TABLE.charge(used).cost == 12
    assert december.charge(used).cost == 24


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
