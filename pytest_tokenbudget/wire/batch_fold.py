"""A batch is billed once: with the results that were fetched first, however often they and its polls come."""

from collections import defaultdict
from typing import Final, Generic, TypeVar

from msgspec.structs import replace

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.usage import NO_USAGE
from pytest_tokenbudget.wire.batches import BatchState, batch_state

__all__ = ["BATCHES_API", "BatchFold"]

BATCHES_API: Final = ".batches"
"""How the api of a call ends that starts a batch, asks after it, or brings its results."""

_WITH_RESULTS: Final = "a batch was started: it is billed with its results, which came later"
_AGAIN: Final = "results of a batch that were fetched before: they are billed there"
_BETTER: Final = "results of a batch that could be read in part: they were fetched again, and are billed there"
_BY_POLL: Final = "a batch was started: its usage is told by a poll"

PositionT = TypeVar("PositionT")
Key = tuple[str | None, str]
Place = tuple[PositionT, Call]


class BatchFold(Generic[PositionT]):
    """Folds a sequence of calls about batches, so that each batch is billed once. See `Background`."""

    def __init__(self) -> None:
        self._started: defaultdict[Key, list[Place[PositionT]]] = defaultdict(list)
        self._results: dict[Key, Place[PositionT]] = {}
        self._batch_of: dict[Key, str] = {}

    def settle(self, exchange: Exchange, call: Call, position: PositionT) -> Place[PositionT] | None:
        """Take in the next call about a batch; what it changes, itself or an earlier one, as `Background` says it."""
        if call.response_id is None:
            return None
        key = (call.source, call.response_id)
        if exchange.method.upper() == "POST":
            if call.status == "missing":
                self._started[key].append((position, call))
            return None
        if call.status == "unbilled":
            state = batch_state(exchange)
            return None if state is None else self._polled(call.source, state)
        return self._brought((call.source, self._batch_of.get(key, call.response_id)), call, position)

    def _polled(self, source: str | None, state: BatchState) -> Place[PositionT] | None:
        for file in state.files:
            self._batch_of[source, file] = state.id
        for at, (position, started) in enumerate(self._started.get((source, state.id), ())):
            if started.status != "missing" or state.told is None:
                continue
            told = state.told
            settled = replace(
                started,
                status=told.status,
                usage=told.usage,
                model_served=told.model or started.model_served,
                tier=told.tier,
                price_context=told.price_context,
                notes=(*told.notes, _BY_POLL),
            )
            self._started[source, state.id][at] = position, settled
            return position, settled
        return None

    def _brought(self, key: Key, call: Call, position: PositionT) -> Place[PositionT] | None:
        before = self._results.get(key)
        if before is not None and before[1].status != "exact" and call.status == "exact":
            self._results[key] = position, call
            return before[0], _free(before[1], _BETTER)
        waiting = self._started.get(key)
        if waiting:  # one start, one bill
            self._results[key] = position, call
            start, started = waiting.pop(0)
            return start, _free(started, _WITH_RESULTS)
        if before is not None:
            return position, _free(call, _AGAIN)
        self._results[key] = position, call
        return None


def _free(call: Call, note: str) -> Call:
    return replace(
        call,
        status="unbilled",
        usage=NO_USAGE,
        price_context=(),
        reported_cost=None,
        tools=(),
        cost=None,
        unpriced=(),
        notes=(note,),
    )
