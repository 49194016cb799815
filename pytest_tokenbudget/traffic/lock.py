"""One process at a time makes a recording: a lock beside its journal, which ends with its holder, however that ends."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from pytest_tokenbudget.errors import RecordingError
from pytest_tokenbudget.store.folder import make_folder

__all__ = ["RecordingLock"]

PATIENCE: Final = 300.0
"""Seconds to wait for another process. Whoever waits pays for none of the calls that the other one makes."""


class RecordingLock:
    """The right to make one recording."""

    def __init__(self, path: Path, recording: str, who: str, patience: float = PATIENCE) -> None:
        """Prepare a lock; nothing is taken or written yet.

        Args:
            path: Its file.
            recording: What is locked, for messages.
            who: Who takes it, for the messages of others.
            patience: How many seconds to wait.
        """
        # only who records has to pay for the import
        from filelock import FileLock

        self._path = path
        self._note = path.with_suffix(".holder")
        self._recording = recording
        self._who = who
        self._pid = os.getpid()
        self._patience = patience
        # whoever gives it back may be another thread than took it
        self._lock = FileLock(path, thread_local=False)

    def take(self) -> None:
        """Wait until no other process makes the recording.

        Raises:
            RecordingError: Somebody does for too long; the message names them. Or there is no writing here.
        """
        from filelock import Timeout

        try:
            make_folder(self._path.parent)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                pid, who = self._holder()
                if pid == self._pid:  # which cannot go on while it waits for itself
                    message = f"{self._recording}: this process is recording it already (for {who})."
                    raise RecordingError(message) from None
                self._lock.acquire(timeout=self._patience, poll_interval=0.05)
            self._note.write_text(json.dumps([self._pid, self._who]), encoding="utf-8")
        except Timeout as error:
            pid, who = self._holder()
            holder = f" (process {pid}, for {who})" if pid else ""
            message = (
                f"{self._recording}: another process has been recording it for {self._patience:.0f} seconds{holder}. "
                "Wait until it has ended, or end it, and run pytest again."
            )
            raise RecordingError(message) from error
        except (OSError, NotImplementedError) as error:
            self.give_back()
            message = (
                f"{self._recording}: it cannot be recorded, as {self._path.parent.name}/ in .tokenbudget cannot be "
                f"written: {getattr(error, 'strerror', None) or error}. Nothing was sent."
            )
            raise RecordingError(message) from error

    def _holder(self) -> tuple[int, str]:
        try:
            pid, who = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError):  # it was given back, or taken, this very moment
            return 0, ""
        return int(pid), str(who)

    def give_back(self) -> None:
        """Let others record it. Never raises."""
        if self._lock.is_locked:
            with suppress(OSError):
                self._note.unlink(missing_ok=True)
            with suppress(OSError):
                # while it is held: who waits for a file that is gone takes another (filelock 3.20.4)
                self._path.unlink(missing_ok=True)
            with suppress(OSError):
                self._lock.release()
