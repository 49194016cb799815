from datetime import UTC, date, datetime

import pytest
from published_prices import call, override, usd

from pytest_tokenbudget.errors import PriceError
from pytest_tokenbudget.model.call import Status
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import DEFAULT_AS_OF, PriceTable, Row

MILLION = Usage(input=1_000_000)
TABLE = PriceTable()


def test_the_release_prices_as_of_its_own_constant() -> None:
    assert (TABLE.as_of, TABLE.as_of_source) == (DEFAULT_AS_OF, "release")
    assert datetime(2026, 11, 1, tzinfo=UTC) == DEFAULT_AS_OF


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(PriceError, match=r"^as_of 2026-11-01T00:00:00 \(option\) has no time zone"):
        PriceTable(as_of=datetime(2026, 11, 1), as_of_source="option")  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("status", "cost", "at_least"),
    [
        ("exact", "1.75", "1.75"),
        ("partial", None, "1.75"),
        ("missing", None, "1.75"),
        ("unsupported", None, "1.75"),
        ("unbilled", "0", "0"),
        ("error", "0", "0"),
    ],
)
def test_only_an_exact_count_has_a_cost_and_only_nothing_billed_is_free(
    status: Status, cost: str | None, at_least: str
) -> None:
    used = call("gpt-5.2", MILLION, status=status)
    charged = TABLE.charge(used)

    assert charged.cost == (None if cost is None else usd(cost))
    assert charged.unpriced == ()
    assert TABLE.lower_bound(used) == usd(at_least)


def test_the_lower_bound_counts_what_has_a_price() -> None:
    assert TABLE.lower_bound(call("gpt-5.2", Usage(input=1_000_000, cache_write=5))) == usd("1.75")
    assert TABLE.lower_bound(call("nobody-knows", MILLION)) == 0


def test_charging_again_changes_nothing() -> None:
    for used in (call("gpt-5.2"), call("gpt-99"), call("gpt-5.2", MILLION, reported_cost=usd("9"))):
        once = TABLE.charge(used)
        assert TABLE.charge(once) == once


def test_a_call_charged_elsewhere_loses_what_no_longer_holds() -> None:
    unpriced = TABLE.charge(call("gpt-99", MILLION))
    priced = PriceTable(overrides=(override("gpt-99", input="1"),)).charge(unpriced)

    assert (priced.cost, priced.unpriced) == (1, ())


def test_the_model_asked_for_stands_in_for_a_served_one_that_is_not_listed() -> None:
    charged = TABLE.charge(call("gpt-5.2", MILLION, model_served="snapshot-7"))

    assert charged.cost == usd("1.75")
    assert charged.notes == ("priced as gpt-5.2, the model asked for: snapshot-7 is not listed",)


def test_a_served_model_that_is_listed_is_the_one_billed() -> None:
    charged = TABLE.charge(call("gpt-5.2", MILLION, model_served="gpt-4o"))

    assert (charged.cost, charged.notes) == (usd("2.5"), ())


@pytest.mark.parametrize("policy", ["error", "warn"])
def test_an_unknown_model_has_no_cost_and_a_note(policy: str) -> None:
    charged = PriceTable(unknown_model=policy).charge(call("a", MILLION, model_served="b"))

    assert (charged.cost, charged.unpriced) == (None, ("model",))
    assert charged.notes == ("openai lists no model b or a",)


def test_an_unknown_model_may_be_free_on_request_and_says_so() -> None:
    charged = PriceTable(unknown_model="free").charge(call("a", MILLION))

    assert (charged.cost, charged.unpriced) == (0, ())
    assert charged.notes == ("counted as free by `unknown_model: free`: openai lists no model a",)


def test_free_unknown_models_do_not_make_unknown_tiers_or_classes_free() -> None:
    table = PriceTable(unknown_model="free")

    assert table.charge(call("gpt-5.2", MILLION, tier="scale")).unpriced == ("tier:scale",)
    assert table.charge(call("gpt-5.2", Usage(cache_write=1))).unpriced == ("cache_write",)


