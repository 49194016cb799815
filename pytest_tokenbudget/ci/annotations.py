"""What was found, at the test's own line in a pull request's files."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.policy.compare import Comparison, TaskDiff
from pytest_tokenbudget.policy.gate import GateState, GateVerdict, Reason
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.gate_text import reason_text
from pytest_tokenbudget.report.names import of_test

__all__ = ["MOST", "Annotation", "Level", "annotations", "workflow_commands"]

Level = Literal["error", "warning"]

MOST: Final = 10
"""Annotations of one level that GitHub shows of a step."""

_LEVELS: Final[dict[GateState, Level]] = {
    "blocked": "error",
    "incomplete": "error",
    "no_base": "error",
    "waived": "warning",
    "warn": "warning",
}
_TITLES: Final[dict[GateState, str]] = {
    "blocked": "Over what is allowed",
    "incomplete": "Cost not known for certain",
    "no_base": "Nothing to compare with",
    "waived": "Accepted",
    "warn": "Cost",
}
_LONGEST: Final = 600
_PLACE: Final = re.compile(r"(?P<file>[^\n:]+\.py):(?P<line>[1-9][0-9]{0,6})(?::|$)")


class Annotation(Struct, frozen=True, kw_only=True):
    """One thing to show beside a file.

    Attributes:
        level: How grave it is.
        title: Its heading.
        text: What was found, as sentences.
        file: The test's file, from the repository's root; empty where it is about no file.
        line: The line that states its budget, or `None`.
    """

    level: Level
    title: str
    text: str
    file: str = ""
    line: int | None = None


def annotations(comparison: Comparison, verdict: GateVerdict, *, folder: str = "") -> list[Annotation]:
    """What the verdict found, the gravest first.

    Args:
        comparison: Base and head.
        verdict: The decision.
        folder: The project's folder in the repository; empty where it is the repository.
    """
    tasks = {task.id: task for task in comparison.tasks}
    return list(_found(verdict.reasons, tasks, folder))


def _found(reasons: Sequence[Reason], tasks: dict[str, TaskDiff], folder: str) -> Iterator[Annotation]:
    for reason in reasons:
        level = _LEVELS.get(reason.state)
        if level is None:
            continue
        task = tasks.get(reason.task)
        file, line = _place(task.id, task.budget, folder) if task is not None else ("", None)
        text = reason_text(reason, task, of_test)
        yield Annotation(level=level, title=_TITLES[reason.state], text=text, file=file, line=line)


def _place(node_id: str, budget: Budget, folder: str) -> tuple[str, int | None]:
    """A test's file, and the line of its marker; a budget from elsewhere gives no line."""
    name, colons, _ = node_id.partition("::")
    path = PurePosixPath(folder) / name
    if not colons or path.is_absolute() or ".." in path.parts:
        return "", None
    for _, origin in budget.origins:
        found = _PLACE.match(origin)
        if found is not None and found["file"] == name:
            return path.as_posix(), int(found["line"])
    return path.as_posix(), None


def workflow_commands(found: Sequence[Annotation]) -> list[str]:
    """Annotations as GitHub Actions reads them from a step's output, at most `MOST` of a level."""
    lines = []
    for level in ("error", "warning"):
        named = [annotation for annotation in found if annotation.level == level]
        shown = named if len(named) <= MOST else named[: MOST - 1]
        lines += [_command(annotation) for annotation in shown]
        if len(named) > len(shown):
            text = f"{len(named) - len(shown)} more: see the summary."
            lines.append(_command(Annotation(level=named[0].level, title="Cost", text=text)))
    return lines


def _command(annotation: Annotation) -> str:
    properties = []
    if annotation.file:
        properties.append(f"file={_property(annotation.file)}")
        if annotation.line is not None:
            properties.append(f"line={annotation.line}")
    properties.append(f"title={_property(annotation.title)}")
    text = annotation.text
    shown = f"{text[: _LONGEST - 1]}…" if len(text) > _LONGEST else text
    return f"::{annotation.level} {','.join(properties)}::{_data(shown)}"


def _data(text: str) -> str:
    lines = "\n".join(printable(line) for line in text.splitlines())
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
