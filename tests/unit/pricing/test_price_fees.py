from typing import Any

import pytest
from published_prices import call, override, usd

from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.pricing import PriceTable, Row

TAVILY = Fee(
    host="api.tavily.com", path="/search", name="tavily_search", usd=usd("0.008"), place="tokenbudget.yml: fees[0]"
)
MILLION = Usage(input=1_000_000)


def fee(**stated: Any) -> Fee:
    return Fee(usd=usd(stated.pop("usd")), place="tokenbudget.yml: fees[0]", **stated)


def exchange(url: str, status: int = 200) -> Exchange:
    return Exchange(method="POST", url=url, status=status, obtained="replayed", source="c.yaml", index=3)


def test_a_request_to_an_external_api_is_a_call_with_its_fee() -> None:
    found = PriceTable(fees=(TAVILY,)).external(exchange("https://api.tavily.com/search?key=secret"))

    assert found is not None
    assert (found.api, found.host, found.model, found.status) == (
        "tavily_search.external",
        "api.tavily.com",
        "tavily_search",
        "exact",
    )
    assert (found.cost, dict(found.usage.fees), found.usage.total) == (usd("0.008"), {"tavily_search": 1}, 0)
    assert (found.source, found.index) == ("c.yaml", 3)
    assert not found.is_step


@pytest.mark.parametrize(
    "url",
    ["https://api.tavily.com/extract", "https://tavily.com/search", "https://api.tavily.com.evil.test/search", "x"],
)
def test_other_requests_are_none(url: str) -> None:
    assert PriceTable(fees=(TAVILY,)).external(exchange(url)) is None
    assert PriceTable().external(exchange("https://api.tavily.com/search")) is None


@pytest.mark.parametrize(("status", "read"), [(429, "error"), (500, "error"), (302, "unbilled")])
def test_what_was_refused_costs_nothing(status: int, read: str) -> None:
    found = PriceTable(fees=(TAVILY,)).external(exchange("https://api.tavily.com/search", status))

    assert found is not None
    assert (found.status, found.cost) == (read, 0)


def test_hosts_paths_and_ports_may_be_patterns_and_the_first_fee_counts() -> None:
    fees = (
        fee(host="*.pinecone.io", path="/query", usd="0.0001"),
        fee(host="*.pinecone.io", name="pinecone_other", usd="0.00005"),
        fee(host="localhost:8080", path="/v1/*", usd="0.5"),
    )
    table = PriceTable(fees=fees)
    urls = ("https://ix.svc.pinecone.io/query/", "https://ix.svc.pinecone.io/list", "http://localhost:8080/v1/a")

    assert [found.cost for url in urls if (found := table.external(exchange(url)))] == [
        usd("0.0001"),
        usd("0.00005"),
        usd("0.5"),
    ]
    assert table.external(exchange("http://localhost:9090/v1/a")) is None


def test_such_a_call_is_priced_again_by_its_name() -> None:
    first = PriceTable(fees=(TAVILY,)).external(exchange("https://api.tavily.com/search"))
    assert first is not None
    dearer = Fee(host="api.tavily.com", name="tavily_search", usd=usd("0.01"), place="tokenbudget.yml")

    assert PriceTable(fees=(dearer,)).charge(first).cost == usd("0.01")
    assert PriceTable().charge(first).cost is None


def test_a_tool_costs_each_time_that_the_model_asks_for_it() -> None:
    table = PriceTable(fees=(fee(tool="lookup_*", usd="0.002"), fee(tool="*", usd="0.5")))
    charged = table.charge(call("gpt-5.2", MILLION, tools=("lookup_order", "refund", "lookup_order")))

    assert charged.cost == usd("2.254")
    assert dict(charged.usage.fees) == {"tool:lookup_order": 2, "tool:refund": 1}
    assert table.charge(charged).cost == usd("2.254")
    assert table.explain(charged).rows[1:] == (
        Row(name="fee:tool:lookup_order", count=2, rate=usd("0.002"), amount=usd("0.004")),
        Row(name="fee:tool:refund", count=1, rate=usd("0.5"), amount=usd("0.5")),
    )


def test_calls_of_one_model_may_ask_for_different_tools() -> None:
    table = PriceTable(fees=(fee(tool="a", usd="1"), fee(tool="b", usd="2")))

    costs = [table.charge(call("gpt-5.2", MILLION, tools=tools)).cost for tools in ((), ("a",), ("b",), ("a", "b"))]
    assert costs == [usd("1.75"), usd("2.75"), usd("3.75"), usd("4.75")]


def test_tools_without_a_fee_cost_nothing_and_are_not_counted() -> None:
    charged = PriceTable(fees=(fee(tool="lookup", usd="1"),)).charge(call("gpt-5.2", MILLION, tools=("other",)))

    assert (charged.cost, dict(charged.usage.fees)) == (usd("1.75"), {})


def test_a_tool_costs_at_a_free_host_too() -> None:
    used = call("llama", MILLION, provider="localhost:8000", host="localhost:8000", tools=("lookup",))
    table = PriceTable(free_hosts=("localhost:8000",), fees=(fee(tool="lookup", usd="0.1"),))

    assert table.charge(used).cost == usd("0.1")


def test_a_count_that_no_list_prices_can_be_priced() -> None:
    used = call("gpt-4.1", Usage(fees={"web_search_preview": 2}))
    stated = fee(fee="web_search_preview", provider="openai", usd="0.025")

    assert PriceTable().charge(used).unpriced == ("fee:web_search_preview",)
    assert PriceTable(fees=(stated,)).charge(used).cost == usd("0.05")
    elsewhere = PriceTable(fees=(fee(fee="web_search_preview", provider="azure", usd="0.025"),))
    assert elsewhere.charge(used).unpriced == ("fee:web_search_preview",)


def test_of_ones_own_words_the_one_on_the_model_wins() -> None:
    used = call("gpt-5.2", Usage(fees={"web_search": 1}))
    stated = fee(fee="web_search", usd="0.009")

    assert PriceTable(fees=(stated,)).charge(used).cost == usd("0.009")
    own = override("gpt-5.2", fees={"web_search": "0.004"})
    assert PriceTable(fees=(stated,), overrides=(own,)).charge(used).cost == usd("0.004")
    assert PriceTable(fees=(stated,), overrides=(override("gpt-5.2", input="1"),)).charge(used).cost == usd("0.009")


def test_a_portion_costs_what_its_calls_do_tools_and_free_hosts_included() -> None:
    search = fee(tool="search", usd="0.01")
    for table in (PriceTable(fees=(search,)), PriceTable(fees=(search,), free_hosts=("api.openai.com",))):
        calls = [
            table.charge(call(usage=Usage(input=1000), tools=tools)) for tools in (("search", "search"), ("other",))
        ]
        found = portions(calls, table.above)
        assert sum(table.cost_of(portion)[0] or 0 for portion in found) == sum(each.cost or 0 for each in calls)
        assert None not in [table.card_of(portion) for portion in found]
