from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.report.amounts import (
    limit_usd,
    measured,
    percent,
    seconds,
    short_tokens,
    signed_percent,
    signed_usd,
    tokens,
    usd,
    usd_range,
)

AMOUNTS = st.decimals(min_value=0, max_value=100_000, places=9)
TINY = Decimal("0.000001")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.742", "$0.742"),
        ("0.0073", "$0.0073"),
        ("0.00731499", "$0.00731"),
        ("0.10", "$0.10"),
        ("0.3", "$0.30"),
        ("0.0009996", "$0.001"),
        ("0.99949", "$0.999"),
        ("0.9996", "$1.00"),
        ("1.061", "$1.061"),
        ("1.06", "$1.06"),
        ("9.9996", "$10.00"),
        ("12.344", "$12.34"),
        ("1234.56", "$1,234.56"),
        ("1E+3", "$1,000.00"),
        ("0.000001", "$0.000001"),
        ("0.00000123456", "$0.00000123"),
        ("0.00000000004", "<$0.000001"),
        ("-0.5", "\N{MINUS SIGN}$0.50"),
        ("-0.00000000004", ">\N{MINUS SIGN}$0.000001"),
    ],
)
def test_dollars_have_the_digits_that_matter(amount: str, text: str) -> None:
    assert usd(Decimal(amount)) == text


def test_unknown_is_a_question_mark_and_not_nothing() -> None:
    assert (usd(None), tokens(None), percent(None), signed_usd(None), measured("usd", None)) == ("?",) * 5


@pytest.mark.parametrize(
    ("amount", "limit", "text"),
    [
        ("0.3601", "0.36", "$0.3601"),
        ("0.36", "0.36", "$0.36"),
        ("0.35999", "0.36", "$0.35999"),
        ("0.742", "0.30", "$0.742"),
        ("0.36011", "0.360105", "$0.36011"),
        ("0.30000000001", "0.30", "$0.30000000001"),
        ("12.341", "12.34", "$12.341"),
        ("0.0000000001", "0", "<$0.000001"),
        ("0.0000006", "0.0000005", "$0.0000006"),
    ],
)
def test_an_amount_and_its_limit_print_in_their_true_order(amount: str, limit: str, text: str) -> None:
    assert usd(Decimal(amount), limit=Decimal(limit)) == text


@pytest.mark.parametrize(("limit", "text"), [("0.3", "$0.30"), ("0.360105", "$0.360105"), ("1500", "$1,500.00")])
def test_a_limit_prints_in_full(limit: str, text: str) -> None:
    assert limit_usd(Decimal(limit)) == text


@given(AMOUNTS)
def test_dollars_above_zero_never_print_as_zero(amount: Decimal) -> None:
    text = usd(amount)
    assert (text == "$0.00") == (amount == 0)
    if amount >= TINY:
        shown = Decimal(text[1:].replace(",", ""))
        assert shown > 0
        # half a unit in the third significant digit, or half a cent
        assert abs(shown - amount) <= max(amount * Decimal("0.005"), Decimal(0))


@given(AMOUNTS, AMOUNTS)
def test_dollars_keep_to_their_side_of_a_limit(amount: Decimal, limit: Decimal) -> None:
    text, bound = usd(amount, limit=limit), limit_usd(limit)
    if text.startswith("<"):
        assert amount < TINY
        assert not 0 < limit < TINY
        return
    shown = Decimal(text[1:].replace(",", ""))
    assert (shown > limit, shown < limit) == (amount > limit, amount < limit)
    assert (text == bound) == (amount == limit)


