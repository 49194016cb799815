"""Which recorded interaction answers a request: decided once, and each taken once.

Exact first, in the order of the recording: by the body's bytes, then by its canonical form. Otherwise the nearest that
is left among those of the same endpoint and model. Each step is indexed when the first request needs it, so that a
replay without changes costs a hash of every body and no more.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from weakref import ref

from msgspec import Struct

from pytest_tokenbudget.traffic.canonical import Form, Forms, line_of
from pytest_tokenbudget.traffic.exchanges import body_bytes
from pytest_tokenbudget.traffic.matching import Matching
from pytest_tokenbudget.traffic.pool import Nearest, Pool
from pytest_tokenbudget.traffic.postings import Postings
from pytest_tokenbudget.traffic.volatile import NOTHING_MORE, Volatile

__all__ = ["Claim", "RecordingIndex"]

_MOST_ACCEPTED: Final = 64


class Claim(Struct, frozen=True):
    """What answers a request.

    Attributes:
        index: The recording's position in its cassette.
        exact: Whether it is a recording of this very request.
    """

    index: int
    exact: bool


class RecordingIndex:
    """An index over a cassette's interactions, which may grow. Not safe for threads: its owner keeps a lock."""

    def __init__(
        self,
        data: Sequence[tuple[Any, Any]],
        counts: Mapping[int, int],
        matching: Matching,
        *,
        repeats: bool = False,
        volatile: Volatile = NOTHING_MORE,
        prepare: Callable[[Any], Any] | None = None,
    ) -> None:
        """Prepare an index; what it is made from is looked at when requests are.

        Args:
            data: The cassette's requests with their responses.
            counts: How often each was played.
            matching: Which recordings may answer a request at all.
            repeats: Whether a recording may be played again.
            volatile: Fields that say nothing about what is asked.
            prepare: Makes of a request what a recording would hold of it. It is asked only where the request as it is
                has no recording, and changes nothing in what was prepared already.
        """
        self.data = data
        self.counts = counts
        self._matching = matching
        self._repeats = repeats
        self._reader = Forms(volatile)
        self._prepare = prepare
        self._held: dict[int, ref[Any]] = {}
        self._exact = Postings(self._played)
        self._known = 0
        self._forms: list[Form] = []
        self._pooled = 0
        self._order = Postings(self._played)
        self._pools: dict[tuple[Any, ...], dict[tuple[str, bool], Pool]] = {}

    def find(self, request: Any) -> Claim | None:
        """The recording that answers a request, if one is left that may.

        Args:
            request: As the user's filters leave it, like those in the cassette.

        Raises:
            Exception: The request, or one of the recorded ones, is none of vcrpy's, or a matcher raised.
        """
        self._learn()
        position = self._same_bytes(request)
        if position is not None:
            return Claim(position, exact=True)
        form = self._reader.of(request)
        self._learn_forms()
        position = self._same_form(request, form)
        if position is None and self._prepare is not None:
            # taking secrets out takes longer than both: not before they fail
            prepared = self._prepare(request)
            if not _same(prepared, request):
                request = prepared
                form = self._reader.of(request)
                position = self._same_form(request, form)
        if position is not None:
            return Claim(position, exact=True)
        self._learn_pools()
        search = self._accepted if self._matching.asks else self._nearest
        position = search(request, Nearest(form))
        return None if position is None else Claim(position, exact=False)

    def hold(self, position: int, owner: Any) -> None:
        """Keep a recording for a request until it takes it, or is gone."""
        self._held[position] = ref(owner)

    def release(self, position: int) -> None:
        """Give a recording free that was kept for a request."""
        self._held.pop(position, None)

    def left(self, request: Any) -> list[int]:
        """The recordings that no request has taken, of the endpoint that this one asks."""
        self._learn()
        self._learn_forms()
        self._learn_pools()
        return list(filter(self._free, self._order.unplayed(self._matching.key(request))))

    def _played(self, position: int) -> bool:
        return not self._repeats and self.counts.get(position, 0) > 0

    def _free(self, position: int) -> bool:
        if self._repeats:
            return True
        if self.counts.get(position, 0):
            return False
        owner = self._held.get(position)
        # a client that was cancelled between asking and taking holds nothing any more
        return owner is None or owner() is None

    def _learn(self) -> None:
        while self._known < len(self.data):
            stored = self.data[self._known][0]
            self._exact.add((line_of(stored.method, stored.uri), body_bytes(stored.body)), self._known)
            self._known += 1

    def _learn_forms(self) -> None:
        while (position := len(self._forms)) < self._known:
            stored = self.data[position][0]
            form = self._reader.of(stored)
            line = line_of(stored.method, stored.uri)
            self._exact.add((line, form.same), position)
            self._exact.add((line, form.same, form.left_out), position)
            self._forms.append(form)

    def _learn_pools(self) -> None:
        while self._pooled < len(self._forms):
            key = self._matching.key(self.data[self._pooled][0])
            form = self._forms[self._pooled]
            pools = self._pools.setdefault(key, {})
            pool = pools.get((form.model, form.stream))
            if pool is None:
                pool = pools[form.model, form.stream] = Pool(self._forms, self._reader.words, self._played, self._free)
            pool.add(self._pooled)
            self._order.add(key, self._pooled)
            self._pooled += 1

    def _same_bytes(self, request: Any) -> int | None:
        key = line_of(request.method, request.uri), body_bytes(request.body)
        return self._first(request, key, same_bytes=True)

    def _same_form(self, request: Any, form: Form) -> int | None:
        line = line_of(request.method, request.uri)
        position = self._first(request, (line, form.same, form.left_out))
        return self._first(request, (line, form.same)) if position is None else position

    def _first(self, request: Any, key: tuple[Any, ...], *, same_bytes: bool = False) -> int | None:
        for position in self._exact.unplayed(key):
            if self._free(position) and self._matching.accepts(request, self.data[position][0], same_bytes=same_bytes):
                return position
        return None

    def _nearest(self, request: Any, nearest: Nearest) -> int | None:
        form = nearest.form
        pools = self._pools.get(self._matching.key(request), {})
        if own := pools.get((form.model, form.stream)):
            own.search(nearest)
        for stream in (form.stream,) if self._matching.streams else (form.stream, not form.stream):
            if nearest.position is None:
                for (_, streamed), pool in pools.items():
                    if streamed == stream:
                        pool.search(nearest)
        return nearest.position

    def _accepted(self, request: Any, nearest: Nearest) -> int | None:
        """The nearest of those that matchers accept which have to be asked."""
        accepted = self._accepting(request, nearest.form)
        if self._matching.picky:
            return next(accepted, None)
        several = list(islice(accepted, _MOST_ACCEPTED))
        if len(several) > 1:
            self._pool_of(several[0]).compare(nearest, several)
            return nearest.position
        return several[0] if several else None

    def _accepting(self, request: Any, form: Form) -> Any:
        matching = self._matching
        for position in self._order.unplayed(matching.key(request)):
            stored, known = self.data[position][0], self._forms[position]
            if not self._free(position) or (
                form.is_json
                and known.is_json
                and (form.same, form.left_out) != (known.same, known.left_out)
                and matching.proves_different(request, stored)
            ):
                continue
            if matching.accepts(request, stored):
                yield position

    def _pool_of(self, position: int) -> Pool:
        form = self._forms[position]
        return self._pools[self._matching.key(self.data[position][0])][form.model, form.stream]


def _same(prepared: Any, request: Any) -> bool:
    return prepared is request or (
        line_of(prepared.method, prepared.uri) == line_of(request.method, request.uri)
        and body_bytes(prepared.body) == body_bytes(request.body)
    )
