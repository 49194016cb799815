from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier, Event, Thread

import pytest
from builders import make_budget, make_call
from msgspec.structs import replace

from pytest_tokenbudget.errors import RecordingMiss
from pytest_tokenbudget.meter.session import OUTSIDE, Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.task import TaskCall
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.wire import read

EXCHANGE = Exchange(method="POST", url="https://api.openai.com/v1/chat?key=secret", status=200, obtained="replayed")


def a_call(_: Exchange) -> Call:
    return make_call("0.01", api="openai.chat")


def an_embedding(_: Exchange) -> Call:
    return make_call("0.01", api="openai.embeddings")


def no_call(_: Exchange) -> Skipped:
    return Skipped(reason="not model traffic")


def breaks(_: Exchange) -> Call:
    message = "the body says sk-ant-secret"
    raise ValueError(message)


@pytest.fixture
def kept() -> list[tuple[str, TaskCall]]:
    return []


@pytest.fixture
def meter(kept: list[tuple[str, TaskCall]]) -> Callable[..., Meter]:
    def make(read: Callable[[Exchange], Call | Skipped] = a_call) -> Meter:
        return Meter(read, lambda task, entry: kept.append((task.id, entry)))

    return make


def test_exchanges_go_to_the_task_that_is_running(
    meter: Callable[..., Meter], kept: list[tuple[str, TaskCall]]
) -> None:
    found = meter()
    first, second = TaskMeter("a"), TaskMeter("b")
    found.after(EXCHANGE)
    assert found.enter(first) is None
    found.after(EXCHANGE)
    with found.running(second):
        found.after(EXCHANGE)
        found.after(EXCHANGE)
    found.after(EXCHANGE)
    assert found.enter(None) is first
    assert (len(found.outside.calls), len(first.calls), len(second.calls)) == (1, 2, 2)
    assert [task for task, _ in kept] == [OUTSIDE, "a", "b", "b", "a"]


def test_threads_share_the_running_task(meter: Callable[..., Meter]) -> None:
    found, task = meter(), TaskMeter("a")
    with found.running(task), ThreadPoolExecutor(8) as pool:
        list(pool.map(found.after, [EXCHANGE] * 400))
    assert (task.exchanges, len(task.calls)) == (400, 400)
    assert sorted(entry.step or 0 for entry in task.calls) == list(range(1, 401))


def test_steps_number_billed_generating_calls_alone() -> None:
    task = TaskMeter("a")
    for reader in (a_call, an_embedding, no_call, a_call):
        task.receive(EXCHANGE, reader)
    closed = task.close("passed")
    assert [entry.step for entry in closed.calls] == [1, None, 2]
    assert (closed.exchanges, len(closed.skipped)) == (4, 1)


def test_the_phase_is_that_of_the_moment() -> None:
    task = TaskMeter("a")
    for phase in ("setup", "call", "teardown"):
        task.phase = phase
        task.receive(EXCHANGE, a_call)
    assert [entry.phase for entry in task.calls] == ["setup", "call", "teardown"]


def test_what_cannot_be_read_stays_counted_and_is_named_without_its_secrets(meter: Callable[..., Meter]) -> None:
    found, task = meter(breaks), TaskMeter("a", make_budget(usd=1), named=True)
    with found.running(task):
        found.after(EXCHANGE)
    assert task.judge(finished=True).state == "unknown"
    closed = task.close("failed")
    assert (closed.exchanges, closed.calls, closed.skipped) == (1, (), ())
    [note] = closed.notes
    assert note.startswith(
        "an exchange could not be read: POST https://api.openai.com/v1/chat: ValueError at test_meter.py:"
    )
    assert "secret" not in note


def test_what_traffic_lost_is_counted_too(meter: Callable[..., Meter]) -> None:
    found = meter()
    found.lost("POST https://api.openai.com/v1/chat", ValueError("no"))
    assert (found.outside.exchanges, found.outside.notes) == (
        1,
        ["an exchange could not be read: POST https://api.openai.com/v1/chat: ValueError"],
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [(OSError(28, "No space left on device"), "No space left on device"), (ValueError("odd"), "ValueError('odd')")],
)
def test_a_call_that_cannot_be_kept_is_measured_and_said_once(error: Exception, said: str) -> None:
    def full(*_: object) -> None:
        raise error

    found, task = Meter(a_call, full), TaskMeter("a")
    with found.running(task):
        found.after(EXCHANGE)
        found.after(EXCHANGE)
    assert len(task.calls) == 2
    assert task.notes == [f"calls could not be kept on disk while the test ran: {said}"]


def test_the_first_stop_is_kept(meter: Callable[..., Meter]) -> None:
    found, task = meter(), TaskMeter("a")
    first, second = RecordingMiss("one"), RecordingMiss("two")
    with found.running(task):
        found.latch(first)
        found.latch(second)
    assert task.stop is first
    found.latch(second)
    assert found.outside.stop is second


