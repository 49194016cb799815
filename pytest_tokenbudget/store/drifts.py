"""The estimate of a drifted call as JSON objects, and back.

What is counted by the piece is held as it was recorded, so that every usage of an estimate has the call's own fees.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from pytest_tokenbudget.model.drift import Change, Drift
from pytest_tokenbudget.model.money import dollars, dollars_text
from pytest_tokenbudget.model.prompt import SegmentKind
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.store.usages import usage_from_record, usage_record

__all__ = ["DriftFields", "call_band", "drift_from_record", "drift_record", "sums_band"]


class _ChangeFields(msgspec.Struct):
    kind: SegmentKind
    name: str
    position: int
    byte: int
    before: int
    after: int


class DriftFields(msgspec.Struct):
    """What is read back of a call's `drift`; further keys are a later version's and are passed over."""

    low: dict[str, int]
    high: dict[str, int] | None = None
    cold: dict[str, int] | None = None
    cold_usd: str | None = None
    recorded_usd: str | None = None
    counter: str = ""
    reasons: tuple[str, ...] = ()
    first: _ChangeFields | None = None
    volatile: tuple[str, ...] = ()


class _BandFields(msgspec.Struct):
    usd: tuple[str | None, str | None]


def call_band(drift: Drift) -> dict[str, Any]:
    """The least and the most of a call's input tokens and cost; null where unknown or without an end."""
    high = drift.high
    return {
        "input": [drift.low.total_input, None if high is None else high.total_input],
        "usd": [_text(drift.cost_low), _text(drift.cost_high)],
    }


def sums_band(low: Usage, high: Usage | None, usd_low: Decimal, usd_high: Decimal | None) -> dict[str, Any]:
    """The same of a task or a run."""
    return {
        "input": [low.total_input, None if high is None else high.total_input],
        "usd": [_text(usd_low), _text(usd_high)],
    }


def drift_record(drift: Drift) -> dict[str, Any]:
    """An estimate, but for its recorded usage and its dollars' band, which stand beside it."""
    first = drift.first
    return {
        "low": usage_record(drift.low),
        "high": None if drift.high is None else usage_record(drift.high),
        "cold": None if drift.cold is None else usage_record(drift.cold),
        "cold_usd": _text(drift.cost_cold),
        "recorded_usd": _text(drift.cost_recorded),
        "counter": drift.counter,
        "reasons": list(drift.reasons),
        "first": None if first is None else {name: getattr(first, name) for name in first.__struct_fields__},
        "volatile": list(drift.volatile),
    }


def drift_from_record(
    fields: DriftFields, band: object, recorded_usage: Mapping[str, int], fees: Mapping[str, int]
) -> Drift:
    """Read an estimate back.

    Args:
        fields: What stands under `drift`.
        band: What stands under `band`.
        recorded_usage: What stands under `recorded_usage`.
        fees: The call's fees.

    Raises:
        ValueError: An amount is none, or the band is of another shape.
    """
    try:
        low, high = msgspec.convert(band, _BandFields).usd
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    first = fields.first
    return Drift(
        recorded_usage=usage_from_record(recorded_usage, fees),
        low=usage_from_record(fields.low, fees),
        high=None if fields.high is None else usage_from_record(fields.high, fees),
        cold=None if fields.cold is None else usage_from_record(fields.cold, fees),
        cost_low=_amount(low),
        cost_high=_amount(high),
        cost_cold=_amount(fields.cold_usd),
        cost_recorded=_amount(fields.recorded_usd),
        counter=fields.counter,
        reasons=fields.reasons,
        first=None if first is None else Change(**msgspec.structs.asdict(first)),
        volatile=fields.volatile,
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else dollars(text)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else dollars_text(amount)
