"""What a comment says to type: to settle an estimate, to see the same on one's own machine, and to accept it.

An estimate stands where a recording is older than the prompt of its test: the request that is sent now is not the one
that was recorded.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from shlex import quote as shell_quote
from typing import Final

from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff
from pytest_tokenbudget.policy.gate import GateVerdict
from pytest_tokenbudget.policy.suggest import rounded_up
from pytest_tokenbudget.report.amounts import usd
from pytest_tokenbudget.report.drifting import RECORD_AGAIN, Drifting, drifting, estimate_text
from pytest_tokenbudget.report.markdown import code, details, plain
from pytest_tokenbudget.report.names import of_test

__all__ = ["next_steps"]

_SHORT: Final = 7
_SOURCES: Final = 3
_TYPED: Final = 8
"""Tests that a command names; of more, the whole suite is recorded again."""

_WAIVED: Final = 5
"""Tasks in one list of waivers to paste; of more, the others are counted."""


def next_steps(
    comparison: Comparison, verdict: GateVerdict, command: str, foreign: frozenset[str], *, most: int
) -> list[str]:
    """The part as lines, empty where there is nothing to type.

    Args:
        comparison: Base and head.
        verdict: The decision.
        command: What runs the tests.
        foreign: Recordings that are not ours to make.
        most: How many tests may be listed whose recordings are older than their prompts.
    """
    old = [task for task in comparison.tasks if task.head is not None and task.head.is_estimate]
    blocking = dict.fromkeys(reason.task for reason in verdict.reasons if reason.state == "blocked" and reason.task)
    known = {task.id: task for task in comparison.tasks}
    blocked = [known[name] for name in blocking if name in known and _waivable(known[name]) is not None]
    is_suite = any(reason.kind == "suite" and reason.state == "blocked" for reason in verdict.reasons)
    parts = {
        "settle the estimate" if len(old) == 1 else "settle the estimates": _settle(
            old, comparison, command, foreign, most
        ),
        "reproduce": _reproduce(comparison, command),
        "accept": _accept(blocked, is_suite=is_suite),
    }
    told = {title: lines for title, lines in parts.items() if lines}
    if not told:
        return []
    blocks = ["\n".join(lines) for lines in told.values()]
    return details(" · ".join(told).capitalize(), "\n\n".join(blocks).split("\n"))


def _settle(
    old: Sequence[TaskDiff], comparison: Comparison, command: str, foreign: frozenset[str], most: int
) -> list[str]:
    """Which recordings are older than the prompt, what that changes, and what records them again."""
    if not old:
        return []
    found = {task.id: _drifting(task, comparison) for task in old}
    one = len(old) == 1
    lines = [f"{'A recording is' if one else f'The recordings of {len(old)} tests are'} older than the prompt:", ""]
    lines += [_older(task, found[task.id]) for task in old[:most]]
    if len(old) > most:
        lines.append(f"- and {len(old) - most} more")
    for own in (True, False):
        of_kind = [task for task in old if _is_ours(found[task.id], foreign) == own]
        if of_kind:
            lines += ["", *_record(of_kind, command, own=own)]
    return lines


def _drifting(task: TaskDiff, comparison: Comparison) -> Drifting | None:
    use = comparison.head.tasks.get(task.id)
    return drifting(use.drifted) if use is not None and use.drifted is not None else None


def _is_ours(found: Drifting | None, foreign: frozenset[str]) -> bool:
    return found is None or foreign.isdisjoint(found.sources)


def _older(task: TaskDiff, found: Drifting | None) -> str:
    name = code(of_test(task.id))
    if found is None:  # a lock tells no more
        return f"- {name}"
    sources = ", ".join(code(source) for source in found.sources[:_SOURCES])
    more = len(found.sources) - _SOURCES
    where = f" ({sources}{f' and {more} more' if more > 0 else ''})" if sources else ""
    return f"- {name}{where}: {plain(f'{found.what}{found.calls}', 400)}; {plain(estimate_text(found), 400)}."


def _record(tasks: Sequence[TaskDiff], command: str, *, own: bool) -> Iterator[str]:
    total = ZERO
    for task in tasks:
        total = EXACT.add(total, (task.head.usd if task.head is not None else None) or ZERO)
    names = [shell_quote(_one_line(task.id)) for task in tasks] if len(tasks) <= _TYPED else []
    what = code(of_test(tasks[0].id)) if len(tasks) == 1 else f"these {len(tasks)}" if names else "the suite"
    yield f"Record {what} again (about {usd(total)}{'' if names else ' for these alone'}):"
    yield ""
    yield code(" ".join([command, *names, RECORD_AGAIN[own]]), 2000)


def _reproduce(comparison: Comparison, command: str) -> list[str]:
    base = comparison.base
    if base is None:
        return []
    name = base.commit[:_SHORT] if base.commit else "origin/main"
    return [f"Reproduce: {code(f'{command} && tokenbudget diff {name}')}"]


def _accept(blocked: Sequence[TaskDiff], *, is_suite: bool) -> list[str]:
    """What to add to the settings, so that the same passes next time."""
    if is_suite:
        return [
            "Accept, in `tokenbudget.yml`: raise `regression` or `floor` under `gate`; waivers are for single tasks."
        ]
    if not blocked:
        return []
    entries = [line for task in blocked[:_WAIVED] for line in _waiver(task)]
    more = len(blocked) - _WAIVED
    left_out = [f"  # and {more} more"] if more > 0 else []
    return ["Accept, in `tokenbudget.yml`:", "", "```yaml", "waivers:", *entries, *left_out, "```"]


def _waiver(task: TaskDiff) -> list[str]:
    cost = _waivable(task) or ZERO
    # what cannot be shown is matched by a wildcard: the id must name its task wherever it is pasted
    pattern = "".join(letter if letter.isprintable() and letter not in '`"\\' else "?" for letter in task.id[:400])
    return [
        f'  - task: "{pattern}"',
        f"    usd: {rounded_up(cost)}",
        "    reason: …",
        "    until: …",
        "    approver: …",
    ]


def _waivable(task: TaskDiff) -> Decimal | None:
    """US dollars that a waiver has to cover: of a benchmark, of its tasks on average."""
    if task.benched is not None:
        return task.benched.run.result.figures.mean
    return None if task.head is None else task.head.usd


def _one_line(text: str) -> str:
    return " ".join(text.split())
