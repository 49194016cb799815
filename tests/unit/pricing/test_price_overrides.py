import pytest
from published_prices import call, override, usd

from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable

MILLION = Usage(input=1_000_000)


def cost(used: Call, *overrides: PriceOverride) -> object:
    return PriceTable(overrides=overrides).charge(used).cost


def test_an_override_wins_over_the_list() -> None:
    assert cost(call("gpt-5.2", MILLION), override("gpt-5.2", input="1", output="2")) == 1


def test_an_override_stands_for_itself() -> None:
    charged = PriceTable(overrides=(override("gpt-5.2", input="1"),)).charge(
        call("gpt-5.2", Usage(input=1, cache_read=1, output=1))
    )

    assert (charged.cost, charged.unpriced) == (None, ("cache_read", "output"))


def test_an_override_prices_a_model_at_a_host_that_nobody_knows() -> None:
    used = call("my-model", MILLION, provider="localhost:8000", host="localhost:8000")

    assert cost(used, override("my-model", input="0.25")) == usd("0.25")


@pytest.mark.parametrize("first", [True, False])
def test_an_exact_name_wins_over_a_pattern_wherever_it_stands(first: bool) -> None:  # noqa: FBT001 - a parameter
    exact, pattern = override("my-model", input="1"), override("my-*", input="2")
    both = (exact, pattern) if first else (pattern, exact)

    assert cost(call("my-model", MILLION), *both) == 1
    assert cost(call("my-other", MILLION), *both) == 2


def test_the_one_that_names_the_host_wins_then_the_one_that_names_the_provider_then_the_first() -> None:
    used = call("m", MILLION, host="gateway.internal:8443")
    plain, again = override("m", input="1"), override("m", input="9")
    provider, host = override("m", input="2", provider="openai"), override("m", input="3", host="*.internal")

    assert cost(used, plain, again) == 1
    assert cost(used, plain, provider) == 2
    assert cost(used, plain, provider, host) == 3


@pytest.mark.parametrize(
    "stated", [{"provider": "anthropic"}, {"host": "other.internal"}, {"host": "api.openai.com:1"}]
)
def test_an_override_for_elsewhere_does_not_apply(stated: dict[str, str]) -> None:
    assert cost(call("gpt-5.2", MILLION), override("gpt-5.2", input="1", **stated)) == usd("1.75")


def test_the_served_name_is_looked_for_before_the_one_asked_for() -> None:
    used = call("asked", MILLION, model_served="served")

    assert cost(used, override("asked", input="1"), override("served", input="2")) == 2
    assert cost(used, override("asked", input="1")) == 1
    assert cost(used, override("serv*", input="2"), override("asked", input="1")) == 1


def test_only_stars_and_question_marks_are_wildcards() -> None:
    assert cost(call("gpt-x[1m]", MILLION), override("gpt-x[1m]*", input="1")) == 1
    assert cost(call("gpt-x1", MILLION), override("gpt-x[1m]*", input="1")) is None
    assert cost(call("gpt.x", MILLION), override("gpt?x", input="1")) == 1
    assert cost(call("GPT-X", MILLION), override("gpt-*", input="1")) == 1


def test_an_override_covers_one_tier() -> None:
    ordinary, flex = override("m", input="2"), override("m", input="1", tier="flex")

    assert cost(call("m", MILLION), ordinary, flex) == 2
    assert cost(call("m", MILLION, tier="flex"), ordinary, flex) == 1
    assert cost(call("m", MILLION, tier="default"), override("m", input="2", tier="standard")) == 2
    assert cost(call("gpt-5.2", MILLION, tier="flex"), override("gpt-5.2", input="9")) == usd("0.875")


def test_an_override_covers_nothing_else_out_of_the_ordinary() -> None:
    fast = (("speed", "fast"),)

    assert cost(call("m", MILLION, price_context=fast), override("m", input="2")) is None
    used = call("claude-opus-5", MILLION, provider="anthropic", price_context=fast)
    assert cost(used, override("claude-opus-5", input="1")) == 10


def test_a_multiplier_of_the_provider_applies_to_an_override_too() -> None:
    used = call("claude-opus-5", MILLION, provider="anthropic", price_context=(("inference_geo", "us"),))

    assert cost(used, override("claude-opus-5", input="4")) == usd("4.4")


def test_a_fee_may_be_overridden() -> None:
    used = call("m", Usage(input=1_000_000, fees={"rerank": 3}))

    assert cost(used, override("m", input="1", fees={"rerank": "0.002"})) == usd("1.006")
