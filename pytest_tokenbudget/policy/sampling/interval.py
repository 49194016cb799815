"""A lower and an upper bound of a figure that was sampled, and how they were found."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

__all__ = ["Interval", "Method", "rounded"]

Method = Literal["bca", "student", "order", "constant", "none"]
"""bca: bias-corrected and accelerated bootstrap · student: Student's t, for a ratio by the delta method: too narrow
above where costs have heavy tails · order: exact, from the order of the samples · constant: every sample was equal ·
none: too few samples for any."""

_DIGITS = 9


class Interval(Struct, frozen=True, kw_only=True):
    """What a figure of all tasks may be, judged by some of them.

    Attributes:
        low: US dollars that it is at least; `None` where nothing bounds it.
        high: US dollars that it is at most; `None` where nothing bounds it.
        confidence: Of each bound on its own, such as 0.95; of both together it is 0.90 then.
        method: How the bounds were found.
    """

    low: Decimal | None
    high: Decimal | None
    confidence: float
    method: Method


def rounded(value: float) -> Decimal:
    """A computed float with nine digits: processors differ in the last of seventeen."""
    return Decimal(f"{value:.{_DIGITS}g}")
