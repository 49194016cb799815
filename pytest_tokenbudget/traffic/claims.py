"""What a metered cassette knows beside vcrpy's attributes: which request has which recording, and when it was sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import RLock, local
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from pytest_tokenbudget.traffic.exchanges import body_bytes
from pytest_tokenbudget.traffic.index import Claim, RecordingIndex
from pytest_tokenbudget.traffic.matching import Matching
from pytest_tokenbudget.traffic.volatile import NOTHING_MORE, Volatile

__all__ = ["Claims", "Sent"]


class Sent:
    """A request that no recording answered, until its answer comes."""

    __slots__ = ("asked", "began", "clock")

    def __init__(self) -> None:
        self.began = datetime.now(UTC)
        self.clock = perf_counter()
        self.asked = 0


class Asking(local):
    """What one thread is asking its cassette.

    Attributes:
        request: The client's request, while vcrpy looks for its answer.
        filtered: What the user's filters made of it.
        claim: What answers it.
        position: The recording that vcrpy's own loop came to.
    """

    request: Any = None
    filtered: Any = None
    claim: Claim | None = None
    position: int | None = None

    @contextmanager
    def about(self, request: Any) -> Iterator["Asking"]:
        """While vcrpy looks for a request's answer."""
        before = (
            self.request,
            self.filtered,
            self.claim,
            self.position,
        )  # a filter of the user's may make requests of its own
        self.request, self.filtered, self.claim, self.position = request, request, None, None
        try:
            yield self
        finally:
            self.request, self.filtered, self.claim, self.position = before


class Claims:
    """In one place and not among the cassette's attributes, so that no user's subclass clashes.

    Attributes:
        loading: Whether the cassette is reading its file.
        lock: Held while recordings are chosen and taken.
        asking: What the thread at hand is asking.
        sent: Requests on their way. Not an attribute of theirs: requests are copied, and a user's persister may store
            them.
        volatile: Fields that say nothing about what is asked.
        prepare: Makes of a request what a recording would hold of it; asked where it is not found as it is.
        known: Whether the meter was told what else the cassette holds.
    """

    __slots__ = ("_answered", "_claims", "_index", "asking", "known", "loading", "lock", "prepare", "sent", "volatile")

    def __init__(self, volatile: Volatile = NOTHING_MORE) -> None:
        self.loading = False
        self.lock = RLock()
        self.asking = Asking()
        self.sent: WeakKeyDictionary[Any, Sent] = WeakKeyDictionary()
        self.volatile = volatile
        self.known = False
        self.prepare: Callable[[Any], Any] | None = None
        self._index: RecordingIndex | None = None
        self._claims: WeakKeyDictionary[Any, tuple[bytes, Claim]] = WeakKeyDictionary()
        self._answered: WeakSet[Any] = WeakSet()

    def index_of(self, cassette: Any) -> RecordingIndex:
        """The index over a cassette's interactions; a new one where they are others, or were wound back."""
        index = self._index
        if index is None or index.data is not cassette.data or index.counts is not cassette.play_counts:
            self._claims.clear()
            self._index = index = RecordingIndex(
                cassette.data,
                cassette.play_counts,
                Matching(cassette._match_on),  # noqa: SLF001 - see `MeteredCassette`
                repeats=bool(cassette.allow_playback_repeats),
                volatile=self.volatile,
                prepare=self.prepare,
            )
        return index

    def claim(self, cassette: Any, request: Any, filtered: Any) -> Claim | None:
        """Choose the recording that answers a request, and keep it for that request.

        Args:
            cassette: The cassette.
            request: The client's request: the claim is kept under it, as long as it lives.
            filtered: What the user's filters made of it.
        """
        body = body_bytes(filtered.body)
        with self.lock:
            index = self.index_of(cassette)
            kept = self._claims.get(request)
            if kept is not None:
                if kept[0] == body:
                    return kept[1]
                # the client has written more of its body since it asked
                self.release(request)
            claim = index.find(filtered)
            # urllib3 asks once more for a request that was answered when it opens its connection anew
            if claim is not None and request not in self._answered:
                index.hold(claim.index, request)
                self._claims[request] = body, claim
            return claim

    def answered(self, request: Any) -> None:
        """Note that a request took its answer."""
        self.release(request)
        self._answered.add(request)

    def release(self, request: Any) -> None:
        """Give free what was kept for a request."""
        with self.lock:
            kept = self._claims.pop(request, None)
            if kept is not None and self._index is not None:
                self._index.release(kept[1].index)
