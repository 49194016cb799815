"""How long a forge is waited for: again after what passes, never longer in total than was agreed."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from pytest_tokenbudget.ci.refusal import RefusedError

__all__ = ["Patience"]

_Answer = TypeVar("_Answer")

_SECONDS: Final = 60.0
_TRIES: Final = 6


class Patience:
    """The waits of one posting, over all that is asked in it.

    Args:
        seconds: How long after the first question something may still be asked again.
        tries: How often one thing is asked.
        sleep: Waits so many seconds.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        seconds: float = _SECONDS,
        tries: int = _TRIES,
        *,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._tries, self._sleep, self._clock = seconds, tries, sleep, clock
        self._end: float | None = None

    def ask(self, question: Callable[[], _Answer]) -> _Answer:
        """Ask, and ask again while the refusal is one that passes.

        Raises:
            RefusedError: It does not pass, or not in time.
        """
        if self._end is None:
            self._end = self._clock() + self._seconds
        wait = 1.0
        for left in reversed(range(self._tries)):
            try:
                return question()
            except RefusedError as refusal:
                if not refusal.passes:
                    raise
                pause = wait if refusal.wait is None else max(refusal.wait, 0.0)
                if not left:
                    text = f"It was asked {self._tries} times."
                    raise refusal.but(text) from None
                if self._clock() + pause > self._end:
                    text = f"It would have to be waited for another {pause:.0f} s; {self._seconds:.0f} s are allowed."
                    raise refusal.but(text) from None
                self._sleep(pause)
                wait *= 2
        raise AssertionError
