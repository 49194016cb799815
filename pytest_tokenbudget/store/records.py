"""A call as a JSON object, the same in an audit and in a run file, and back."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.call import Call, Skipped, Status
from pytest_tokenbudget.model.drift import Drift
from pytest_tokenbudget.model.exchange import Obtained
from pytest_tokenbudget.model.money import dollars, dollars_text
from pytest_tokenbudget.model.prompt import Segment
from pytest_tokenbudget.model.task import Phase, TaskCall
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.store.drifts import DriftFields, call_band, drift_from_record, drift_record
from pytest_tokenbudget.store.usages import usage_from_record, usage_record

__all__ = [
    "call_from_record",
    "call_record",
    "run_call_from_record",
    "run_call_record",
    "skipped_record",
]


def call_record(call: Call) -> dict[str, Any]:
    """The fields of a call that every file of ours has, in a fixed order.

    Amounts are text in full (`cost_usd`, `reported_usd`), or null where unknown; only counts above zero are listed.
    """
    return {
        "source": call.source,
        "index": call.index,
        "provider": call.provider,
        "api": call.api,
        "host": call.host,
        "model": call.model,
        "tier": call.tier,
        "stream": call.stream,
        "http_status": call.http_status,
        "status": call.status,
        "usage": usage_record(call.usage),
        "fees": _fees(call.usage),
        "cost_usd": _text(call.cost),
        "unpriced": list(call.unpriced),
        "reported_usd": _text(call.reported_cost),
        "response_id": call.response_id,
        "notes": list(call.notes),
    }


def run_call_record(entry: TaskCall) -> dict[str, Any]:
    """A call's fields and its place in a task; of the prompt, only the sums of each family of segments.

    A drifted call has its recording's usage beside the estimate, and the estimate's band and reasons.
    """
    call = entry.call
    record = call_record(call) | {
        "step": entry.step,
        "phase": entry.phase,
        "obtained": call.obtained,
        "model_asked": call.model_asked,
        "tools": list(call.tools),
        "finish": call.finish,
        "seconds": call.seconds,
        "prompt": _families(call.prompt),
    }
    if call.obtained == "drifted":
        drift = call.drift
        record["recorded_usage"] = usage_record(call.usage if drift is None else drift.recorded_usage)
        record["band"] = None if drift is None else call_band(drift)
        record["drift"] = None if drift is None else drift_record(drift)
    return record


def skipped_record(skipped: Skipped) -> dict[str, Any]:
    """An exchange that is no model call, or a whole file (`index` null), with the reason."""
    return {"source": skipped.source, "index": skipped.index, "reason": skipped.reason}


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is read back; further keys are a later version's and are passed over."""

    provider: str
    api: str
    host: str
    status: Status
    usage: dict[str, int]
    cost_usd: str | None
    source: str | None = None
    index: int | None = None
    model: str | None = None
    tier: str | None = None
    stream: bool = False
    http_status: int = 200
    fees: dict[str, int] = {}
    unpriced: tuple[str, ...] = ()
    reported_usd: str | None = None
    response_id: str | None = None
    notes: tuple[str, ...] = ()
    step: int | None = None
    phase: Phase = "call"
    obtained: Obtained = "replayed"
    model_asked: str | None = None
    tools: tuple[str, ...] = ()
    finish: str | None = None
    seconds: float | None = None
    recorded_usage: dict[str, int] = {}
    band: Any = None
    drift: DriftFields | None = None


def call_from_record(record: Mapping[str, Any], *, place: str = "call") -> Call:
    """Read a call back; what a record does not hold (its prompt, when it started) is gone.

    Args:
        record: A call of an audit or of a run file.
        place: Where it stands, for messages, such as `run.json: tasks[2].calls[0]`.

    Raises:
        RunFileError: A field is missing or of the wrong type.
    """
    return _call(_checked(record, place), place)


def run_call_from_record(record: Mapping[str, Any], *, place: str = "call") -> TaskCall:
    """Read a call of a task back, with its place there.

    Raises:
        RunFileError: A field is missing or of the wrong type.
    """
    fields = _checked(record, place)
    return TaskCall(call=_call(fields, place), phase=fields.phase, step=fields.step)


def _checked(record: Mapping[str, Any], place: str) -> _Record:
    try:
        return msgspec.convert(record, _Record)
    except msgspec.ValidationError as error:
        message = f"{place}: {error}. Write the file again with this version of pytest-tokenbudget."
        raise RunFileError(message) from error


def _call(fields: _Record, place: str) -> Call:
    return Call(
        provider=fields.provider,
        api=fields.api,
        host=fields.host,
        model_asked=fields.model_asked,
        model_served=fields.model,
        tier=fields.tier,
        stream=fields.stream,
        http_status=fields.http_status,
        status=fields.status,
        usage=usage_from_record(fields.usage, fields.fees),
        cost=_amount(fields.cost_usd, f"{place}.cost_usd"),
        unpriced=fields.unpriced,
        reported_cost=_amount(fields.reported_usd, f"{place}.reported_usd"),
        tools=fields.tools,
        finish=fields.finish,
        response_id=fields.response_id,
        seconds=fields.seconds,
        obtained=fields.obtained,
        drift=_drift(fields, place),
        source=fields.source,
        index=fields.index,
        notes=fields.notes,
    )


def _drift(fields: _Record, place: str) -> Drift | None:
    if fields.drift is None:
        return None
    try:
        return drift_from_record(fields.drift, fields.band, fields.recorded_usage, fields.fees)
    except ValueError as error:
        message = f"{place}.drift: {error}"
        raise RunFileError(message) from error


def _amount(text: str | None, place: str) -> Decimal | None:
    try:
        return None if text is None else dollars(text)
    except ValueError as error:
        message = f"{place}: {error}"
        raise RunFileError(message) from error


def _fees(usage: Usage) -> dict[str, int]:
    return {name: count for name, count in sorted(usage.fees.items()) if count} if usage.fees else {}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else dollars_text(amount)


def _families(prompt: Iterable[Segment]) -> list[list[str | int]]:
    """[kind, name, how many, tokens] of each family, in the order of their first appearance."""
    sums: dict[tuple[str, str], list[str | int]] = {}
    for segment in prompt:
        key = segment.kind, segment.name
        found = sums.get(key)
        if found is None:
            sums[key] = [*key, 1, segment.tokens]
        else:
            found[2] += 1  # type: ignore[operator]  # the two numbers of the four
            found[3] += segment.tokens  # type: ignore[operator]
    return list(sums.values())
