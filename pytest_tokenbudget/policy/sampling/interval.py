"""A lower and an upper bound of a figure that was sampled, and how they were found."""

from decimal import Decimal

from pytest_tokenbudget.model.figures import Interval, Method

__all__ = ["Interval", "Method", "rounded"]


_DIGITS = 9


def rounded(value: float) -> Decimal:
    """A computed float with nine digits: processors differ in the last of seventeen."""
    return Decimal(f"{value:.{_DIGITS}g}")
