"""The recordings of one model at one endpoint, and the nearest of them to a request that none answers exactly."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from heapq import nsmallest
from itertools import islice
from typing import Final

from pytest_tokenbudget.traffic.canonical import Form
from pytest_tokenbudget.traffic.likeness import FARTHEST, Apart, Comparison
from pytest_tokenbudget.traffic.postings import Postings
from pytest_tokenbudget.traffic.words import Words

__all__ = ["Nearest", "Pool"]

_FIRST: Final = 4
"""How many recordings each part that they share with a request speaks for: those of a loop come in its order."""

_COMPARED: Final = 8
_RAREST: Final = 8
"""How many of the parts that a request shares with recordings are asked: those that the fewest have."""

_FEW_OF: Final = 4
_FULL_VOTE: Final = 1 << 20
_RARE: Final = 4
_MOST_RARE: Final = 64
_MOST_WORDED: Final = 4


class Nearest:
    """A search: the request, the nearest recording so far, and how many are near."""

    __slots__ = ("apart", "comparison", "form", "near", "position")

    def __init__(self, form: Form) -> None:
        self.form = form
        self.comparison = Comparison(form)
        self.position: int | None = None
        self.near = 0
        self.apart: Apart = FARTHEST


class Pool:
    """Recordings that may stand in for each other."""

    def __init__(
        self,
        forms: list[Form],
        words: Callable[[int], Words],
        played: Callable[[int], bool],
        free: Callable[[int], bool],
    ) -> None:
        """Prepare.

        Args:
            forms: The canonical form of each recording of the cassette.
            words: Gives the words of a part.
            played: Whether a recording will never be free again.
            free: Whether a recording may be taken.
        """
        self._forms = forms
        self._words = words
        self._played = played
        self._free = free
        self._order = Postings(played)
        self._parts = Postings(played)
        self._rare_words = Postings(played)
        self._said_by: Counter[bytes] = Counter()
        self._unworded: list[int] = []

    def add(self, position: int) -> None:
        """Add a recording; they come in order."""
        self._order.add(None, position)
        self._unworded.append(position)
        for part in dict.fromkeys(self._forms[position].parts):
            self._parts.add(part, position)

    def search(self, nearest: Nearest) -> None:
        """Find a recording that is nearer than what was found so far.

        Of equally near ones the first is taken: an agent's calls come in the order of the recording, more or less.
        """
        firsts = list(islice(filter(self._free, self._order.unplayed(None)), _FIRST + 1))
        if not firsts:
            return
        parts = nearest.form.parts
        compared = {*firsts[:_FIRST]}
        self._compare(nearest, compared)
        tells = any(0 < self._parts.many(part) * _FEW_OF <= self._order.many(None) for part in parts)
        if nearest.apart.is_near and (tells or nearest.near == 1):
            return
        sharing = self._sharing(parts)
        self._compare(nearest, sharing, compared)
        compared.update(sharing)
        if not tells and nearest.apart.words and not compared.issuperset(firsts):
            # it shares what all share: perhaps another one says what few others say
            self._compare(nearest, self._saying(nearest), compared)

    def compare(self, nearest: Nearest, positions: Iterable[int]) -> None:
        """Find the nearest among given recordings."""
        self._compare(nearest, positions)

    def _compare(self, nearest: Nearest, positions: Iterable[int], compared: Collection[int] = ()) -> None:
        least = nearest.comparison.least
        new = sorted((least(self._forms[position]), position) for position in {*positions}.difference(compared))
        for bound, position in new:
            first = nearest.position is None or position < nearest.position
            if not bound.is_nearer(nearest.apart, first=True):
                break
            apart = nearest.comparison.distance(self._forms[position], self._words)
            nearest.near += apart.is_near
            if apart.is_nearer(nearest.apart, first=first):
                nearest.position, nearest.apart = position, apart

    def _sharing(self, parts: tuple[int, ...]) -> list[int]:
        """The recordings that share a request's parts, those first that share the rarest."""
        many = self._parts.many
        known = [(count, -place, part) for place, part in enumerate(parts) if (count := many(part))]
        return self._voted(self._parts, [part for _, _, part in nsmallest(_RAREST, known)])

    def _saying(self, nearest: Nearest) -> list[int]:
        """The recordings in which stands what only few recordings and the request say."""
        self._learn_words()
        changed = [part for part in nearest.form.parts if not self._parts.many(part)]
        words = set[bytes]().union(*map(self._words, changed[-_MOST_WORDED:]))
        return self._voted(self._rare_words, words)

    def _voted(self, postings: Postings, keys: Iterable[object]) -> list[int]:
        votes: dict[int, int] = {}
        for key in keys:
            if many := postings.many(key):
                for position in islice(filter(self._free, postings.unplayed(key)), _FIRST):
                    votes[position] = votes.get(position, 0) + _FULL_VOTE // many
        return nsmallest(_COMPARED, votes, key=lambda position: (-votes[position], position))

    def _learn_words(self) -> None:
        said = {position: self._identifying(position) for position in self._unworded if not self._played(position)}
        self._unworded.clear()
        for words in said.values():
            self._said_by.update(words)
        for position, words in said.items():
            rare = [word for word in words if self._said_by[word] <= _RARE]
            for word in rare if len(rare) <= _MOST_RARE else sorted(rare)[:_MOST_RARE]:
                self._rare_words.add(word, position)

    def _identifying(self, position: int) -> Words:
        """The words of a recording's newest parts that hardly another has."""
        parts = self._forms[position].parts
        rare = [part for part in parts if self._parts.many(part) <= _RARE][-_MOST_WORDED:]
        return frozenset().union(*map(self._words, rare))
