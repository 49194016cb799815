"""Model requests of which no answer was measured: whose they are, that they are kept, and what they do to a verdict."""

import pytest
from builders import make_budget

from pytest_tokenbudget.errors import EscapeRefused, RecordingMiss
from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.task import Stray

ESCAPED = Stray(kind="escaped", request="POST https://api.openai.com/v1/responses", how="aiohttp")
REFUSED = Stray(kind="refused", request="POST https://api.openai.com/v1/responses", how="httpcore")


def unread(_: Exchange) -> Call:
    pytest.fail("nothing is read")


def make_meter(kept: list[tuple[str, Stray]]) -> Meter:
    return Meter(unread, lambda *_: None, keep_stray=lambda task, stray: kept.append((task.id, stray)))


def test_it_is_the_running_tasks_unless_another_is_named() -> None:
    kept: list[tuple[str, Stray]] = []
    meter = make_meter(kept)
    one, other = TaskMeter("one"), TaskMeter("other")
    meter.stray(ESCAPED)
    with meter.running(one):
        meter.stray(ESCAPED)
        meter.stray(REFUSED, other)
    assert (meter.outside.strays, one.strays, other.strays) == ([ESCAPED], [ESCAPED], [REFUSED])
    assert [name for name, _ in kept] == [meter.outside.id, "one", "other"]


def test_one_that_cannot_be_kept_is_counted_and_said_once() -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    meter = Meter(unread, lambda *_: None, keep_stray=full)
    meter.stray(ESCAPED)
    meter.stray(ESCAPED)
    assert len(meter.outside.strays) == 2
    assert meter.outside.notes == ["calls could not be kept on disk while the test ran: No space left on device"]


def test_a_stop_is_latched_where_it_belongs() -> None:
    meter = make_meter([])
    one, other = TaskMeter("one"), TaskMeter("other")
    stop = EscapeRefused("not sent")
    with meter.running(one):
        meter.latch(stop, other)
        meter.latch(RecordingMiss("none left"), other)
    assert (one.stop, other.stop) == (None, stop)


def test_an_attempt_is_judged_by_its_own_strays_and_the_task_has_them_all() -> None:
    task = TaskMeter("one", make_budget(usd=1), named=True)
    task.stray(ESCAPED)
    assert task.judge(finished=True).state == "unknown"
    task.restart()
    assert not task.strayed_since
    assert task.judge(finished=True).state == "unmeasured"
    closed = task.close("passed")
    assert (closed.strays, closed.traffic) == ((ESCAPED,), "escaped")


def test_a_verdict_tells_whether_something_strayed_since() -> None:
    task = TaskMeter("one", make_budget(usd=1))
    assert not task.strayed_since
    task.stray(ESCAPED)
    assert task.strayed_since
    task.judge()
    assert not task.strayed_since
    task.stray(REFUSED)
    assert task.strayed_since
