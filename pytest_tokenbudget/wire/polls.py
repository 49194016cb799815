"""What begins in one exchange and is told in another: background responses, which polls settle, and batches."""

from collections import defaultdict
from typing import Generic, TypeVar

from msgspec.structs import replace

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.wire.batch_fold import BATCHES_API, BatchFold
from pytest_tokenbudget.wire.format import Reading
from pytest_tokenbudget.wire.formats import responses_format
from pytest_tokenbudget.wire.read import response_of
from pytest_tokenbudget.wire.routing import route_of

__all__ = ["Background"]

PositionT = TypeVar("PositionT")


class Background(Generic[PositionT]):
    """Folds a sequence of calls: joins each poll that tells a usage to the call that started the response.

    Batches are billed with their results, and once: `BatchFold` says how. Every call is taken in once, in the order in
    which the exchanges happened. Two requests that started responses of one id are two calls: polls settle them in
    their order.
    """

    def __init__(self) -> None:
        self._started: defaultdict[tuple[str | None, str], list[tuple[PositionT, Call]]] = defaultdict(list)
        self._batches: BatchFold[PositionT] = BatchFold()

    def settle(self, exchange: Exchange, call: Call, position: PositionT) -> tuple[PositionT, Call] | None:
        """Take in the next call.

        Args:
            exchange: What it was read from.
            call: The call as read, without its cost.
            position: Where the caller keeps it.

        Returns:
            Where an earlier call is kept that this one settles, and what that call becomes, without its cost; `None`
            where it settles none. The poll itself stays as it is: unbilled. Where a batch's results come again, it is
            this call itself that becomes unbilled.
        """
        if call.api.endswith(BATCHES_API):
            return self._batches.settle(exchange, call, position)
        if call.api != responses_format.api or call.response_id is None:
            return None
        key = (call.source, call.response_id)
        if call.status == "missing":
            self._started[key].append((position, call))
        elif call.status == "unbilled" and self._started.get(key):
            told = _polled(exchange)
            if told is not None and told.status in {"exact", "partial"}:
                earlier, started = self._started[key].pop(0)
                return earlier, _settled(started, told)
        return None


def _polled(exchange: Exchange) -> Reading | None:
    route = route_of(exchange.method, exchange.url)
    return None if route.kind != "unbilled" or route.format is None else response_of(route.format, exchange)[0]


def _settled(started: Call, told: Reading) -> Call:
    return replace(
        started,
        status=told.status,
        usage=told.usage,
        model_served=told.model or started.model_served,
        tier=told.tier or started.tier,
        price_context=told.price_context,
        reported_cost=told.reported_cost,
        tools=told.tools,
        finish=told.finish,
        notes=(*told.notes, "ran in the background: its usage is told by a poll"),
    )
