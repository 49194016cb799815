from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from published_prices import override, usd

from pytest_tokenbudget.errors import PriceError
from pytest_tokenbudget.pricing import genai
from pytest_tokenbudget.pricing.catalog import listings, near_names, own_listings
from pytest_tokenbudget.pricing.changes import RateChange, price_changes
from pytest_tokenbudget.pricing.snapshot import PriceList, only, price_list, read_snapshot, snapshot_json

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def names(**wanted: str) -> list[str]:
    return [listing.entry for listing in listings(NOVEMBER, **wanted)]


def prices(lines: dict[str, dict[str, str]]) -> PriceList:
    return PriceList(
        as_of=NOVEMBER,
        source="test",
        lines={(entry, ""): {what: usd(text) for what, text in rates.items()} for entry, rates in lines.items()},
    )


def test_a_name_finds_the_entry_that_prices_it() -> None:
    assert names(name="claude-sonnet-4-5-20250929") == ["anthropic/claude-sonnet-4-5"]
    assert names(name="openai/gpt-5.6-sol") == ["openrouter/openai/gpt-5.6-sol", "openai/gpt-5.6-sol"]
    assert names(name="gpt-99") == []


def test_a_provider_narrows_and_lists_what_it_borrows_by_name() -> None:
    assert names(name="openai/gpt-5.6-sol", provider="openai") == ["openai/gpt-5.6-sol"]
    assert names(name="gpt-4o", provider="azure") == ["openai/gpt-4o"]
    assert names(name="gpt-4o", provider="anthropic") == []
    assert names(provider="anthropic") == [
        "anthropic/claude-3-7-sonnet",
        "anthropic/claude-opus-5",
        "anthropic/claude-sonnet-4-5",
    ]


def test_a_pattern_matches_models_and_their_providers() -> None:
    assert names(name="*-sonnet*", provider="anthropic") == [
        "anthropic/claude-3-7-sonnet",
        "anthropic/claude-sonnet-4-5",
    ]
    assert names(name="openai/gpt-4.1*") == ["openai/gpt-4.1", "openai/gpt-4.1-mini"]


def test_an_entry_has_its_contexts_and_says_what_lacks_a_price() -> None:
    (listing,) = listings(datetime(2026, 10, 1, tzinfo=UTC), name="gpt-5.2", provider="openai")

    assert [(offer.context, offer.card is None) for offer in listing.offers] == [
        ("", False),
        ("tier:flex", True),
        ("tier:priority", True),
        ("tier:batch", True),
    ]
    assert listing.offers[1].note == "openai/gpt-5.2 has no price for tier:flex as of 2026-10-01"
    assert listing.coming == (date(2026, 10, 12), date(2026, 10, 14))
    assert listing.uplifts == ()
    on_the_day = listings(datetime(2026, 10, 12, tzinfo=UTC), name="gpt-5.2", provider="openai")[0]
    assert on_the_day.coming == (date(2026, 10, 14),)


def test_an_entry_says_which_multipliers_may_apply() -> None:
    assert listings(NOVEMBER, name="gpt-5.4")[0].uplifts == (("regional hosts", usd("1.1")),)
    assert listings(NOVEMBER, name="claude-opus-5")[0].uplifts == (("inference_geo us", usd("1.1")),)


def test_ones_own_prices_are_found_by_the_names_that_they_price() -> None:
    own = (override("my-*", input="1"), override("gpt-5.2", input="2", tier="flex", host="gateway"))

    assert [listing.entry for listing in own_listings(own)] == ["my-*", "gpt-5.2"]
    assert [listing.entry for listing in own_listings(own, "my-model")] == ["my-*"]
    (flex,) = own_listings(own, "gpt-*")
    assert (flex.source, flex.offers[0].context) == ("tokenbudget.yml: prices.x", "host:gateway tier:flex")


def test_near_names() -> None:
    assert near_names("gpt5.2")[0] == "gpt-5.2"
    assert near_names("sonnet-4-5", "anthropic")[0] == "claude-sonnet-4-5"
    assert near_names("5.6")[0] == "gpt-5.6-sol"
    assert near_names("qqq") == ()


def test_data_in_another_shape_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genai, "_providers", lambda: {"openai": object()})

    with pytest.raises(PriceError, match=r"genai-prices .* cannot be read .* Supported: >=0.2.3,<0.3"):
        listings(NOVEMBER)


