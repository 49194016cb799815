"""What an audit of recordings says: as rows and sentences for people, as JSON and CSV for machines."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import msgspec

from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.model.task import TaskCall, Totals
from pytest_tokenbudget.model.usage import CLASSES
from pytest_tokenbudget.recordings.unreadable import COST_UNKNOWN
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.view import cost_text
from pytest_tokenbudget.store.records import call_record, skipped_record, usage_record

__all__ = ["SCHEMA", "Audit", "AuditRow", "audit_csv", "audit_json", "details", "rows", "sentences"]

SCHEMA: Final = "tokenbudget/audit/1"
_MOST_NAMED: Final = 3
_GIVE_PRICE: Final = "Give it one under `prices:` in tokenbudget.yml."


class Audit(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Recordings, priced.

    Attributes:
        calls: Every call in them, in the order in which they were read.
        skipped: Every interaction, and every file, that is none.
        as_of: The instant whose prices were used.
        as_of_source: Who chose it.
        price_table: An identity of the prices: equal text means equal prices.
    """

    calls: tuple[Call, ...]
    skipped: tuple[Skipped, ...]
    as_of: datetime
    as_of_source: str
    price_table: str

    @cached_property
    def totals(self) -> Totals:
        """Sums over all calls."""
        return _totals(self.calls)

    @cached_property
    def by_source(self) -> Mapping[str, tuple[Call, ...]]:
        """The calls of each recording that has any, in the order in which they were read."""
        found: dict[str, list[Call]] = {}
        for call in self.calls:
            found.setdefault(call.source or "", []).append(call)
        return {source: tuple(calls) for source, calls in found.items()}


def _totals(calls: Iterable[Call]) -> Totals:
    return Totals.of(tuple(TaskCall(call=call) for call in calls))


def audit_json(audit: Audit) -> bytes:
    """The audit as JSON, schema `tokenbudget/audit/1`.

    `totals.cost_usd` is the sum of the costs that are known, as text; `totals.unknown` counts the calls that are not in
    it.
    """
    totals = audit.totals
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "as_of": audit.as_of.isoformat(),
        "as_of_source": audit.as_of_source,
        "price_table": audit.price_table,
        "calls": [call_record(call) for call in audit.calls],
        "skipped": [skipped_record(skipped) for skipped in audit.skipped],
        "totals": {
            "recordings": len(audit.by_source),
            "calls": totals.calls,
            "skipped": len(audit.skipped),
            "statuses": dict(sorted(Counter(call.status for call in audit.calls).items())),
            "usage": usage_record(totals.usage),
            "fees": {name: count for name, count in sorted(totals.usage.fees.items()) if count},
            "cost_usd": dollars_text(totals.known),
            "unknown": totals.unknown,
        },
    }
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


_BEFORE: Final = ("source", "index", "provider", "api", "host", "model", "tier", "stream", "http_status", "status")
_AFTER: Final = ("cost_usd", "unpriced", "reported_usd", "response_id", "notes")


def audit_csv(audit: Audit) -> str:
    """The audit as CSV: a row for each call, then one for each skipped item, whose `status` is `skipped`.

    Each token class has a column; classes without a name here stand in `other`, fees in `fees`, as `name=count`.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_BEFORE, *CLASSES, "other", "fees", *_AFTER, "reason"))
    for call in audit.calls:
        record = call_record(call)
        usage: dict[str, int] = record["usage"]
        counts = [usage.pop(name, 0) for name in CLASSES]
        values = [_cell(record[name]) for name in _BEFORE], [_cell(record[name]) for name in _AFTER]
        writer.writerow((*values[0], *counts, _cell(usage), _cell(record["fees"]), *values[1], ""))
    for skipped in audit.skipped:
        known = {"source": skipped.source, "index": skipped.index, "status": "skipped"}
        unknown = ("",) * (len(CLASSES) + 2 + len(_AFTER))
        writer.writerow((*(_cell(known.get(name)) for name in _BEFORE), *unknown, skipped.reason))
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}={count}" for name, count in value.items())
    return value


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
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
    totals = _totals(calls)
    usage = totals.usage
    cached = "" if usage.cache_hit_rate is None else f" ({amounts.percent(usage.cache_hit_rate)})"
    return AuditRow(
        recording=recording,
        calls=amounts.tokens(totals.calls),
        tokens_in=f"{amounts.tokens(usage.total_input)}{cached}" if usage.total else _nothing(calls),
        tokens_out=amounts.tokens(usage.total_output) if usage.total else "",
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
    totals = audit.totals
    whole = f"{_counted(len(audit.by_source), 'recording')}, {_counted(totals.calls, 'call')}: {cost_text(totals)}"
    found = [f"{whole} at prices of {audit.as_of.date().isoformat()} ({audit.as_of_source})."]
    found += [f"? {sentence}" for sentence in _unknown(audit.calls)]
    failed = sum(call.status == "error" for call in audit.calls)
    unbilled = sum(call.status == "unbilled" for call in audit.calls)
    if failed:
        found.append(f"{_counted(failed, 'call')} failed (HTTP 400 and above): nothing billed.")
    if unbilled:
        found.append(f"{_counted(unbilled, 'call')} to endpoints that cost nothing.")
    unread = [skipped.reason for skipped in audit.skipped if COST_UNKNOWN in skipped.reason]
    others = [skipped.reason for skipped in audit.skipped if COST_UNKNOWN not in skipped.reason]
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
        yield f"{_carry(len(partial))} only a part of the usage, the stream was cut: not priced."
    if unsupported := [call for call in calls if call.status == "unsupported"]:
        names = _named(call.api for call in unsupported)
        yield f"{_counted(len(unsupported), 'call')} to endpoints that cannot be read yet: not priced. {names}."
    lacking = [call for call in calls if call.status == "exact" and call.cost is None]
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
