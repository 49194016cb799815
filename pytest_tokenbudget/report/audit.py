"""Recordings, priced, as a value; and as JSON and CSV for machines."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import msgspec

from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.model.task import TaskCall, Totals
from pytest_tokenbudget.model.usage import CLASSES
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.store.records import call_record, skipped_record
from pytest_tokenbudget.store.usages import usage_record

__all__ = ["SCHEMA", "Audit", "audit_csv", "audit_json", "totals_of"]

SCHEMA: Final = "tokenbudget/audit/1"


class Audit(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Recordings, priced.

    Attributes:
        calls: Every call in them, in the order in which they were read.
        skipped: Every interaction, and every file, that is none.
        as_of: The instant whose prices were used.
        as_of_source: Who chose it.
        price_table: An identity of the prices: equal text means equal prices.
        contract: US dollars of the known costs after contract discounts; `None` where no discount is stated.
    """

    calls: tuple[Call, ...]
    skipped: tuple[Skipped, ...]
    as_of: datetime
    as_of_source: str
    price_table: str
    contract: Decimal | None = None

    @cached_property
    def totals(self) -> Totals:
        """Sums over all calls."""
        return totals_of(self.calls)

    @cached_property
    def by_source(self) -> Mapping[str, tuple[Call, ...]]:
        """The calls of each recording that has any, in the order in which they were read."""
        found: dict[str, list[Call]] = {}
        for call in self.calls:
            found.setdefault(call.source or "", []).append(call)
        return {source: tuple(calls) for source, calls in found.items()}


def totals_of(calls: Iterable[Call]) -> Totals:
    """Sums over calls that belong to no task."""
    return Totals.of(tuple(TaskCall(call=call) for call in calls))


def audit_json(audit: Audit) -> bytes:
    """The audit as JSON, schema `tokenbudget/audit/1`.

    `totals.cost_usd` is the sum of the costs that are known, as text; `totals.unknown` counts the calls that are not in
    it. Where discounts are stated, `totals.contract_usd` is that sum after them.
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
    if audit.contract is not None:
        record["totals"]["contract_usd"] = dollars_text(audit.contract)
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


_BEFORE: Final = ("source", "index", "provider", "api", "host", "model", "tier", "stream", "http_status", "status")
_FORMULA: Final = ("=", "+", "-", "@")
_AFTER: Final = ("cost_usd", "unpriced", "reported_usd", "response_id", "notes")


def audit_csv(audit: Audit) -> str:
    """The audit as CSV: a row for each call, then one for each skipped item, whose `status` is `skipped`.

    Each token class has a column; classes without a name here stand in `other`, fees in `fees`, as `name=count`. A
    text that a spreadsheet would take for a formula has an apostrophe before it.
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
        writer.writerow((*(_cell(known.get(name)) for name in _BEFORE), *unknown, _cell(skipped.reason)))
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    elif isinstance(value, dict):
        value = "; ".join(f"{name}={count}" for name, count in value.items())
    if not isinstance(value, str):
        return value
    shown = printable(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
