"""Recordings that are not needed, in words."""

from collections.abc import Iterable, Iterator
from typing import Final

from pytest_tokenbudget.model.run import Recording
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.contradictions import CONTRADICTS
from pytest_tokenbudget.policy.hygiene import Sweep
from pytest_tokenbudget.policy.unknowns import counted
from pytest_tokenbudget.report.columns import printable

__all__ = ["contradiction_texts", "unused_lines", "unused_sentence"]

_MOST_LISTED: Final = 8


def unused_sentence(found: Sweep) -> str:
    """How much is not needed, in one sentence; empty where everything is, or where nobody knows."""
    parts = []
    if found.unused:
        answers = sum(len(recording.unused) for recording in found.unused)
        parts.append(f"{counted(answers, 'answer')} in {counted(len(found.unused), 'recording')}")
    if found.orphans:
        parts.append(f"{counted(len(found.orphans), 'recording')} of no test")
    return f"Never played: {', '.join(parts)} (see tokenbudget prune)." if parts else ""


def contradiction_texts(tasks: Iterable[Task]) -> Iterator[str]:
    """One line for each recording that contradicts itself, with the first of what is wrong with it."""
    found: dict[str, str] = {}
    for task in tasks:
        for entry in task.calls:
            wrong = next((note for note in entry.call.notes if note.startswith(CONTRADICTS)), None)
            if wrong is not None:
                found.setdefault(entry.call.source or task.id, wrong)
    for source, wrong in found.items():
        yield f"! {printable(source)}: {printable(wrong[0].lower() + wrong[1:])}"


def unused_lines(found: Sweep) -> Iterator[str]:
    """Each recording with what of it is not needed."""
    for recording in found.unused:
        yield f"{printable(recording.source)}: {_answers(recording)}"
    for orphan in found.orphans:
        yield f"{printable(orphan)}: belongs to no test"


def _answers(recording: Recording) -> str:
    unused = recording.unused
    if len(unused) == recording.interactions:
        return f"none of its {counted(len(unused), 'answer')} was played"
    shown = ", ".join(map(str, unused[:_MOST_LISTED]))
    more = f", and {len(unused) - _MOST_LISTED} more" if len(unused) > _MOST_LISTED else ""
    were = "was" if len(unused) == 1 else "were"
    return f"{len(unused)} of {counted(recording.interactions, 'answer')} {were} never played ({shown}{more})"
