"""What the summary says about traffic: what was sent, refused, what escaped and what may have been billed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pytest_tokenbudget.model.budget import State
from pytest_tokenbudget.model.task import Stray, StrayKind, Task, Traffic
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.names import listed, of_test

__all__ = ["stray_texts", "traffic_sentence"]

_SAID: Final[dict[StrayKind, tuple[str, str, State]]] = {
    "escaped": (
        "escaped",
        "; its cost is unknown. Make the client inside the test, so that it passes vcrpy.",
        "unknown",
    ),
    "refused": ("refused", "; nothing was sent.", "blocked"),
    "unanswered": ("possibly billed", "; no answer was seen.", "over"),
}
_SHOWN: Final[tuple[Traffic, ...]] = ("recorded", "live", "escaped")


def traffic_sentence(tasks: Iterable[Task]) -> str:
    """Which tasks were not answered from recordings, in one sentence; empty where all of them were."""
    found: dict[Traffic, list[str]] = {}
    for task in tasks:
        found.setdefault(task.traffic, []).append(printable(of_test(task.id)))
    parts = [f"{len(found[kind])} {kind} ({listed(found[kind])})" for kind in _SHOWN if kind in found]
    return f"Traffic: {', '.join(parts)}." if parts else ""


def stray_texts(tasks: Sequence[Task]) -> Iterator[tuple[str, State]]:
    """One line for each request that was not measured, with the tasks that share it; the worst kind first."""
    found: dict[Stray, Counter[str]] = {}
    for task in tasks:
        for stray in task.strays:
            found.setdefault(stray, Counter())[printable(of_test(task.id))] += 1
    for kind, (lead, tail, state) in _SAID.items():
        for stray, names in found.items():
            if stray.kind == kind:
                times = f"{amounts.tokens(names.total())}× " if names.total() > 1 else ""
                yield f"{_mark(kind)} {listed(list(names))}: {lead}: {times}{_request(stray)}{tail}", state


def _mark(kind: StrayKind) -> str:
    return {"escaped": "?", "refused": "✗", "unanswered": "!"}[kind]


def _request(stray: Stray) -> str:
    through = "" if stray.kind == "unanswered" else "through "
    return printable(f"{stray.request} ({through}{stray.how})" if stray.how else stray.request)
