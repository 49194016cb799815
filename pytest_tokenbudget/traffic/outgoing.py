"""What is sent while a recording is made: journalled before it leaves, and its answer before a client is handed it."""

from typing import Any
from weakref import WeakKeyDictionary

from pytest_tokenbudget.errors import CannotRecord, RecordingError
from pytest_tokenbudget.traffic.cassette_layout import Interaction
from pytest_tokenbudget.traffic.journal import Journal
from pytest_tokenbudget.traffic.lock import RecordingLock
from pytest_tokenbudget.traffic.recording import Recording

__all__ = ["Outgoing"]


class Outgoing:
    """The requests of one recording that are on their way, under its lock."""

    def __init__(self, recording: Recording) -> None:
        """Prepare; nothing is taken or written yet."""
        self._recording = recording
        self._lock: RecordingLock | None = None
        self._journal = Journal(recording.journal, {})
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._sent: dict[int, str] = {}
        self._unsent: dict[int, str] = {}
        self._failed: OSError | None = None

    def take_lock(self) -> None:
        """Wait until nobody else makes the recording.

        Raises:
            RecordingError: Somebody does, and does not end.
        """
        if self._lock is None:
            lock = RecordingLock(self._recording.lock, self._recording.shown, self._recording.who)
            lock.take()
            self._lock = lock

    def give_lock_back(self) -> None:
        """Let others make it. Never raises."""
        if self._lock is not None:
            self._lock.give_back()
            self._lock = None

    def begin(self, *, anew: bool, last: int) -> None:
        """Prepare the journal.

        Args:
            anew: Whether the whole recording is made, and not only what is added to it.
            last: The highest number that the journal has of an interrupted recording.
        """
        header = {"test": self._recording.test, "cassette": self._recording.shown, "anew": anew}
        self._journal = Journal(self._recording.journal, header, last)

    def begin_again(self) -> None:
        """Forget what was kept of an interrupted recording.

        Raises:
            OSError: It cannot be removed.
        """
        self._journal.begin_again()

    def make_sure_of_lock(self) -> bool:
        """Wait until nobody else makes the recording; whether the lock was not held here before.

        Raises:
            CannotRecord: Somebody does, and does not end.
        """
        if self._lock is not None:
            return False
        try:
            self.take_lock()
        except RecordingError as error:
            message = f"[{CannotRecord.slug}] {error}"
            raise CannotRecord(message) from error
        return True

    def let_out(self, request: Any, line: str) -> None:
        """Journal that a request is about to be sent: the one place through which all of them leave.

        Args:
            request: The client's.
            line: Its method and URL, without secrets.

        Raises:
            CannotRecord: Its answer could not be kept.
        """
        self.make_sure_of_lock()
        try:
            if self._failed is not None:
                raise self._failed
            number = self._journal.sending(line)
        except OSError as error:
            message = (
                f"[{CannotRecord.slug}] {line} was not sent, as its answer could be lost: the journal of "
                f"{self._recording.shown} cannot be written ({error.strerror or error}). What was recorded is kept. To "
                f"go on, type: {self._recording.going_on}"
            )
            raise CannotRecord(message) from error
        self._numbers[request] = number
        self._sent[number] = line

    def number_of(self, request: Any, line: str) -> int:
        """The number of a request that is answered now."""
        number = self._numbers.pop(request, None)
        if number is None:  # aiohttp followed a redirect, and makes up the requests of which it tells
            number = next((sending for sending, sent in self._sent.items() if sent == line), 0)
        self._sent.pop(number, None)
        self._unsent = {sending: unsent for sending, unsent in self._unsent.items() if unsent != line}
        return number

    def never_left(self, request: Any, line: str) -> None:
        """Take note that a request was let out, and could not be sent: nobody can bill it. Never raises."""
        number = None if request is None else self._numbers.get(request)
        if number is None:  # vcrpy asked about what its filter made of it
            number = next((sending for sending, sent in self._sent.items() if sent == line), None)
        if number is None or self._sent.pop(number, None) is None:
            return
        self._unsent[number] = line
        try:
            self._journal.unsent(number)
        except OSError as error:
            self._failed = error

    def answered(self, number: int, interaction: Interaction, replaces: int | None) -> None:
        """Keep an answer; when this returns, it is on disk, or none is sent after it."""
        try:
            self._journal.answered(number, interaction, replaces)
        except OSError as error:
            # it was paid for, and the client shall have it; but no further one is paid for
            self._failed = error

    @property
    def waits(self) -> bool:
        """Whether a request was let out whose answer has not come, sent or not."""
        return bool(self._sent or self._unsent)

    @property
    def has_written(self) -> bool:
        """Whether anything was journalled here."""
        return self._journal.was_written

    def take_unanswered(self) -> list[str]:
        """Of each request that has no answer, its line; for once."""
        lines = list(self._sent.values())
        self._sent.clear()
        return lines

    def end(self, *, finished: bool) -> None:
        """Send no more. Never raises.

        Args:
            finished: Whether all that was kept is in the cassette.
        """
        self._journal.close(remove=finished)
        self.give_lock_back()
