"""How a task's calls drifted: where the prompt changed, what that is estimated to cost, and how to settle it."""

import shlex
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.money import ZERO
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.changes import changes_text
from pytest_tokenbudget.policy.folding import folded
from pytest_tokenbudget.policy.unknowns import UNDECIDED, UNPRICED_BAND, drift_reason, estimate_reason
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import printable

__all__ = ["RECORD_AGAIN", "Drifting", "drifting", "estimate_text", "record_command", "volatile_text", "without_drift"]

RECORD_AGAIN: Final = {True: "--tokenbudget-record=all", False: "--record-mode=rewrite"}
"""The option that records again, where the recordings are ours, and where they are pytest-recording's."""

_COLD_MATTERS: Final = Decimal("1.1")
"""The cost from a cold cache is told where it is so many times the estimate."""


class Drifting(Struct, frozen=True, kw_only=True):
    """What a reader should know of a task's drifted calls.

    Attributes:
        what: Where the prompt changed, in words.
        calls: In how many calls, in words; empty where there is only one.
        low: The least that the task costs, of what is known.
        high: The most; `None` where nothing bounds it.
        whole: Whether nothing of the cost is unknown beside.
        cold: What the task costs if nothing is in the provider's cache, where that is clearly more; else `None`.
        unbounded: Why there is no estimate, in words; empty where there is one.
        reasons: Why the band is wide, in sentences, of each call that has one.
        volatile: Parts that change at every run.
        sources: The recordings that answered.
    """

    what: str
    calls: str
    low: Decimal
    high: Decimal | None
    whole: bool
    cold: Decimal | None
    unbounded: str
    reasons: tuple[str, ...]
    volatile: tuple[str, ...]
    sources: tuple[str, ...]


def drifting(task: Task) -> Drifting | None:
    """How a task's calls drifted; `None` where none did."""
    totals = task.totals
    if not totals.drifted:
        return None
    drifted = [entry.call for entry in task.calls if entry.call.obtained == "drifted"]
    known = [call.drift for call in drifted if call.drift is not None]
    every = "all" if totals.drifted == totals.calls else f"{totals.drifted} of"
    where = changes_text(drift.first for drift in known if drift.first is not None)
    return Drifting(
        what=printable(where or ("the request changed outside of its prompt" if known else "the request changed")),
        calls=f" in {every} {totals.calls} calls" if totals.calls > 1 else "",
        low=totals.known_low,
        high=totals.known_high,
        whole=totals.cost is not None,
        cold=_cold(task),
        unbounded=_unbounded(drifted) if totals.stale or totals.known_high is None else "",
        reasons=tuple(printable(reason) for drift in known for reason in drift.reasons),
        volatile=tuple(dict.fromkeys(printable(name) for drift in known for name in drift.volatile)),
        sources=tuple(dict.fromkeys(call.source for call in drifted if call.source)),
    )


def _cold(task: Task) -> Decimal | None:
    total = ZERO
    for entry in task.calls:
        drift = entry.call.drift
        cost = entry.call.cost if drift is None or drift.cost_cold is None else drift.cost_cold
        if cost is None:
            return None
        total += cost
    return total if total > task.totals.known * _COLD_MATTERS else None


def _unbounded(drifted: Sequence[Call]) -> str:
    stale = [call.drift for call in drifted if call.drift is None or call.drift.high is None]
    if not stale:
        return "its tokens are estimated, but not all of it has a known price"
    why = [reason.rstrip(".") for reason in folded(printable(why) for drift in stale if drift for why in drift.reasons)]
    return f"cannot be estimated: {'; '.join(why)}" if why else "not estimated: the figures are those of the recording"


def estimate_text(found: Drifting, edges: Sequence[Decimal] = ()) -> str:
    """What a drifted task is estimated to cost: a range, or why there is none."""
    if found.unbounded:
        return found.unbounded
    more = "" if found.whole else " + ?"
    cold = "" if found.cold is None else f", {amounts.usd(found.cold)} if nothing is cached"
    return f"estimate {amounts.usd_range(found.low, found.high, edges=edges)}{more}{cold}"


def volatile_text(name: str) -> str:
    """That a part of the prompt changes at every run, and what that breaks.

    Args:
        name: The part, and in brackets what changes in it: `system (a date at byte 17)`.
    """
    part, bracket, what = name.partition(" (")
    return f"`{part}` changes at every run{bracket}{what}: it breaks the provider's cache and the recording alike."


def record_command(targets: Iterable[str], *, own: bool = True) -> str:
    """What records tests again.

    Args:
        targets: Node ids or files.
        own: Whether the recordings are ours to keep, and not pytest-recording's.
    """
    return f"pytest {shlex.join(targets)} {RECORD_AGAIN[own]}"


def without_drift(reason: str, task: Task) -> str:
    """A finding's reason without what is told in lines of its own: that calls drifted."""
    if not task.totals.drifted:
        return reason
    for sentence in filter(None, (drift_reason(task.calls), estimate_reason(task.calls), UNDECIDED, UNPRICED_BAND)):
        reason = reason.replace(sentence, "")
    return " ".join(reason.split())
