"""Prices that depend on the hour: when a window is open, where the price data leaves out the weekday.

DeepSeek's peak hours are 09:00 to 12:00 and 14:00 to 18:00 in Beijing on Mondays to Fridays only, since 2026-08-23
("Models & Pricing", read 2026-11); the data opens them on every day. Public holidays are not told apart here.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from genai_prices.types import TimeOfDateConstraint

__all__ = ["is_open"]

_BEIJING: Final = timezone(timedelta(hours=8))
_PEAKS_SINCE: Final = datetime(2026, 8, 17, tzinfo=_BEIJING)
"""The data opens the windows of a model's whole past."""

_WEEKENDS_SINCE: Final = datetime(2026, 8, 23, tzinfo=_BEIJING)
_SATURDAY: Final = 5
_EVERY_DAY: Final = frozenset({"deepseek-chat", "deepseek-reasoner"})
"""Models with a nightly discount, which ended in 2025 and knew no weekends."""


def is_open(window: "TimeOfDateConstraint", provider: str, model: str, at: datetime) -> bool:
    """Whether a price that is listed for certain hours of the day holds at an instant.

    Args:
        window: The hours, as the price data states them.
        provider: Who lists the price.
        model: The price entry's model id.
        at: An aware instant.
    """
    if provider == "deepseek" and model not in _EVERY_DAY:
        weekend = at >= _WEEKENDS_SINCE and at.astimezone(_BEIJING).weekday() >= _SATURDAY
        if weekend or at < _PEAKS_SINCE:
            return False
    return window.active(at.astimezone(UTC))
