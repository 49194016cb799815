from decimal import Decimal, Inexact, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from published_prices import card, usd

from pytest_tokenbudget.model.usage import CLASSES, Usage
from pytest_tokenbudget.pricing import LongPrompt, RateCard, Rates, cost_of, unpriced_in
from pytest_tokenbudget.pricing.rates import priced_part

ALL = card(
    input="3",
    cache_read="0.3",
    cache_write="3.75",
    cache_write_1h="6",
    output="15",
    thinking="15",
    input_audio="32",
    output_audio="64",
    input_image="5",
    output_image="40",
    fees={"web_search": usd("0.01")},
)
TIERED = replace(ALL, long_prompts=(LongPrompt(200_000, ALL.rates.times(Decimal(2))),))

counts = st.integers(min_value=0, max_value=10**9)
usages = st.builds(Usage, **dict.fromkeys(CLASSES, counts), fees=st.fixed_dictionaries({"web_search": counts}))


def test_each_class_is_billed_at_its_own_rate() -> None:
    each_million = {name: cost_of(Usage(**{name: 1_000_000}), ALL) for name in CLASSES}

    assert each_million == {
        "input": 3,
        "cache_read": usd("0.3"),
        "cache_write": usd("3.75"),
        "cache_write_1h": 6,
        "input_audio": 32,
        "input_image": 5,
        "output": 15,
        "thinking": 15,
        "output_audio": 64,
        "output_image": 40,
    }


def test_thinking_is_billed_as_output_where_it_has_no_rate() -> None:
    assert cost_of(Usage(thinking=1_000), card(input="1", output="10")) == usd("0.01")
    assert cost_of(Usage(thinking=1_000), card(input="1", output="10", thinking="3")) == usd("0.003")


@pytest.mark.parametrize(
    "used",
    ["cache_read", "cache_write", "cache_write_1h", "input_audio", "output_audio", "input_image", "output_image"],
)
def test_a_class_without_a_rate_is_unpriced_and_never_free(used: str) -> None:
    plain = card(input="3", output="15")
    usage = Usage(input=100, **{used: 1})

    assert cost_of(usage, plain) is None
    assert unpriced_in(usage, plain) == (used,)
    assert priced_part(usage, plain) == usd("0.0003")


def test_a_one_hour_write_is_not_billed_as_a_five_minute_one() -> None:
    five_minutes_only = card(input="5", cache_write="6.25", output="25")

    assert unpriced_in(Usage(cache_write=10, cache_write_1h=10), five_minutes_only) == ("cache_write_1h",)


def test_images_are_input_only_where_the_provider_says_so() -> None:
    stated = {"input": usd("2.5"), "output": usd("10")}

    assert Rates.per_million(stated, image_is_input=True).input_image == usd("0.0000025")
    assert Rates.per_million(stated).input_image is None
    assert Rates.per_million({**stated, "input_image": usd("8")}, image_is_input=True).input_image == usd("0.000008")


def test_a_class_that_is_not_used_needs_no_rate() -> None:
    assert cost_of(Usage(input=1_000_000, other={"citation": 0}), card(input="0.02")) == usd("0.02")


def test_a_nameless_class_is_unpriced_under_its_own_name() -> None:
    usage = Usage(input=10, other={"cache_write_12h": 5, "citation": 0})

    assert cost_of(usage, ALL) is None
    assert unpriced_in(usage, ALL) == ("cache_write_12h",)
    assert priced_part(usage, ALL) == usd("0.00003")


def test_fees_are_added_by_the_piece() -> None:
    assert cost_of(Usage(input=1_000, fees={"web_search": 3}), ALL) == usd("0.033")


def test_a_fee_without_a_price_is_unpriced() -> None:
    usage = Usage(input=1_000, fees={"web_search": 1, "image_gen": 2})

    assert cost_of(usage, ALL) is None
    assert unpriced_in(usage, ALL) == ("fee:image_gen",)
    assert priced_part(usage, ALL) == usd("0.013")


