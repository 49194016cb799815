"""The hooks that run for every test, once measuring has begun. Each delegates in a few lines."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import Any, Final

import pytest

from pytest_tokenbudget.config.load import load_settings
from pytest_tokenbudget.errors import RecordingError, RunFileError, TokenBudgetError
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Outcome
from pytest_tokenbudget.plugin.markers import read_markers, recording_of
from pytest_tokenbudget.plugin.selection import reasons_for_partial
from pytest_tokenbudget.plugin.session import Session
from pytest_tokenbudget.plugin.verdicts import add_properties, apply_verdict, outcome_of, shorten_stop
from pytest_tokenbudget.plugin.wider import WiderFixture
from pytest_tokenbudget.plugin.workers import ATTRIBUTE, OUTPUT, session_name, worker_name

__all__ = ["Hooks"]

_OUTCOME: Final = pytest.StashKey[Outcome | None]()
_REPLAY: Final = pytest.StashKey[ExitStack]()
_JUDGED: Final = pytest.StashKey[bool]()


class Hooks:
    """pytest's hooks around one session.

    Attributes:
        session: What is measured.
    """

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self.session = session
        self._config = config
        self._is_worker = hasattr(config, "workerinput")
        self._detach: Callable[[], None] | None = None
        self._run: Run | None = None

    @classmethod
    def for_config(cls, config: pytest.Config) -> "Hooks":
        """Read the settings and prepare a session.

        Raises:
            pytest.UsageError: A setting is wrong; the message says which, where, and what is allowed.
        """
        options = {"mode": config.getoption("--tokenbudget"), "out": config.getoption("--tokenbudget-out")}
        try:
            settings = load_settings(config.rootpath, options=options)
        except TokenBudgetError as error:
            raise _usage_error(error) from error
        return cls(config, Session(config.rootpath, settings, name=session_name(config), worker=worker_name(config)))

    @property
    def _off(self) -> bool:
        return self.session.settings.mode == "off"

    def attach(self, running: str | None = None) -> None:
        """Take in what passes vcrpy from now on.

        Args:
            running: The test in the middle of which vcrpy was first imported, if any.
        """
        if self._detach or self._off:
            return
        from pytest_tokenbudget.traffic import cassette  # imports vcrpy

        self._detach = cassette.attach(self.session.meter, self._config.rootpath)
        if running is not None:
            self.session.task_of(running).phase = "call"

    def pytest_unconfigure(self) -> None:
        """Hand traffic back to the session around this one, if there is one."""
        if self._detach:
            self._detach()

    def declare(self, items: list[pytest.Item]) -> None:
        """Read every test's markers before the first test runs.

        Raises:
            pytest.UsageError: Markers are wrong; all of them are named at once.
        """
        if self._off:
            return
        try:
            for item, statements in read_markers(items):
                self.session.mark(item.nodeid, statements)
        except TokenBudgetError as error:
            raise _usage_error(error) from error

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Begin the task, and its own recording where it opens none itself."""
        if self._off:
            return (yield)
        self.session.start(item.nodeid)
        item.stash[_JUDGED] = False
        recording = recording_of(item) if self.session.is_marked(item.nodeid) else None
        if recording is not None:
            from pytest_tokenbudget.traffic.replay import replaying

            item.stash[_REPLAY] = stack = ExitStack()
            try:
                stack.enter_context(replaying(recording))
            except Exception as error:
                message = f"[{RecordingError.slug}] {recording}: cannot be replayed: {error}. Record it again."
                raise RecordingError(message) from error
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Judge the task when the test's body has ended, however it ended."""
        if self._off:
            return (yield)
        task = self.session.task_of(item.nodeid)
        task.phase = "call"
        finished = False
        try:
            result = yield
            if task.stop is not None:  # the test swallowed it
                raise task.stop
            finished = True
            return result
        finally:
            task.judge(finished=finished)
            item.stash[_JUDGED] = True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count what fixtures still call, and close the task's own recording after them."""
        if self._off:
            return (yield)
        self.session.task_of(item.nodeid).phase = "teardown"
        try:
            return (yield)
        finally:
            if (stack := item.stash.get(_REPLAY, None)) is not None:
                del item.stash[_REPLAY]
                stack.close()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Count a wider fixture's calls as its own, not as those of the test that happened to come first."""
        if self._off or fixturedef.scope == "function":
            return (yield)
        wider = WiderFixture(self.session, fixturedef, request)
        # finalizers run last in, first out: close after the fixture's own teardown, enter before it
        fixturedef.addfinalizer(wider.close)
        wider.enter()
        try:
            return (yield)
        finally:
            wider.leave()
            fixturedef.addfinalizer(wider.enter)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test that is over budget, and end its task with its teardown."""
        report = yield
        if self._off:
            return report
        shorten_stop(report, call)
        task = self.session.task_of(item.nodeid)
        if call.when == "call" and not item.stash.get(_JUDGED, False):
            return report  # a subtest, reported while the test's body still runs
        if call.when == "call":
            apply_verdict(report, task, self.session.settings.mode)
        elif call.when == "teardown":
            before = task.verdict
            if any(entry.phase == "teardown" for entry in task.calls) and not before.blocks:
                task.judge()
                apply_verdict(report, task, self.session.settings.mode)
        item.stash[_OUTCOME] = outcome = outcome_of(report, item.stash.get(_OUTCOME, None))
        if call.when == "teardown":
            del item.stash[_OUTCOME]
            closed = self.session.end(task, outcome)
            add_properties(report, closed)
            if shipped := self.session.ship():
                setattr(report, ATTRIBUTE, shipped)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect tasks where the run is reported."""
        if not self._is_worker and (shipped := getattr(report, ATTRIBUTE, "")):
            self.session.collect(shipped)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the run, or hand the rest to the controller."""
        rest = self.session.ship_rest()
        if self._is_worker:
            self._config.workeroutput[OUTPUT] = rest  # type: ignore[attr-defined]  # pytest-xdist adds it
            return
        if rest:
            self.session.collect(rest)
        self.session.partial = reasons_for_partial(session)
        try:
            self._run = self.session.finish()
        except RunFileError as error:
            self._config.issue_config_time_warning(pytest.PytestWarning(f"[{error.slug}] {error}"), stacklevel=2)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what the run cost."""
        if self._run is None:
            return
        from pytest_tokenbudget.report.terminal import TITLE, summary

        lines = summary(self._run, width=terminalreporter._tw.fullwidth, verbosity=self._config.get_verbosity())  # noqa: SLF001 - the width has no public name
        if lines:
            terminalreporter.section(TITLE)
            for line in lines:
                terminalreporter.write_line(line.text, **line.markup)


def _usage_error(error: TokenBudgetError) -> pytest.UsageError:
    return pytest.UsageError(f"[{error.slug}] {error}")
