"""The calls of one task while it runs."""

import traceback
from collections.abc import Callable
from pathlib import PurePath
from threading import Lock
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.errors import Stop
from pytest_tokenbudget.model.benchmark import Drawn
from pytest_tokenbudget.model.budget import UNLIMITED, Budget, Verdict
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.model.task import Attempt, Opened, Outcome, Phase, Stray, Task, TaskCall
from pytest_tokenbudget.policy.budget import Leniency, Measured, judge
from pytest_tokenbudget.wire import Background

__all__ = ["Estimator", "Pricer", "Reader", "TaskMeter", "as_read"]

Reader = Callable[[Exchange], Call | Skipped]
"""Reads one exchange."""

Pricer = Callable[[Call], Call]
"""Gives a call its cost."""

Estimator = Callable[[Exchange, Call, list[Prompt]], Call]
"""Prices a call that was answered from the recording of another request, by an estimate of its own one; takes what the
same task sent before that drifted, and adds to it."""

SEAM_NOTE: Final = "an exchange could not be read"
NO_BUDGET: Final = Budget()


def as_read(call: Call) -> Call:
    """The call as it is, for readers that price what they read."""
    return call


class TaskMeter:
    """One task's calls, as they come. Exchanges may arrive from any thread.

    Attributes:
        id: The task's node id.
        budget: Its limits and labels.
        is_fixture: Whether it is a fixture wider than one test, or no test at all.
        phase: The phase that calls are counted to.
        verdict: The decision, once `judge` was asked for it.
        stop: What stopped the agent, kept so that a swallowed stop still ends the test.
        strays: Model requests of which no answer is measured, of every attempt.
        opened: Recordings that were opened, of every attempt, by source.
        replays: Whether a marked test, or what a marked test uses: then nothing is sent unasked.
        drawn: Its place in a benchmark, where it is one of its samples.
    """

    def __init__(
        self,
        task_id: str,
        budget: Budget = NO_BUDGET,
        *,
        named: bool = False,
        leniency: Leniency | None = None,
        is_fixture: bool = False,
    ) -> None:
        self.id = task_id
        self.budget = budget
        self.is_fixture = is_fixture
        self.phase: Phase = "setup"
        self.verdict: Verdict = UNLIMITED
        self.stop: Stop | None = None
        self._named = named
        self._leniency = leniency or Leniency()
        self._lock = Lock()
        self.notes: list[str] = []
        self.strays: list[Stray] = []
        self.opened: dict[str, Opened] = {}
        self.replays = False
        self.drawn: Drawn | None = None
        self._earlier: list[Attempt] = []
        self._start()

    def _start(self) -> None:
        self.calls: list[TaskCall] = []
        self.skipped: list[Skipped] = []
        self.exchanges = 0
        self._steps = 0
        self._finished = False
        self._earlier_strays = len(self.strays)
        self._judged_strays = 0
        self._background: Background[int] = Background()
        self._drifted: list[Prompt] = []

    def receive(
        self, exchange: Exchange, read: Reader, price: Pricer = as_read, estimate: Estimator | None = None
    ) -> TaskCall | None:
        """Count an exchange and take in its call; `None` where it is no call or cannot be read.

        Never raises: the user's test must not break because our reading did. What could not be read stays counted
        as an exchange, so that the difference shows.

        Args:
            exchange: What passed.
            read: Reads it.
            price: Prices its call, and an earlier one whose usage it tells (a poll of a background response).
            estimate: Prices its call where another request was recorded than the one that was sent.
        """
        try:
            found = read(exchange)
            if isinstance(found, Skipped):
                priced: Call | Skipped = found
            elif exchange.recorded is None or estimate is None:
                priced = price(found)
            else:
                priced = estimate(exchange, found, self._drifted)
        except Exception as error:  # noqa: BLE001 - a defect of ours (or of a user's format) becomes a note
            self.lose(f"{exchange.method} {_without_query(exchange.url)}", error)
            return None
        with self._lock:  # counted together with what it became: another thread may be judging right now
            self.exchanges += 1
            if isinstance(priced, Skipped):
                self.skipped.append(priced)
                return None
            if priced.is_step:
                self._steps += 1
            entry = TaskCall(call=priced, phase=self.phase, step=self._steps if priced.is_step else None)
            self.calls.append(entry)
            own = len(self.calls) - 1
            settled = self._background.settle(exchange, priced, own)
            if settled is not None:
                position, call = settled
                self.calls[position] = replace(self.calls[position], call=price(call))
            return self.calls[own]

    def lose(self, request_line: str, error: Exception) -> None:
        """Count an exchange that was seen but could not be taken in, so that the difference shows."""
        with self._lock:
            self.exchanges += 1
            self.notes.append(f"{SEAM_NOTE}: {request_line}: {_where(error)}")

    def stray(self, stray: Stray) -> None:
        """Take in a model request of which no answer is measured."""
        with self._lock:
            self.strays.append(stray)

    @property
    def steps(self) -> int:
        """How many model calls this attempt has made that count as steps."""
        return self._steps

    @property
    def strayed_since(self) -> bool:
        """Whether a model request strayed that the verdict does not know of."""
        return len(self.strays) > max(self._judged_strays, self._earlier_strays)

    def open(self, recording: Opened) -> None:
        """Note a recording that was opened; of one opened several times, the most that it held."""
        with self._lock:
            before = self.opened.get(recording.source)
            if before is None or before.interactions < recording.interactions:
                self.opened[recording.source] = recording

    def name(self, budget: Budget, *, named: bool) -> None:
        """Give the task another budget than it began with: its markers changed while it ran."""
        self.budget, self._named = budget, named

    def restart(self) -> None:
        """Begin another attempt; the one before is kept, with what was noted, and no longer judged."""
        self._earlier.append(Attempt(outcome="rerun", calls=tuple(self.calls), verdict=self.verdict))
        self._start()
        self.phase, self.verdict, self.stop = "setup", UNLIMITED, None

    def judge(self, *, finished: bool | None = None) -> Verdict:
        """Decide on what was seen so far.

        Args:
            finished: Whether the test's body ran to its end; `None` keeps what was said before.
        """
        if finished is not None:
            self._finished = finished
        with self._lock:
            measured = Measured(
                calls=tuple(self.calls),
                exchanges=self.exchanges,
                skipped=len(self.skipped),
                named=self._named,
                finished=self._finished,
                strays=tuple(self.strays[self._earlier_strays :]),
            )
            self._judged_strays = len(self.strays)
        self.verdict = judge(measured, self.budget, self._leniency)
        return self.verdict

    def close(self, outcome: Outcome) -> Task:
        """The task as a value."""
        with self._lock:
            return Task(
                id=self.id,
                outcome=outcome,
                calls=tuple(self.calls),
                skipped=tuple(self.skipped),
                exchanges=self.exchanges,
                budget=self.budget,
                verdict=self.verdict,
                earlier=tuple(self._earlier),
                notes=tuple(self.notes),
                strays=tuple(self.strays),
                opened=tuple(self.opened.values()),
                drawn=self.drawn,
            )


def _where(error: Exception) -> str:
    """An error by its kind and place; what it says may quote the body, and with it a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def _without_query(url: str) -> str:
    # some providers carry the key in the query
    return url.partition("?")[0]
