"""Costs that other tools got wrong in public, at the prices we froze; the numbers in the names are issue numbers."""

from datetime import UTC, datetime

import pytest
from published_prices import call, usd

from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable

TABLE = PriceTable()


def test_a_cache_write_is_billed_once() -> None:  # litellm 9812
    used = call("claude-3-7-sonnet-20250219", Usage(input=3, cache_write=12_304, output=550), provider="anthropic")

    assert TABLE.charge(used).cost == usd("0.054399")


def test_cached_tokens_are_not_billed_on_top_of_the_prompt() -> None:  # langfuse 10592
    used = call("gpt-5.2", Usage(input=176, cache_read=1_024, output=340))

    assert TABLE.charge(used).cost == usd("0.0052472")


def test_output_of_a_stream_is_its_last_count() -> None:  # symfony/ai 2178, agent-framework 7143
    used = call("claude-3-7-sonnet", Usage(input=2, cache_write=47_119, output=64), provider="anthropic")

    assert TABLE.charge(used).cost == usd("0.17766225")


def test_a_one_hour_write_has_its_own_rate() -> None:  # oh-my-pi 6876
    used = call("claude-opus-5", Usage(cache_write_1h=344_139), provider="anthropic")

    assert TABLE.charge(used).cost == usd("3.44139")


def test_reasoning_outside_of_the_completion_is_billed() -> None:  # sub2api 5771
    used = call("grok-4.20", Usage(input=9_992, cache_read=128, output=1_499, thinking=2_809), provider="x-ai")

    # the provider's own figure: 232,856,000 ticks of 1e-10 dollars
    assert TABLE.charge(used).cost == usd("0.0232856")


def test_the_tier_counts_the_whole_prompt_and_rates_the_cache_too() -> None:  # Helicone 5730
    reads = call("claude-sonnet-4-5", Usage(cache_read=240_000), provider="anthropic")
    whole = call("claude-sonnet-4-5", Usage(input=10_000, cache_read=240_000), provider="anthropic")

    assert TABLE.charge(reads).cost == usd("0.144")
    assert TABLE.charge(whole).cost == usd("0.204")


@pytest.mark.parametrize(
    ("provider", "name", "prompt", "dollars"),
    [
        ("anthropic", "claude-sonnet-4-5", 200_000, "0.6"),
        ("anthropic", "claude-sonnet-4-5", 200_001, "1.200006"),
        ("google", "gemini-2.5-pro", 200_000, "0.25"),
        ("google", "gemini-2.5-pro", 200_001, "0.5000025"),
        ("openai", "gpt-6-sol", 272_000, "0.544"),
        ("openai", "gpt-6-sol", 272_001, "1.088004"),
        ("x-ai", "grok-4.20", 199_999, "0.24999875"),
        ("x-ai", "grok-4.20", 200_000, "0.5"),
    ],
)
def test_tiers_begin_where_each_provider_says(provider: str, name: str, prompt: int, dollars: str) -> None:
    assert TABLE.charge(call(name, Usage(input=prompt), provider=provider)).cost == usd(dollars)


def test_the_served_tier_wins() -> None:  # litellm 31837
    served = call("gpt-5.2", Usage(input=1_000_000), tier="default")

    assert TABLE.charge(served).cost == usd("1.75")


def test_a_flex_call_before_flex_had_a_price_is_unpriced_and_not_standard() -> None:
    flex = call("gpt-5.2", Usage(input=1_000_000), tier="flex")
    before = PriceTable(as_of=datetime(2026, 10, 11, 23, 59, tzinfo=UTC)).charge(flex)
    after = PriceTable(as_of=datetime(2026, 10, 12, tzinfo=UTC)).charge(flex)

    assert (before.cost, before.unpriced) == (None, ("tier:flex",))
    assert before.notes == ("openai/gpt-5.2 has no price for tier:flex as of 2026-10-11",)
    assert (after.cost, after.unpriced) == (usd("0.875"), ())


def test_missing_usage_and_an_unmapped_model_are_not_free() -> None:  # litellm 30715, 36561
    without_usage = TABLE.charge(call("gpt-5.2", Usage(), status="missing"))
    unmapped = TABLE.charge(call("gpt-99"))

    assert (without_usage.cost, without_usage.unpriced) == (None, ())
    assert (unmapped.cost, unmapped.unpriced) == (None, ("model",))
    assert unmapped.notes == ("openai lists no model gpt-99",)


def test_uncached_input_is_what_is_left_of_the_prompt() -> None:  # litellm 36168
    assert TABLE.charge(call("gpt-5.2", Usage(input=239, cache_read=15_872))).cost == usd("0.00319585")


def test_a_declared_but_unused_web_search_costs_nothing() -> None:  # litellm 10384
    unused = call("gpt-5.2", Usage(input=1_000_000, fees={"web_search": 0}))
    used = call("gpt-5.2", Usage(input=1_000_000, fees={"web_search": 2, "file_search": 1}))

    assert TABLE.charge(unused).cost == usd("1.75")
    assert TABLE.charge(used).cost == usd("1.7725")


def test_a_429_costs_nothing_even_for_a_model_that_nobody_knows() -> None:  # langfuse 9038
    limited = TABLE.charge(call("gpt-99", Usage(), status="error", http_status=429))

    assert (limited.cost, limited.unpriced, limited.notes) == (0, (), ())


def test_inference_in_the_us_costs_a_tenth_more() -> None:  # litellm 38369
    usage = Usage(input=18, output=11)
    anywhere = call("claude-3-7-sonnet", usage, provider="anthropic", price_context=(("inference_geo", "global"),))
    in_the_us = call("claude-3-7-sonnet", usage, provider="anthropic", price_context=(("inference_geo", "us"),))

    assert TABLE.charge(anywhere).cost == usd("0.000219")
    assert TABLE.charge(in_the_us).cost == usd("0.0002409")
