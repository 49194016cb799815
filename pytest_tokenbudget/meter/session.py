"""Whose call is this: one slot for the whole process says which task is running.

Threads inherit no context variables, so the current task is a single place that every thread reads.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pytest_tokenbudget.errors import Stop
from pytest_tokenbudget.meter.drifting import Drifts, Recordings
from pytest_tokenbudget.meter.task import Pricer, Reader, TaskMeter, as_read
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.task import Opened, Stray, TaskCall

__all__ = ["OUTSIDE", "Meter"]

OUTSIDE: Final = "(outside of any test)"
"""The id under which calls are kept that were made while no test ran, such as at import."""

KEEP_NOTE: Final = "calls could not be kept on disk while the test ran"

Keep = Callable[[TaskMeter, TaskCall], None]
"""Keeps a task's call on disk before the test sees its answer."""

KeepStray = Callable[[TaskMeter, Stray], None]
"""Keeps a model request without an answer on disk, before it leaves or is refused."""


def _forget(task: TaskMeter, stray: Stray) -> None:
    del task, stray


class Meter:
    """Takes in every exchange that traffic sees, and gives it to the task that is running.

    Attributes:
        outside: Calls made while no task was running.
        stops_drift: Whether a request that changed since it was recorded stops the test.
    """

    def __init__(
        self,
        read: Reader,
        keep: Keep,
        outside: str = OUTSIDE,
        price: Pricer = as_read,
        *,
        keep_stray: KeepStray = _forget,
        stops_drift: bool = False,
    ) -> None:
        """Prepare a meter.

        Args:
            read: Reads one exchange.
            keep: Called with every call before the client is handed its answer.
            outside: The id of calls made while no task was running.
            price: Gives calls their cost.
            keep_stray: Called with every model request of which no answer is measured.
            stops_drift: Whether a request that changed since it was recorded stops the test.
        """
        self.stops_drift = stops_drift
        self._read = read
        self._price = price
        self._keep = keep
        self._keep_stray = keep_stray
        self._drifts = Drifts(price)
        self._current: TaskMeter | None = None
        self.outside = TaskMeter(outside, is_fixture=True)

    @property
    def current(self) -> TaskMeter | None:
        """The task that is running."""
        return self._current

    @property
    def next_step(self) -> int:
        """The number that the next model call of the task has that is running."""
        return (self._current or self.outside).steps + 1

    def after(self, exchange: Exchange) -> None:
        """Take in an exchange, before the client is handed its answer. Never raises."""
        task = self._current or self.outside
        entry = task.receive(exchange, self._read, self._price, self._drifts.estimated)
        if entry is None:
            return
        self._kept(task, lambda: self._keep(task, entry))

    def stray(self, stray: Stray, task: TaskMeter | None = None) -> None:
        """Take in a model request of which no answer is measured. Never raises.

        Args:
            stray: The request, and what became of it.
            task: Whose it is; by default that of the task that is running.
        """
        whose = task or self._current or self.outside
        whose.stray(stray)
        self._kept(whose, lambda: self._keep_stray(whose, stray))

    def _kept(self, task: TaskMeter, keep: Callable[[], None]) -> None:
        try:
            keep()
        except Exception as error:  # noqa: BLE001 - it is in memory: a full disk must not break the user's test
            note = f"{KEEP_NOTE}: {getattr(error, 'strerror', None) or repr(error)}"
            if note not in task.notes:
                task.notes.append(note)

    def know(self, source: Recordings) -> None:
        """Take note of recordings from which an estimate may learn how a model counts.

        They are read at the first call that drifted from its recording, some hundred of them at most, and not before.

        Args:
            source: Reads them, as exchanges with the requests and answers that were recorded.
        """
        self._drifts.know(source)

    def forget(self) -> None:
        """Let go of what recordings said: the session ends."""
        self._drifts.forget()

    def lost(self, request_line: str, error: Exception) -> None:
        """Note an exchange that traffic saw but could not hand over. Never raises.

        Args:
            request_line: Its method and its URL without the query.
            error: Why.
        """
        (self._current or self.outside).lose(request_line, error)

    def opened(self, recording: Opened) -> None:
        """Note a recording that was opened and holds something. Never raises."""
        (self._current or self.outside).open(recording)

    def latch(self, stop: Stop, task: TaskMeter | None = None) -> None:
        """Remember what stopped the agent: a bare `except:` must not hide it.

        Args:
            stop: What stopped it.
            task: Whose it is; by default that of the task that is running.
        """
        whose = task or self._current or self.outside
        whose.stop = whose.stop or stop

    def enter(self, task: TaskMeter | None) -> TaskMeter | None:
        """Make a task the running one; returns the one before."""
        before, self._current = self._current, task
        return before

    @contextmanager
    def running(self, task: TaskMeter) -> Iterator[TaskMeter]:
        """Make a task the running one for a while."""
        before = self.enter(task)
        try:
            yield task
        finally:
            self.enter(before)
