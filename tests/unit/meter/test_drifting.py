import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.drift import Drift
from pytest_tokenbudget.model.exchange import Exchange, RecordedRequest
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.tokens import count, estimate
from pytest_tokenbudget.tokens.counting import counter_for
from pytest_tokenbudget.wire import read

CHAT = "https://api.openai.com/v1/chat/completions"
MODEL = "gpt-5-mini"
LABEL = {"content-type": "application/json"}
OLD, NEW = "Where is my order?", "Where is my order 4711, and when does it arrive? Answer in one sentence, please."


def body(text: str, **more: Any) -> bytes:
    return json.dumps({"model": MODEL, "messages": [{"role": "user", "content": text}], **more}).encode()


def answered(text: str = OLD, **fields: Any) -> Exchange:
    """An exchange as it was recorded: 1,000 tokens in, 400 of them from the cache, and 50 out."""
    answer = {
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Soon."}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 1000,
            "completion_tokens": 50,
            "total_tokens": 1050,
            "prompt_tokens_details": {"cached_tokens": 400},
        },
    }
    given: dict[str, Any] = {
        "method": "POST",
        "url": CHAT,
        "request_body": body(text),
        "request_headers": LABEL,
        "status": 200,
        "response_headers": LABEL,
        "response_body": json.dumps(answer).encode(),
        "obtained": "replayed",
    }
    return Exchange(**given | fields)


def drifted(text: str = NEW, *, recorded: RecordedRequest | None = None, **fields: Any) -> Exchange:
    """The answer to `OLD`, given to a request with another text."""
    old = recorded or RecordedRequest(url=CHAT, body=body(OLD), headers=LABEL)
    return answered(text, obtained="drifted", recorded=old, **fields)


@pytest.fixture
def charge() -> Callable[[Call], Call]:
    return PriceTable().charge


@pytest.fixture
def take(charge: Callable[[Call], Call]) -> Callable[..., Call]:
    def make(exchange: Exchange, reader: Callable[[Exchange], Call | Skipped] | None = None) -> Call:
        meter = Meter(reader or (lambda seen: read(seen, count)), lambda *_: None, price=charge)
        meter.after(exchange)
        assert meter.outside.notes == []
        [entry] = meter.outside.calls
        return entry.call

    return make


def told(call: Call) -> Drift:
    assert call.drift is not None
    return call.drift


def test_a_drifted_call_becomes_an_estimate_and_each_end_of_it_is_priced(
    take: Callable[..., Call], charge: Callable[[Call], Call]
) -> None:
    call = take(drifted())
    drift = told(call)
    added = counter_for(MODEL).count(NEW) - counter_for(MODEL).count(OLD)
    assert added > 10
    assert call.obtained == "drifted"
    assert call.status == "exact"
    assert call.usage.total_input == 1000 + added
    assert call.usage.output == 50
    assert drift.recorded_usage == Usage(input=600, cache_read=400, output=50)
    assert drift.counter == "o200k_base"
    assert drift.first is not None
    assert (drift.first.kind, drift.first.position, drift.first.byte) == ("user", 0, len("Where is my order"))
    # $0.25 and $2 per million tokens, $0.025 from the cache
    assert drift.cost_recorded == Decimal("0.00026")
    assert drift.high is not None
    assert drift.cold is not None
    for usage, cost in (
        (call.usage, call.cost),
        (drift.low, drift.cost_low),
        (drift.high, drift.cost_high),
        (drift.cold, drift.cost_cold),
    ):
        again = take(answered()), charge
        assert cost == charge(Call(**{**fields_of(again[0]), "usage": usage, "cost": None})).cost
    assert drift.cost_low is not None
    assert call.cost is not None
    assert drift.cost_high is not None
    assert drift.cost_low < call.cost < drift.cost_high


def fields_of(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in call.__struct_fields__}


def test_what_asks_the_model_the_same_is_exact(take: Callable[..., Call]) -> None:
    call = take(drifted(OLD))
    assert call.usage.total_input == 1000
    assert told(call).first is None


def test_a_shorter_prompt_costs_less(take: Callable[..., Call]) -> None:
    old = RecordedRequest(url=CHAT, body=body(NEW), headers=LABEL)
    call = take(drifted(OLD, recorded=old))
    assert call.usage.total_input < 1000
    assert call.cost is not None
    assert call.cost < told(call).cost_recorded  # type: ignore[operator]


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        (drifted(recorded=RecordedRequest(url=CHAT, body=b"{", headers=LABEL)), "the recorded request"),
        (drifted(recorded=RecordedRequest(url="https://example.test/")), "the recorded request"),
        (drifted(request_body=b"{"), "the present request"),
        (
            drifted(
                recorded=RecordedRequest(
                    url="https://api.openai.com/v1/responses", body=b'{"model": "m"}', headers=LABEL
                )
            ),
            "went to openai.responses, this one to openai.chat",
        ),
        (drifted(response_body=b'{"model": "gpt-5-mini", "usage": {"prompt_tokens": 9}}'), "only a lower bound"),
    ],
)
def test_what_cannot_be_estimated_keeps_its_recorded_usage_and_says_why(
    take: Callable[..., Call], exchange: Exchange, reason: str
) -> None:
    call = take(exchange)
    drift = told(call)
    assert call.usage == drift.recorded_usage
    assert call.obtained == "drifted"
    assert (drift.high, drift.cost_high) == (None, None)
    assert drift.cost_recorded == call.cost
    [said] = drift.reasons
    assert said.startswith("It cannot be estimated: ")
    assert reason in said


