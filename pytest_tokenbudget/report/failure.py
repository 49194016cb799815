"""Why a test failed its budget: one sentence, its calls, and where the tokens went."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Context, localcontext
from typing import Final

from pytest_tokenbudget.model.budget import BLOCKING, Finding
from pytest_tokenbudget.model.call import UNKNOWN_STATUSES
from pytest_tokenbudget.model.task import Task, TaskCall, Totals
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import columns, left, opened, printable, right, wrapped
from pytest_tokenbudget.report.drifting import (
    Drifting,
    drifting,
    estimate_text,
    record_command,
    volatile_text,
    without_drift,
)
from pytest_tokenbudget.report.largest import carried, largest_part
from pytest_tokenbudget.report.view import LIMIT_WORDS, cost_text, crossed, tokens_text

__all__ = ["failure_text"]

_HEADER: Final = ("step", "model", "in", "cached", "out", "thinking", "cost", "carries")
_AT_THE_LEFT: Final = frozenset({0, 1, 7})
_WIDTH: Final = 100
_MOST_ROWS: Final = 12
_COSTLIEST: Final = 6
_MODEL_COLUMNS: Final = 28
_MOST_SOURCES: Final = 2
_OF_PROMPTS: Final = frozenset({"usd", "tokens", "input_tokens", "tokens_per_step", "cache_hit_rate"})


def failure_text(task: Task) -> str:
    """The report of a test that its budget fails."""
    with localcontext(Context(prec=28)):  # the test may have set another one
        return "\n".join(_lines(task))


def _lines(task: Task) -> Iterator[str]:
    failing = [finding for finding in task.verdict.findings if finding.state in BLOCKING]
    for sentence in _sentences(failing, task):
        yield from wrapped(sentence, _WIDTH, first="", further="  ")
    if task.calls:
        yield ""
        yield from _table(task.calls)
    further = list(_further(failing, task))
    if task.calls and further:
        yield ""
    yield from further


def _further(failing: Sequence[Finding], task: Task) -> Iterator[str]:
    """Where the tokens went, where the budget stands, and what to type next."""
    limits = {finding.limit for finding in failing}
    if task.calls:
        if limits & _OF_PROMPTS and (largest := largest_part([entry.call for entry in task.calls])):
            yield from wrapped(largest, _WIDTH, first="", further="  ")
        if "steps" in limits and (asked := _tools_asked(task)):
            yield asked
    if found := drifting(task):
        yield from wrapped(
            f"Drifted: {found.what}{found.calls}; {_estimate(found, task)}.", _WIDTH, first="", further="  "
        )
        for name in found.volatile:
            yield from wrapped(volatile_text(name), _WIDTH, first="", further="  ")
    where = dict(task.budget.origins)
    broken = [finding.limit for finding in failing if finding.limit in where]
    stated = broken or [limit for limit, _ in task.budget.limits() if limit in where]
    for origin in dict.fromkeys(where[limit] for limit in stated):
        yield f"Budget from {printable(origin)}"
    if found and task.id.isprintable():
        own = all(opened.own for opened in task.opened if opened.source in found.sources)
        yield f"Settle it: {record_command([task.id], own=own)}"
    if audit := _audit(task):
        yield audit


def _estimate(found: Drifting, task: Task) -> str:
    limit = task.budget.usd
    return estimate_text(found, () if limit is None else (limit, limit * (1 + task.budget.tolerance)))


def _sentences(failing: Sequence[Finding], task: Task) -> Iterator[str]:
    unknown: dict[str, list[Finding]] = {}
    for finding in failing:
        if finding.bound is None:
            yield printable(finding.reason)
        elif finding.state == "unknown":
            unknown.setdefault(without_drift(finding.reason, task), []).append(finding)
        else:
            yield _broken(finding, task)
    for reason, findings in unknown.items():
        yield _unknown(findings, reason, task)


def _unknown(findings: Sequence[Finding], reason: str, task: Task) -> str:
    what = []
    bounds = []
    for finding in findings:
        least = f" (at least {_measured(finding, task)})" if finding.low else ""
        what.append(f"{LIMIT_WORDS[finding.limit].strip() or 'cost'}{least}")
        bounds.append(_bound(finding))
    subject = " and ".join(filter(None, (", ".join(what[:-1]), what[-1])))
    limits = " and ".join(filter(None, (", ".join(bounds[:-1]), bounds[-1])))
    kept = "a limit of" if len(bounds) == 1 else "limits of"
    return f"{subject[0].upper()}{subject[1:]} unknown, so {kept} {limits} cannot be checked: {printable(reason)}"


def _broken(finding: Finding, task: Task) -> str:
    tolerance = amounts.percent(task.budget.tolerance)
    bound = _bound(finding)
    least = "at least " if finding.high is None else ""
    reason = without_drift(finding.reason, task)
    why = f" {printable(reason)}" if reason else ""
    if finding.limit == "cache_hit_rate":
        return (
            f"Too few cache hits: {_measured(finding, task)}, at least {bound} wanted ({tolerance} less is tolerated)"
        )
    if not finding.bound:
        return f"Over budget: {least}{_measured(finding, task)} of {bound}{why and '.'}{why}"
    over = amounts.signed_percent((finding.low or 0) / finding.bound - 1, edge=task.budget.tolerance)
    how = f"{over}; {tolerance} is tolerated"
    if finding.high is not None and finding.low != finding.high:
        least = f"≈ {amounts.measured(finding.limit, finding.value, bound=finding.bound)}, at least "
        how = f"at least {how}"
    return f"Over budget: {least}{_measured(finding, task)} of {bound} ({how}){why and '.'}{why}"


def _bound(finding: Finding) -> str:
    if finding.bound is None:
        return ""
    in_dollars = finding.limit == "usd"
    shown = amounts.limit_usd(finding.bound) if in_dollars else amounts.measured(finding.limit, finding.bound)
    return shown if finding.limit == "cache_hit_rate" else f"{shown}{LIMIT_WORDS[finding.limit]}"


def _measured(finding: Finding, task: Task) -> str:
    return amounts.measured(finding.limit, finding.low, bound=crossed(finding, task))


def _table(calls: Sequence[TaskCall]) -> Iterator[str]:
    cells = [_HEADER, *_rows(calls)]
    sizes = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        placed = (
            left(cell, size) if index in _AT_THE_LEFT else right(cell, size)
            for index, (cell, size) in enumerate(zip(row, sizes, strict=True))
        )
        yield f" {'  '.join(placed)}".rstrip()


def _rows(calls: Sequence[TaskCall]) -> Iterator[tuple[str, ...]]:
    """Every call; of many the first, the last and the costliest, with sums for those between."""
    hidden: list[TaskCall] = []
    shown = _shown(calls)
    for index, entry in enumerate(calls):
        if index not in shown:
            hidden.append(entry)
            continue
        if hidden:
            yield _gap(hidden) if len(hidden) > 1 else _cells(hidden[0])
            hidden = []
        yield _cells(entry)


def _shown(calls: Sequence[TaskCall]) -> set[int]:
    if len(calls) <= _MOST_ROWS:
        return set(range(len(calls)))
    # what is unknown may be the costliest
    weight = [(entry.call.cost is None, entry.call.cost or 0, entry.call.usage.total) for entry in calls]
    inner = sorted(range(1, len(calls) - 1), key=lambda index: weight[index], reverse=True)
    return {0, len(calls) - 1, *inner[:_COSTLIEST]}


def _gap(entries: Sequence[TaskCall]) -> tuple[str, ...]:
    totals = Totals.of(entries)
    usage = totals.usage
    about = "≈" if totals.drifted else ""
    whole = not totals.unknown_usage
    return (
        "…",
        f"{len(entries)} more",
        f"{about}{tokens_text(usage.total_input, whole=whole)}",
        "-" if usage.cache_hit_rate is None else amounts.percent(usage.cache_hit_rate),
        tokens_text(usage.total_output - usage.thinking, whole=whole),
        amounts.tokens(usage.thinking),
        cost_text(totals),
        "",
    )


def _cells(entry: TaskCall) -> tuple[str, ...]:
    call = entry.call
    usage = call.usage
    about = "≈" if call.obtained == "drifted" else ""
    whole = call.status not in UNKNOWN_STATUSES
    hits = usage.cache_hit_rate
    return (
        str(entry.step or "-"),
        opened(printable(call.model or "?"), _MODEL_COLUMNS),
        f"{about}{tokens_text(usage.total_input, whole=whole)}",
        "-" if hits is None else amounts.percent(hits),
        tokens_text(usage.total_output - usage.thinking, whole=whole),
        tokens_text(usage.thinking, whole=whole),
        amounts.usd(call.cost) if call.cost is None else f"{about}{amounts.usd(call.cost)}",
        carried(call) if call.status != "error" else f"HTTP {call.http_status}",
    )


def _tools_asked(task: Task) -> str:
    asked = Counter(tool for entry in task.calls for tool in entry.call.tools)
    times = [f"{printable(name)} {number}×" for name, number in asked.most_common()]
    return f"Tools asked for: {', '.join(times)}." if times else ""


def _audit(task: Task) -> str:
    """The command that shows each price of the recordings behind the task."""
    sources = dict.fromkeys(entry.call.source for entry in task.calls)
    named = [source for source in sources if source and source.isprintable()]
    if not named or len(named) != len(sources) or len(named) > _MOST_SOURCES:
        return ""
    return f"Each price and its source: tokenbudget audit {shlex.join(named)} --explain"
