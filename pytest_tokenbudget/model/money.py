"""US dollars as exact decimals, from text to text."""

from decimal import Decimal, InvalidOperation
from typing import Final

__all__ = ["ZERO", "dollars", "dollars_text"]

ZERO: Final = Decimal(0)


def dollars(value: object) -> Decimal:
    """Read an amount of US dollars exactly as it was written.

    A float goes through its shortest text, so that `0.30` is three tenths and not 0.299999999999999988898.

    Args:
        value: An int, a float, a `Decimal` or text such as `"0.30"`; not a bool.

    Raises:
        ValueError: It is not a finite number of zero or more.
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
    return amount


def dollars_text(amount: Decimal) -> str:
    """The amount in full, without an exponent and without trailing zeros; for files, not for eyes."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
