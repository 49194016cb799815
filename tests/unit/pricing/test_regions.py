"""Where a call is served can change its price: Bedrock's ids, Google Cloud's endpoints."""

from datetime import UTC, datetime

import pytest
from published_prices import call, usd

from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable

TABLE = PriceTable()
MILLION = Usage(input=1_000_000)
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
ACCOUNT = "arn:aws:bedrock:us-east-1:123456789012"
PROFILE = f"{ACCOUNT}:application-inference-profile/abc123"


@pytest.mark.parametrize(
    ("name", "dollars"),
    [
        (f"global.{HAIKU}", "1"),
        (HAIKU, "1.1"),
        (f"us.{HAIKU}", "1.1"),
        (f"eu.{HAIKU}", "1.1"),
        (f"{ACCOUNT}:inference-profile/global.{HAIKU}", "1"),
        (f"{ACCOUNT}:inference-profile/us.{HAIKU}", "1.1"),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}", "1.1"),
    ],
)
def test_bedrock_bills_a_tenth_more_outside_of_the_global_profile(name: str, dollars: str) -> None:
    assert TABLE.charge(call(name, MILLION, provider="aws")).cost == usd(dollars)


@pytest.mark.parametrize(
    ("name", "unpriced", "note"),
    [
        (
            f"{ACCOUNT}:provisioned-model/abc123",
            "tier:provisioned_throughput",
            f"{ACCOUNT}:provisioned-model/abc123 is provisioned throughput, billed by the hour",
        ),
        (
            PROFILE,
            "model",
            f"{PROFILE} does not tell its model: name it under `deployments:` in tokenbudget.yml",
        ),
        (
            f"{ACCOUNT}:imported-model/abc123",
            "model",
            "a imported-model of Bedrock is not billed at a price list's rates",
        ),
        (
            f"us-gov.{HAIKU}",
            "region:us-gov",
            f"what us-gov.{HAIKU} costs in AWS GovCloud is on no price list that we have",
        ),
    ],
)
def test_what_bedrock_does_not_bill_by_the_token_at_a_listed_rate(name: str, unpriced: str, note: str) -> None:
    charged = TABLE.charge(call(name, MILLION, provider="aws"))

    assert (charged.cost, charged.unpriced, charged.notes) == (None, (unpriced,), (note,))


@pytest.mark.parametrize(
    ("host", "name", "dollars"),
    [
        ("aiplatform.googleapis.com", "claude-haiku-4-5@20251001", "1"),
        ("us-east5-aiplatform.googleapis.com", "claude-haiku-4-5@20251001", "1.1"),
        ("aiplatform.eu.rep.googleapis.com", "claude-haiku-4-5@20251001", "1.1"),
        ("us-east5-aiplatform.googleapis.com", "claude-4-sonnet", "3"),
        ("generativelanguage.googleapis.com", "gemini-3.8-flash", "1.5"),
        ("aiplatform.googleapis.com", "gemini-3.8-flash", "1.5"),
        ("europe-west4-aiplatform.googleapis.com", "gemini-3.8-flash", "1.65"),
        ("europe-west4-aiplatform.googleapis.com", "gemini-2.5-pro", "2.5"),
    ],
)
def test_google_cloud_bills_a_tenth_more_away_from_the_global_endpoint(host: str, name: str, dollars: str) -> None:
    assert TABLE.charge(call(name, MILLION, provider="google", host=host)).cost == usd(dollars)


def test_gemini_cost_the_same_everywhere_before_july() -> None:
    used = call("gemini-3.8-flash", MILLION, provider="google", host="europe-west4-aiplatform.googleapis.com")

    assert PriceTable(as_of=datetime(2026, 6, 30, tzinfo=UTC)).charge(used).cost == usd("1.5")
    assert PriceTable(as_of=datetime(2026, 7, 1, tzinfo=UTC)).charge(used).cost == usd("1.65")


def test_a_region_of_google_cloud_whose_price_is_not_known_is_unpriced() -> None:
    used = call("text-bison", MILLION, provider="google", host="europe-west4-aiplatform.googleapis.com")

    assert TABLE.charge(used).unpriced == ("region:europe-west4",)


@pytest.mark.parametrize(
    ("tier", "dollars"),
    [("ON_DEMAND", "1.5"), ("ON_DEMAND_FLEX", "0.75"), ("flex", "0.75"), ("ON_DEMAND_PRIORITY", "2.7")],
)
def test_vertex_names_its_tiers_otherwise(tier: str, dollars: str) -> None:
    assert TABLE.charge(call("gemini-3.8-flash", MILLION, provider="google", tier=tier)).cost == usd(dollars)


def test_provisioned_throughput_has_no_price_by_the_token() -> None:
    used = call("gemini-3.8-flash", MILLION, provider="google", tier="PROVISIONED_THROUGHPUT")

    assert TABLE.charge(used).unpriced == ("tier:provisioned_throughput",)


def test_speed_fast_of_openai_is_a_tier_with_long_prompts_of_its_own() -> None:
    fast = {"tier": "fast"}

    assert TABLE.charge(call("gpt-6-sol", Usage(input=272_000), **fast)).cost == usd("1.088")
    assert TABLE.charge(call("gpt-6-sol", Usage(input=272_001), **fast)).cost == usd("2.176008")
