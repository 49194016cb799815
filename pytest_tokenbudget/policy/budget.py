"""Whether a task kept its budget; computed once, read by every printer.

With limit L and tolerance t: value ≤ L is within, ≤ L(1+t) over (a warning), > L(1+t) blocked, > 3L critical. A floor
F blocks below F(1−t). What is not known exactly is blocked only if the least that it can be is blocked. An estimate is
judged at both ends of its band: blocked if even its better end is, otherwise what both ends agree on, otherwise
inconclusive.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.budget import BLOCKING, SEVERITY, UNLIMITED, Budget, Finding, State, Verdict
from pytest_tokenbudget.model.money import EXACT
from pytest_tokenbudget.model.task import Stray, TaskCall, Totals
from pytest_tokenbudget.policy.bands import band_of, value_of
from pytest_tokenbudget.policy.unknowns import (
    UNDECIDED,
    UNPRICED_BAND,
    Reason,
    counted,
    drift_reason,
    escape_reason,
    estimate_reason,
    lost_reason,
    unknown_price_reasons,
    unknown_usage_reasons,
)

__all__ = ["STRICT", "Leniency", "Measured", "judge"]

_ONE: Final = Decimal(1)
_CRITICAL_FACTOR: Final = Decimal(3)
_COUNTED_EXACTLY: Final = frozenset({"steps", "seconds"})
"""Known of every call that was read, whatever its usage."""

_RATIOS: Final = frozenset({"tokens_per_step", "cache_hit_rate"})


class Leniency(Struct, frozen=True, kw_only=True):
    """What the user chose to be warned of instead of failing for.

    Attributes:
        unknown_model: Models, classes or fees without a price.
        missing_usage: Calls without readable usage.
    """

    unknown_model: bool = False
    missing_usage: bool = False


STRICT: Final = Leniency()


class Measured(Struct, frozen=True, kw_only=True):
    """What a task did, as far as a verdict needs it.

    Attributes:
        calls: Its calls so far.
        exchanges: Exchanges counted where they passed.
        skipped: How many of them are no model calls.
        named: Whether the task's budget names it, so that making no model call is worth failing.
        finished: Whether its body ran to the end; a test that failed earlier is not blamed for calls it did not make.
        strays: Model requests of which no answer was measured.
    """

    calls: Sequence[TaskCall]
    exchanges: int
    skipped: int
    named: bool
    finished: bool
    strays: Sequence[Stray] = ()


def judge(measured: Measured, budget: Budget, leniency: Leniency = STRICT) -> Verdict:
    """Decide on a task."""
    limits = budget.limits()
    if not limits:
        return UNLIMITED
    unread = lost_reason(measured.exchanges, len(measured.calls), measured.skipped)
    lost = " ".join(filter(None, (unread, escape_reason(measured.strays))))
    if measured.named and measured.finished and not (measured.calls or lost or budget.allow_no_calls):
        findings = [_not_measured(measured.skipped)]
    else:
        findings = list(_of_limits(measured, budget, leniency, lost))
    worst: State = max((finding.state for finding in findings), key=SEVERITY.index)
    return Verdict(state=worst, findings=tuple(findings))


def _not_measured(skipped: int) -> Finding:
    seen = f" ({counted(skipped, 'HTTP exchange')} of another kind passed)" if skipped else ""
    reason = (
        f"Not measured: the test has a budget but made no model call that passes vcrpy{seen}. "
        "If that is right, say allow_no_calls=True."
    )
    return Finding(limit="calls", state="unmeasured", bound=None, value=None, reason=reason)


def _of_limits(measured: Measured, budget: Budget, leniency: Leniency, lost: str) -> Iterator[Finding]:
    calls = measured.calls
    totals = Totals.of(calls)
    unread: tuple[Reason, ...] = ((True, lost),) if lost else ()
    usageless = (*unread, *unknown_usage_reasons(calls, lenient=leniency.missing_usage))
    priceless = (*usageless, *unknown_price_reasons(calls, lenient=leniency.unknown_model))
    stale = ((False, drift_reason(calls) or UNPRICED_BAND),) if totals.drifted else ()
    for limit, bound in budget.limits():
        counted_exactly = limit in _COUNTED_EXACTLY
        unknown = unread if counted_exactly else priceless if limit == "usd" else usageless
        unbounded = (totals.known_high if limit == "usd" else totals.high) is None and not counted_exactly
        doubts = (*unknown, *stale) if unbounded else unknown
        low, high = band_of(limit, calls, totals)
        # of a ratio with unknown parts not even the least is known
        low = None if doubts and limit in _RATIOS else low
        state, reason = _of_band(limit, low, None if doubts else high, bound, budget.tolerance), ""
        if doubts:
            if state not in BLOCKING:
                state = "unknown" if any(strict for strict, _ in doubts) else "inconclusive"
            reason = " ".join(sentence for _, sentence in doubts)
        elif low != high and state in {"inconclusive", *BLOCKING}:
            reason = f"{estimate_reason(calls)}{f' {UNDECIDED}' if state == 'inconclusive' else ''}"
        yield Finding(
            limit=limit,
            state=state,
            bound=bound,
            value=None if unknown else value_of(limit, totals),
            low=low,
            high=None if doubts else high,
            reason=reason,
        )


def _of_band(limit: str, low: Decimal | None, high: Decimal | None, bound: Decimal, tolerance: Decimal) -> State:
    """What both ends of a band agree on; without a worse end, what the better one proves."""
    floor = limit == "cache_hit_rate"
    better, worse = (high, low) if floor else (low, high)
    best = _state(limit, better, bound, tolerance)
    if best in BLOCKING or low == high:
        return best
    return best if worse is not None and _state(limit, worse, bound, tolerance) == best else "inconclusive"


def _state(limit: str, value: Decimal | None, bound: Decimal, tolerance: Decimal) -> State:
    if value is None:
        return "within"
    if limit == "cache_hit_rate":
        tolerated = EXACT.multiply(bound, EXACT.subtract(_ONE, tolerance))
        return "within" if value >= bound else "over" if value >= tolerated else "blocked"
    if value <= bound:
        return "within"
    if value <= EXACT.multiply(bound, EXACT.add(_ONE, tolerance)):
        return "over"
    return "critical" if value > EXACT.multiply(bound, _CRITICAL_FACTOR) else "blocked"
