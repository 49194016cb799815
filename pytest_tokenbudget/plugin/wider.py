"""Fixtures wider than one test: their calls are their own, not those of the test that happened to come first."""

import pytest

from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.plugin.sending import Sending
from pytest_tokenbudget.plugin.session import Session

__all__ = ["WiderFixture"]


class WiderFixture:
    """One execution of a wider fixture: its setup, and its teardown much later, inside another test's."""

    def __init__(
        self,
        session: Session,
        sending: Sending,
        fixture: "pytest.FixtureDef[object]",
        request: pytest.FixtureRequest,
    ) -> None:
        self._session = session
        self._task = session.fixture(f"{request.node.nodeid or '.'}::{fixture.argname}", f"{fixture.scope} fixture")
        asking = session.meter.current
        self._task.replays = (asking is not None and asking.replays) or sending.used_by_marked(
            fixture, request.node.nodeid
        )
        self._surrounding: TaskMeter | None = None

    def enter(self) -> TaskMeter:
        """Count calls as the fixture's from now on."""
        self._surrounding = self._session.meter.enter(self._task)
        return self._task

    def leave(self) -> None:
        """Count calls as those of whatever ran around the fixture."""
        self._session.meter.enter(self._surrounding)

    def close(self) -> None:
        """Leave for good."""
        self.leave()
        self._session.end_fixture(self._task)
