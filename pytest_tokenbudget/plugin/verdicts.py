"""Turning a verdict into a test's outcome."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from pytest_tokenbudget.config.settings import Mode
from pytest_tokenbudget.errors import Stop, TokenBudgetError
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.model.task import Outcome, Task
from pytest_tokenbudget.report.failure import failure_text

__all__ = ["SECTION", "add_properties", "outcome_of", "settle", "shorten", "test_frames"]

SECTION: Final = "token budget"
_PACKAGE: Final = str(Path(__file__).parents[1]) + os.sep
_STANDARD_LIBRARY: Final = str(Path(os.__file__).parent) + os.sep


def settle(report: pytest.TestReport, call: pytest.CallInfo[None], task: TaskMeter, mode: Mode) -> None:
    """Judge what a phase adds, and let the verdict and whatever stopped the agent decide on its report."""
    before = task.verdict
    if call.when == "call" and call.excinfo is not None:
        task.judge(finished=False)  # unittest keeps a failure to itself until now
    elif call.when == "setup" and not report.passed:
        task.judge(finished=False)  # there will be no call
    elif call.when == "teardown" and (task.strayed_since or any(entry.phase == "teardown" for entry in task.calls)):
        task.judge()
    if call.when != "teardown" or not before.blocks:
        _reveal_stop(report, task)
        _apply_verdict(report, task, mode)


def _apply_verdict(report: pytest.TestReport, task: TaskMeter, mode: Mode) -> None:
    """Fail the report of a test whose budget blocks it, even if it is expected to fail or skipped itself.

    A test that failed on its own keeps its failure and gains a section.
    """
    if task.verdict.blocks and mode == "enforce":
        _fail(report, failure_text(task.close("failed")), "a broken budget")


def _reveal_stop(report: pytest.TestReport, task: TaskMeter) -> None:
    """Fail the report of a test that was stopped, even if it is expected to fail or skipped itself."""
    if task.stop is not None and not report.passed:
        _fail(report, _said(task.stop), "a stopped agent")


def _fail(report: pytest.TestReport, text: str, what: str) -> None:
    expected = hasattr(report, "wasxfail")
    if report.failed and not expected:
        if text not in str(report.longrepr):
            report.sections.append((SECTION, text))
        return
    if expected:
        text = f"{text}\n(The test is marked xfail, but {what} is no expected failure.)"
        del report.wasxfail
    elif report.skipped:
        text = f"{text}\n(The test skipped itself, but {what} is not skipped.)"
    report.outcome = "failed"
    report.longrepr = text


def shorten(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Show an error of ours by its message and the line of the test, without inner frames."""
    if call.excinfo is None or not isinstance(call.excinfo.value, (Stop, TokenBudgetError)) or not report.failed:
        return
    where = test_frames(call.excinfo)
    report.longrepr = "\n".join([_said(call.excinfo.value), *(["", *where] if where else [])])


def test_frames(found: pytest.ExceptionInfo[BaseException]) -> list[str]:
    """The lines of the user's own code through which an error came, the innermost last: `agent.py:8: in ask`."""
    frames = [entry for entry in found.traceback if _is_of_test(str(entry.path))]
    return [f"{_shown(str(entry.path))}:{entry.lineno + 1}: in {entry.name}" for entry in frames]


def _said(error: Stop | TokenBudgetError) -> str:
    text = str(error)
    return text if text.startswith(f"[{error.slug}]") else f"[{error.slug}] {text}"


def _is_of_test(path: str) -> bool:
    return "site-packages" not in path and not path.startswith((_PACKAGE, _STANDARD_LIBRARY))


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
    cost = None if task.escaped else totals.cost
    paid = None if totals.unknown_sent or task.possibly_billed else totals.incurred
    report.user_properties += [
        ("tokenbudget_usd", _amount(cost)),
        ("tokenbudget_incurred_usd", _amount(paid)),
        ("tokenbudget_tokens", str(totals.usage.total)),
        ("tokenbudget_steps", str(totals.steps)),
        ("tokenbudget_verdict", task.verdict.state),
        ("tokenbudget_traffic", task.traffic),
    ]
    if totals.drifted:
        report.user_properties += [
            ("tokenbudget_usd_low", _amount(totals.known_low)),
            ("tokenbudget_usd_high", _amount(None if cost is None else totals.known_high)),
        ]


def _amount(usd: Decimal | None) -> str:
    return "unknown" if usd is None else dollars_text(usd)
