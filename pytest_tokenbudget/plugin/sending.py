"""Which model calls may leave that no recording let out: the rule that the guard below vcrpy asks for.

While a cassette is open, its record mode decides, and otherwise whether what runs belongs to a marked test. What is
unmarked and opens no cassette is none of ours: it is counted, and never refused.
"""

import threading
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

import pytest

from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.plugin.markers import MARKER
from pytest_tokenbudget.plugin.session import Session
from pytest_tokenbudget.traffic.guard import Ruling
from pytest_tokenbudget.traffic.open_cassettes import innermost, sends_nothing

__all__ = ["Sending"]

_IN_CASSETTE: Final = (
    "Let it pass vcrpy: make the client inside the test, with a transport that vcrpy knows, and record it: "
    "pytest --tokenbudget-record=once"
)
_IN_NO_CASSETTE: Final = (
    "Make the call inside the test, where its recording is open, or open vcr.use_cassette() around it. To let it out "
    "this once, say pytest --tokenbudget-record=once"
)


class Sending:
    """Rules on model calls that are about to leave unapproved, from what the session is doing right now."""

    def __init__(self, session: Session, config: pytest.Config) -> None:
        """Prepare to rule.

        Args:
            session: What is measured.
            config: The session's configuration, whose options may say that the suite records.
        """
        self._session = session
        self._config = config
        self._users: dict[str, list[str]] = {}
        self._collecting: Path | None = None
        self._threads: frozenset[threading.Thread] | None = None
        self._left: WeakKeyDictionary[threading.Thread, str] = WeakKeyDictionary()

    def declare(self, marked: Iterable[pytest.Item]) -> None:
        """Take note of the fixtures that marked tests use."""
        for item in marked:
            for name in getattr(item, "fixturenames", ()):
                self._users.setdefault(name, []).append(item.nodeid)

    def used_by_marked(self, fixture: "pytest.FixtureDef[object]", node_id: str) -> bool:
        """Whether a marked test below a node uses a fixture."""
        base = fixture.baseid
        return any(user.startswith(node_id) and user.startswith(base) for user in self._users.get(fixture.argname, ()))

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Know which module is being imported."""
        if not isinstance(collector, pytest.Module):
            return (yield)
        self._collecting = collector.path
        try:
            return (yield)
        finally:
            self._collecting = None

    def pytest_runtest_logstart(self) -> None:
        """Know which threads were there before a test."""
        self._threads = frozenset(threading.enumerate())

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Know which threads a marked test left running: what they send is no other test's."""
        if self._threads is not None and self._session.marks_of(nodeid) is not None:
            self._left.update((thread, nodeid) for thread in threading.enumerate() if thread not in self._threads)

    def __call__(self) -> Ruling:
        """Rule on a model call that this thread is about to send."""
        meter = self._session.meter
        left = self._left.get(threading.current_thread())
        if left is not None:
            return self._ruling(meter.outside, f"{left}, which replays, left the thread running that sends it")
        task = meter.current
        if task is None:
            return self._outside(meter.outside)
        cassette = innermost()
        if cassette is not None:
            replays = sends_nothing(cassette) or (task.replays and cassette.write_protected)
            return self._ruling(task, f"{task.id} replays" if replays else "", _IN_CASSETTE)
        return self._ruling(task, f"{task.id} replays" if task.replays and not self._records else "")

    def _outside(self, task: TaskMeter) -> Ruling:
        if self._records:
            return self._ruling(task, "")
        if self._collecting is not None and _mentions_marker(self._collecting):
            return self._ruling(task, f"{self._collecting.name} is being imported, whose tests replay")
        return self._ruling(task, "no test was running" if self._session.has_marked else "")

    def _ruling(self, task: TaskMeter, refused: str, advice: str = _IN_NO_CASSETTE) -> Ruling:
        if refused and task is self._session.meter.outside:
            # no test fails for it: the run must say it
            note = f"a model call was refused: {refused}"
            if note not in task.notes:
                task.notes.append(note)
        return Ruling(task=task, refused=refused, advice=advice)

    @property
    def _records(self) -> bool:
        """Whether the user asked for recordings, of us or of pytest-recording."""
        theirs = self._config.getoption("record_mode", None)
        return self._session.settings.record != "none" or theirs not in {None, "none"}


def _mentions_marker(module: Path) -> bool:
    """Whether a module that is being imported will have marked tests, as far as its text tells."""
    try:
        return MARKER.encode() in module.read_bytes()
    except OSError:
        return False
