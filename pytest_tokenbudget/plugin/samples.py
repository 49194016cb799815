"""What a sample's report says: a task that failed is unsuccessful, and the benchmark's verdict decides on the build.

What could not be measured (no recording, a skip, a broken fixture) is no sample, neither a success nor a failure.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import pytest
from msgspec.structs import replace

from pytest_tokenbudget.errors import RecordingMiss, Stop, TokenBudgetError
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.benchmark import (
    BROKEN,
    NOT_ANSWERED,
    NOT_RECORDED,
    SETUP_FAILED,
    SKIPPED,
    UNANSWERED,
)
from pytest_tokenbudget.model.task import Outcome
from pytest_tokenbudget.plugin.verdicts import test_frames

__all__ = ["PassingOver", "pass_over_unrecorded", "settle_sample"]

_UNSUCCESSFUL: Final = "unsuccessful sample"
_LONGEST: Final = 120


def pass_over_unrecorded(call: pytest.CallInfo[None], task: TaskMeter) -> None:
    """Let a phase in which nothing was recorded of a sample end as a skip, before its report is made.

    The traceback of a miss, through all of a client, takes a fifth of a second to print; nobody would see it.
    """
    if call.when == "teardown" or call.excinfo is None or task.drawn is None or not _is_unrecorded(task):
        return
    if not isinstance(call.excinfo.value, pytest.skip.Exception):
        skipped = pytest.skip.Exception(NOT_RECORDED, _use_item_location=True)
        call.excinfo = pytest.CallInfo.from_call(partial(_raise, skipped), call.when).excinfo


def _raise(error: BaseException) -> None:
    raise error


def _is_unrecorded(task: TaskMeter) -> bool:
    return isinstance(task.stop, RecordingMiss) and task.stop.unrecorded


def settle_sample(
    report: pytest.TestReport, call: pytest.CallInfo[None], task: TaskMeter, *, waits: bool
) -> Outcome | None:
    """Let a sample that failed on its own fail no build.

    Args:
        report: The report of one of its phases, judged as that of any test.
        call: The phase.
        task: The sample's task; it is told where it could not be measured.
        waits: Whether a request was sent whose answer has not come, so that its recording is not whole.

    Returns:
        How the task stands, where the report does not say so.
    """
    if _is_unrecorded(task):
        return _unrecorded(report, task)
    if task.stop is not None:
        _unmeasured(task, NOT_ANSWERED if isinstance(task.stop, RecordingMiss) else f"stopped: {task.stop.slug}")
    elif report.skipped and not hasattr(report, "wasxfail"):
        _unmeasured(task, SKIPPED)
    elif report.failed and waits and call.when != "teardown":
        _unmeasured(task, UNANSWERED)
        if call.excinfo is not None:
            report.longrepr = _short(call.excinfo)
    elif report.failed and call.when == "setup":
        _unmeasured(task, SETUP_FAILED)
    elif report.failed and call.when == "call" and call.excinfo is not None:
        return _unsuccessful(report, call.excinfo, task)
    return None


class PassingOver:
    """Skips samples that need not be paid for, once every other plugin has prepared for the test: each cleans up after.

    A plugin of its own, for a wrapper cannot raise in the midst of the others' preparations.
    """

    def __init__(self, needless: Callable[[pytest.Item], tuple[TaskMeter, str] | None]) -> None:
        """Prepare.

        Args:
            needless: The task of a sample that is to be skipped, and why; `None` for all others.
        """
        self._needless = needless

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a sample, before any of its fixtures is set up.

        Raises:
            pytest.skip.Exception: It need not be paid for.
        """
        found = self._needless(item)
        if found is not None:
            task, reason = found
            _unmeasured(task, reason)
            raise pytest.skip.Exception(reason, _use_item_location=True)


def _unrecorded(report: pytest.TestReport, task: TaskMeter) -> Outcome | None:
    """Pass over a sample of which nothing is recorded: a benchmark that was decided early has no more."""
    _unmeasured(task, NOT_RECORDED)
    if not report.failed:
        return None
    path, line, _ = report.location
    report.outcome = "skipped"
    report.longrepr = path, (line or 0) + 1, f"Skipped: {NOT_RECORDED}"
    return "skipped"


def _unsuccessful(
    report: pytest.TestReport, found: pytest.ExceptionInfo[BaseException], task: TaskMeter
) -> Outcome | None:
    error = found.value
    for cause in _chain(error):
        if type(cause).__module__.startswith("vcr.") or isinstance(cause, (Stop, TokenBudgetError)):
            _unmeasured(task, NOT_ANSWERED)
            return None
    if not isinstance(error, (Exception, pytest.fail.Exception)):
        return None
    said = next(iter(str(error).splitlines()), "")
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if task.drawn is not None:
        where = next(iter(test_frames(found)[-1:]), "").partition(": in ")[0]
        place = f" ({where})" if where else ""
        task.drawn = replace(task.drawn, failure=f"{_cut(reason, _LONGEST - len(place))}{place}")
    if not _by_its_own_word(error) and not task.exchanges and not task.strays:
        _unmeasured(task, BROKEN)  # nothing was asked of the agent that could have been unsuccessful
        return None
    report.outcome = "skipped"
    report.wasxfail = _cut(f"{_UNSUCCESSFUL}: {reason}", _LONGEST)
    return "failed"


def _short(found: pytest.ExceptionInfo[BaseException]) -> str:
    """An error, what led to it, and the user's own lines: a client's are hundreds, and the same for each sample."""
    first, *others = [
        f"{type(each).__name__}: {each}" if str(each) else type(each).__name__ for each in _chain(found.value)
    ]
    led = [f"after {others[-1]}"] if others else []
    return "\n".join([f"{UNANSWERED}: {first}", *led, "", *test_frames(found)])


def _by_its_own_word(error: BaseException) -> bool:
    """Whether a test judged, and did not break."""
    return isinstance(error, (AssertionError, pytest.fail.Exception))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: max(longest, 1) - 1]}…"


def _unmeasured(task: TaskMeter, why: str) -> None:
    if task.drawn is not None and not task.drawn.unmeasured:
        task.drawn = replace(task.drawn, unmeasured=why)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it; SDKs wrap what was raised below them."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__
