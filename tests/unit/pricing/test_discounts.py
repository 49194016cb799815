from datetime import UTC, date, datetime
from typing import Any

import pytest
from published_prices import call, override, usd

from pytest_tokenbudget.config.discounts import Discount
from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable

MILLION = Usage(input=1_000_000)
CONTRACT = Discount(
    provider="openai", percent=usd("12"), since=date(2026, 1, 1), until=date(2026, 12, 31), place="tokenbudget.yml"
)


def contract_cost(used: Call, *discounts: Discount, **stated: Any) -> object:
    table = PriceTable(discounts=discounts, **stated)
    return table.contract_cost(table.charge(used))


def test_the_cost_stays_the_list_price() -> None:
    table = PriceTable(discounts=(CONTRACT,))
    charged = table.charge(call("gpt-5.2", MILLION))

    assert charged.cost == usd("1.75")
    assert table.contract_cost(charged) == usd("1.54")
    assert table.identity == PriceTable().identity


@pytest.mark.parametrize(
    ("instant", "dollars"),
    [
        ("2025-12-31T23:59", "1.75"),
        ("2026-01-01T00:00", "1.54"),
        ("2026-12-31T23:59", "1.54"),
        ("2027-01-01T00:00", "1.75"),
    ],
)
def test_it_holds_on_its_first_and_last_day(instant: str, dollars: str) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)

    assert contract_cost(call("gpt-5.2", MILLION), CONTRACT, as_of=at) == usd(dollars)


def test_only_the_providers_models_are_discounted() -> None:
    haiku = call("claude-haiku-4-5", MILLION, provider="google")
    some = Discount(provider="openai", model="gpt-5*", percent=usd("50"), place="tokenbudget.yml")

    assert contract_cost(haiku, CONTRACT) == 1
    assert contract_cost(call("gpt-5.2", MILLION), some) == usd("0.875")
    assert contract_cost(call("gpt-4o", MILLION), some) == usd("2.5")


def test_the_first_that_holds_counts_alone() -> None:
    tenth = Discount(provider="openai", percent=usd("10"), place="tokenbudget.yml")

    assert contract_cost(call("gpt-5.2", MILLION), tenth, CONTRACT) == usd("1.575")


def test_nothing_is_taken_off_prices_of_ones_own_nor_off_what_is_unknown() -> None:
    assert contract_cost(call("m", MILLION), CONTRACT, overrides=(override("m", input="1"),)) == 1
    assert contract_cost(call("gpt-99", MILLION), CONTRACT) is None
    assert contract_cost(call("gpt-5.2", Usage(), status="error", http_status=429), CONTRACT) == 0


def test_a_tools_fee_is_not_the_providers() -> None:
    fees = (Fee(tool="lookup", usd=usd("0.10"), place="tokenbudget.yml"),)

    assert contract_cost(call("gpt-5.2", MILLION, tools=("lookup",)), CONTRACT, fees=fees) == usd("1.64")


def test_the_total_is_of_known_costs_and_only_where_a_discount_is_stated() -> None:
    table = PriceTable(discounts=(CONTRACT,))
    calls = [table.charge(call("gpt-5.2", MILLION)), table.charge(call("gpt-99", MILLION))]

    assert table.contract_total(calls) == usd("1.54")
    assert PriceTable().contract_total(calls) is None