def test_another_model_has_its_own_price_and_a_reason(take: Callable[..., Call]) -> None:
    call = take(drifted(request_body=body(OLD).replace(b"gpt-5-mini", b"gpt-5")))
    drift = told(call)
    assert (call.model, call.usage) == ("gpt-5", drift.recorded_usage)
    # $1.25 and $10 per million tokens, $0.125 from the cache: five times those of gpt-5-mini
    assert call.cost == Decimal("0.0013")
    assert drift.cost_recorded == Decimal("0.00026")
    assert any("gpt-5" in reason for reason in drift.reasons)


def test_a_defect_of_the_estimator_becomes_a_reason(take: Callable[..., Call], monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        message = "the prompt says sk-ant-secret"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(estimate, "estimate", breaks)
    call = take(drifted())
    assert call.usage == Usage(input=600, cache_read=400, output=50)
    assert told(call).high is None
    assert told(call).reasons == ("It cannot be estimated: ZeroDivisionError while the requests were compared.",)


def test_an_error_costs_nothing_whatever_was_asked(take: Callable[..., Call]) -> None:
    call = take(drifted(status=429, response_body=b"{}"))
    assert call.cost == 0
    assert (told(call).low, told(call).high, told(call).cost_high) == (Usage(), Usage(), Decimal(0))


def test_missing_usage_stays_missing(take: Callable[..., Call]) -> None:
    call = take(drifted(response_body=b'{"model": "gpt-5-mini", "choices": []}'))
    assert (call.status, call.drift, call.cost) == ("missing", None, None)


def test_an_api_with_a_fee_by_the_call_costs_the_same(take: Callable[..., Call]) -> None:
    fee = Call(
        provider="search",
        api="search.external",
        host="search.test",
        status="exact",
        usage=Usage(fees={"request": 1}),
        obtained="drifted",
    )
    call = take(drifted(), lambda _: fee)
    assert told(call).low == told(call).high == call.usage == fee.usage


def test_a_drifted_call_of_unknown_recording_is_as_before(take: Callable[..., Call]) -> None:
    call = take(answered(NEW, obtained="drifted"))
    assert call.drift is None
    assert call.usage == Usage(input=600, cache_read=400, output=50)


def test_what_the_provider_said_the_recorded_request_cost_is_not_said_of_this_one(take: Callable[..., Call]) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050, "cost": 0.00035}
    said = {"model": MODEL, "choices": [], "usage": usage}
    call = take(drifted(response_body=json.dumps(said).encode()))
    assert call.reported_cost is None
    assert call.notes == ()


class Source:
    """Recordings that count how often and how far they are read."""

    def __init__(self, length: int = 3, *, breaks: bool = False) -> None:
        self.length, self.breaks = length, breaks
        self.read: list[int] = []

    def __call__(self) -> Iterator[Exchange]:
        for number in range(self.length):
            self.read.append(number)
            yield answered(f"question {number}")
        if self.breaks:
            message = "a damaged recording"
            raise ValueError(message)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The samples that each estimate was given."""
    seen: list[tuple[Any, ...]] = []
    real = estimate.estimate

    def spy(*args: Any, **options: Any) -> Any:
        seen.append((options["known"], options["earlier"]))
        return real(*args, **options)

    monkeypatch.setattr(estimate, "estimate", spy)
    return seen


def test_recordings_are_read_at_the_first_drift_and_once(
    known: list[tuple[Any, ...]], charge: Callable[[Call], Call]
) -> None:
    meter = Meter(lambda seen: read(seen, count), lambda *_: None, price=charge)
    first, second = Source(), Source(2, breaks=True)
    meter.know(first)
    meter.after(answered())
    assert first.read == []
    meter.after(drifted())
    assert first.read == [0, 1, 2]
    meter.after(drifted("Another text"))
    meter.know(second)
    meter.after(drifted("A third one"))
    samples = [entry[0] for entry in known]
    assert [len(found) for found in samples] == [3, 3, 5]
    assert samples[0] is samples[1]
    assert samples[0][1].prompt.parts[0].text == "question 1"
    assert samples[0][1].usage == Usage(input=600, cache_read=400, output=50)
    assert first.read == [0, 1, 2]
    meter.forget()
    meter.after(drifted())
    assert known[-1][0] == ()


def test_no_more_than_some_hundred_recordings_are_read(
    known: list[tuple[Any, ...]], charge: Callable[[Call], Call]
) -> None:
    meter = Meter(lambda seen: read(seen, count), lambda *_: None, price=charge)
    sources = [Source(250) for _ in range(4)]
    for source in sources:
        meter.know(source)
    meter.after(drifted())
    assert [len(source.read) for source in sources] == [100, 100, 100, 0]
    late = Source()
    meter.know(late)
    meter.after(drifted())
    assert len(known[-1][0]) == 300
    assert late.read == []


def test_an_estimate_knows_what_its_own_task_sent_before(
    known: list[tuple[Any, ...]], charge: Callable[[Call], Call]
) -> None:
    meter = Meter(lambda seen: read(seen, count), lambda *_: None, price=charge)
    task = TaskMeter("a")
    with meter.running(task):
        meter.after(drifted("one"))
        meter.after(drifted("two"))
        task.restart()
        meter.after(drifted("three"))
    meter.after(drifted("four"))
    assert [[prompt.parts[0].text for prompt in entry[1]] for entry in known] == [[], ["one"], [], []]
