"""The hooks that run for every test, once measuring has begun. Each delegates in a few lines."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_tokenbudget.config.load import load_settings
from pytest_tokenbudget.errors import TokenBudgetError
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.task import Outcome
from pytest_tokenbudget.plugin.ending import Ending
from pytest_tokenbudget.plugin.markers import MARKER, read_markers
from pytest_tokenbudget.plugin.recording import OpenRecording, Recordings, ended_by_itself
from pytest_tokenbudget.plugin.samples import PassingOver, pass_over_unrecorded, settle_sample
from pytest_tokenbudget.plugin.sending import Sending
from pytest_tokenbudget.plugin.session import Session
from pytest_tokenbudget.plugin.stock import Stock, ownerless
from pytest_tokenbudget.plugin.verdicts import SECTION, add_properties, outcome_of, settle, shorten
from pytest_tokenbudget.plugin.wider import WiderFixture
from pytest_tokenbudget.plugin.workers import ATTRIBUTE, session_name, worker_name
from pytest_tokenbudget.traffic import guard

if TYPE_CHECKING:
    from pytest_tokenbudget.plugin.benchmarks import Benchmarks

__all__ = ["Hooks"]

_OUTCOME: Final = pytest.StashKey[Outcome | None]()
_RECORDING: Final = pytest.StashKey[OpenRecording]()
_ENDED: Final = pytest.StashKey[bool]()
_JUDGED: Final = pytest.StashKey[bool]()
_NEEDLESS: Final = pytest.StashKey[tuple[TaskMeter, str] | None]()


class Hooks:
    """pytest's hooks around one session.

    Attributes:
        session: What is measured.
    """

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self.session = session
        self._benchmarks: Benchmarks | None = None
        self._config = config
        self._recordings = Recordings(session, config.rootpath)
        self._open: OpenRecording | None = None
        self._ending = Ending(session, config)
        self._sending = Sending(session, config)
        self._detach: Callable[[], None] | None = None
        self._unguard: Callable[[], None] | None = None
        self._declared = False
        self._unproven: set[str] = set()

    @classmethod
    def for_config(cls, config: pytest.Config) -> "Hooks":
        """Read the settings and prepare a session.

        Raises:
            pytest.UsageError: A setting is wrong; the message says which, where, and what is allowed.
        """
        options = {"mode": config.getoption("--tokenbudget")} | {
            name: config.getoption(f"--tokenbudget-{name}") for name in ("out", "record", "drift", "samples", "rule")
        }
        try:
            settings = load_settings(config.rootpath, options=options)
        except TokenBudgetError as error:
            raise _usage_error(error) from error
        return cls(config, Session(config.rootpath, settings, name=session_name(config), worker=worker_name(config)))

    @property
    def _off(self) -> bool:
        return self.session.settings.mode == "off"

    @property
    def benchmarks(self) -> "Benchmarks":
        """What samples are drawn for."""
        if self._benchmarks is None:
            from pytest_tokenbudget.plugin.benchmarks import Benchmarks

            self._benchmarks = Benchmarks(self.session.settings, self._config.rootpath)
        return self._benchmarks

    def stand_guard(self) -> None:
        """Watch over what leaves this process from now on."""
        if self._unguard is None and not self._off:
            self._unguard = guard.install(self.session.meter, self._sending)
            self._config.pluginmanager.register(self._sending, "tokenbudget-sending")

    def attach(self, running: str | None = None) -> None:
        """Take in what passes vcrpy from now on.

        Args:
            running: The test in the middle of which vcrpy was first imported, if any.
        """
        if self._detach or self._off:
            return
        from pytest_tokenbudget.traffic import intake

        settings = self.session.settings
        self._detach = intake.attach(self.session.meter, self._config.rootpath, volatile=settings.volatile)
        if running is not None:
            self.session.task_of(running).phase = "call"

    def _close_recording(self) -> None:
        """End the recording of a test that was interrupted; what it has is kept in its journal."""
        if self._open is not None:
            recording, self._open = self._open, None
            recording.close(complete=False)

    def pytest_unconfigure(self) -> None:
        """Hand traffic back to the session around this one, if there is one."""
        self._close_recording()
        for end in (self._detach, self._unguard):
            if end is not None:
                end()

    def declare(self, items: list[pytest.Item], *, sampled: bool) -> None:
        """Read every test's markers before the first test runs.

        Args:
            items: The tests.
            sampled: Whether any of them is marked to be run for samples.

        Raises:
            pytest.UsageError: Markers are wrong; all of them are named at once.
        """
        if self._off:
            return
        self._declared = True
        try:
            marked = dict(read_markers(items))
            samples = self.benchmarks.drawn(items, marked) if sampled else {}
        except TokenBudgetError as error:
            raise _usage_error(error) from error
        for item in samples:
            marked.setdefault(item, ())
        if samples:
            self.session.sampling.take({item.nodeid: drawn for item, drawn in samples.items()}, self.benchmarks.plans)
        for item, statements in marked.items():
            self.session.mark(item.nodeid, statements)
        self._sending.declare(marked)
        if samples and self.session.settings.record != "none":
            passing_over = PassingOver(lambda item: item.stash.get(_NEEDLESS, None))
            self._config.pluginmanager.register(passing_over, "tokenbudget-passing-over")

    def pytest_runtestloop(self) -> None:
        """Let benchmarks tell of themselves while they run."""
        terminal: pytest.TerminalReporter | None = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or self._config.get_verbosity() < 0:
            return

        def tell(line: str) -> None:
            terminal.ensure_newline()
            terminal.write_line(line)

        self.session.sampling.tell, self.session.sampling.is_watched = tell, bool(terminal.isatty)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Begin the task, and its own recording where it opens none itself."""
        if self._off:
            return (yield)
        task = self.session.start(item.nodeid)
        item.stash[_JUDGED] = False
        item.stash[_ENDED] = False
        recording = self._recordings.of_test(item)
        if recording is not None:
            reason = self.session.sampling.needless(task) if recording.pays else ""
            item.stash[_NEEDLESS] = (task, reason) if reason else None
            if not reason:
                item.stash[_RECORDING] = self._open = OpenRecording(recording)
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
            self._reread_markers(item, task)
            finished = True
            return result
        finally:
            task.judge(finished=finished)
            item.stash[_JUDGED] = True

    def _reread_markers(self, item: pytest.Item, task: TaskMeter) -> None:
        before = self.session.marks_of(item.nodeid) or ()
        if sum(1 for _ in item.iter_markers(MARKER)) != len(before):  # request.applymarker(...), or the like
            self.session.remark(task, next((statements for _, statements in read_markers([item])), ()))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count what fixtures still call, and close the task's own recording after them."""
        if self._off:
            return (yield)
        task = self.session.task_of(item.nodeid)
        task.phase = "teardown"
        before = task.stop
        ended = False
        try:
            result = yield
            if task.stop is not None and before is None:
                raise task.stop  # noqa: TRY301 - as elsewhere
            ended = True
        except (Exception, pytest.fail.Exception, pytest.skip.Exception):
            ended = True  # the calls are all there
            raise
        else:
            return result
        finally:
            if (recording := item.stash.get(_RECORDING, None)) is not None:
                del item.stash[_RECORDING]
                self._open = None
                complete = ended and item.stash[_ENDED] and task.stop is None
                recording.close(complete=complete)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Count a wider fixture's calls as its own, not as those of the test that happened to come first."""
        if self._off or fixturedef.scope == "function":
            return (yield)
        wider = WiderFixture(self.session, self._sending, self._recordings, fixturedef, request)
        # finalizers run last in, first out: close after the fixture's own teardown, enter before it
        fixturedef.addfinalizer(wider.close)
        task = wider.enter()
        ended = False
        try:
            result = yield
            if task.stop is not None:  # the fixture swallowed it
                raise task.stop
            ended = True
            return result
        finally:
            wider.leave(complete=ended)
            fixturedef.addfinalizer(wider.enter_again)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test that is over budget, and end its task with its teardown."""
        if self._off:
            return (yield)
        pass_over_unrecorded(call, self.session.task_of(item.nodeid))
        report = yield
        shorten(report, call)
        if not report.passed or hasattr(report, "wasxfail"):
            self._unproven.add(str(item.path))
        if call.when == "call" and not item.stash.get(_JUDGED, True):
            # a subtest, reported while the test's body still runs
            if report.failed:
                item.stash[_OUTCOME] = "failed"
            return report
        if call.when == "call":
            item.stash[_ENDED] = ended_by_itself(call) or self._ended_as_sample(item, call)
        if call.when != "teardown" and call.excinfo is not None and not item.stash[_ENDED]:
            recording = item.stash.get(_RECORDING, None)
            if recording is not None and (left := recording.unfinished):
                report.sections.append((SECTION, left))
        task = self.session.task_of(item.nodeid)
        settle(report, call, task, self.session.settings.mode)
        said = None if task.drawn is None else settle_sample(report, call, task, waits=self._waits(item))
        item.stash[_OUTCOME] = outcome = said or outcome_of(report, item.stash.get(_OUTCOME, None))
        if call.when == "teardown":
            del item.stash[_OUTCOME]
            closed = self.session.end(task, outcome)
            add_properties(report, closed)
            if parcel := self.session.ship():
                setattr(report, ATTRIBUTE, parcel)
        return report

    def _waits(self, item: pytest.Item) -> bool:
        recording = item.stash.get(_RECORDING, None)
        return recording is not None and recording.waits

    def _ended_as_sample(self, item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
        """Whether a sample failed after its last answer, and so fails in the same way whenever it is replayed."""
        recording = item.stash.get(_RECORDING, None)
        failed = call.excinfo is not None and isinstance(call.excinfo.value, Exception)
        return (
            failed
            and recording is not None
            and self.session.sampling.of(item.nodeid) is not None
            and not recording.waits
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect tasks where the run is reported."""
        self._ending.collect(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the run, or hand the rest to the controller."""
        self._close_recording()
        self._ending.finish(session, self._stock(session))

    def _stock(self, session: pytest.Session) -> Stock | None:
        """Which recordings lie here without a test; `None` where that cannot be told."""
        if not self._declared or self._detach is None:
            return None
        from pytest_tokenbudget.traffic.shown import shown_path

        sparing = self._benchmarks.sparing if self._benchmarks is not None else ()
        return Stock(
            files=tuple(
                (shown_path(file), str(module) if module else "") for file, module in ownerless(session.items, sparing)
            ),
            unproven=tuple(sorted(self._unproven)),
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what the run cost."""
        self._ending.print_summary(terminalreporter)


def _usage_error(error: TokenBudgetError) -> pytest.UsageError:
    return pytest.UsageError(f"[{error.slug}] {error}")
