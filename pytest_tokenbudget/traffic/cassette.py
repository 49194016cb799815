"""vcrpy's cassette, with every answer that passes it metered.

Each of vcrpy's stubs asks `can_play_response_for`, and then either takes `play_response` or sends the request and
hands the answer to `append`: this is the one seam that sees what happens and how (vcrpy 9). The names with a leading
underscore that are overridden here are vcrpy's own; `tests/integration/test_vcr_contract.py` says which, and what
breaks without them.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from types import new_class
from typing import Any

from msgspec.structs import replace
from vcr.cassette import Cassette, CassetteContextDecorator
from vcr.matchers import requests_match
from vcr.record_mode import RecordMode

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.task import Opened
from pytest_tokenbudget.traffic import guard
from pytest_tokenbudget.traffic.canonical import same_request
from pytest_tokenbudget.traffic.claims import Claims, Sent
from pytest_tokenbudget.traffic.drift_stop import stop_drifted
from pytest_tokenbudget.traffic.exchanges import exchange_of, recorded_request
from pytest_tokenbudget.traffic.filtering import without_needless_copies
from pytest_tokenbudget.traffic.index import Claim
from pytest_tokenbudget.traffic.intake import attached, hand_over, read_exchange, volatile_fields
from pytest_tokenbudget.traffic.open_cassettes import note_openings
from pytest_tokenbudget.traffic.shown import shown_path
from pytest_tokenbudget.traffic.waiting import without_waiting

__all__ = ["MeteredCassette", "install"]


class MeteredCassette(Cassette):  # type: ignore[misc]  # vcrpy ships no types
    """A cassette that hands every exchange to the meter before the client sees the answer."""

    _tokenbudget: Claims
    _before_record_request: Any

    def _load(self) -> None:
        claims, meter = self._tokenbudget, attached()
        if meter is not None:
            self._before_record_request = without_needless_copies(
                self._before_record_request, self._match_on, lambda: claims.asking.request is not None
            )
        # vcrpy appends while it loads: those answers were received another day
        claims.loading = True
        try:
            super()._load()
        finally:
            claims.loading = False
        if meter is not None and self.data and self.record_mode != RecordMode.ALL:  # which plays none of them
            meter.opened(Opened(source=shown_path(self._path), interactions=len(self.data), own=self._is_own()))

    def _is_own(self) -> bool:
        """Whether the recording is ours to keep: that of a marked test that opens none itself."""
        return False

    def can_play_response_for(self, request: Any) -> Any:
        """Whether a recording answers; if none does, vcrpy sends the request next.

        The recording is chosen here, and kept for this request until it is played.
        """
        if attached() is None:
            return super().can_play_response_for(request)
        claims = self._tokenbudget
        with claims.asking.about(request):
            playable = super().can_play_response_for(request)
        if not playable:
            with suppress(TypeError):  # no request of vcrpy's, but something that nothing can refer to weakly
                claims.release(request)
                claims.sent.setdefault(request, Sent())
            if self._lets_out():
                guard.approve(request)
        return playable

    def _responses(self, request: Any) -> Iterator[tuple[int, Any]]:
        # vcrpy's own loop, but that a client who asks is given the one recording that was chosen for its request
        request = self._before_record_request(request)
        asking = self._tokenbudget.asking
        if asking.request is not None:
            try:
                asking.claim = claim = self._tokenbudget.claim(self, asking.request, request)
            except Exception:  # noqa: BLE001 - requests of no known kind, matchers that raise: vcrpy knows what to do
                asking.claim = None
            else:
                asking.filtered = request
                if claim is not None:
                    yield claim.index, self.data[claim.index][1]
                return
        asking.filtered = request
        for index, (stored, response) in enumerate(self.data):
            if requests_match(request, stored, self._match_on):
                asking.position = index
                yield index, response

    def play_response(self, request: Any) -> Any:
        """Take the recorded answer, metered as replayed, or as drifted where it answers another request."""
        meter = attached()
        if meter is None:
            return super().play_response(request)
        claims = self._tokenbudget
        with claims.lock, claims.asking.about(request) as asking:
            response = super().play_response(request)
            sent = asking.filtered
            claim = asking.claim or self._found(sent, response, asking.position)
            with suppress(TypeError):  # as above
                claims.answered(request)
        index = None if claim is None else claim.index
        if claim is not None and claim.exact:
            hand_over(meter, read_exchange(meter, request, response, "replayed"), source=self._path, index=index)
            return without_waiting(response)
        stored = None if index is None else self.data[index][0]
        if meter.stops_drift:
            stop_drifted(meter, sent, stored, source=shown_path(self._path), index=index)
        self._tell(meter)
        recorded = None if stored is None else recorded_request(stored)
        exchange = read_exchange(meter, request, response, "drifted")
        hand_over(meter, exchange, source=self._path, index=index, recorded=recorded)
        return without_waiting(response)

    def _found(self, request: Any, response: Any, position: int | None) -> Claim | None:
        """Which recording was taken by vcrpy's own loop, or by a subclass that finds them in a way of its own."""
        if position is None or self.data[position][1] is not response:
            places = (place for place, (_, known) in enumerate(self.data) if known is response)
            position = next(places, None)
        if position is None:
            return None
        return Claim(position, same_request(request, self.data[position][0], self._tokenbudget.volatile))

    def _tell(self, meter: Meter) -> None:
        """Let the meter look at all that was recorded, once something drifted."""
        if not self._tokenbudget.known:
            self._tokenbudget.known = True
            meter.know(self._recorded_exchanges)

    def _recorded_exchanges(self) -> Iterator[Exchange]:
        for index, (request, response) in enumerate(list(self.data)):
            exchange = exchange_of(request, response, "replayed")
            yield replace(exchange, source=shown_path(self._path), index=index)

    def append(self, request: Any, response: Any) -> Any:
        """Store an answer that was just received, metered as recorded, or as live where a filter drops it."""
        meter = attached()
        # of answers that somebody puts into a cassette by hand, nobody asked for any
        if meter is None or self._tokenbudget.loading or not self._tokenbudget.sent:
            return super().append(request, response)
        guard.withdraw()
        # where aiohttp followed a redirect, this is not the request that was asked for
        exchange = read_exchange(meter, request, response, "live", self._sent(request))
        stored: dict[str, Any] = {}
        try:
            with self._tokenbudget.lock:
                have = len(self.data)
                try:
                    return super().append(request, response) if self._keeps(request) else None
                finally:
                    if len(self.data) > have:
                        stored = {"obtained": "recorded", "source": self._path, "index": len(self.data) - 1}
        finally:
            # paid for, whatever the user's own filters do with it
            hand_over(meter, exchange, **stored)

    def _lets_out(self) -> bool:
        """Whether vcrpy sends what no recording answers."""
        return not self.write_protected

    def _keeps(self, request: Any) -> bool:
        """Whether the answer to a request is stored, as far as it is for us to say."""
        del request
        return True

    def filter_request(self, request: Any) -> Any:
        """What the user's filter makes of a request; where it drops it, aiohttp's stub keeps the answer from us."""
        kept = super().filter_request(request)
        meter = attached()
        sent = None if kept or meter is None else self._sent(request, keep=True)
        if sent is not None and meter is not None:
            sent.asked += 1
            # the other stubs ask only before they send, and only where the recording is closed
            if sent.asked > bool(self.write_protected):
                hand_over(meter, read_exchange(meter, request, {}, "live", self._sent(request)))
            else:
                guard.approve(request)  # of no matter to the cassette, however closed that is
        return kept

    def _sent(self, request: Any, *, keep: bool = False) -> Sent | None:
        sent = self._tokenbudget.sent
        try:
            return sent.get(request) if keep else sent.pop(request, None)
        except TypeError:  # as above
            return None


@cache
def _metered(kind: Any) -> type[Cassette]:
    """The metered form of a cassette's class: of a user's own, a subclass of it and of ours."""
    if issubclass(kind, MeteredCassette):
        return kind  # type: ignore[no-any-return]  # as above
    if kind is Cassette:
        return MeteredCassette
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return new_class(kind.__name__, (kind, MeteredCassette), exec_body=lambda body: body.update(names))


def _new(kind: Any, *_args: object, **_kwargs: object) -> Cassette:
    made = object.__new__(_metered(kind))
    made._tokenbudget = Claims(volatile_fields())  # here and not in `__init__`, which a user's subclass may leave out
    return made


def install() -> None:
    """Make every cassette that is opened from now on a metered one.

    By way of construction and not by putting another name in vcrpy's modules: whoever imported or decorated with the
    class before us, or derived one of their own, is metered too.
    """
    Cassette.__new__ = staticmethod(_new)
    note_openings(CassetteContextDecorator)
