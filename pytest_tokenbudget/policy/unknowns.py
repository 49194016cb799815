"""Why a cost or a usage is not known, and what settles it, in sentences."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.task import Stray, TaskCall
from pytest_tokenbudget.policy.folding import folded

__all__ = [
    "UNDECIDED",
    "UNPRICED_BAND",
    "Reason",
    "counted",
    "drift_reason",
    "escape_reason",
    "estimate_reason",
    "lost_reason",
    "unknown_price_reasons",
    "unknown_usage_reasons",
]

Reason = tuple[bool, str]
"""Whether it fails a limit (rather than warns), and the sentence."""

_SHOWN: Final = 3
"""Escaped requests that a reason names; the run has them all."""

_STATUS_TEXT = {
    "missing": "no usage",
    "partial": "a cut stream: only a part of its usage is known",
    "unsupported": "an endpoint whose usage cannot be read yet",
}

_MODEL_WAY_OUT = (
    "a model without a known price. Give it one under `prices:` in tokenbudget.yml, name the host's provider under "
    "`hosts:`, or say `unknown_model: warn`."
)
_EXPLAINED = frozenset({"price_table", "long_prompt"})
"""Stand among unpriced classes where there is no class to blame: the call's last note says what is wrong."""

UNDECIDED: Final = "The estimate could be on either side of the limit: record the test again to settle it."
"""What to do where the ends of an estimate's band would be judged differently."""

UNPRICED_BAND: Final = "The estimate's least and most have no price: record the test again to settle it."

_CLASS_WAY_OUT = "no price is known for that. Give it one under `prices:` in tokenbudget.yml."


def unknown_usage_reasons(calls: Sequence[TaskCall], *, lenient: bool) -> tuple[Reason, ...]:
    """Reasons why token counts are only a lower bound; empty where every usage is known."""
    return tuple(
        (not lenient, f"{_calls(count)} {'has' if count == 1 else 'have'} {what}.")
        for what, count in _tallied(
            f"{_STATUS_TEXT[entry.call.status]} ({_first_note(entry.call)})"
            for entry in calls
            if entry.call.status in _STATUS_TEXT
        )
    )


def unknown_price_reasons(calls: Sequence[TaskCall], *, lenient: bool) -> tuple[Reason, ...]:
    """Reasons why known usage has no cost; empty where every price is known."""
    readable = [entry.call for entry in calls if entry.call.status not in _STATUS_TEXT and entry.call.cost is None]
    explained = [call for call in readable if _is_explained(call)]
    others = [call for call in readable if not _is_explained(call)]
    models = _tallied(f"`{call.model or 'no model'}` at {call.host}" for call in others if _lacks_model(call))
    classes = _tallied(f"{', '.join(call.unpriced)} of `{call.model}`" for call in others if not _lacks_model(call))
    return (
        *((not lenient, f"{_calls(count)} not priced: {why}.") for why, count in _tallied(map(_last_note, explained))),
        *((not lenient, f"{_calls(count)} to {what}: {_MODEL_WAY_OUT}") for what, count in models),
        *((not lenient, f"{_calls(count)} used {what}: {_CLASS_WAY_OUT}") for what, count in classes),
    )


def _is_explained(call: Call) -> bool:
    return bool(call.unpriced and call.notes) and _EXPLAINED.issuperset(call.unpriced)


def _lacks_model(call: Call) -> bool:
    return "model" in call.unpriced or not call.unpriced


def drift_reason(calls: Sequence[TaskCall]) -> str:
    """Why nothing bounds what drifted calls cost; empty where every one of them has an estimate."""
    stale = [call for call in _drifted(calls) if call.drift is None or call.drift.high is None]
    if not stale:
        return ""
    they = _answered_for_another(len(stale), len(calls))
    them = "it" if len(stale) == 1 else "them"
    told = (reason for call in stale if call.drift is not None for reason in call.drift.reasons)
    why = [reason.rstrip(".") for reason in folded(told)]
    if not why:
        return f"{they}: the usage shown for {them} is stale. Record {them} again to settle it."
    return f"{they}, which cannot be estimated: {'; '.join(why)}. Record {them} again to settle it."


def estimate_reason(calls: Sequence[TaskCall]) -> str:
    """That a figure rests on estimates; empty where no call has one."""
    count = sum(call.drift is not None and call.drift.high is not None for call in _drifted(calls))
    return f"{_answered_for_another(count, len(calls))}, and estimated." if count else ""


def _drifted(calls: Sequence[TaskCall]) -> Iterator[Call]:
    return (entry.call for entry in calls if entry.call.obtained == "drifted")


def _answered_for_another(count: int, calls: int) -> str:
    every = "The call" if count == 1 else f"All {_calls(count)}"
    which = every if count == calls else f"{count} of {_calls(calls)}"
    return f"{which} {'was' if count == 1 else 'were'} answered from the recording of another request"


def lost_reason(exchanges: int, calls: int, others: int) -> str:
    """Why a task's calls are not all that passed; empty where every exchange became a call or was set aside."""
    lost = exchanges - calls - others
    if lost > 0:
        return f"{lost} of {counted(exchanges, 'HTTP exchange')} could not be read; the run's notes say why."
    if lost < 0:
        return (
            f"Something was counted twice: of {counted(exchanges, 'HTTP exchange')} came {_calls(calls)} and "
            f"{counted(others, 'exchange')} of another kind."
        )
    return ""


def escape_reason(strays: Iterable[Stray]) -> str:
    """Why what a task paid is not known: model calls that left past every recording; empty where none did."""
    escaped = _tallied(f"{stray.request} through {stray.how}" for stray in strays if stray.kind == "escaped")
    if not escaped:
        return ""
    total = sum(count for _, count in escaped)
    shown = "; ".join(f"{what} ({count} times)" if count > 1 else what for what, count in escaped[:_SHOWN])
    more = f"; and {len(escaped) - _SHOWN} more" if len(escaped) > _SHOWN else ""
    they, them = ("it", "it") if total == 1 else ("they", "them")
    return (
        f"{counted(total, 'model call')} went out live past every recording, so that what {they} cost is not known: "
        f"{shown}{more}. Let {them} pass vcrpy: make the client inside the test, with a transport that vcrpy knows."
    )


def _tallied(items: Iterable[str]) -> list[tuple[str, int]]:
    return list(Counter(items).items())


def counted(number: int, what: str) -> str:
    """A number of things, in words: `1 call`, `2 calls`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _calls(count: int) -> str:
    return counted(count, "call")


def _last_note(call: Call) -> str:
    return call.notes[-1].rstrip(".")


def _first_note(call: Call) -> str:
    return call.notes[0] if call.notes else call.api