def test_calls_that_differ_only_in_the_model_asked_for_are_priced_apart() -> None:
    table = PriceTable()
    costs = [table.charge(call(asked, MILLION, model_served="snapshot")).cost for asked in ("gpt-5.2", "gpt-4o")]

    assert costs == [usd("1.75"), usd("2.5")]


def test_a_call_that_names_no_model_has_no_price() -> None:
    charged = TABLE.charge(call(None, MILLION))

    assert (charged.cost, charged.unpriced, charged.notes) == (None, ("model",), ("neither side named a model",))


def test_a_host_that_nobody_knows_has_no_price_list() -> None:
    charged = TABLE.charge(call("gpt-5.2", MILLION, provider="localhost:4000", host="localhost:4000"))

    assert (charged.cost, charged.unpriced) == (None, ("model",))
    assert charged.notes == ("no price list is known for localhost:4000",)


@pytest.mark.parametrize("pattern", ["localhost:4000", "localhost", "LOCAL*"])
def test_a_host_may_be_given_a_provider(pattern: str) -> None:
    used = call("gpt-5.2", MILLION, provider="localhost:4000", host="localhost:4000")

    assert PriceTable(hosts={"elsewhere": "azure", pattern: "openai"}).charge(used).cost == usd("1.75")


def test_a_provider_that_does_not_exist_is_named() -> None:
    used = call("gpt-5.2", MILLION, provider="localhost:4000", host="localhost:4000")

    assert PriceTable(hosts={"localhost": "opnai"}).charge(used).notes == ("no price list is known for opnai",)


def test_ollamas_own_api_is_free_and_other_hosts_are_when_named() -> None:
    ollama = call("llama3", MILLION, provider="localhost:11434", host="localhost:11434", api="ollama.chat")
    vllm = call("llama3", Usage(input=5, other={"x": 1}), provider="gpu-7.internal:8000", host="gpu-7.internal:8000")

    assert (TABLE.charge(ollama).cost, TABLE.charge(ollama).notes) == (0, ())
    assert TABLE.charge(vllm).cost is None
    assert PriceTable(free_hosts=("*.internal",)).charge(vllm).cost == 0


def test_an_override_prices_a_free_host() -> None:
    ollama = call("llama3", MILLION, provider="localhost:11434", host="localhost:11434", api="ollama.chat")

    assert PriceTable(overrides=(override("llama3", input="0.1"),)).charge(ollama).cost == usd("0.1")


@pytest.mark.parametrize(
    ("reported", "notes"),
    [
        ("1.75", ()),
        ("1.7587", ()),
        ("1.7413", ()),
        ("1.7589", ("the provider reports $1.7589, our prices make it $1.75",)),
        ("1.77", ("the provider reports $1.77, our prices make it $1.75",)),
        ("1.74", ("the provider reports $1.74, our prices make it $1.75",)),
        ("0", ("the provider reports $0, our prices make it $1.75",)),
    ],
)
def test_a_reported_cost_that_differs_is_said_and_ours_stays(reported: str, notes: tuple[str, ...]) -> None:
    charged = TABLE.charge(call("gpt-5.2", MILLION, reported_cost=usd(reported)))

    assert (charged.cost, charged.notes) == (usd("1.75"), notes)


def test_a_reported_cost_half_a_percent_away_is_near_enough() -> None:
    table = PriceTable(overrides=(override("m", input="1.005"),))

    assert table.charge(call("m", MILLION, reported_cost=usd("1"))).notes == ()


def test_a_reported_cost_does_not_stand_in_for_a_price() -> None:
    assert TABLE.charge(call("gpt-99", MILLION, reported_cost=usd("1"))).cost is None


