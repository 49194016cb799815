"""Who takes in what passes vcrpy, and how it is handed over: before the client sees the answer, and unnoticed by it."""

import os
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

from msgspec.structs import replace

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.exchange import Exchange, Obtained
from pytest_tokenbudget.traffic.claims import Sent
from pytest_tokenbudget.traffic.exchanges import exchange_of, request_line
from pytest_tokenbudget.traffic.shown import base_of_paths, shown_path
from pytest_tokenbudget.traffic.volatile import NOTHING_MORE, Volatile

__all__ = ["attach", "attached", "hand_over", "read_exchange", "volatile_fields"]

_meter: Meter | None = None
_volatile = NOTHING_MORE


def attach(meter: Meter, root: str | os.PathLike[str], *, volatile: Iterable[str] = ()) -> Callable[[], None]:
    """Say who takes in the exchanges from now on.

    Args:
        meter: It does.
        root: The folder that recordings are named from.
        volatile: Fields of bodies that say nothing about what is asked, beside those known to be so.

    Returns:
        What ends that, and gives the exchanges to whoever had them before.
    """
    global _meter, _volatile
    before = _meter, _volatile
    _meter, _volatile = meter, Volatile(volatile)
    base_before = base_of_paths(root)

    def detach() -> None:
        global _meter, _volatile
        _meter, _volatile = before
        base_of_paths(base_before)

    return detach


def attached() -> Meter | None:
    """Who takes in the exchanges, if anybody."""
    return _meter


def volatile_fields() -> Volatile:
    """The fields of bodies that say nothing about what is asked."""
    return _volatile


def read_exchange(
    meter: Meter, request: Any, response: Any, obtained: Obtained, sent: Sent | None = None
) -> Exchange | None:
    """Build an exchange; `None` where that failed, which the meter is told. Never raises."""
    try:
        exchange = exchange_of(request, response, obtained)
        return replace(exchange, started_at=sent.began, seconds=perf_counter() - sent.clock) if sent else exchange
    except Exception as error:  # noqa: BLE001 - the client shall not notice that it is measured
        meter.lost(request_line(request), error)
        return None


def hand_over(meter: Meter, exchange: Exchange | None, *, source: object = None, **facts: Any) -> None:
    """Give an exchange to the meter. Never raises."""
    if exchange is None:
        return
    try:
        meter.after(replace(exchange, source=shown_path(source), **facts) if facts else exchange)
    except Exception as error:  # noqa: BLE001 - as above
        meter.lost(request_line(exchange), error)
