from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from published_prices import PROVIDERS, call, usd

from pytest_tokenbudget.model.call import SEVERAL_PROMPTS
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable, genai

TABLE = PriceTable()
MILLION = Usage(input=1_000_000)


@pytest.mark.parametrize("tier", [None, "default", "standard", "auto", "on_demand", "Default"])
def test_names_of_the_standard_tier_are_standard(tier: str | None) -> None:
    assert TABLE.charge(call("gpt-5.4", MILLION, tier=tier)).cost == usd("2.5")


@pytest.mark.parametrize(("tier", "dollars"), [("flex", "0.875"), ("priority", "3.5"), ("batch", "0.875")])
def test_a_tier_with_a_price_is_billed_at_it(tier: str, dollars: str) -> None:
    assert TABLE.charge(call("gpt-5.2", MILLION, tier=tier)).cost == usd(dollars)


def test_a_variant_leaves_the_classes_it_does_not_state_as_they_are() -> None:
    # the batch page states no cached-input rate: it stays the ordinary one
    assert TABLE.charge(call("gpt-5.2", Usage(cache_read=1_000_000), tier="batch")).cost == usd("0.175")


@pytest.mark.parametrize(
    ("provider", "name", "stated", "unpriced"),
    [
        ("openai", "gpt-5.2", {"tier": "scale"}, ("tier:scale",)),
        ("openai", "gpt-5.4", {"tier": "flex"}, ("tier:flex",)),
        ("anthropic", "claude-opus-5", {"tier": "priority"}, ("tier:priority",)),
        ("anthropic", "claude-3-7-sonnet", {"price_context": (("speed", "fast"),)}, ("speed:fast",)),
        ("openai", "gpt-5.2", {"price_context": (("inference_geo", "us"),)}, ("inference_geo:us",)),
        (
            "anthropic",
            "claude-opus-5",
            {"tier": "batch", "price_context": (("speed", "fast"),)},
            ("tier:batch", "speed:fast"),
        ),
    ],
)
def test_an_unknown_context_is_unpriced_and_never_standard(
    provider: str, name: str, stated: dict[str, object], unpriced: tuple[str, ...]
) -> None:
    charged = TABLE.charge(call(name, MILLION, provider=provider, **stated))

    assert (charged.cost, charged.unpriced) == (None, unpriced)


def test_of_two_variants_for_one_context_the_first_stated_wins() -> None:
    later = PriceTable(as_of=datetime(2027, 1, 1, tzinfo=UTC))
    flex = call("o3", Usage(input=1_000_000, output=1_000_000), tier="flex")

    assert TABLE.charge(flex).cost == 5
    assert later.charge(flex).cost == 11
    assert later.explain(flex).effective == date(2027, 1, 1)


def test_speed_has_its_own_price_and_standard_speed_is_ordinary() -> None:
    fast = call("claude-opus-5", MILLION, provider="anthropic", price_context=(("speed", "fast"),))
    ordinary = call("claude-opus-5", MILLION, provider="anthropic", price_context=(("speed", "standard"),))

    assert TABLE.charge(fast).cost == 10
    assert TABLE.charge(ordinary).cost == 5


def test_speed_and_place_are_both_taken_into_account() -> None:
    both = (("speed", "fast"), ("inference_geo", "us"))

    assert TABLE.charge(call("claude-opus-5", MILLION, provider="anthropic", price_context=both)).cost == 11


@pytest.mark.parametrize(
    ("day", "dollars"),
    [
        (datetime(2025, 6, 9, tzinfo=UTC), "10"),
        (datetime(2025, 6, 10, tzinfo=UTC), "2"),
        (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), "2"),
        (datetime(2026, 12, 1, tzinfo=UTC), "4"),
        (datetime(2026, 12, 1, tzinfo=timezone(timedelta(hours=9))), "2"),
    ],
)
def test_the_price_is_the_one_in_force_at_the_instant_asked_for(day: datetime, dollars: str) -> None:
    assert PriceTable(as_of=day).charge(call("o3", MILLION)).cost == usd(dollars)


def test_a_price_that_depends_on_the_hour_says_so() -> None:
    charged = TABLE.charge(call("deepseek-chat", MILLION, provider="deepseek"))

    assert charged.cost == usd("0.135")
    assert charged.notes == ("deepseek-chat is priced by the hour of the day: as at 00:00 UTC",)


