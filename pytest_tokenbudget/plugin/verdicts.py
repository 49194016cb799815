"""Turning a verdict into a test's outcome."""

import os
from pathlib import Path
from typing import Final

import pytest

from pytest_tokenbudget.config.settings import Mode
from pytest_tokenbudget.errors import Stop
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.model.task import Outcome, Task
from pytest_tokenbudget.report.failure import failure_text

__all__ = ["add_properties", "apply_verdict", "outcome_of", "shorten_stop"]

_SECTION: Final = "token budget"
_PACKAGE: Final = str(Path(__file__).parents[1])


def apply_verdict(report: pytest.TestReport, task: TaskMeter, mode: Mode) -> None:
    """Fail the report of a test whose budget blocks it, expected to fail or not.

    A test that failed on its own keeps its failure and gains a section; one that skipped itself stays skipped.
    """
    if not task.verdict.blocks or mode != "enforce":
        return
    text = failure_text(task.close("failed"))
    expected = hasattr(report, "wasxfail")
    if report.failed and not expected:
        report.sections.append((_SECTION, text))
        return
    if report.skipped and not expected:
        return
    if expected:
        text = f"{text}\n(The test is marked xfail, but a broken budget is no expected failure.)"
        del report.wasxfail
    report.outcome = "failed"
    report.longrepr = text


def shorten_stop(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Show what stopped an agent by its message and the line of the test, without the SDK's inner frames."""
    if call.excinfo is None or not isinstance(call.excinfo.value, Stop) or not report.failed:
        return
    near = call.excinfo.traceback[0]
    frames = [entry for entry in call.excinfo.traceback if "site-packages" not in str(entry.path)]
    own = [entry for entry in frames if not str(entry.path).startswith(_PACKAGE)] or [near]
    report.longrepr = "\n".join(
        [
            str(call.excinfo.value),
            "",
            *(f"{_shown(str(entry.path))}:{entry.lineno + 1}: in {entry.name}" for entry in own),
        ]
    )


def _shown(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def outcome_of(report: pytest.TestReport, before: Outcome | None) -> Outcome:
    """How the task stands after a phase, given how it stood before."""
    if report.failed:
        return "failed"
    if before in {"failed", "skipped", "xfailed"}:
        return before
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.skipped:
        return "skipped"
    return before or "passed"


def add_properties(report: pytest.TestReport, task: Task) -> None:
    """Add the task's figures to what JUnit files list for the test."""
    if not task.calls and not task.budget.limits():
        return
    totals = task.totals
    report.user_properties += [
        ("tokenbudget_usd", dollars_text(totals.cost) if totals.cost is not None else "unknown"),
        ("tokenbudget_incurred_usd", dollars_text(totals.incurred) if not totals.unknown_sent else "unknown"),
        ("tokenbudget_tokens", str(totals.usage.total)),
        ("tokenbudget_steps", str(totals.steps)),
        ("tokenbudget_verdict", task.verdict.state),
    ]