def test_an_attempt_begins_anew_and_keeps_the_one_before() -> None:
    task = TaskMeter("a", make_budget(steps=1), named=True)
    task.receive(EXCHANGE, a_call)
    task.receive(EXCHANGE, a_call)
    task.receive(EXCHANGE, breaks)
    task.stop = RecordingMiss("no")
    task.judge(finished=True)
    task.restart()
    assert (task.phase, task.stop, task.exchanges, task.verdict.state) == ("setup", None, 0, "unlimited")
    task.receive(EXCHANGE, a_call)
    assert task.judge(finished=True).state == "within"
    closed = task.close("passed")
    assert [(attempt.outcome, len(attempt.calls), attempt.verdict.blocks) for attempt in closed.earlier] == [
        ("rerun", 2, True)
    ]
    assert [entry.step for entry in closed.calls] == [1]
    assert len(closed.notes) == 1
    assert (closed.totals.calls, closed.all_attempts.calls) == (1, 3)


def test_finished_is_remembered_until_said_otherwise() -> None:
    task = TaskMeter("a", make_budget(usd=1), named=True)
    assert task.judge(finished=True).state == "unmeasured"
    assert task.judge().state == "unmeasured"
    assert task.judge(finished=False).state == "within"


def test_a_budget_may_change_while_the_task_runs() -> None:
    task = TaskMeter("a")
    task.receive(EXCHANGE, a_call)
    task.receive(EXCHANGE, a_call)
    assert task.judge(finished=True).state == "unlimited"
    task.name(make_budget(steps=1), named=True)
    assert task.judge().state == "blocked"


def test_judging_while_another_thread_reads_loses_nothing() -> None:
    """An exchange that is being read right now is not one that could not be read."""
    task = TaskMeter("a", make_budget(usd=1), named=True)
    reading, judged = Event(), Barrier(2)

    def slowly(exchange: Exchange) -> Call:
        reading.set()
        judged.wait(10)
        return a_call(exchange)

    thread = Thread(target=task.receive, args=[EXCHANGE, slowly])
    thread.start()
    assert reading.wait(10)
    verdict = task.judge(finished=False)
    judged.wait(10)
    thread.join()
    assert verdict.state == "within"
    assert task.judge().state == "within"


def test_the_calls_are_those_that_were_read() -> None:
    task = TaskMeter("a")
    entry = task.receive(EXCHANGE, a_call)
    assert entry == TaskCall(call=replace(make_call("0.01"), api="openai.chat"), phase="setup", step=1)
    assert task.receive(EXCHANGE, no_call) is None


def test_a_poll_tells_the_cost_of_the_background_request_that_started_it() -> None:
    url = "https://api.openai.com/v1/responses"
    body = b'{"id": "resp_1", "model": "gpt-5-mini", "status": "%s", "output": [], "usage": %s}'
    usage = b'{"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1050}'
    start = Exchange(
        method="POST",
        url=url,
        request_body=b'{"model": "gpt-5-mini", "background": true, "input": "Hello"}',
        status=200,
        response_body=body % (b"queued", b"null"),
        obtained="replayed",
    )
    waiting = replace(start, method="GET", url=f"{url}/resp_1", request_body=b"")
    ended = replace(waiting, response_body=body % (b"completed", usage))
    prices = PriceTable()
    task = TaskMeter("a", make_budget(usd=1), named=True)

    for exchange in (start, waiting):
        task.receive(exchange, lambda passed: read(passed, count), prices.charge)
    assert [entry.call.cost for entry in task.calls] == [None, Decimal(0)]
    assert task.judge(finished=True).state == "unknown"

    for _ in range(2):
        task.receive(ended, lambda passed: read(passed, count), prices.charge)
    # 1,000 x $0.25/M + 50 x $2/M, once, however often it is polled
    assert [entry.call.cost for entry in task.calls] == [Decimal("0.00035"), Decimal(0), Decimal(0), Decimal(0)]
    assert [entry.step for entry in task.calls] == [1, None, None, None]
    assert task.judge(finished=True).state == "within"


def test_results_of_a_batch_that_come_again_are_kept_as_free() -> None:
    line = b'{"custom_id": "a", "result": {"type": "succeeded", "message": {"model": "claude-opus-4-5", %s}}}'
    results = Exchange(
        method="GET",
        url="https://api.anthropic.com/v1/messages/batches/msgbatch_1/results",
        status=200,
        response_body=line % b'"type": "message", "usage": {"input_tokens": 1000, "output_tokens": 100}',
        obtained="live",
    )
    task = TaskMeter("a", make_budget(usd=1), named=True)
    first, again = (task.receive(results, lambda passed: read(passed, count), PriceTable().charge) for _ in range(2))
    assert first is not None
    assert again is not None
    # 1,000 x $2.50/M + 100 x $12.50/M
    assert (first.call.cost, again.call.cost, again.call.status) == (Decimal("0.00375"), Decimal(0), "unbilled")
    assert tuple(task.calls) == (first, again)
