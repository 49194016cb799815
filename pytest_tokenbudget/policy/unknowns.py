"""Why a cost or a usage is not known, and what settles it, in sentences."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.task import TaskCall, Totals

__all__ = ["Reason", "drift_reason", "unknown_price_reasons", "unknown_usage_reasons"]

Reason = tuple[bool, str]
"""Whether it fails a limit (rather than warns), and the sentence."""

_STATUS_TEXT = {
    "missing": "no usage",
    "partial": "a cut stream: only a part of its usage is known",
    "unsupported": "an endpoint whose usage cannot be read yet",
}

_MODEL_WAY_OUT = (
    "a model without a known price. Give it one under `prices:` in tokenbudget.yml, name the host's provider under "
    "`hosts:`, or say `unknown_model: warn`."
)
_CLASS_WAY_OUT = "no price is known for that. Give it one under `prices:` in tokenbudget.yml."


def unknown_usage_reasons(calls: Sequence[TaskCall], *, lenient: bool) -> tuple[Reason, ...]:
    """Reasons why token counts are only a lower bound; empty where every usage is known."""
    return tuple(
        (not lenient, f"{_calls(count)} {'has' if count == 1 else 'have'} {what}.")
        for what, count in _counted(
            f"{_STATUS_TEXT[entry.call.status]} ({_first_note(entry.call)})"
            for entry in calls
            if entry.call.status in _STATUS_TEXT
        )
    )


def unknown_price_reasons(calls: Sequence[TaskCall], *, lenient: bool) -> tuple[Reason, ...]:
    """Reasons why known usage has no cost; empty where every price is known."""
    readable = [entry.call for entry in calls if entry.call.status not in _STATUS_TEXT and entry.call.cost is None]
    models = _counted(f"`{call.model or 'no model'}` at {call.host}" for call in readable if _lacks_model(call))
    classes = _counted(f"{', '.join(call.unpriced)} of `{call.model}`" for call in readable if not _lacks_model(call))
    return (
        *((not lenient, f"{_calls(count)} to {what}: {_MODEL_WAY_OUT}") for what, count in models),
        *((not lenient, f"{_calls(count)} used {what}: {_CLASS_WAY_OUT}") for what, count in classes),
    )


def _lacks_model(call: Call) -> bool:
    return "model" in call.unpriced or not call.unpriced


def drift_reason(totals: Totals) -> str:
    """Why figures of drifted calls are stale."""
    return (
        f"{totals.drifted} of {_calls(totals.calls)} {'was' if totals.drifted == 1 else 'were'} answered from the "
        "recording of another request: the usage shown for them is stale. Record them again to settle it."
    )


def _counted(items: Iterable[str]) -> list[tuple[str, int]]:
    return list(Counter(items).items())


def _calls(count: int) -> str:
    return f"{count} call" if count == 1 else f"{count} calls"


def _first_note(call: Call) -> str:
    return call.notes[0] if call.notes else call.api
