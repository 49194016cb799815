"""From a key to the recordings that have it, in order, the first that are free in constant time.

What was played is dropped from a list once it is an eighth of what was looked at: a list is then gone through a fixed
number of times, however long it is.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Final

__all__ = ["Postings"]

_MANY: Final = 16


class Postings:
    """Positions by key."""

    __slots__ = ("_lists", "_played")

    def __init__(self, played: Callable[[int], bool]) -> None:
        """Prepare.

        Args:
            played: Whether the recording at a position will never be free again.
        """
        self._lists: dict[Hashable, list[int]] = {}
        self._played = played

    def add(self, key: Hashable, position: int) -> None:
        """Add a position to a key's; they come in order."""
        found = self._lists.get(key)
        if found is None:
            self._lists[key] = [position]
        else:
            found.append(position)

    def many(self, key: Hashable) -> int:
        """How many positions a key has, about."""
        return len(self._lists.get(key, ()))

    def unplayed(self, key: Hashable) -> Iterator[int]:
        """Yield a key's positions in order, but those that were played."""
        found = self._lists.get(key)
        if found is None:
            return
        first = next((place for place, position in enumerate(found) if not self._played(position)), len(found))
        del found[:first]
        holes = 0
        for position in found:
            if not self._played(position):
                yield position
                continue
            holes += 1
            if holes >= _MANY and holes * 8 >= len(found):
                self._lists[key] = kept = [other for other in found if not self._played(other)]
                # those before this one were yielded already
                yield from [other for other in kept if other > position]
                return
