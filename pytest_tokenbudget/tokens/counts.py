"""Token counts of texts, each text counted once."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from pytest_tokenbudget.tokens.text_counter import TextCounter

__all__ = ["remembering"]

_MOST: Final = 100_000
"""Counts kept for each counter, some ten megabytes; beyond it all are forgotten, and counting starts afresh."""

_COUNTERS: Final = 8


def remembering(counter: TextCounter) -> Callable[[str], int]:
    """What counts as the counter does and remembers, by hash and length, so that no text is kept.

    An agent sends its whole history again at every step: each text of it is counted once in a process.
    """
    try:
        known = _known(counter)  # type: ignore[arg-type]  # what is no key raises
    except TypeError:  # a counter that cannot be hashed is asked each time
        return counter.count

    def count(text: str) -> int:
        key = hash(text), len(text)
        tokens = known.get(key)
        if tokens is None:
            if len(known) >= _MOST:
                known.clear()
            tokens = known[key] = counter.count(text)
        return tokens

    return count


@lru_cache(maxsize=_COUNTERS)
def _known(counter: TextCounter) -> dict[tuple[int, int], int]:  # noqa: ARG001 - the counts of each counter are its own
    return {}
