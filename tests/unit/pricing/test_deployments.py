from typing import Any

import pytest
from published_prices import call, override, usd

from pytest_tokenbudget.config.deployments import Deployment
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable

MILLION = Usage(input=1_000_000)
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"


def named(name: str, model: str, **stated: Any) -> Deployment:
    return Deployment(name=name, model=model, place=f"tokenbudget.yml: deployments.{name}", **stated)


def table(*deployments: Deployment, **stated: Any) -> PriceTable:
    return PriceTable(deployments=deployments, **stated)


def test_a_deployment_is_priced_as_the_model_behind_it() -> None:
    charged = table(named("my-azure-prod", "gpt-4o")).charge(
        call("my-azure-prod", MILLION, provider="azure", model_served=None, host="acme.openai.azure.com")
    )

    assert charged.cost == usd("2.5")
    assert charged.notes == (
        "priced as gpt-4o, by tokenbudget.yml: deployments.my-azure-prod",
        "Azure does not tell a deployment's type: priced as Global Standard",
    )


def test_what_the_user_states_wins_over_a_coarse_answer() -> None:
    used = call("my-azure-prod", MILLION, provider="azure", model_served="gpt-4o")

    assert table(named("my-azure-prod", "gpt-5.4")).charge(used).cost == usd("2.5")
    assert table(named("my-azure-prod", "gpt-5.2")).charge(used).cost == usd("1.75")


def test_an_application_inference_profile_of_bedrock() -> None:
    used = call(PROFILE, MILLION, provider="aws", model_served=None)
    charged = table(named(PROFILE, "us.anthropic.claude-haiku-4-5-20251001-v1:0")).charge(used)

    assert charged.cost == usd("1.1")
    assert table(named("*/abc123", "global.anthropic.claude-haiku-4-5-20251001-v1:0")).charge(used).cost == 1


def test_a_model_that_is_not_listed_is_not_replaced_by_the_served_one() -> None:
    charged = table(named("prod", "gpt-99")).charge(call("prod", MILLION, provider="azure", model_served="gpt-4o"))

    assert (charged.cost, charged.unpriced) == (None, ("model",))
    assert charged.notes == ("priced as gpt-99, by tokenbudget.yml: deployments.prod", "azure lists no model gpt-99")


def test_a_factor_multiplies_the_list_price_and_is_told() -> None:
    zoned = table(named("eu-*", "gpt-4o", factor=usd("1.1")))
    used = call("eu-prod", MILLION, provider="azure", model_served=None)

    charged = zoned.charge(used)
    assert charged.cost == usd("2.75")
    assert charged.notes == (
        "priced as gpt-4o, by tokenbudget.yml: deployments.eu-*",
    )  # its type is known by the factor
    assert zoned.explain(used).factors == (("deployment eu-*", usd("1.1")),)


@pytest.mark.parametrize("first", [True, False])
def test_exact_before_pattern_and_host_before_none(first: bool) -> None:  # noqa: FBT001 - a parameter
    exact, pattern = named("prod", "gpt-5.2"), named("p*", "gpt-5.4")
    here = named("prod", "gpt-4.1", host="*.azure.com")
    used = call("prod", MILLION, host="acme.openai.azure.com")

    assert table(*((exact, pattern) if first else (pattern, exact))).charge(used).cost == usd("1.75")
    assert table(*((exact, here) if first else (here, exact))).charge(used).cost == 2
    assert table(here).charge(call("prod", MILLION)).unpriced == ("model",)


def test_an_exact_name_counts_before_a_host() -> None:
    exact, here = named("prod", "gpt-5.2"), named("p*", "gpt-4.1", host="*.azure.com")

    assert table(here, exact).charge(call("prod", MILLION, host="acme.openai.azure.com")).cost == usd("1.75")


def test_the_name_asked_for_counts_before_the_one_served() -> None:
    used = call("alias", MILLION, model_served="inner")

    assert table(named("inner", "gpt-4.1"), named("alias", "gpt-5.2")).charge(used).cost == usd("1.75")
    assert table(named("inner", "gpt-4.1")).charge(used).cost == 2


def test_a_price_of_ones_own_for_the_deployment_wins() -> None:
    used = call("prod", MILLION, model_served=None)
    deployments = (named("prod", "gpt-4o"),)

    assert table(*deployments, overrides=(override("prod", input="1"),)).charge(used).cost == 1
    assert table(*deployments, overrides=(override("gpt-4o", input="2"),)).charge(used).cost == 2


def test_other_deployments_are_other_prices() -> None:
    assert table(named("a", "gpt-4o")).identity != table(named("a", "gpt-4.1")).identity
    assert table().identity == PriceTable().identity