def test_two_prices_double_in_december() -> None:
    before = price_list(listings(NOVEMBER, provider="google"), NOVEMBER, "test")
    after = price_list(listings(DECEMBER, provider="google"), DECEMBER, "test")

    (change,) = price_changes(before, after)
    assert (change.entry, change.context, change.kind, change.factor) == ("google/gemini-4-argon", "", "dearer", 2)
    assert change.rates == (
        RateChange(what="input", before=usd("2"), after=usd("4")),
        RateChange(what="cache_read", before=usd("0.1"), after=usd("0.2")),
        RateChange(what="input_image", before=usd("2"), after=usd("4")),
        RateChange(what="output", before=usd("10"), after=usd("20")),
        RateChange(what="thinking", before=usd("10"), after=usd("20")),
    )


def test_a_price_list_does_not_differ_from_itself() -> None:
    found = price_list(listings(NOVEMBER), NOVEMBER, "test")

    assert price_changes(found, found) == ()


def test_changes_are_sorted_by_their_effect() -> None:
    before = prices(
        {
            "p/same": {"input": "1"},
            "p/dearer": {"input": "1", "output": "2"},
            "p/much-dearer": {"input": "1", "output": "1"},
            "p/was-free": {"input": "0"},
            "p/gone": {"input": "1"},
            "p/loses": {"input": "1", "cache_read": "0.1"},
            "p/cheaper": {"input": "1"},
            "p/much-cheaper": {"input": "1"},
            "p/gains": {"input": "1"},
        }
    )
    after = prices(
        {
            "p/new": {"input": "1"},
            "p/same": {"input": "1"},
            "p/dearer": {"input": "1.1", "output": "1"},
            "p/much-dearer": {"input": "3", "output": "1"},
            "p/was-free": {"input": "1"},
            "p/loses": {"input": "1"},
            "p/cheaper": {"input": "0.9"},
            "p/much-cheaper": {"input": "0"},
            "p/gains": {"input": "1", "cache_read": "0.1"},
        }
    )

    assert [(change.entry, change.kind, str(change.factor)) for change in price_changes(before, after)] == [
        ("p/was-free", "dearer", "Infinity"),
        ("p/much-dearer", "dearer", "3"),
        ("p/dearer", "dearer", "1.1"),
        ("p/gone", "lost", "None"),
        ("p/loses", "lost", "None"),
        ("p/much-cheaper", "cheaper", "0"),
        ("p/cheaper", "cheaper", "0.9"),
        ("p/gains", "new", "None"),
        ("p/new", "new", "None"),
    ]


def test_an_exported_list_reads_back_as_it_was(tmp_path: Path) -> None:
    found = listings(NOVEMBER)
    file = tmp_path / "prices.json"
    file.write_bytes(snapshot_json(found, NOVEMBER, "release", "genai-prices 0.2.3"))

    assert read_snapshot(file) == price_list(found, NOVEMBER, "genai-prices 0.2.3")


def test_the_part_of_a_list_that_is_wanted() -> None:
    found = prices({"openai/gpt-5": {}, "openai/o3": {}, "openrouter/openai/gpt-5": {}})

    assert [key[0] for key in only(found, provider="openai").lines] == ["openai/gpt-5", "openai/o3"]
    assert [key[0] for key in only(found, name="*gpt-5").lines] == ["openai/gpt-5", "openrouter/openai/gpt-5"]
    assert [key[0] for key in only(found, name="gpt-5").lines] == ["openai/gpt-5"]
    assert only(found) == found


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        (
            '{"schema": "tokenbudget/run/1", "as_of": "2026-11-01T00:00:00Z", "source": "", "entries": []}',
            "this is 'tokenbudget/run/1', not a price list of schema 'tokenbudget/prices/1'",
        ),
        (
            '{"schema": "tokenbudget/prices/1", "as_of": "2026-11-01T00:00:00Z", "source": "", "entries": [ENTRY]}',
            "'x' is not an amount of US dollars",
        ),
    ],
)
def test_a_file_that_is_no_price_list_is_refused(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(text.replace("ENTRY", '{"entry": "a/b", "context": "", "rates": {"input": "x"}}'), encoding="utf-8")

    with pytest.raises(PriceError) as raised:
        read_snapshot(file)
    assert str(file) in str(raised.value)
    assert what in str(raised.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match="No such file"):
        read_snapshot(tmp_path / "none.json")
