"""Why a test failed its budget: one sentence, its calls, and where the tokens went."""

from collections import Counter
from typing import Final

from pytest_tokenbudget.model.budget import BLOCKING, Finding
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.task import Task, TaskCall
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.view import LIMIT_WORDS

__all__ = ["failure_text"]

_HEADER: Final = ("step", "model", "in", "cached", "out", "thinking", "cost", "carries")
_MOST_ROWS: Final = 12
_CARRIED: Final = 0.15
_LARGE: Final = 0.3


def failure_text(task: Task) -> str:
    """The report of a test that its budget fails."""
    failing = [finding for finding in task.verdict.findings if finding.state in BLOCKING]
    lines = [_sentence(finding, task) for finding in failing]
    if task.calls:
        lines += ["", *_table(task.calls), ""]
        lines += _largest(task.calls)
    where = dict(task.budget.origins)
    origins = dict.fromkeys(where[finding.limit] for finding in failing if finding.limit in where)
    lines += [f"Budget from {origin}" for origin in origins]
    return "\n".join(lines)


def _sentence(finding: Finding, task: Task) -> str:
    if finding.bound is None:
        return finding.reason
    unit = LIMIT_WORDS[finding.limit]
    in_dollars = finding.limit == "usd"
    bound = amounts.limit_usd(finding.bound) if in_dollars else amounts.measured(finding.limit, finding.bound)
    if finding.state == "unknown":
        least = ""
        if finding.low:
            least = f" (at least {amounts.measured(finding.limit, finding.low, bound=finding.bound)})"
        what = "Cost" if in_dollars else f"Use of{unit}"
        return f"{what} unknown{least}, so a limit of {bound}{unit} cannot be kept: {finding.reason}"
    value = amounts.measured(finding.limit, finding.low, bound=finding.bound)
    tolerance = amounts.percent(task.budget.tolerance)
    if finding.limit == "cache_hit_rate":
        return f"Too few cache hits: {value}, at least {bound} wanted ({tolerance} less is tolerated)"
    least = "at least " if finding.high is None else ""
    if not finding.bound:
        return f"Over budget: {least}{value} of {bound}{unit}"
    over = amounts.signed_percent((finding.low or 0) / finding.bound - 1, edge=task.budget.tolerance)
    return f"Over budget: {least}{value} of {bound}{unit} ({over}; {tolerance} is tolerated)"


def _table(calls: tuple[TaskCall, ...]) -> list[str]:
    cells = [_HEADER, *(_cells(entry) for entry in calls)]
    if len(cells) > _MOST_ROWS + 2:
        gap = ("…", f"{len(cells) - _MOST_ROWS - 1} more", "", "", "", "", "", "")
        cells = [*cells[: _MOST_ROWS - 2], gap, *cells[-3:]]
    sizes = [max(len(row[index]) for row in cells) for index in range(len(_HEADER))]
    return [
        " "
        + "  ".join(
            cell.ljust(size) if index in {0, 1, len(_HEADER) - 1} else cell.rjust(size)
            for index, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in cells
    ]


def _cells(entry: TaskCall) -> tuple[str, ...]:
    call = entry.call
    usage = call.usage
    about = "≈ " if call.obtained == "drifted" else ""
    known = call.status in {"exact", "partial"}
    hits = usage.cache_hit_rate
    return (
        str(entry.step or "-"),
        call.model or "?",
        f"{about}{amounts.tokens(usage.total_input)}" if known else "?",
        ("-" if hits is None else amounts.percent(hits)) if known else "?",
        amounts.tokens(usage.output + usage.output_audio + usage.output_image) if known else "?",
        amounts.tokens(usage.thinking) if known else "?",
        f"{about}{amounts.usd(call.cost)}",
        _carries(call) if call.status != "error" else f"HTTP {call.http_status}",
    )


def _carries(call: Call) -> str:
    families = _families(call)
    total = sum(families.values())
    large = [(name, size) for name, size in families.most_common(2) if total and size / total >= _CARRIED]
    return ", ".join(f"{name} {amounts.short_tokens(size)}" for name, size in large)


def _families(call: Call) -> Counter[str]:
    families: Counter[str] = Counter()
    for segment in call.prompt:
        name = segment.name or "tool" if segment.kind == "tool_result" else _FAMILY_NAMES.get(segment.kind)
        if name:
            families[name] += segment.tokens
    return families


_FAMILY_NAMES: Final = {
    "system": "system",
    "tools": "tool definitions",
    "schema": "schema",
    "assistant": "history",
    "tool_call": "history",
    "thinking": "history",
    "user": "user",
    "media": "media",
}


def _largest(calls: tuple[TaskCall, ...]) -> list[str]:
    sent: Counter[str] = Counter()
    results: set[str] = set()
    for entry in calls:
        sent.update(_families(entry.call))
        results |= {segment.name for segment in entry.call.prompt if segment.kind == "tool_result"}
    total = sum(sent.values())
    if not total:
        return []
    name, size = sent.most_common(1)[0]
    if size / total < _LARGE:
        return []
    what = f"results of {name}" if name in results else name
    share = amounts.percent(size / total)
    return [f"Largest part: {what}, about {share} of all prompt tokens sent (counted locally)."]
