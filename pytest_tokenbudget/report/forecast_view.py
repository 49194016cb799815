"""A forecast as a person reads it: the scenarios, what follows from them, and what it all rests on."""

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.policy.forecast import Band, Forecast, Outlook
from pytest_tokenbudget.report import amounts

__all__ = ["COLUMNS", "Shock", "rows", "sentences"]

COLUMNS: Final = ("scenario", "tasks a day", "a day", "p95 day", "a month", "90% band")
_DIVISION: Final = Context(prec=28)
_ONE: Final = Decimal(1)


class Shock(Struct, frozen=True, kw_only=True):
    """The same at other prices.

    Attributes:
        prices: What they are called: `as of 2026-12-01`, a file.
        forecast: What follows at them.
    """

    prices: str
    forecast: Forecast

    def change(self, before: Forecast) -> Decimal | None:
        """How much more a task costs, as a share; `None` where it cost nothing."""
        if not before.mean:
            return None
        return _DIVISION.subtract(_DIVISION.divide(self.forecast.mean, before.mean), _ONE)


def rows(found: Forecast) -> list[tuple[str, ...]]:
    """A row for each scenario, by `COLUMNS`."""
    return [
        (
            outlook.name,
            _number(outlook.tasks_per_day),
            amounts.usd(outlook.day.expected),
            amounts.usd(outlook.day.high),
            amounts.usd(outlook.month.expected),
            _band(outlook.month),
        )
        for outlook in found.outlooks
    ]


def _number(count: Decimal) -> str:
    return amounts.tokens(int(count) if count == count.to_integral_value() else count)


def _band(band: Band) -> str:
    return amounts.UNKNOWN if band.low is None else amounts.usd_range(band.low, band.high)


def sentences(found: Forecast, source: str, shock: Shock | None = None) -> list[str]:
    """What follows from the scenarios, and what it rests on.

    Args:
        found: The forecast.
        source: The run that it comes from.
        shock: The same at other prices.
    """
    margin = amounts.percent(found.margin.used)
    lines = [
        f"Monthly budget: {amounts.usd(found.monthly_budget)}, the baseline and a margin of {_margin(found)}.",
        f"Daily burn limit: {amounts.usd(found.daily_limit)}, the baseline's p95 day.",
        f"Emergency stop: {amounts.usd(found.emergency_stop)} a day, the stress scenario's p95 day and {margin}.",
    ]
    if shock is not None:
        lines.append(_shocked(found, shock))
    lines.append(_basis(found, source))
    if assumed := [outlook for outlook in found.outlooks if outlook.assumed is not None]:
        lines.append(_assumed(assumed))
    return lines


def _margin(found: Forecast) -> str:
    margin = found.margin
    if margin.computed is None:
        return f"{amounts.percent(margin.least)}: of one sample no error is known"
    if margin.computed > margin.least:
        return f"{amounts.percent(margin.computed)}: so much may such a month exceed its expectation"
    return f"{amounts.percent(margin.least)} (its own error is {amounts.percent(margin.computed)})"


def _shocked(found: Forecast, shock: Shock) -> str:
    after = shock.forecast
    return (
        f"At prices {shock.prices}, a task costs {amounts.usd(after.mean)} ({_signed(shock.change(found))}): "
        f"monthly budget {amounts.usd(after.monthly_budget)}, daily burn limit {amounts.usd(after.daily_limit)}, "
        f"emergency stop {amounts.usd(after.emergency_stop)}."
    )


def _signed(change: Decimal | None) -> str:
    return "before: nothing" if change is None else amounts.signed_percent(change)


def _basis(found: Forecast, source: str) -> str:
    tasks = "1 task" if found.n == 1 else f"{found.n:,} tasks"
    spread = "" if found.cv is None else f", with a coefficient of variation of {found.cv:.2f}"
    return f"From {tasks} of {source}: {amounts.usd(found.mean)} on average{spread}."


def _assumed(outlooks: Sequence[Outlook]) -> str:
    stated = " and ".join(f"{outlook.name} × {outlook.assumed}" for outlook in outlooks)
    return f"Assumed: {stated}. State your own under `forecast:` in tokenbudget.yml."
