"""Prices that this project froze, as the providers' price pages stated them on 2026-11-01, and builders of calls.

Written by hand in genai-prices' own types: the adapter is tested on them, and no new release of that data can move
an expected figure. The installed data is read by one contract test alone.
"""

from datetime import date, time
from decimal import Decimal
from typing import Any

from genai_prices.types import (
    ClauseEquals,
    ClauseStartsWith,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import RateCard, Rates


def usd(text: str) -> Decimal:
    return Decimal(text)


def prices(**stated: str) -> ModelPrice:
    return ModelPrice(
        **{
            f"{name}_kcount" if name.endswith("searches") else f"{name}_mtok": usd(rate)
            for name, rate in stated.items()
        }
    )


def tiered(start: int, **stated: tuple[str, str]) -> ModelPrice:
    return ModelPrice(
        **{
            f"{name}_mtok": TieredPrices(base=usd(base), tiers=[Tier(start=start, price=usd(longer))])
            for name, (base, longer) in stated.items()
        }
    )


def model(name: str, stated: Any, variants: list[PriceVariant] | None = None, *, exact: bool = False) -> ModelInfo:
    match = ClauseEquals(equals=name) if exact else ClauseStartsWith(starts_with=name)
    return ModelInfo(id=name, match=match, prices=stated, price_variants=variants)


def since(year: int, month: int, day: int) -> StartDateConstraint:
    return StartDateConstraint(start_date=date(year, month, day))


def claude(base: str, write: str, read: str, output: str, write_1h: str) -> ModelPrice:
    return prices(
        input=base, cache_write=write, cache_read=read, output=output, cache_write_1h=write_1h, web_searches="10"
    )


ANTHROPIC = Provider(
    id="anthropic",
    name="Anthropic",
    api_pattern="unused",
    models=[
        model("claude-3-7-sonnet", claude("3", "3.75", "0.3", "15", "6")),
        model(
            "claude-opus-5",
            claude("5", "6.25", "0.5", "25", "10"),
            [PriceVariant({"speed": "fast"}, claude("10", "12.5", "1", "50", "20"))],
        ),
        model(
            "claude-sonnet-4-5",
            tiered(
                200_000,
                input=("3", "6"),
                cache_write=("3.75", "7.5"),
                cache_read=("0.3", "0.6"),
                output=("15", "22.5"),
                cache_write_1h=("6", "12"),
            ),
            [
                PriceVariant(
                    {"processing": "batch"},
                    tiered(200_000, input=("1.5", "3"), cache_read=("0.15", "0.3"), output=("7.5", "11.25")),
                    since(2026, 10, 14),
                )
            ],
        ),
    ],
)

OPENAI = Provider(
    id="openai",
    name="OpenAI",
    api_pattern="unused",
    models=[
        model(
            "gpt-5.2",
            prices(input="1.75", cache_read="0.175", output="14", web_searches="10", storage_searches="2.5"),
            [
                PriceVariant({"service_tier": "default"}, ModelPrice()),
                PriceVariant(
                    {"service_tier": "flex"},
                    prices(input="0.875", cache_read="0.0875", output="7"),
                    since(2026, 10, 12),
                ),
                PriceVariant(
                    {"service_tier": "priority"},
                    prices(input="3.5", cache_read="0.35", output="28"),
                    since(2026, 10, 12),
                ),
                PriceVariant({"processing": "batch"}, prices(input="0.875", output="7"), since(2026, 10, 14)),
            ],
        ),
        model("gpt-5.4", prices(input="2.5", cache_read="0.25", output="15")),
        model(
            "gpt-5.6-sol",
            [
                ConditionalPrice(prices=prices(input="5", cache_read="0.5", cache_write="6.25", output="30")),
                ConditionalPrice(
                    since(2026, 8, 21), prices=prices(input="4", cache_read="0.4", cache_write="5", output="20")
                ),
            ],
        ),
        model(
            "gpt-6-sol",
            tiered(272_000, input=("2", "4"), cache_read=("0.2", "0.4"), output=("10", "15")),
            [
                PriceVariant(
                    {"service_tier": "flex"},
                    tiered(272_000, input=("1", "2"), cache_read=("0.1", "0.2"), output=("5", "7.5")),
                    since(2026, 10, 12),
                ),
                PriceVariant(
                    {"service_tier": "fast"},
                    tiered(272_000, input=("4", "8"), cache_read=("0.4", "0.8"), output=("20", "30")),
                    since(2026, 10, 12),
                ),
            ],
        ),
        model("gpt-4.1", prices(input="2", output="8", web_searches="10"), exact=True),
        model("gpt-4.1-mini", prices(input="0.4", output="1.6", web_searches="10"), exact=True),
        model("computer-use", prices(input="3", output="12")),
        model("gpt-4o-audio-preview", prices(input="2.5", output="10")),
        model("gpt-4o", prices(input="2.5", cache_read="1.25", output="10"), exact=True),
        model("moderation", ModelPrice()),
        model(
            "o3",
            [
                ConditionalPrice(prices=prices(input="10", output="40")),
                ConditionalPrice(since(2025, 6, 10), prices=prices(input="2", output="8")),
                ConditionalPrice(since(2026, 12, 1), prices=prices(input="4", output="16")),
            ],
            [
                PriceVariant({"service_tier": "flex"}, prices(input="3", output="8"), since(2027, 1, 1)),
                PriceVariant({"service_tier": "flex"}, prices(input="1", output="4")),
            ],
        ),
    ],
)

AZURE = Provider(
    id="azure", name="Azure", api_pattern="unused", fallback_model_providers=["openai", "anthropic"], models=[]
)

X_AI = Provider(
    id="x-ai",
    name="xAI",
    api_pattern="unused",
    models=[model("grok-4.20", tiered(199_999, input=("1.25", "2.5"), cache_read=("0.2", "0.4"), output=("2.5", "5")))],
)

DEEPSEEK = Provider(
    id="deepseek",
    name="DeepSeek",
    api_pattern="unused",
    models=[
        model(
            "deepseek-chat",
            [
                ConditionalPrice(prices=prices(input="0.135", output="0.55")),
                ConditionalPrice(
                    TimeOfDateConstraint(time(0, 30), time(16, 30)), prices=prices(input="0.27", output="1.1")
                ),
            ],
        ),
        model(
            "deepseek-v4-flash",
            [
                ConditionalPrice(prices=prices(input="0.14", output="0.28")),
                ConditionalPrice(since(2026, 8, 17), prices=prices(input="0.22", output="0.66")),
                ConditionalPrice(TimeOfDateConstraint(time(1), time(4)), prices=prices(input="0.44", output="1.32")),
                ConditionalPrice(TimeOfDateConstraint(time(6), time(10)), prices=prices(input="0.44", output="1.32")),
            ],
        ),
    ],
)

GOOGLE = Provider(
    id="google",
    name="Google",
    api_pattern="unused",
    fallback_model_providers=["anthropic"],
    models=[
        model("claude-4-sonnet", prices(input="3", output="15")),
        model("claude-haiku-4-5", prices(input="1", output="5")),
        model(
            "gemini-2.5-pro",
            tiered(200_000, input=("1.25", "2.5"), cache_read=("0.125", "0.25"), output=("10", "15")),
            [
                PriceVariant(
                    {"processing": "batch"},
                    tiered(200_000, input=("0.625", "1.25"), output=("5", "7.5")),
                    since(2026, 10, 14),
                )
            ],
        ),
        model(
            "gemini-3.8-flash",
            prices(input="1.5", cache_read="0.15", output="7.5", input_audio="3", cache_audio_read="0.3"),
            [
                PriceVariant({"service_tier": "flex"}, prices(input="0.75", output="3.75"), since(2026, 10, 15)),
                PriceVariant({"service_tier": "priority"}, prices(input="2.7", output="13.5"), since(2026, 10, 15)),
            ],
        ),
        model(
            "gemini-4-argon",
            [
                ConditionalPrice(prices=prices(input="2", cache_read="0.1", output="10")),
                ConditionalPrice(since(2026, 12, 1), prices=prices(input="4", cache_read="0.2", output="20")),
            ],
        ),
        model("text-bison", prices(input="1", output="1")),
    ],
)

AWS = Provider(
    id="aws",
    name="Amazon Bedrock",
    api_pattern="unused",
    models=[
        model("global.anthropic.claude-haiku-4-5", claude("1", "1.25", "0.1", "5", "2")),
        model("us.anthropic.claude-haiku-4-5", claude("1.1", "1.375", "0.11", "5.5", "2.2")),
        model("eu.anthropic.claude-haiku-4-5", claude("1.1", "1.375", "0.11", "5.5", "2.2")),
        model("anthropic.claude-haiku-4-5", claude("1.1", "1.375", "0.11", "5.5", "2.2")),
        model("us-gov.anthropic.claude-haiku-4-5", claude("1.1", "1.375", "0.11", "5.5", "2.2")),
    ],
)

OPENROUTER = Provider(
    id="openrouter",
    name="OpenRouter",
    api_pattern="unused",
    models=[
        model(
            "openai/gpt-5.6-sol",
            [
                ConditionalPrice(prices=prices(input="2", cache_read="0.2", cache_write="2.5", output="10")),
                ConditionalPrice(
                    since(2026, 10, 19), prices=prices(input="4", cache_read="0.4", cache_write="5", output="20")
                ),
            ],
        )
    ],
)

PERPLEXITY = Provider(
    id="perplexity",
    name="Perplexity",
    api_pattern="unused",
    models=[model("sonar", ModelPrice(input_mtok=usd("1"), output_mtok=usd("1"), requests_kcount=usd("12")))],
)

PROVIDERS = {
    provider.id: provider
    for provider in (ANTHROPIC, OPENAI, AZURE, X_AI, DEEPSEEK, GOOGLE, AWS, OPENROUTER, PERPLEXITY)
}


def card(*, fees: dict[str, Decimal] | None = None, **per_million: str) -> RateCard:
    rates = Rates.per_million({name: usd(rate) for name, rate in per_million.items()})
    return RateCard(entry="test/model", source="this test", rates=rates, fees=fees or {})


def override(name: str, *, place: str = "tokenbudget.yml: prices.x", **stated: Any) -> PriceOverride:
    where = {key: stated.pop(key) for key in ("provider", "host", "tier") if key in stated}
    fees = {fee: usd(rate) for fee, rate in stated.pop("fees", {}).items()}
    rates = {cls: usd(rate) for cls, rate in stated.items()}
    return PriceOverride(model=name, rates=rates, fees=fees, place=place, **where)


def call(name: str | None = "gpt-5.2", usage: Usage | None = None, **stated: Any) -> Call:
    provider = stated.pop("provider", "openai")
    defaults: dict[str, Any] = {
        "api": "anthropic.messages" if provider == "anthropic" else "openai.chat",
        "host": f"api.{provider}.com",
        "model_asked": name,
        "model_served": name,
        "status": "exact",
        "obtained": "replayed",
    }
    return Call(provider=provider, usage=usage or Usage(input=1_000, output=100), **{**defaults, **stated})
