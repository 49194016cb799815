"""The recordings of one model at one endpoint, and the nearest of them to a request that none answers exactly."""

from collections.abc import Callable, Iterable
from heapq import nsmallest
from itertools import islice
from typing import Final

from pytest_tokenbudget.traffic.canonical import Form
from pytest_tokenbudget.traffic.likeness import FARTHEST, NEAR, Apart, Words, distance, words_of
from pytest_tokenbudget.traffic.postings import Postings

__all__ = ["Nearest", "Pool"]

_FIRST: Final = 4
"""How many recordings each part that they share with a request speaks for: those of a loop come in its order."""

_COMPARED: Final = 8
_FULL_VOTE: Final = 1 << 20
_RARE: Final = 4
_MOST_WORDED: Final = 4


class Nearest:
    """A search: the request, and the nearest recording so far."""

    __slots__ = ("apart", "form", "position", "texts", "words")

    def __init__(self, form: Form, texts: list[bytes]) -> None:
        self.form = form
        self.texts = texts
        self.words: dict[int, Words] = {}
        self.position: int | None = None
        self.apart: Apart = FARTHEST

    def words_at(self, place: int) -> Words:
        """The words of one of the request's parts."""
        found = self.words.get(place)
        if found is None:
            found = self.words[place] = words_of(self.texts[place])
        return found


class Pool:
    """Recordings that may stand in for each other."""

    def __init__(
        self,
        forms: list[Form],
        texts_at: Callable[[int], list[bytes]],
        played: Callable[[int], bool],
        free: Callable[[int], bool],
    ) -> None:
        """Prepare.

        Args:
            forms: The canonical form of each recording of the cassette.
            texts_at: Gives the text of each part of a recorded request; this takes its time.
            played: Whether a recording will never be free again.
            free: Whether a recording may be taken.
        """
        self._forms = forms
        self._texts_at = texts_at
        self._played = played
        self._free = free
        self._order = Postings(played)
        self._parts = Postings(played)
        self._rare_words = Postings(played)
        self._words: dict[int, Words] = {}
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
        firsts = list(islice(filter(self._free, self._order.unplayed(None)), _COMPARED + 1))
        if not firsts:
            return
        compared = self._compare(nearest, (*firsts[:_FIRST], *self._sharing(nearest.form.parts, self._parts)))
        if nearest.apart[0] > NEAR and not compared.issuperset(firsts):
            # none that shares its messages: perhaps one that shares what few others say
            self._compare(nearest, self._saying(nearest), compared)

    def compare(self, nearest: Nearest, positions: Iterable[int]) -> None:
        """Find the nearest among given recordings."""
        self._compare(nearest, positions)

    def _compare(
        self, nearest: Nearest, positions: Iterable[int], compared: frozenset[int] = frozenset()
    ) -> frozenset[int]:
        new = sorted({*positions} - compared)
        for position in new:
            recorded = self._forms[position]
            apart = distance(
                nearest.form,
                recorded,
                lambda mine, other, position=position: (nearest.words_at(mine), self._words_at(position, other)),  # type: ignore[misc]
                nearest.apart,
            )
            if apart is not None:
                nearest.position, nearest.apart = position, apart
        return compared.union(new)

    def _words_at(self, position: int, place: int) -> Words:
        part = self._forms[position].parts[place]
        found = self._words.get(part)
        if found is None:
            found = self._words[part] = words_of(self._texts_at(position)[place])
        return found

    def _sharing(self, keys: Iterable[object], postings: Postings) -> list[int]:
        """The recordings that share the most keys with a request, and the rarest."""
        votes: dict[int, int] = {}
        for key in dict.fromkeys(keys):
            if many := postings.many(key):
                vote = _FULL_VOTE // many
                for position in islice(filter(self._free, postings.unplayed(key)), _FIRST):
                    votes[position] = votes.get(position, 0) + vote
        return nsmallest(_COMPARED, votes, key=lambda position: (-votes[position], position))

    def _saying(self, nearest: Nearest) -> list[int]:
        for position in self._unworded:
            if not self._played(position):
                self._add_words(position)
        self._unworded.clear()
        changed = [place for place, part in enumerate(nearest.form.parts) if not self._parts.many(part)]
        words = frozenset().union(*[nearest.words_at(place) for place in changed[-_MOST_WORDED:]])
        return self._sharing(words, self._rare_words)

    def _add_words(self, position: int) -> None:
        parts = self._forms[position].parts
        rare = [place for place, part in enumerate(parts) if self._parts.many(part) <= _RARE][-_MOST_WORDED:]
        if rare:
            texts = self._texts_at(position)
            for place in rare:
                words = self._words[parts[place]] = self._words.get(parts[place]) or words_of(texts[place])
                for word in words:
                    self._rare_words.add(word, position)
