from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.model.money import dollars, dollars_text


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (0.30, "0.3"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-9, "1E-9"),
        (3, "3"),
        (0, "0"),
        ("0.30", "0.30"),
        (" 0.30\n", "0.30"),
        ("1_000", "1000"),
        ("2.5e-6", "0.0000025"),
        (Decimal("0.30"), "0.30"),
        ("-0", "0"),
        (-0.0, "0.0"),
    ],
)
def test_an_amount_is_what_was_written(value: object, amount: str) -> None:
    read = dollars(value)
    assert (read, str(read)) == (Decimal(amount), amount)


@pytest.mark.parametrize("value", [True, False, None, [0.3], b"0.3", Fraction(1, 3), "", "$0.30", "0,30", "thirty"])
def test_what_is_no_amount(value: object) -> None:
    with pytest.raises(ValueError, match=r"is not an amount of US dollars$"):
        dollars(value)


@pytest.mark.parametrize("value", [-0.01, "-1", Decimal("-1E-30"), "NaN", "sNaN", "inf", float("nan"), float("-inf")])
def test_an_amount_is_finite_and_not_below_zero(value: object) -> None:
    with pytest.raises(ValueError, match=r"is not an amount of US dollars of zero or more$"):
        dollars(value)


@pytest.mark.parametrize("value", ["1e999999999", "1e-999999999", "0e-999999999", "0." + "3" * 41, 10**41])
def test_a_short_text_cannot_fill_the_memory(value: object) -> None:
    with pytest.raises(ValueError, match=r"has too many digits for an amount of US dollars$") as raised:
        dollars(value)
    assert len(str(raised.value)) < 120


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"),
        ("0.00", "0"),
        ("0E+3", "0"),
        ("0.30", "0.3"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("1.50E-7", "0.00000015"),
        ("-0.10", "-0.1"),
        ("12345678901234567890.1234567890123", "12345678901234567890.1234567890123"),
    ],
)
def test_amounts_are_written_in_full(amount: str, text: str) -> None:
    assert dollars_text(Decimal(amount)) == text


@given(st.decimals(min_value=0, allow_infinity=False, allow_nan=False, places=12))
def test_amounts_survive_being_written_and_read(amount: Decimal) -> None:
    assert dollars(dollars_text(amount)) == amount