@given(AMOUNTS, AMOUNTS)
def test_a_larger_amount_never_prints_smaller(one: Decimal, other: Decimal) -> None:
    low, high = sorted([one, other])
    if low >= TINY:
        assert Decimal(usd(low)[1:].replace(",", "")) <= Decimal(usd(high)[1:].replace(",", ""))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("0.444", "+$0.444"),
        ("-0.003", "\N{MINUS SIGN}$0.003"),
        ("0", "$0.00"),
        ("0.00000000001", "<+$0.000001"),
        ("12300", "+$12,300.00"),
    ],
)
def test_changes_carry_their_sign(change: str, text: str) -> None:
    assert signed_usd(Decimal(change)) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        ("0.27", "0.30", "$0.27 to $0.30"),
        ("0.27", None, "$0.27 or more"),
        ("0.3", "0.30", "$0.30"),
        ("0.27499", "0.29511", "$0.274 to $0.296"),
        ("12.349", "12.351", "$12.34 to $12.36"),
    ],
)
def test_bands_are_rounded_outwards(low: str, high: str | None, text: str) -> None:
    assert usd_range(Decimal(low), None if high is None else Decimal(high)) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (25_000, "25,000"), (Decimal(25_000), "25,000"), (Decimal("1234.56"), "1,234.6")]
)
def test_tokens_print_in_full(count: int | Decimal, text: str) -> None:
    assert tokens(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (638, "638"),
        (999, "999"),
        (1_000, "1K"),
        (2_149, "2.1K"),
        (9_400, "9.4K"),
        (9_960, "10K"),
        (14_000, "14K"),
        (999_499, "999K"),
        (999_600, "1M"),
        (1_234_567, "1.2M"),
        (4_600_000_000, "4.6B"),
    ],
)
def test_short_tokens_have_two_or_three_digits(count: int, text: str) -> None:
    assert short_tokens(count) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ("2.47333", "247%"),
        ("0.94", "94%"),
        ("1", "100%"),
        ("0", "0%"),
        ("1.0033", "100.3%"),
        ("0.9996", "99.96%"),
        ("0.999999", "<100%"),
        ("1.0000000001", ">100%"),
        ("0.0004", "0.04%"),
        ("0.00000001", ">0%"),
        ("12.5", "1,250%"),
        ("-0.07", "\N{MINUS SIGN}7%"),
    ],
)
def test_percentages_tell_zero_and_a_hundred_from_their_neighbours(ratio: str, text: str) -> None:
    assert percent(Decimal(ratio)) == text


def test_percentages_take_floats_by_their_shortest_text() -> None:
    assert percent(0.17) == "17%"


def test_percentages_keep_to_their_side_of_an_edge() -> None:
    assert percent(Decimal("1.2003"), edge=Decimal("1.2")) == "120.03%"
    assert percent(Decimal("1.2003")) == "120%"
    assert percent(Decimal("1.2"), edge=Decimal("1.2")) == "120%"
    assert percent(Decimal("1.20000001"), edge=Decimal("1.2")) == ">120%"


@pytest.mark.parametrize(
    ("change", "text"), [("1.47333", "+147%"), ("-0.07", "\N{MINUS SIGN}7%"), ("0", "0%"), ("0.001", "+0.1%")]
)
def test_relative_changes_carry_their_sign(change: str, text: str) -> None:
    assert signed_percent(Decimal(change)) == text


@given(st.decimals(min_value=0, max_value=20, places=7))
def test_a_percentage_is_a_hundred_only_when_it_is(ratio: Decimal) -> None:
    assert (percent(ratio) == "100%") == (ratio == 1)
    assert (percent(ratio) == "0%") == (ratio == 0)


def test_seconds_differ_from_a_limit_that_they_do_not_equal() -> None:
    assert seconds(0.84) == "0.84 s"
    assert seconds(Decimal("30.001"), limit=Decimal(30)) == "30.001 s"
    assert seconds(Decimal(30), limit=Decimal(30)) == "30.00 s"


@pytest.mark.parametrize(
    ("limit", "value", "bound", "text"),
    [
        ("usd", "0.3601", "0.36", "$0.3601"),
        ("tokens", "25001", "25000", "25,001"),
        ("tokens_per_step", "1234.06", "1234", "1,234.1"),
        ("tokens_per_step", "1234.04", "1234", "1,234.04"),
        ("cache_hit_rate", "0.4996", "0.5", "49.96%"),
        ("seconds", "1.5", "1", "1.50 s"),
        ("steps", "13", "12", "13"),
    ],
)
def test_a_measured_value_has_its_limits_unit(limit: str, value: str, bound: str, text: str) -> None:
    assert measured(limit, Decimal(value), bound=Decimal(bound)) == text
