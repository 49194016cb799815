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
        seconds: How much is waited in all, between what is asked.
        tries: How often one thing is asked.
        sleep: Waits so many seconds.
    """

    def __init__(
        self, seconds: float = _SECONDS, tries: int = _TRIES, *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._seconds, self._tries, self._sleep = seconds, tries, sleep
        self._waited = 0.0

    def ask(self, question: Callable[[], _Answer]) -> _Answer:
        """Ask, and ask again while the refusal is one that passes.

        Raises:
            RefusedError: It does not pass, or not in time.
        """
        backoff, asked = 1.0, 0
        while True:
            try:
                return question()
            except RefusedError as refusal:
                asked += 1
                if not refusal.passes:
                    raise
                wait = backoff if refusal.wait is None else refusal.wait
                if asked == self._tries:
                    text = f"It was asked {asked} times."
                elif self._waited + wait > self._seconds:
                    text = f"It asks to wait for {wait:.0f} s more; {self._seconds:.0f} s in all are allowed."
                else:
                    text = ""
                if text:
                    raise refusal.but(text) from None
            self._waited += wait
            self._sleep(wait)
            backoff *= 2