def test_every_token_of_a_cost_is_explained() -> None:
    used = call(
        "claude-sonnet-4-5-20250929",
        Usage(input=10_000, cache_read=240_000, thinking=1_000, fees={"web_search": 2}),
        provider="anthropic",
        price_context=(("inference_geo", "us"),),
    )
    explained = TABLE.explain(used)

    assert (explained.entry, explained.as_of_source, explained.long_prompt) == (
        "anthropic/claude-sonnet-4-5",
        "release",
        200_000,
    )
    assert explained.factors == (("inference_geo:us", usd("1.1")),)
    assert explained.rows == (
        Row(name="input", count=10_000, rate=usd("0.0000066"), amount=usd("0.066")),
        Row(name="cache_read", count=240_000, rate=usd("0.00000066"), amount=usd("0.1584")),
        Row(name="thinking", count=1_000, rate=usd("0.00002475"), amount=usd("0.02475")),
        Row(name="fee:web_search", count=2, rate=None, amount=None),
    )
    assert (explained.cost, explained.unpriced) == (None, ("fee:web_search",))


def test_rows_sum_to_the_cost() -> None:
    used = call("gpt-5.2", Usage(input=176, cache_read=1_024, output=340, fees={"web_search": 1}))
    explained = TABLE.explain(used)

    assert sum(row.amount for row in explained.rows if row.amount is not None) == explained.cost == usd("0.0152472")


def test_an_explanation_names_the_date_of_a_dated_price() -> None:
    assert TABLE.explain(call("o3", MILLION)).effective == date(2025, 6, 10)
    assert TABLE.explain(call("gpt-5.2", MILLION, tier="flex")).effective == date(2026, 10, 12)
    assert TABLE.explain(call("gpt-5.2", MILLION)).effective is None


def test_an_explanation_names_the_users_own_price_by_its_place() -> None:
    table = PriceTable(overrides=(override("my-*", input="1", place="tokenbudget.yml: prices.my-*"),))
    explained = table.explain(call("my-model", MILLION))

    assert (explained.entry, explained.source) == ("my-*", "tokenbudget.yml: prices.my-*")


@pytest.mark.parametrize(
    ("status", "stated", "note"),
    [
        ("error", {"http_status": 429}, "HTTP 429: nothing is billed"),
        ("unbilled", {}, "an unbilled endpoint: nothing is billed"),
        ("partial", {}, "usage is partial: the cost is unknown"),
        ("exact", {"api": "ollama.chat", "host": "localhost"}, "localhost costs nothing"),
    ],
)
def test_an_explanation_says_why_there_is_nothing_to_explain(
    status: Status, stated: dict[str, object], note: str
) -> None:
    assert TABLE.explain(call("gpt-5.2", MILLION, status=status, **stated)).notes == (note,)


def test_an_unknown_model_is_explained_without_rates() -> None:
    explained = TABLE.explain(call("gpt-99", Usage(input=7)))

    assert explained.rows == (Row(name="input", count=7, rate=None, amount=None),)
    assert explained.notes == ("openai lists no model gpt-99",)


def test_equal_prices_have_equal_identities_wherever_they_are_written() -> None:
    here = PriceTable(overrides=(override("m", input="1.0", place="a.yml"),))
    there = PriceTable(overrides=(override("m", input="1", place="b.yml"),), as_of_source="option")

    assert here.identity == there.identity
    assert here.identity.startswith("genai-prices ")


def test_whatever_changes_a_price_changes_the_identity() -> None:
    tables = [
        PriceTable(),
        PriceTable(as_of=datetime(2026, 11, 2, tzinfo=UTC)),
        PriceTable(overrides=(override("m", input="1"),)),
        PriceTable(overrides=(override("m", input="2"),)),
        PriceTable(overrides=(override("m", output="1"),)),
        PriceTable(overrides=(override("m*", input="1"),)),
        PriceTable(overrides=(override("m", input="1", tier="flex"),)),
        PriceTable(overrides=(override("m", input="1", host="flex"),)),
        PriceTable(overrides=(override("m", input="1", provider="flex"),)),
        PriceTable(overrides=(override("m", input="1", fees={"web_search": "1"}),)),
        PriceTable(unknown_model="free"),
        PriceTable(free_hosts=("localhost",)),
        PriceTable(hosts={"localhost": "openai"}),
    ]

    assert len({table.identity for table in tables}) == len(tables)
    assert all(len(table.identity) < 80 for table in tables)
