"""Fixtures wider than one test: their calls are their own, not those of the test that happened to come first."""

from typing import TYPE_CHECKING, Any

import pytest

from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.plugin.recording import OpenRecording, Recordings
from pytest_tokenbudget.plugin.sending import Sending
from pytest_tokenbudget.plugin.session import Session

if TYPE_CHECKING:
    from pytest_tokenbudget.traffic.recording import Recording

__all__ = ["WiderFixture"]


class WiderFixture:
    """One execution of a wider fixture: its setup, and its teardown much later, inside another test's.

    Each of the two has a recording of its own, which is written when that part has ended: other processes that execute
    the same fixture wait for it, and must not wait until the session ends.
    """

    def __init__(
        self,
        session: Session,
        sending: Sending,
        recordings: Recordings,
        fixture: "pytest.FixtureDef[Any]",
        request: pytest.FixtureRequest,
    ) -> None:
        self._session = session
        self._task = session.fixture(f"{request.node.nodeid or '.'}::{fixture.argname}", f"{fixture.scope} fixture")
        asking = session.meter.current
        self._task.replays = (asking is not None and asking.replays) or sending.used_by_marked(
            fixture, request.node.nodeid
        )
        self._setup = recordings.of_fixture(fixture, request, marked=self._task.replays)
        self._teardown = recordings.of_fixture(fixture, request, marked=self._task.replays, teardown=True)
        self._open: OpenRecording | None = None
        self._surrounding: TaskMeter | None = None

    def enter(self) -> TaskMeter:
        """Count calls as the fixture's from now on, and answer them from its recording.

        Raises:
            RecordingError: That cannot be read, or somebody else is making it.
        """
        return self._enter(self._setup)

    def enter_again(self) -> None:
        """Do the same for the fixture's teardown."""
        self._enter(self._teardown)

    def _enter(self, recording: "Recording | None") -> TaskMeter:
        self._surrounding = self._session.meter.enter(self._task)
        try:
            self._open = OpenRecording(recording) if recording is not None else None
        except BaseException:
            self._session.meter.enter(self._surrounding)
            raise
        return self._task

    def leave(self, *, complete: bool) -> None:
        """Count calls as those of whatever ran around the fixture, and end its recording.

        Raises:
            RecordingError: That cannot be written; its journal is kept.
        """
        try:
            if self._open is not None:
                recording, self._open = self._open, None
                recording.close(complete=complete)
        finally:
            self._session.meter.enter(self._surrounding)

    def close(self) -> None:
        """Leave for good.

        Raises:
            RecordingError: As above.
        """
        try:
            if self._session.meter.current is self._task:  # its teardown was entered
                self.leave(complete=self._task.stop is None)
        finally:
            self._session.end_fixture(self._task)
