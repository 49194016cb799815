"""A forecast for machines, and as Markdown."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.policy.forecast import Band, Forecast
from pytest_tokenbudget.report.forecast_view import COLUMNS, Shock, rows, sentences
from pytest_tokenbudget.report.markdown import plain, table

__all__ = ["SCHEMA", "forecast_json", "forecast_markdown"]

SCHEMA: Final = "tokenbudget/forecast/1"


def forecast_json(found: Forecast, shock: Shock | None = None) -> bytes:
    """A forecast as JSON, schema `tokenbudget/forecast/1`; amounts as text, `null` where unknown."""
    record = {
        "schema": SCHEMA,
        **_record(found),
        "shock": None if shock is None else {"prices": shock.prices, **_record(shock.forecast)},
    }
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def _record(found: Forecast) -> dict[str, Any]:
    return {
        "samples": found.n,
        "mean_usd": dollars_text(found.mean),
        "cv": found.cv,
        "days": dollars_text(found.days),
        "margin": {
            "least": dollars_text(found.margin.least),
            "computed": _text(found.margin.computed),
            "used": dollars_text(found.margin.used),
        },
        "scenarios": [
            {
                "name": outlook.name,
                "tasks_per_day": dollars_text(outlook.tasks_per_day),
                "assumed_factor": _text(outlook.assumed),
                "day_usd": _band(outlook.day),
                "month_usd": _band(outlook.month),
            }
            for outlook in found.outlooks
        ],
        "monthly_budget_usd": dollars_text(found.monthly_budget),
        "daily_limit_usd": _text(found.daily_limit),
        "emergency_stop_usd": _text(found.emergency_stop),
    }


def _band(band: Band) -> dict[str, str | None]:
    return {"expected": dollars_text(band.expected), "low": _text(band.low), "high": _text(band.high)}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else dollars_text(amount)


def forecast_markdown(found: Forecast, source: str, shock: Shock | None = None) -> str:
    """A forecast as Markdown.

    Args:
        found: The forecast.
        source: The run that it comes from.
        shock: The same at other prices.
    """
    lines = table(COLUMNS, "lrrrrr", ([plain(cell) for cell in row] for row in rows(found)))
    said = [f"- {plain(sentence, longest=1000)}" for sentence in sentences(found, source, shock)]
    return "\n".join([*lines, "", *said]) + "\n"
