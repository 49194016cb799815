"""vcrpy's cassette, with every answer that passes it metered.

Each of vcrpy's stubs asks `can_play_response_for`, and then either takes `play_response` or sends the request and
hands the answer to `append`: this is the one seam that sees what happens and how (vcrpy 9). The names with a leading
underscore that are overridden here are vcrpy's own; `tests/integration/test_vcr_contract.py` says which, and what
breaks without them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from threading import RLock, local
from time import perf_counter
from types import new_class
from typing import Any
from weakref import WeakKeyDictionary

from msgspec.structs import replace
from vcr.cassette import Cassette, CassetteContextDecorator
from vcr.matchers import requests_match
from vcr.record_mode import RecordMode

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.exchange import Exchange, Obtained
from pytest_tokenbudget.model.task import Opened
from pytest_tokenbudget.traffic import guard
from pytest_tokenbudget.traffic.drift_stop import stop_drifted
from pytest_tokenbudget.traffic.exchanges import exchange_of, recorded_request, request_line
from pytest_tokenbudget.traffic.open_cassettes import note_openings
from pytest_tokenbudget.traffic.sameness import same_request
from pytest_tokenbudget.traffic.shown import base_of_paths, shown_path

__all__ = ["MeteredCassette", "attach", "attached", "install"]

_meter: Meter | None = None


def attach(meter: Meter, root: str | os.PathLike[str]) -> Callable[[], None]:
    """Say who takes in the exchanges from now on.

    Args:
        meter: It does.
        root: The folder that recordings are named from.

    Returns:
        What ends that, and gives the exchanges to whoever had them before.
    """
    global _meter  # noqa: PLW0603 - vcrpy builds cassettes by class: there is no other way to hand them the meter
    before = _meter
    _meter = meter
    base_before = base_of_paths(root)

    def detach() -> None:
        global _meter  # noqa: PLW0603 - as above
        _meter = before
        base_of_paths(base_before)

    return detach


def attached() -> Meter | None:
    """Who takes in the exchanges, if anybody."""
    return _meter


class _Sent:
    """A request that no recording answered, until its answer comes."""

    __slots__ = ("asked", "began", "clock")

    def __init__(self) -> None:
        self.began = datetime.now(UTC)
        self.clock = perf_counter()
        self.asked = 0


class _Seam:
    """What a metered cassette knows beside vcrpy's attributes; in one place, so that no user's subclass clashes."""

    __slots__ = ("loading", "lock", "matched", "sent")

    def __init__(self) -> None:
        self.lock = RLock()
        self.loading = False
        self.matched = local()
        # not an attribute of the request: those are copied, and a user's persister may store them
        self.sent: WeakKeyDictionary[Any, _Sent] = WeakKeyDictionary()


class MeteredCassette(Cassette):  # type: ignore[misc]  # vcrpy ships no types
    """A cassette that hands every exchange to the meter before the client sees the answer."""

    _tokenbudget: _Seam

    def _load(self) -> None:
        # vcrpy appends while it loads: those answers were received another day
        self._tokenbudget.loading = True
        try:
            super()._load()
        finally:
            self._tokenbudget.loading = False
        if _meter is not None and self.data and self.record_mode != RecordMode.ALL:  # which plays none of them
            _meter.opened(Opened(source=shown_path(self._path), interactions=len(self.data), own=self._is_own()))

    def _is_own(self) -> bool:
        """Whether the recording is ours to keep: that of a marked test that opens none itself."""
        return False

    def can_play_response_for(self, request: Any) -> Any:
        """Whether a recording answers; if none does, vcrpy sends the request next."""
        playable = super().can_play_response_for(request)
        if not playable and _meter is not None:
            with suppress(TypeError):  # no request of vcrpy's, but something that nothing can refer to weakly
                self._tokenbudget.sent.setdefault(request, _Sent())
            if self._lets_out():
                guard.approve(request)
        return playable

    def _responses(self, request: Any) -> Iterator[tuple[int, Any]]:
        # vcrpy's own loop; asking the user's filter once more for what it made of the request could change its answers
        request = self._before_record_request(request)
        matched = self._tokenbudget.matched
        matched.request, matched.index = request, None
        for index, (stored, response) in enumerate(self.data):
            if requests_match(request, stored, self._match_on):
                matched.index = index
                yield index, response

    def play_response(self, request: Any) -> Any:
        """Take the recorded answer, metered as replayed, or as drifted where it answers another request."""
        meter = _meter
        if meter is None:
            return super().play_response(request)
        matched = self._tokenbudget.matched
        with self._tokenbudget.lock:
            matched.request, matched.index = request, None
            response = super().play_response(request)
            index = self._played(response) if matched.index is None else matched.index
        same = index is not None and same_request(matched.request, self.data[index][0])
        stored = None if index is None else self.data[index][0]
        if not same:
            stop_drifted(meter, matched.request, stored, source=shown_path(self._path), index=index)
        exchange = _read(meter, request, response, "replayed" if same else "drifted")
        recorded = None if same or stored is None else recorded_request(stored)
        _hand_over(meter, exchange, source=self._path, index=index, recorded=recorded)
        return response

    def _played(self, response: Any) -> int | None:
        """Which recording was taken by a subclass that finds them in a way of its own."""
        return next((index for index, (_, stored) in enumerate(self.data) if stored is response), None)

    def append(self, request: Any, response: Any) -> Any:
        """Store an answer that was just received, metered as recorded, or as live where a filter drops it."""
        meter = _meter
        # of answers that somebody puts into a cassette by hand, nobody asked for any
        if meter is None or self._tokenbudget.loading or not self._tokenbudget.sent:
            return super().append(request, response)
        guard.withdraw()
        # where aiohttp followed a redirect, this is not the request that was asked for
        exchange = _read(meter, request, response, "live", self._sent(request))
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
            _hand_over(meter, exchange, **stored)

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
        meter = _meter
        sent = None if kept or meter is None else self._sent(request, keep=True)
        if sent is not None and meter is not None:
            sent.asked += 1
            # the other stubs ask only before they send, and only where the recording is closed
            if sent.asked > bool(self.write_protected):
                _hand_over(meter, _read(meter, request, {}, "live", self._sent(request)))
            else:
                guard.approve(request)  # of no matter to the cassette, however closed that is
        return kept

    def _sent(self, request: Any, *, keep: bool = False) -> _Sent | None:
        sent = self._tokenbudget.sent
        try:
            return sent.get(request) if keep else sent.pop(request, None)
        except TypeError:  # as above
            return None


def _read(meter: Meter, request: Any, response: Any, obtained: Obtained, sent: _Sent | None = None) -> Exchange | None:
    """Build an exchange; `None` where that failed, which the meter is told. Never raises."""
    try:
        exchange = exchange_of(request, response, obtained)
        return replace(exchange, started_at=sent.began, seconds=perf_counter() - sent.clock) if sent else exchange
    except Exception as error:  # noqa: BLE001 - the client shall not notice that it is measured
        meter.lost(request_line(request), error)
        return None


def _hand_over(meter: Meter, exchange: Exchange | None, *, source: object = None, **facts: Any) -> None:
    """Give an exchange to the meter. Never raises."""
    if exchange is None:
        return
    try:
        meter.after(replace(exchange, source=shown_path(source), **facts) if facts else exchange)
    except Exception as error:  # noqa: BLE001 - as above
        meter.lost(request_line(exchange), error)


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
    made._tokenbudget = _Seam()  # here and not in `__init__`, which a user's subclass may leave out
    return made


def install() -> None:
    """Make every cassette that is opened from now on a metered one.

    By way of construction and not by putting another name in vcrpy's modules: whoever imported or decorated with the
    class before us, or derived one of their own, is metered too.
    """
    Cassette.__new__ = staticmethod(_new)
    note_openings(CassetteContextDecorator)
