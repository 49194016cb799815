"""Where the price data, or the arithmetic that comes with it, is silently wrong: what it says, and what we say."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.types import ModelInfo, ModelPrice
from genai_prices.types import Usage as TheirUsage
from published_prices import PROVIDERS, call, override, usd

from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable

TABLE = PriceTable()


def listed(provider: str, name: str) -> ModelInfo:
    return next(model for model in PROVIDERS[provider].models if model.id == name)


def theirs(provider: str, name: str, **usage: Any) -> Decimal:
    prices = listed(provider, name).prices
    assert isinstance(prices, ModelPrice)
    return prices.calc_price(TheirUsage(**usage))["total_price"]


def test_a_class_without_a_price_is_billed_at_its_parents_there_and_unpriced_here() -> None:
    assert theirs("google", "claude-haiku-4-5", input_tokens=1_000_000, cache_write_tokens=1_000_000) == 1

    ours = TABLE.charge(call("claude-haiku-4-5", Usage(cache_write=1_000_000), provider="google"))
    assert (ours.cost, ours.unpriced) == (None, ("cache_write",))


def test_a_one_hour_write_without_a_price_is_no_five_minute_one() -> None:
    ours = TABLE.charge(call("gpt-5.6-sol", Usage(cache_write_1h=1_000_000)))

    assert (ours.cost, ours.unpriced) == (None, ("cache_write_1h",))


def test_a_cache_life_that_has_no_name_here_has_no_price() -> None:
    ours = TABLE.charge(call("gpt-5.6-sol", Usage(input=1, other={"cache_write_12h": 1_000_000})))

    assert (ours.cost, ours.unpriced) == (None, ("cache_write_12h",))


def test_cached_audio_has_its_own_rate_and_none_of_another_class() -> None:
    used = Usage(cache_read=1_000_000, other={"cache_read_audio": 1_000_000})

    assert TABLE.charge(call("gemini-3.8-flash", used, provider="google")).cost == usd("0.45")
    host = "europe-west4-aiplatform.googleapis.com"
    assert TABLE.charge(call("gemini-3.8-flash", used, provider="google", host=host)).cost == usd("0.495")
    assert TABLE.charge(call("gemini-2.5-pro", used, provider="google")).unpriced == ("cache_read_audio",)
    own = override("gemini-2.5-pro", cache_read="1", cache_read_audio="2")
    assert PriceTable(overrides=(own,)).charge(call("gemini-2.5-pro", used, provider="google")).cost == 3


@pytest.mark.parametrize(
    ("provider", "name", "dollars"), [("openai", "gpt-4o", "2.5"), ("google", "gemini-2.5-pro", "2.5")]
)
def test_an_image_without_a_rate_of_its_own_is_input_where_the_provider_says_so(
    provider: str, name: str, dollars: str
) -> None:
    usage = Usage(input_image=1_000_000)

    assert TABLE.charge(call(name, usage, provider=provider)).cost == usd(dollars)
    assert TABLE.charge(call("claude-opus-5", usage, provider="anthropic")).unpriced == ("input_image",)


def test_audio_without_a_price_is_billed_as_text_there_and_unpriced_here() -> None:
    assert theirs("google", "claude-haiku-4-5", input_tokens=1_000_000, input_audio_tokens=1_000_000) == 1

    ours = TABLE.charge(call("claude-haiku-4-5", Usage(input_audio=1_000_000), provider="google"))
    assert (ours.cost, ours.unpriced) == (None, ("input_audio",))


@pytest.mark.parametrize(
    ("stated", "unpriced"),
    [
        ({"tier": "scale"}, "tier:scale"),
        ({"tier": "a_tier_of_next_year"}, "tier:a_tier_of_next_year"),
        ({"price_context": (("speed", "warp"),)}, "speed:warp"),
    ],
)
def test_a_context_that_the_data_does_not_know_is_not_the_standard_one(stated: dict[str, Any], unpriced: str) -> None:
    ours = TABLE.charge(call("gpt-5.2", Usage(input=1_000_000), **stated))

    assert (ours.cost, ours.unpriced) == (None, (unpriced,))


@pytest.mark.parametrize(
    ("instant", "dollars"),
    [
        ("2026-11-06T01:00", "0.44"),  # Friday, 09:00 in Beijing
        ("2026-11-06T03:59", "0.44"),
        ("2026-11-06T04:00", "0.22"),
        ("2026-11-06T09:59", "0.44"),
        ("2026-11-06T23:00", "0.22"),
        ("2026-11-07T01:00", "0.22"),  # Saturday: the data has it at 0.44
        ("2026-11-08T07:00", "0.22"),  # Sunday
        ("2026-11-09T01:00", "0.44"),  # Monday
        ("2026-08-22T01:00", "0.44"),  # a Saturday before weekends were exempt
        ("2026-08-16T07:00", "0.14"),  # before there were peak hours: the data has it at 0.44
    ],
)
def test_deepseeks_peak_hours_are_those_of_working_days(instant: str, dollars: str) -> None:
    table = PriceTable(as_of=datetime.fromisoformat(instant).replace(tzinfo=UTC))

    assert table.charge(call("deepseek-v4-flash", Usage(input=1_000_000), provider="deepseek")).cost == usd(dollars)


def test_deepseeks_old_nightly_discount_knew_no_weekends() -> None:
    saturday = PriceTable(as_of=datetime(2026, 11, 7, 12, tzinfo=UTC))

    assert saturday.charge(call("deepseek-chat", Usage(input=1_000_000), provider="deepseek")).cost == usd("0.27")


def test_a_gateways_older_price_is_told_by_the_vendors_own() -> None:
    used = call(
        "openai/gpt-5.6-sol",
        Usage(input=8, cache_write=4_012, output=5),
        provider="openrouter",
        reported_cost=usd("0.025265"),
    )

    charged = TABLE.charge(used)
    assert charged.cost == usd("0.020192")
    (note,) = charged.notes
    ours, _, reason = note.partition("; ")
    assert ours == "the provider reports $0.025265, our prices make it $0.020192"
    assert reason == "openai's own before 2026-08-21 make it $0.025265"


def test_an_entrys_own_older_price_is_named() -> None:
    used = call("gpt-5.6-sol", Usage(input=1_000_000), reported_cost=usd("5.01"))

    assert TABLE.charge(used).notes == (
        "the provider reports $5.01, our prices make it $4; those before 2026-08-21 make it $5",
    )


def test_a_disagreement_that_no_date_explains_is_only_stated() -> None:
    assert TABLE.charge(call("gpt-5.6-sol", Usage(input=1_000_000), reported_cost=usd("7"))).notes == (
        "the provider reports $7, our prices make it $4",
    )