def test_a_fee_that_was_not_used_costs_nothing_priced_or_not() -> None:
    usage = Usage(input=1_000, fees={"web_search": 0, "image_gen": 0})

    assert cost_of(usage, ALL) == usd("0.003")
    assert unpriced_in(usage, ALL) == ()


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(input=200_000, output=1_000), "0.615"),
        (Usage(input=200_001, output=1_000), "1.230006"),
        (Usage(input=1, cache_read=200_000), "0.120006"),
        (Usage(output=300_000), "4.5"),
    ],
    ids=["at the threshold", "one above, output too", "cache counts", "output does not"],
)
def test_the_tier_is_chosen_by_the_whole_prompt_and_applies_to_every_class(usage: Usage, dollars: str) -> None:
    assert cost_of(usage, TIERED) == usd(dollars)
    assert priced_part(usage, TIERED) == usd(dollars)


def test_the_highest_threshold_exceeded_counts() -> None:
    three = replace(
        card(input="1", output="1"),
        long_prompts=(
            LongPrompt(32_000, card(input="2", output="2").rates),
            LongPrompt(128_000, card(input="4", output="4").rates),
        ),
    )

    prompts = (32_000, 32_001, 128_000, 128_001)
    assert [cost_of(Usage(input=prompt), three) for prompt in prompts] == [
        usd("0.032"),
        usd("0.064002"),
        usd("0.256"),
        usd("0.512004"),
    ]


def test_a_class_may_lack_its_price_in_the_longer_tier_only() -> None:
    lacking = replace(ALL, long_prompts=(LongPrompt(10, card(input="6", output="30").rates),))

    assert cost_of(Usage(input=5, cache_read=5), lacking) == usd("0.0000165")
    assert cost_of(Usage(input=5, cache_read=6), lacking) is None
    assert unpriced_in(Usage(input=5, cache_read=6), lacking) == ("cache_read",)


def test_a_multiplier_applies_to_tokens_in_every_tier_and_not_to_fees() -> None:
    dearer = TIERED.times("inference_geo:us", usd("1.1"))

    assert cost_of(Usage(input=100_000, fees={"web_search": 1}), dearer) == usd("0.34")
    assert cost_of(Usage(input=300_000), dearer) == usd("1.98")
    assert dearer.factors == (("inference_geo:us", usd("1.1")),)


def test_the_decimal_context_of_the_tests_around_us_does_not_round_a_cost() -> None:
    with localcontext(prec=3) as context:
        context.traps[Inexact] = True
        fresh = RateCard(entry="e", source="s", rates=Rates.per_million({"input": Decimal("1.23456789")}))
        cost = cost_of(Usage(input=1_234_567, fees={}), fresh)

    assert cost == Decimal("1.52415677625363")


def test_no_price_at_all_prices_nothing() -> None:
    nothing = RateCard(entry="e", source="s", rates=Rates())

    assert cost_of(Usage(input=1), nothing) is None
    assert cost_of(Usage(), nothing) == 0


@given(usage=usages, extra=counts, name=st.sampled_from(CLASSES))
def test_cost_rises_with_every_class(usage: Usage, extra: int, name: str) -> None:
    more = replace(usage, **{name: getattr(usage, name) + extra})

    for rates in (ALL, TIERED):
        before, after = cost_of(usage, rates), cost_of(more, rates)
        assert before is not None
        assert after is not None
        assert (after > before) if extra else (after == before)


@given(left=usages, right=usages)
def test_splitting_usage_conserves_cost_within_one_tier(left: Usage, right: Usage) -> None:
    parts = [cost_of(left, ALL), cost_of(right, ALL)]

    with localcontext(prec=60):
        assert sum(part for part in parts if part is not None) == cost_of(left + right, ALL)


@given(usage=usages, lacking=st.sets(st.sampled_from(CLASSES), min_size=1))
def test_what_has_no_price_never_yields_a_number(usage: Usage, lacking: set[str]) -> None:
    holed = replace(ALL, rates=replace(ALL.rates, **dict.fromkeys(lacking)))
    used = tuple(name for name in CLASSES if name in lacking and getattr(usage, name))

    assert unpriced_in(usage, holed) == used
    assert (cost_of(usage, holed) is None) == bool(used)


@given(usage=usages)
def test_the_priced_part_is_the_whole_where_everything_has_a_price(usage: Usage) -> None:
    assert priced_part(usage, TIERED) == cost_of(usage, TIERED)
