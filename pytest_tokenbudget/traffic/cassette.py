"""vcrpy's cassette, with every answer that passes it metered.

Each of vcrpy's stubs asks `can_play_response_for`, and then either takes `play_response` or sends the request and
hands the answer to `append`: this is the one seam that sees what happens and how (vcrpy 9). The names with a leading
underscore that are overridden here are vcrpy's own; `tests/integration/test_vcr_contract.py` says which, and what
breaks without them.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from time import perf_counter
from types import new_class
from typing import Any

from msgspec.structs import replace
from vcr.cassette import Cassette, CassetteContextDecorator
from vcr.matchers import requests_match
from vcr.record_mode import RecordMode

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.exchange import Exchange, Obtained
            sent = asking.filtered
            claim = asking.claim or self._found(sent, response)
            with suppress(TypeError):  # as above
                seam.answered(request)
        index = None if claim is None else claim.index
        if claim is not None and claim.exact:
            _hand_over(meter, _read(meter, request, response, "replayed"), source=self._path, index=index)
            return response
        stored = None if index is None else self.data[index][0]
        stop_drifted(meter, sent, stored, source=shown_path(self._path), index=index)
        self._tell(meter)
        recorded = None if stored is None else recorded_request(stored)
        exchange = _read(meter, request, response, "drifted")
        _hand_over(meter, exchange, source=self._path, index=index, recorded=recorded)
        return response

    def _found(self, request: Any, response: Any) -> Claim | None:
        """Which recording was taken by a subclass that finds them in a way of its own."""
        for index, (stored, known) in enumerate(self.data):
            if known is response:
                return Claim(index, same_request(request, stored, self._tokenbudget.volatile))
        return None

    def _tell(self, meter: Meter) -> None:
        """Let the meter look at all that was recorded, once something drifted."""
        know = getattr(meter, "know", None)
        if know is not None and not self._tokenbudget.known:
            self._tokenbudget.known = True
            know(self._recorded_exchanges)

    def _recorded_exchanges(self) -> Iterator[Exchange]:
        for index, (request, response) in enumerate(list(self.data)):
            exchange = exchange_of(request, response, "replayed")
            yield replace(exchange, source=shown_path(self._path), index=index)

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
                    return super().append(request, response) if self._keeps() else None
                finally:
                    if len(self.data) > have:
                        stored = {"obtained": "recorded", "source": self._path, "index": len(self.data) - 1}
        finally:
            # paid for, whatever the user's own filters do with it
            _hand_over(meter, exchange, **stored)

    def _lets_out(self) -> bool:
        """Whether vcrpy sends what no recording answers."""
        return not self.write_protected

    def _keeps(self) -> bool:
        """Whether what was just received is stored, as far as it is for us to say."""
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

    def _sent(self, request: Any, *, keep: bool = False) -> Sent | None:
        sent = self._tokenbudget.sent
        try:
            return sent.get(request) if keep else sent.pop(request, None)
        except TypeError:  # as above
            return None


def _read(meter: Meter, request: Any, response: Any, obtained: Obtained, sent: Sent | None = None) -> Exchange | None:
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
    made._tokenbudget = Seam(*_rules)  # here and not in `__init__`, which a user's subclass may leave out
    return made


def install() -> None:
    """Make every cassette that is opened from now on a metered one.

    By way of construction and not by putting another name in vcrpy's modules: whoever imported or decorated with the
    class before us, or derived one of their own, is metered too.
    """
    Cassette.__new__ = staticmethod(_new)
    note_openings(CassetteContextDecorator)
