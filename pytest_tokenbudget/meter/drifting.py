"""A call whose answer was recorded for another request becomes an estimate of what its own request would cost."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import islice
from threading import Lock
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.drift import Drift
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.tokens.sample import Estimate, Sample
from pytest_tokenbudget.wire import prompt_of, read

__all__ = ["Drifts", "Recordings"]

Recordings = Callable[[], Iterable[Exchange]]
"""Reads recordings that exist, one after another, when it is called."""

_MOST_SAMPLES: Final = 300
_MOST_OF_ONE: Final = 100
_MOST_EARLIER: Final = 32
"""Prompts of one task that are remembered with their texts, to tell what its own calls have put into a cache."""

_SETTLED: Final = frozenset({"unbilled", "error"})
_BY_THE_CALL: Final = ".external"
"""How the names of APIs end that cost what the user states, call by call."""

_CUT: Final = "It cannot be estimated: of the recorded answer only a lower bound is known."
_UNREAD: Final = "It cannot be estimated: what the {} request lays before the model cannot be read."
_ELSEWHERE: Final = "It cannot be estimated: the recorded request went to {}, this one to {}."


class Drifts:
    """Estimates drifted calls. Threads may ask at the same time.

    What recordings say of how a model counts is read when the first call drifted, and no earlier: a suite whose prompts
    did not change pays nothing.
    """

    def __init__(self, price: Callable[[Call], Call]) -> None:
        """Prepare.

        Args:
            price: Gives calls their cost.
        """
        self._price = price
        self._lock = Lock()
        self._unread: list[Recordings] = []
        self._samples: tuple[Sample, ...] = ()

    def know(self, source: Recordings) -> None:
        """Take note of recordings that may tell how a model counts; they are read at the next drifted call."""
        with self._lock:
            if len(self._samples) < _MOST_SAMPLES:
                self._unread.append(source)

    def forget(self) -> None:
        """Let go of all that recordings said, with the texts of their prompts."""
        with self._lock:
            self._unread.clear()
            self._samples = ()

    def estimated(self, exchange: Exchange, call: Call, earlier: list[Prompt]) -> Call:
        """The call with an estimate of its usage, priced; as recorded and without bounds where there is none.

        Never raises.

        Args:
            exchange: What drifted, with the request that was recorded.
            call: What was read from it, without its cost.
            earlier: What the same task sent before that drifted; this prompt is added.
        """
        try:
            return self._estimated(exchange, call, earlier)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not break the user's test
            reason = f"It cannot be estimated: {type(error).__name__} while the requests were compared."
            return self._as_recorded(call, call.usage, reason)

    def _estimated(self, exchange: Exchange, call: Call, earlier: list[Prompt]) -> Call:
        if call.status in _SETTLED or call.api.endswith(_BY_THE_CALL):  # whatever was asked
            nothing = Drift(recorded_usage=call.usage, low=call.usage, high=call.usage)
            return self._priced(call, call, Estimate(usage=call.usage, drift=nothing))
        if call.status not in {"exact", "partial"}:
            return self._price(call)
        recorded = self._recorded(exchange)
        if recorded is None:
            return self._as_recorded(call, call.usage, _UNREAD.format("recorded"))
        then, before = recorded
        now = prompt_of(exchange.method, exchange.url, exchange.request_body, exchange.request_headers)
        if call.api != then.api:
            return self._as_recorded(call, then.usage, _ELSEWHERE.format(then.api, call.api))
        if then.status != "exact":
            return self._as_recorded(call, then.usage, _CUT)
        if before is None or now is None:
            return self._as_recorded(call, then.usage, _UNREAD.format("recorded" if before is None else "present"))
        # here and not above: most sessions estimate nothing
        from pytest_tokenbudget.tokens.counting import counter_for
        from pytest_tokenbudget.tokens.estimate import estimate

        asked = "" if call.model_asked == then.model_asked else call.model_asked or "no model"
        found = estimate(
            _sample(then, before),
            now,
            counter_for(then.model or ""),
            known=self._known(),
            asked=asked,
            earlier=tuple(earlier),
        )
        if len(earlier) < _MOST_EARLIER:
            earlier.append(now)
        if asked:  # nobody served that one yet: it has the price of the model that it names
            call = replace(call, model_served=None)
        return self._priced(call, then, found)

    def _recorded(self, exchange: Exchange) -> tuple[Call, Prompt | None] | None:
        """The call as it was recorded: the same answer, to the request that it answered."""
        request = exchange.recorded
        if request is None:
            return None
        whole = replace(exchange, url=request.url, request_body=request.body, request_headers=request.headers)
        then = read(whole, _uncounted)
        if isinstance(then, Skipped):
            return None
        return then, prompt_of(exchange.method, request.url, request.body, request.headers)

    def _known(self) -> tuple[Sample, ...]:
        """What the recordings of this session say; the same tuple until there are more of them."""
        with self._lock:
            if self._unread:
                sources, self._unread = self._unread, []
                found = [*self._samples]
                for source in sources:
                    found.extend(islice(self._samples_of(source), min(_MOST_OF_ONE, _MOST_SAMPLES - len(found))))
                self._samples = tuple(found)
            return self._samples

    def _samples_of(self, source: Recordings) -> Iterator[Sample]:
        """Yield the samples of a source, up to where it cannot be read."""
        try:
            for exchange in source():
                call = read(exchange, _uncounted)
                if isinstance(call, Call) and call.status == "exact" and call.usage.total_input:
                    prompt = prompt_of(exchange.method, exchange.url, exchange.request_body, exchange.request_headers)
                    if prompt is not None:
                        yield _sample(call, prompt)
        except Exception:  # noqa: BLE001 - whatever a recording holds: an estimate does without it
            return

    def _priced(self, call: Call, then: Call, found: Estimate) -> Call:
        """The call with its estimate, and every figure of it in dollars."""
        drift = found.drift
        call = replace(call, reported_cost=None)  # of the recorded request

        def cost(usage: Usage | None) -> Decimal | None:
            return None if usage is None else self._price(replace(call, usage=usage)).cost

        drift = replace(
            drift,
            cost_low=cost(drift.low),
            cost_high=cost(drift.high),
            cost_cold=cost(drift.cold),
            cost_recorded=self._price(replace(then, usage=drift.recorded_usage)).cost,
        )
        return self._price(replace(call, usage=found.usage, drift=drift))

    def _as_recorded(self, call: Call, usage: Usage, reason: str) -> Call:
        """The call at what its recording used, with why that is all that can be said."""
        priced = self._price(replace(call, usage=usage))
        drift = Drift(
            recorded_usage=usage,
            low=usage,
            high=None,
            cost_low=priced.cost,
            cost_recorded=priced.cost,
            reasons=(reason,),
        )
        return replace(priced, drift=drift)


def _uncounted(text: str) -> int:  # noqa: ARG001 - for calls of which no segments are kept
    return 0


def _sample(call: Call, prompt: Prompt) -> Sample:
    return Sample(provider=call.provider, api=call.api, model=call.model or "", prompt=prompt, usage=call.usage)