def test_a_provider_may_list_another_ones_models_but_not_its_tiers() -> None:
    priced = TABLE.charge(call("gpt-4o", MILLION, provider="azure"))
    assert (priced.cost, priced.notes) == (
        usd("2.5"),
        ("Azure does not tell a deployment's type: priced as Global Standard",),
    )
    assert TABLE.explain(call("claude-3-7-sonnet", MILLION, provider="azure")).entry == "anthropic/claude-3-7-sonnet"
    assert TABLE.charge(call("gpt-5.2", MILLION, provider="azure", tier="flex")).unpriced == ("tier:flex",)


def test_providers_do_not_borrow_from_each_other_unless_listed_so() -> None:
    assert TABLE.charge(call("claude-opus-5", MILLION)).unpriced == ("model",)


def test_a_compact_date_is_read_as_a_dated_name() -> None:
    assert TABLE.charge(call("GPT-5.2-20251211", MILLION)).cost == usd("1.75")


def test_openai_bills_images_as_input_but_never_audio() -> None:
    assert TABLE.charge(call("gpt-4o", Usage(input_image=1_000_000))).cost == usd("2.5")
    audio = TABLE.charge(call("gpt-4o-audio-preview", Usage(input=10, input_audio=50, output_audio=20)))
    assert (audio.cost, audio.unpriced) == (None, ("input_audio", "output_audio"))


def test_an_entry_without_a_price_per_token_has_no_price() -> None:
    charged = TABLE.charge(call("moderation", Usage()))

    assert (charged.cost, charged.unpriced) == (None, ("model",))
    assert charged.notes == ("openai/moderation is listed without a price per token",)


def test_a_fee_for_each_request_that_varies_is_unpriced() -> None:
    assert TABLE.charge(call("sonar", MILLION, provider="perplexity")).unpriced == ("fee:request",)


@pytest.mark.parametrize(
    ("name", "dollars"), [("gpt-5.2", "1.75"), ("gpt-5.4", "2.75"), ("gpt-4o", "2.5")], ids=["older", "newer", "oldest"]
)
def test_openai_regions_charge_a_tenth_more_for_newer_models(name: str, dollars: str) -> None:
    assert TABLE.charge(call(name, MILLION, host="eu.api.openai.com")).cost == usd(dollars)


def test_a_region_whose_price_is_not_known_is_unpriced() -> None:
    charged = TABLE.charge(call("computer-use", MILLION, host="eu.api.openai.com"))

    assert (charged.cost, charged.unpriced) == (None, ("region:eu",))


@pytest.mark.parametrize(
    ("model", "fee", "dollars"),
    [
        ("gpt-5.2", "web_search", "0.01"),
        ("gpt-5.2", "web_search_preview", "0.01"),
        ("gpt-4.1", "web_search", "0.01"),
        ("gpt-4.1", "web_search_preview", None),
        ("gpt-4.1-mini", "web_search", None),
        ("gpt-4.1-mini", "web_search_preview", None),
    ],
)
def test_one_fee_does_not_stand_for_searches_that_are_billed_otherwise(
    model: str, fee: str, dollars: str | None
) -> None:
    charged = TABLE.charge(call(model, Usage(fees={fee: 1})))

    assert charged.cost == (None if dollars is None else usd(dollars))
    assert charged.unpriced == (() if dollars else (f"fee:{fee}",))


def test_several_prompts_that_only_together_are_long_have_no_rate() -> None:
    summed = {"provider": "anthropic", "price_context": (SEVERAL_PROMPTS,)}
    short = TABLE.charge(call("claude-sonnet-4-5", Usage(input=200_000), **summed))
    long = TABLE.charge(call("claude-sonnet-4-5", Usage(input=200_001), **summed))

    assert (short.cost, short.notes) == (usd("0.6"), ())
    assert (long.cost, long.unpriced) == (None, ("long_prompt",))
    assert long.notes == ("rates differ by a prompt's length, and the usage adds up several prompts",)
    assert TABLE.lower_bound(long) == usd("0.600003")
    assert TABLE.charge(call("claude-opus-5", Usage(input=1_000_000), **summed)).cost == 5


def test_data_in_another_shape_leaves_the_cost_unknown_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(genai, "_providers", lambda: {**PROVIDERS, "openai": object()})
    monkeypatch.setattr(genai, "installed_version", lambda: "0.9.0")

    table = PriceTable()
    charged = table.charge(call("gpt-5.2"))

    assert (charged.cost, charged.unpriced, table.lower_bound(charged)) == (None, ("price_table",), 0)
    assert table.explain(charged).unpriced == ("price_table",)
    assert charged.notes == (
        (
            "genai-prices 0.9.0 cannot be read (AttributeError(\"'object' object has no attribute 'find_model'\")). "
            'Supported: >=0.2.3,<0.3. Type: python -m pip install "genai-prices>=0.2.3,<0.3"'
        ),
    )
