"""The end of a session: tasks are gathered where the run is reported, the run is written, and its summary printed."""

from collections.abc import Generator, Sequence

import pytest

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.plugin.selection import reasons_for_partial
from pytest_tokenbudget.plugin.session import Session
from pytest_tokenbudget.plugin.stock import Stock
from pytest_tokenbudget.plugin.workers import ATTRIBUTE, has_workers, ship

__all__ = ["Ending"]


class _LastWord:
    """Names blocked benchmarks where pytest names failed tests, as the last lines: none of their samples need fail."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
        """Print them after all that others print."""
        result = yield
        for line in self._lines:
            terminalreporter.write_line(line, red=True)
        return result


class Ending:
    """What is done with what one process measured."""

    def __init__(self, session: Session, config: pytest.Config) -> None:
        """Prepare.

        Args:
            session: What is measured.
            config: The session's configuration, which says whether there are workers.
        """
        self._session = session
        self._config = config
        self._is_worker = hasattr(config, "workerinput")
        self._run: Run | None = None
        self._unwritten = ""

    def collect(self, report: pytest.TestReport) -> None:
        """Collect the tasks that a report brings."""
        if self._is_worker or has_workers(self._config):
            return
        if parcel := getattr(report, ATTRIBUTE, ""):
            self._session.collect(parcel)

    def finish(self, session: pytest.Session, stock: Stock | None) -> None:
        """Write the run, or hand the rest to the controller.

        Args:
            session: pytest's.
            stock: Which recordings lie here without a test, where that can be told.
        """
        rest = self._session.ship_rest()
        if self._is_worker:
            ship(self._config, rest, stock)
            return
        if not has_workers(self._config):
            self._session.gathered.take_stock(stock)
        if rest:
            self._session.collect(rest)
        self._session.partial = reasons_for_partial(session)
        self._session.failed = session.testsfailed
        self._run = self._session.finish()
        if self._run is None:
            return
        if self._session.settings.mode == "enforce" and any(found.blocks for found in self._run.benchmarks):
            self._block(session, self._run)
        try:
            self._session.write(self._run)
        except RunFileError as error:
            self._unwritten = f"[{error.slug}] {error}"

    def _block(self, session: pytest.Session, run: Run) -> None:
        """Fail the build for its benchmarks."""
        from pytest_tokenbudget.report.benchmark_text import blocked_line

        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        lines = [blocked_line(found) for found in run.benchmarks if found.blocks]
        self._config.pluginmanager.register(_LastWord(lines), "tokenbudget-last-word")

    def print_summary(self, terminal: pytest.TerminalReporter) -> None:
        """Print what the run cost."""
        if self._run is None:
            return
        from pytest_tokenbudget.report.terminal import TITLE, summary

        lines = summary(self._run, width=terminal._tw.fullwidth, verbosity=self._config.get_verbosity())  # noqa: SLF001 - the width has no public name
        if lines or self._unwritten:
            terminal.section(TITLE)
            for line in lines:
                terminal.write_line(line.text, **line.markup)
        if self._unwritten:
            terminal.write_line(f" {self._unwritten}", red=True)
