"""US dollars as exact decimals, from text to text."""

from decimal import Context, Decimal, InvalidOperation
from typing import Final

__all__ = ["EXACT", "ZERO", "dollars", "dollars_text"]

ZERO: Final = Decimal(0)

EXACT: Final = Context(prec=200)
"""Arithmetic of our own: the ambient decimal context belongs to the tests around us and may round."""

_MOST_DIGITS: Final = 40
"""Before or after the point: more is no amount, and a short text such as `1e999999999` would fill the memory."""


def dollars(value: object) -> Decimal:
    """Read an amount of US dollars exactly as it was written.

    A float goes through its shortest text, so that `0.30` is three tenths and not 0.299999999999999988898.

    Args:
        value: An int, a float, a `Decimal` or text such as `"0.30"`; not a bool.

    Raises:
        ValueError: It is not a number of zero or more, with at most 40 digits on either side of its point.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        message = f"{value!r} is not an amount of US dollars"
        raise ValueError(message)
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        message = f"{value!r} is not an amount of US dollars"
        raise ValueError(message) from None
    if not amount.is_finite() or amount < 0:
        message = f"{value!r} is not an amount of US dollars of zero or more"
        raise ValueError(message)
    exponent = amount.as_tuple().exponent
    if amount.adjusted() > _MOST_DIGITS or not isinstance(exponent, int) or abs(exponent) > _MOST_DIGITS:
        message = f"{value!r:.60} has too many digits for an amount of US dollars"
        raise ValueError(message)
    return amount.copy_abs()  # there is no minus zero


def dollars_text(amount: Decimal) -> str:
    """The amount in full, without an exponent and without trailing zeros; for files, not for eyes."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
