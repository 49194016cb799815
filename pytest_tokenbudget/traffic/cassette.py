"""vcrpy's cassette, with every answer that passes it metered.

Each of vcrpy's stubs asks `can_play_response_for`, and then either takes `play_response` or sends the request and
hands the answer to `append`: this is the one seam that sees what happens and how (vcrpy 9). The names with a leading
underscore that are overridden here are vcrpy's own; `tests/integration/test_vcr_contract.py` says which and since when.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import RLock, local
from time import perf_counter
from typing import Any, Final

from vcr.cassette import Cassette
from vcr.matchers import requests_match

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.exchange import Obtained
from pytest_tokenbudget.traffic.exchanges import exchange_of, same_request

__all__ = ["MeteredCassette", "attach", "attached", "install"]

_STARTED: Final = "_tokenbudget_started"

_meter: Meter | None = None


def attach(meter: Meter | None) -> None:
    """Say who takes in the exchanges from now on; `None` for nobody."""
    global _meter  # noqa: PLW0603 - vcrpy builds cassettes by class: there is no other way to hand them the meter
    _meter = meter


def attached() -> Meter | None:
    """Who takes in the exchanges."""
    return _meter


class MeteredCassette(Cassette):  # type: ignore[misc]  # vcrpy ships no types
    """A cassette that hands every exchange to the meter before the client sees the answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._loading = False
        self._seam = RLock()
        self._matched = local()

    def _load(self) -> None:
        self._loading = True
        try:
            super()._load()
        finally:
            self._loading = False

    def can_play_response_for(self, request: Any) -> bool:
        """Whether a recording answers; if none does, vcrpy sends the request next."""
        playable = bool(super().can_play_response_for(request))
        if not playable and _meter is not None:
            setattr(request, _STARTED, (datetime.now(UTC), perf_counter()))
        return playable

    def _responses(self, request: Any) -> Iterator[tuple[int, Any]]:
        request = self._before_record_request(request)
        self._matched.request = request
        for index, (stored, response) in enumerate(self.data):
            if requests_match(request, stored, self._match_on):
                self._matched.index = index
                yield index, response

    def play_response(self, request: Any) -> Any:
        """Take the recorded answer, metered as replayed, or as drifted where it answers another request."""
        if _meter is None:
            return super().play_response(request)
        with self._seam:
            response = super().play_response(request)
            index = self._matched.index
            same = same_request(self._matched.request, self.data[index][0])
        obtained: Obtained = "replayed" if same else "drifted"
        _meter.after(exchange_of(request, response, obtained, source=str(self._path), index=index))
        return response

    def append(self, request: Any, response: Any) -> None:
        """Store an answer that was just received, metered as recorded, or as live where a filter drops it."""
        if self._loading or _meter is None:
            super().append(request, response)
            return
        began, clock = getattr(request, _STARTED, (None, None))
        seconds = perf_counter() - clock if clock is not None else None
        stored = False
        with self._seam:
            before = len(self.data)
            try:
                super().append(request, response)
                stored = len(self.data) > before
            finally:
                # paid for, whatever the user's own filters do with it
                _meter.after(
                    exchange_of(
                        request,
                        response,
                        "recorded" if stored else "live",
                        source=str(self._path) if stored else None,
                        index=before if stored else None,
                        started_at=began,
                        seconds=seconds,
                    )
                )


def install() -> None:
    """Put the metered cassette in vcrpy's place, wherever the class was imported to already."""
    # vcrpy's package may be in the middle of its own import
    for name in ("vcr.cassette", "vcr.config"):
        module = sys.modules.get(name)
        if module is not None and getattr(module, "Cassette", None) is Cassette:
            module.Cassette = MeteredCassette  # type: ignore[attr-defined]  # modules of vcrpy are untyped
