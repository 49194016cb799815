"""What an audit says to people: a row for each recording, then sentences."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.recordings.unreadable import COST_UNKNOWN
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.audit import Audit, totals_of
from pytest_tokenbudget.report.view import cost_text, tokens_text

__all__ = ["AuditRow", "details", "rows", "sentences"]

_MOST_NAMED: Final = 3
_NO_TABLE: Final = ("price_table",)
_NOTHING: Final = "? No recordings found: a directory stands for its .yaml, .yml, .json and .har files, also with .gz."
_GIVE_PRICE: Final = "Give it one under `prices:` in tokenbudget.yml."


class AuditRow(Struct, frozen=True, kw_only=True):
    """One recording, ready to print.

    Attributes:
        recording: Its path below the folder that all of them share.
        calls: How many calls.
        tokens_in: Input tokens with the cached share, or why there are none to show.
        tokens_out: Output tokens, thinking included.
        cost: US dollars; a question mark for what is not known.
        known: Whether every call's cost is known.
    """

    recording: str
    calls: str
    tokens_in: str
    tokens_out: str
    cost: str
    known: bool


def rows(audit: Audit) -> list[AuditRow]:
    """A row for each recording that has calls, in the order in which they were read."""
    label = _labels(audit.by_source)
    return [_row(label[source], calls) for source, calls in audit.by_source.items()]


def _row(recording: str, calls: Sequence[Call]) -> AuditRow:
    totals = totals_of(calls)
    usage = totals.usage
    whole = not totals.unknown_usage
    cached = "" if usage.cache_hit_rate is None else f" ({amounts.percent(usage.cache_hit_rate)})"
    return AuditRow(
        recording=recording,
        calls=amounts.tokens(totals.calls),
        tokens_in=tokens_text(usage.total_input, whole=whole, cached=cached) if usage.total else _nothing(calls),
        tokens_out=tokens_text(usage.total_output, whole=whole) if usage.total else "",
        cost=cost_text(totals),
        known=not totals.unknown,
    )


def _nothing(calls: Sequence[Call]) -> str:
    """Why a recording's calls show no tokens."""
    found = {call.status for call in calls}
    if "unsupported" in found:
        return "not readable yet"
    if found & {"missing", "partial"}:
        return "no usage in the stream" if any(call.stream for call in calls) else "no usage in the response"
    if "error" in found:
        return f"HTTP {', '.join(sorted({str(call.http_status) for call in calls if call.status == 'error'}))}"
    return "nothing billed" if found == {"unbilled"} else "0"


def _labels(sources: Iterable[str]) -> dict[str, str]:
    """Each path below the folder that all of them share; a path alone as it was given."""
    names = list(sources)
    if len(names) == 1:
        return {names[0]: names[0]}
    try:
        shared = os.path.commonpath([os.path.dirname(name) for name in names])  # noqa: PTH120 - paths as text, as given
    except ValueError:  # none, or relative beside absolute ones
        shared = ""
    return {name: os.path.relpath(name, shared) if shared else name for name in names}


def sentences(audit: Audit) -> list[str]:
    """What the recordings cost in all, then what is not in that sum; a question mark opens what is not known."""
    if not audit.calls and not audit.skipped:
        return [_NOTHING]
    totals = audit.totals
    unread = [skipped.reason for skipped in audit.skipped if COST_UNKNOWN in skipped.reason]
    others = [skipped.reason for skipped in audit.skipped if COST_UNKNOWN not in skipped.reason]
    cost = cost_text(totals)
    if unread and not totals.unknown:
        cost = f"{cost} + ?" if totals.known else amounts.UNKNOWN
    whole = f"{_counted(len(audit.by_source), 'recording')}, {_counted(totals.calls, 'call')}: {cost}"
    found = [f"{whole} at prices of {audit.as_of.date().isoformat()} ({audit.as_of_source})."]
    if audit.contract is not None:
        found.append(f"After your contract's discounts: {amounts.usd(audit.contract)}.")
    found += [f"? {sentence}" for sentence in _unknown(audit.calls)]
    failed = sum(call.status == "error" for call in audit.calls)
    unbilled = sum(call.status == "unbilled" for call in audit.calls)
    if failed:
        found.append(f"{_counted(failed, 'call')} failed (HTTP 400 and above): nothing billed.")
    if unbilled:
        found.append(f"{_counted(unbilled, 'call')} to endpoints that cost nothing.")
    if unread:
        found.append(f"? {amounts.tokens(len(unread))} not read, and not in the sum: {_reasons(unread)}.")
    if others:
        found.append(f"{amounts.tokens(len(others))} skipped: {_reasons(others)}.")
    return found


def _unknown(calls: Sequence[Call]) -> Iterable[str]:
    by_status = {status: [call for call in calls if call.status == status] for status in ("missing", "partial")}
    if missing := by_status["missing"]:
        streams = sum(call.stream for call in missing)
        hint = f" ({streams} streamed: ask for stream_options.include_usage)" if streams else ""
        yield f"{_carry(len(missing))} no usage{hint}: not priced."
    if partial := by_status["partial"]:
        yield f"{_carry(len(partial))} a usage that was cut off or contradicts itself: not priced."
    if unsupported := [call for call in calls if call.status == "unsupported"]:
        names = _named(call.api for call in unsupported)
        yield f"{_counted(len(unsupported), 'call')} to endpoints that cannot be read yet: not priced. {names}."
    lacking = [call for call in calls if call.status == "exact" and call.cost is None]
    if unlisted := [call for call in lacking if call.unpriced == _NO_TABLE]:
        lacking = [call for call in lacking if call.unpriced != _NO_TABLE]
        yield f"{_counted(len(unlisted), 'call')} not priced: {unlisted[0].notes[-1]}"
    if models := [call for call in lacking if "model" in call.unpriced or not call.unpriced]:
        names = _named(f"{call.model or 'no model'} at {call.host}" for call in models)
        use = "uses a model" if len(models) == 1 else "use models"
        yield f"{_counted(len(models), 'call')} {use} without a price: {names}. {_GIVE_PRICE}"
    if classes := [call for call in lacking if call.unpriced and "model" not in call.unpriced]:
        names = _named(f"{name} of {call.model}" for call in classes for name in call.unpriced)
        yield f"{_counted(len(classes), 'call')} used what has no price: {names}. {_GIVE_PRICE}"


def _carry(count: int) -> str:
    return f"{_counted(count, 'call')} {'carries' if count == 1 else 'carry'}"


def _reasons(reasons: Iterable[str]) -> str:
    return _named(reason.partition(":")[0].partition(" (")[0].partition(", and ")[0] for reason in reasons)


def _named(names: Iterable[str]) -> str:
    counted = Counter(names).most_common()
    shown = [f"{name} ({count})" if count > 1 and len(counted) > 1 else name for name, count in counted[:_MOST_NAMED]]
    more = len(counted) - _MOST_NAMED
    return ", ".join([*shown, f"{more} more"] if more > 0 else shown)


def _counted(count: int, one: str) -> str:
    return f"{amounts.tokens(count)} {one}{'' if count == 1 else 's'}"


def details(audit: Audit) -> list[str]:
    """Each skipped item with its reason, then each call's notes, by recording and position."""
    skipped = [f"{_place(item)}: skipped: {item.reason}" for item in audit.skipped]
    return skipped + [f"{_place(call)}: {note}" for call in audit.calls for note in call.notes]


def _place(item: Call | Skipped) -> str:
    return item.source or "" if item.index is None else f"{item.source} #{item.index}"
