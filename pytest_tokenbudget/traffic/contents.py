"""What a recording of ours holds while it is open, and what of that its file holds in the end."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pytest_tokenbudget.errors import RecordingError
from pytest_tokenbudget.traffic.cassette_file import load_cassette, save_cassette
from pytest_tokenbudget.traffic.cassette_layout import Interaction
from pytest_tokenbudget.traffic.journal import Answer
from pytest_tokenbudget.traffic.stored import as_played, as_stored

__all__ = ["Contents"]

_HTTP_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_FOR_NOW: Final = frozenset({408, 409, 425, 429})
"""Refusals after which clients send the same once more."""


class Contents:
    """First what its file held, then what the journal kept of an interrupted recording, then what was received.

    Attributes:
        path: Its file.
        data: Requests with their responses: the cassette's own list, to which vcrpy adds what is received.
        taken: The positions of those that answer no further request.
        from_file: How many its file held.
        loaded: How many there were before anything was received.
    """

    def __init__(self, path: Path, data: list[tuple[Any, Any]]) -> None:
        """Prepare; nothing is read yet."""
        self.path = path
        self.data = data
        self.taken: dict[int, int] = {}
        self.from_file = 0
        self.loaded = 0
        self._was_read = False
        self._stamp: tuple[int, ...] | None = None
        self._replaced: dict[int, int] = {}
        self._kept_for: dict[int, int] = {}
        self._passing: set[int] = set()

    def read(self) -> None:
        """Read its file, if there is one.

        Raises:
            RecordingError: It is no cassette.
        """
        self._was_read, self._stamp = True, _stamp(self.path)
        with suppress(FileNotFoundError):
            self.data += [as_played(one) for one in load_cassette(self.path)]
        self.from_file = self.loaded = len(self.data)

    def go_on_with(self, answers: Iterable[Answer]) -> None:
        """Add what was kept of a recording that was interrupted."""
        for answer in answers:
            # errors cost nothing, and would only be met again
            if answer.interaction.status < _HTTP_ERROR:
                if answer.replaces is not None and answer.replaces < self.from_file:
                    self._kept_for[len(self.data)] = answer.replaces
                self.data.append(as_played(answer.interaction))
        self.loaded = len(self.data)

    def take_in_others(self) -> bool:
        """Take in what other processes added to the file since it was read; whether there is any.

        To be asked before the first answer is received. What is taken in answers the very same request and no other,
        and stays in the file whether it is played or not.
        """
        if not self._was_read or self._stamp == _stamp(self.path):
            return False  # what is recorded anew is paid for anew
        have = [as_stored(*pair) for pair in self.data]
        with suppress(FileNotFoundError, RecordingError):
            self.data += [as_played(one) for one in _beside(load_cassette(self.path), have)]
        found = len(self.data) > self.loaded
        self.loaded = len(self.data)
        return found

    @property
    def added(self) -> int:
        """How many answers its file does not hold."""
        return len(self.data) - self.from_file

    @property
    def received(self) -> int:
        """How many answers were received."""
        return len(self.data) - self.loaded

    def take_received(self) -> None:
        """Let what this test was answered just now answer no other request of it."""
        for position in range(self.loaded, len(self.data)):
            self.taken[position] = 1

    def take(self, position: int) -> None:
        """Let a recording answer no further request."""
        self.taken[position] = 1
        place = self._kept_for.get(position)
        if place is not None:
            self.taken[place] = 1
            self._replaced[place] = position

    def replace(self, place: int, answer: dict[str, Any]) -> bool:
        """Let an answer that was received take the place of a recording in the file.

        Returns:
            Whether it does. A refusal for now does not, and is not stored: the client asks again.
        """
        # another thread may have stored one behind it
        received = next(position for position in range(len(self.data) - 1, -1, -1) if self.data[position][1] is answer)
        status = answer["status"]["code"]
        if status in _FOR_NOW or status >= _SERVER_ERROR:
            self._passing.add(received)
            return False
        self.taken[place] = 1
        self._replaced[place] = received
        return True

    def write(self, *, anew: bool) -> None:
        """Write its file.

        Args:
            anew: Whether all of it was recorded anew, so that nothing stays that others wrote meanwhile.

        Raises:
            RecordingError: It cannot be written; the file is as it was.
        """
        # of an interrupted recording, what was not asked for again is no part of the test any more
        left_out = {position for position in range(self.from_file, self.loaded) if position not in self.taken}
        left_out |= self._passing.union(self._replaced.values())
        found = [
            as_stored(*self.data[self._replaced.get(position, position)])
            for position in range(len(self.data))
            if position not in left_out
        ]
        if not anew and self._was_read and self._stamp != _stamp(self.path):
            # written by another process since we read it: what that added stays
            with suppress(FileNotFoundError, RecordingError):
                found = _beside(load_cassette(self.path), found) + found
        save_cassette(self.path.with_suffix(".yaml"), found)


def _beside(these: list[Interaction], others: list[Interaction]) -> list[Interaction]:
    """Those that the others do not hold, or not as often."""
    left = list(others)
    found = []
    for one in these:
        if one in left:
            left.remove(one)
        else:
            found.append(one)
    return found


def _stamp(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
