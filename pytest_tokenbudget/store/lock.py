"""`tokenbudget.lock`: what each task used, a line for each task and rate card, sorted, without a price.

    # tokenbudget.lock 1 counter=tb1
    @tools 3f9a2c10 lookup_order=180 issue_refund=154
    tests/test_triage.py::test_refund model=claude-sonnet-5 via=anthropic:anthropic.messages@api.anthropic.com calls=9 …

Git merges such lines, `grep` finds them, and their diff is what a reviewer reads. A family of prompt parts reads
`items*largest:fresh/sent`, in locally counted tokens (a single item is left out), and `rest` is what the provider
billed beyond them: together they must be the input tokens of the line, or it was edited or merged wrongly, and is
refused.

`lock_reading` reads it.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from pytest_tokenbudget.errors import LockError
from pytest_tokenbudget.model.call import UNKNOWN_STATUSES
from pytest_tokenbudget.model.portion import Family, Portion
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.usage import CLASSES, INPUT_CLASSES, Usage

__all__ = [
    "CONTEXT",
    "FEE",
    "FILE_NAME",
    "HEAD",
    "OTHER",
    "TOOLS",
    "UNKNOWN",
    "Lock",
    "billed",
    "lock_of_run",
    "lock_text",
]

FILE_NAME: Final = "tokenbudget.lock"
HEAD: Final = "# tokenbudget.lock 1"
TOOLS: Final = "@tools"
FEE: Final = "fee:"
OTHER: Final = "other:"
CONTEXT: Final = "context:"
UNKNOWN: Final = "unknown"
_TEXT_CLASSES: Final = tuple(name for name in INPUT_CLASSES if not name.startswith("input_"))
_SAFE: Final = "/:.,@+-_[]()!*'~"
"""What stays readable in a name; blanks, `=` and `%` are percent-encoded, and so is all beyond ASCII."""


class Lock(Struct, frozen=True, kw_only=True):
    """A lock as values.

    Attributes:
        counter: What counted its prompt parts.
        tasks: The portions of each task, by its id.
        unknown: How many calls of a task have an unknown usage and so are in no portion, for tasks that have such.
    """

    counter: str
    tasks: Mapping[str, tuple[Portion, ...]]
    unknown: Mapping[str, int] = MappingProxyType({})


def lock_of_run(run: Run, name: str) -> Lock:
    """What a run used.

    Args:
        run: A run of the whole suite.
        name: Its file, for messages.

    Raises:
        LockError: Only a part of the suite ran, or something went wrong while it was measured.
    """
    if run.partial or run.incomplete or not run.tasks:
        why = run.partial[0] if run.partial else run.incomplete[0] if run.incomplete else "no task was measured"
        message = f"{name}: a lock is written from a whole run, and this is none: {why}. Run pytest on the whole suite."
        raise LockError(message)
    if short := next((found for found in run.benchmarks if not found.is_complete), None):
        measured = f"{short.result.figures.n} of {short.plan.samples} samples"
        message = (
            f"{name}: a lock is written from a whole run, and this is none: {short.plan.id} measured {measured}. "
            "Record the others, or draw fewer (--tokenbudget-samples)."
        )
        raise LockError(message)
    tasks = {task.id: task for task in (*run.tasks, *run.fixtures)}
    if broken := next((task.id for task in tasks.values() if not task.adds_up), None):
        message = f"{name}: {broken}: its `portions` are not the sums of its calls. Run pytest on the whole suite."
        raise LockError(message)
    unknown = {name: sum(entry.call.status in UNKNOWN_STATUSES for entry in task.calls) for name, task in tasks.items()}
    return Lock(
        counter=run.counter,
        tasks={name: task.portions for name, task in tasks.items()},
        unknown={name: count for name, count in unknown.items() if count},
    )


def lock_text(lock: Lock) -> str:
    """A lock as the text of its file."""
    sets: dict[str, tuple[tuple[str, int], ...]] = {}
    lines = []
    for task in sorted(lock.tasks):
        for portion in sorted(lock.tasks[task], key=lambda portion: portion.key):
            digest = _digest(portion.tools) if portion.tools else ""
            if digest:
                sets[digest] = portion.tools
            lines.append(" ".join([_task(task), *_fields(portion, digest)]))
        if count := lock.unknown.get(task):
            lines.append(f"{_task(task)} {UNKNOWN}={count}")
    tools = [
        " ".join([TOOLS, digest, *(f"{_encoded(name)}={tokens}" for name, tokens in sets[digest])])
        for digest in sorted(sets)
    ]
    return "\n".join([f"{HEAD} counter={_encoded(lock.counter)}", *tools, *lines]) + "\n"


def _digest(tools: tuple[tuple[str, int], ...]) -> str:
    return blake2b(repr(tools).encode(), digest_size=4).hexdigest()


def _task(name: str) -> str:
    return _encoded(name) if name != TOOLS else _part(name)


def _encoded(text: str) -> str:
    return quote(text, safe=_SAFE, errors="surrogatepass")


def _part(text: str) -> str:
    """A part of `via`, which is taken apart at its colon and its @."""
    return _encoded(text).replace(":", "%3A").replace("@", "%40")


def _fields(portion: Portion, toolset: str) -> Iterator[str]:
    key, usage = portion.key, portion.usage
    yield f"model={_encoded(key.served)}"
    if key.asked and key.asked != key.served:
        yield f"asked={_encoded(key.asked)}"
    yield f"via={_part(key.provider)}:{_part(key.api)}@{_encoded(key.host)}"
    if key.tier:
        yield f"tier={_encoded(key.tier)}"
    yield from (f"{CONTEXT}{_encoded(name)}={_encoded(value)}" for name, value in key.context)
    if key.above:
        yield f"above={key.above}"
    yield f"calls={portion.calls}"
    if portion.drifted:
        yield f"drifted={portion.drifted}"
    yield from (f"{name}={count}" for name in CLASSES if (count := getattr(usage, name)))
    yield from (f"{OTHER}{_encoded(name)}={count}" for name, count in sorted(usage.other.items()) if count)
    yield from (f"{FEE}{_encoded(name)}={count}" for name, count in sorted(usage.fees.items()) if count)
    yield from map(_family, portion.families)
    if toolset:
        yield f"toolset={toolset}"
    if rest := billed(usage) - sum(family.sent for family in portion.families):
        yield f"rest={rest}"


def billed(usage: Usage) -> int:
    """Input tokens of the classes that prompt parts account for."""
    return sum(getattr(usage, name) for name in _TEXT_CLASSES)


def _family(family: Family) -> str:
    name = f"{family.kind}:{_encoded(family.name)}" if family.name else family.kind
    plain = family.items == 1 and family.largest == family.fresh
    items = "" if plain else f"{family.items}*{family.largest}:"
    return f"{name}={items}{family.fresh}/{family.sent}"
