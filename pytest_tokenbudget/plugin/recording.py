"""Which recordings are ours to keep: of marked tests that open none themselves, and of the wider fixtures they use."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_tokenbudget.plugin.session import Session

if TYPE_CHECKING:
    from pytest_tokenbudget.traffic.recording import Recording
    from pytest_tokenbudget.traffic.replay import OwnCassette

__all__ = ["OpenRecording", "Recordings", "ended_by_itself"]

_RECORDERS: Final = ("recording", "pytest_recording", "vcr", "pytest_vcr")
_PLAIN: Final = (str, int, float, bool, type(None))


class OpenRecording:
    """A recording that is open, until `close`."""

    def __init__(self, recording: "Recording") -> None:
        """Open it.

        Raises:
            RecordingError: It cannot be read, or is being made by somebody else.
        """
        from pytest_tokenbudget.traffic.replay import opened

        self._stack = ExitStack()
        self._cassette: OwnCassette = self._stack.enter_context(opened(recording))

    @property
    def unfinished(self) -> str:
        """What is kept if it ends here, unfinished; empty where nothing is."""
        return self._cassette.unfinished

    @property
    def waits(self) -> bool:
        """Whether a request was sent whose answer has not come."""
        return self._cassette.waits

    def close(self, *, complete: bool) -> None:
        """Let calls go where they went before, and write what was recorded.

        Args:
            complete: Whether what was recorded got to its end.

        Raises:
            RecordingError: It cannot be written; what was recorded is kept in its journal.
        """
        self._stack.close()
        self._cassette.finish(complete=complete)


class Recordings:
    """The recordings of a session."""

    def __init__(self, session: Session, root: Path) -> None:
        """Prepare.

        Args:
            session: What is measured.
            root: The project's root.
        """
        self._session = session
        self._root = root

    @property
    def _anew(self) -> bool:
        return self._session.settings.record == "all"

    def of_test(self, item: pytest.Item) -> "Recording | None":
        """The recording of a marked test; `None` where pytest-recording opens one for it."""
        if self._session.marks_of(item.nodeid) is None:
            return None
        if item.get_closest_marker("vcr") and any(item.config.pluginmanager.hasplugin(name) for name in _RECORDERS):
            return None
        from pytest_tokenbudget.traffic.places import found_path

        owner = getattr(item, "cls", None)
        alone = self._session.sampling.of(item.nodeid) is not None  # `a-b` must not answer `a/b`
        path = found_path(item.path, owner.__qualname__ if owner else None, item.name, anew=self._anew, alone=alone)
        return self._recording(path, item.nodeid)

    def of_fixture(
        self, fixture: "pytest.FixtureDef[Any]", request: pytest.FixtureRequest, *, marked: bool, teardown: bool = False
    ) -> "Recording | None":
        """The recording of a wider fixture, where it has one, or a marked test uses it and recordings are made.

        Without one, its calls go where they went before there were any: a marked test that comes to execute it answers
        them from its own recording, or refuses them.

        Args:
            fixture: The fixture.
            request: Its execution.
            marked: Whether a marked test uses it.
            teardown: Whether the recording of its teardown is asked for.
        """
        from pytest_tokenbudget.traffic.places import fixture_path

        asking = request._pyfuncitem  # noqa: SLF001 - the test that has it executed, which has no public name here
        owner = f"{request.cls.__qualname__}." if fixture.scope == "class" and request.cls else ""
        path = fixture_path(
            self._place(fixture, request),
            f"{owner}{fixture.argname}",
            str(fixture.scope),
            _parameter(request),
            teardown=teardown,
        )
        if path.exists():
            return self._recording(path, asking.nodeid)
        return self._recording(path, asking.nodeid) if marked and self._session.settings.record != "none" else None

    def _place(self, fixture: "pytest.FixtureDef[Any]", request: pytest.FixtureRequest) -> Path:
        """The module that a fixture is executed for; where it is executed for more, what defines it."""
        if fixture.scope in {"class", "module"}:
            return Path(request.path)
        if fixture.scope == "package":
            return Path(request.node.path)
        place = self._root / fixture.baseid
        return place if place.exists() else self._root

    def _recording(self, path: Path, test: str) -> "Recording":
        from pytest_tokenbudget.traffic.journal import FOLDER
        from pytest_tokenbudget.traffic.recording import Recording

        settings = self._session.settings
        return Recording(
            path=path,
            test=test,
            journals=self._root / FOLDER,
            redact=settings.redact,
            record=settings.record,
            drift=settings.drift,
            worker=self._session.worker,
        )


def _parameter(request: pytest.FixtureRequest) -> str:
    """A fixture's parameter as text: its value where that is plain, else its position."""
    if not hasattr(request, "param"):
        return ""
    value = request.param
    return str(value) if isinstance(value, _PLAIN) else f"#{request.param_index}"  # type: ignore[attr-defined]


def ended_by_itself(call: pytest.CallInfo[None]) -> bool:
    """Whether a test's body ran to its end, or failed by its own word.

    Then its recording is whole. An error (of the network, of a provider, of the agent) may have ended it anywhere, and
    so may whatever stopped it.
    """
    if call.excinfo is None:
        return True
    error = call.excinfo.value
    if isinstance(error, pytest.fail.Exception):
        return "Timeout" not in str(error)  # pytest-timeout fails tests in this way
    return isinstance(error, AssertionError)
