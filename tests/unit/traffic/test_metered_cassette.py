"""The client of a metered cassette sees what it would see without us, whatever goes wrong inside."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import vcr.cassette
from vcr.errors import UnhandledHTTPRequestError
from vcr.request import Request

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.traffic import cassette as seam
from pytest_tokenbudget.traffic import claims, intake
from pytest_tokenbudget.wire import read

URL = "https://api.openai.com/v1/chat/completions"
BODY = b'{"model": "m", "messages": []}'
USAGE = b'{"model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}'


def request(body: Any = BODY) -> Request:
    return Request("POST", URL, body, {})


def response(body: Any = USAGE) -> dict[str, Any]:
    return {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}}


def measured(exchange: Exchange) -> Call | Skipped:
    return read(exchange, count)


class Desk:
    """A meter with one running task, and the exchanges that reached it."""

    def __init__(self) -> None:
        self.seen: list[Exchange] = []
        self.task = TaskMeter("test", Budget())
        self.meter = Meter(self._read, lambda *_: None)
        self.meter.enter(self.task)

    def _read(self, exchange: Exchange) -> Call | Skipped:
        self.seen.append(exchange)
        return measured(exchange)

    @property
    def obtained(self) -> list[str]:
        return [exchange.obtained for exchange in self.seen]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk()
    seam.install()
    detach = intake.attach(made.meter, tmp_path)
    yield made
    detach()


def tape(tmp_path: Path, *stored: tuple[Any, Any], **options: Any) -> Any:
    made = vcr.cassette.Cassette(str(tmp_path / "tape.yaml"), **options)
    made.data, made.rewound = list(stored), True
    return made


def send(cassette: Any, asked: Request, answer: Any) -> None:
    """What a stub does."""
    assert not cassette.can_play_response_for(asked)
    cassette.append(asked, answer)


def test_a_sent_request_is_metered_with_its_time_and_place(desk: Desk, tmp_path: Path) -> None:
    cassette = tape(tmp_path)
    send(cassette, request(), response())
    (exchange,) = desk.seen
    assert (exchange.obtained, exchange.source, exchange.index) == ("recorded", "tape.yaml", 0)
    assert exchange.seconds is not None
    assert exchange.started_at is not None
    assert exchange.started_at.tzinfo is not None


def test_a_played_answer_is_metered_with_its_place(desk: Desk, tmp_path: Path) -> None:
    cassette = tape(tmp_path, (request(b"other"), response()), (request(), response()))
    assert cassette.play_response(request()) is cassette.data[1][1]
    assert cassette.play_response(request()) is cassette.data[0][1]
    assert [(seen.obtained, seen.index, seen.seconds) for seen in desk.seen] == [
        ("replayed", 1, None),
        ("drifted", 0, None),
    ]
    assert [seen.recorded and seen.recorded.body for seen in desk.seen] == [None, b"other"]


def test_a_request_that_nothing_answers_fails_as_vcrpys(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UnhandledHTTPRequestError):
        tape(tmp_path).play_response(request())
    assert desk.seen == []


def test_answers_put_in_by_hand_are_not_traffic(desk: Desk, tmp_path: Path) -> None:
    cassette = tape(tmp_path)
    cassette.append(request(), response())
    assert len(cassette) == 1
    assert desk.seen == []


def test_a_redirected_request_is_metered_with_each_answer(desk: Desk, tmp_path: Path) -> None:
    # aiohttp's stub asks once, and appends requests that it makes up
    cassette = tape(tmp_path)
    asked = request()
    assert not cassette.can_play_response_for(asked)
    cassette.append(request(), response())
    cassette.append(request(), response())
    assert desk.obtained == ["recorded", "recorded"]


def test_the_request_is_metered_as_it_was_sent_whatever_filters_do(desk: Desk, tmp_path: Path) -> None:
    def scrub(asked: Request) -> Request:
        asked.body = b"scrubbed"
        return asked

    cassette = tape(tmp_path, before_record_request=scrub)
    asked = request()
    cassette._tokenbudget.sent[asked] = claims.Sent()  # noqa: SLF001 - asking would scrub it before it is sent
    cassette.append(asked, response())
    assert desk.seen[0].request_body == BODY


@pytest.mark.parametrize("name", ["before_record_request", "before_record_response"])
def test_an_answer_that_a_filter_drops_is_live(desk: Desk, tmp_path: Path, name: str) -> None:
    cassette = tape(tmp_path, **{name: lambda _: None})
    send(cassette, request(), response())
    assert [(seen.obtained, seen.source, seen.index) for seen in desk.seen] == [("live", None, None)]
    assert len(cassette) == 0


def test_an_answer_on_which_a_filter_fails_is_live(desk: Desk, tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise LookupError

    cassette = tape(tmp_path, before_record_response=fail)
    with pytest.raises(LookupError):
        send(cassette, request(), response())
    assert desk.obtained == ["live"]


@pytest.mark.parametrize("record_mode", ["none", "all"])
def test_an_answer_that_a_stub_keeps_for_itself_is_counted_once(desk: Desk, tmp_path: Path, record_mode: str) -> None:
    # aiohttp's, for a request that the filter drops: it asks, sends, and asks the filter
    mode = vcr.cassette.RecordMode(record_mode)
    cassette = tape(tmp_path, before_record_request=lambda _: None, record_mode=mode)
    asked = request()
    assert not cassette.can_play_response_for(asked)
    assert not (cassette.write_protected and cassette.filter_request(asked))
    assert desk.seen == []
    assert not cassette.filter_request(asked)
    assert not cassette.filter_request(asked)
    assert [(seen.obtained, seen.status, seen.request_body) for seen in desk.seen] == [("live", 0, BODY)]
    assert [entry.call.status for entry in desk.task.calls] == ["missing"]


@pytest.mark.parametrize(
    "answer", [None, {}, "text", {"status": None}, {"body": object()}, {"headers": 7, "status": {}}, {"body": {}}]
)
def test_no_answer_is_too_odd_for_the_client_to_get(desk: Desk, tmp_path: Path, answer: Any) -> None:
    cassette = tape(tmp_path, (request(), answer))
    assert cassette.play_response(request()) is answer
    assert desk.task.exchanges == len(desk.task.calls) == 1
    assert desk.task.calls[0].call.status == "missing"


def test_no_body_is_read_away_from_the_client(desk: Desk, tmp_path: Path) -> None:
    cassette = tape(tmp_path)
    asked = request(iter([BODY[:5], BODY[5:]]))
    send(cassette, asked, response())
    assert b"".join(asked.body) == BODY
    assert desk.seen[0].request_body == BODY


def test_a_huge_body_passes(desk: Desk, tmp_path: Path) -> None:
    body = b'{"model": "m", "pad": "' + b"x" * 20_000_000 + b'"}'
    answer = response()
    cassette = tape(tmp_path, (request(body), answer))
    assert cassette.play_response(request(body.replace(b": ", b":"))) is answer
    assert desk.obtained == ["replayed"]


def test_a_request_of_no_known_kind_is_vcrpys_own_affair(desk: Desk, tmp_path: Path) -> None:
    cassette = tape(tmp_path, match_on=())
    assert not cassette.can_play_response_for("text")
    cassette.append("text", {"answer": 1})
    assert cassette.can_play_response_for("text")
    assert cassette.play_response("text") == {"answer": 1}
    assert desk.seen == []
    assert desk.task.exchanges == 1
    assert desk.task.notes[0].startswith("an exchange could not be read: (no method) (no URL): AttributeError")


class Failing(Meter):
    def after(self, exchange: Exchange) -> None:
        raise ZeroDivisionError(exchange.url)


def test_a_meter_that_raises_does_not_break_the_client(tmp_path: Path) -> None:
    meter = Failing(measured, lambda *_: None)
    seam.install()
    detach = intake.attach(meter, tmp_path)
    try:
        cassette = tape(tmp_path, (request(), response()))
        assert cassette.play_response(request())["status"]["code"] == 200
        send(cassette, request(), response())
        assert len(cassette) == 2
    finally:
        detach()
    assert meter.outside.exchanges == 2
    assert all(note.startswith(f"an exchange could not be read: POST {URL}: Zero") for note in meter.outside.notes)


def test_a_session_inside_another_hands_back_the_seam(desk: Desk, tmp_path: Path) -> None:
    other = Desk()
    detach = intake.attach(other.meter, tmp_path)
    tape(tmp_path, (request(), response())).play_response(request())
    detach()
    tape(tmp_path, (request(), response())).play_response(request())
    assert (other.obtained, desk.obtained) == (["replayed"], ["replayed"])


@pytest.mark.parametrize("base", [vcr.cassette.Cassette, type("Old", (vcr.cassette.Cassette,), {"extra": 7})])
def test_whoever_holds_the_class_makes_metered_cassettes(desk: Desk, base: Any) -> None:
    del desk
    made = base("tape.yaml")
    assert isinstance(made, seam.MeteredCassette)
    assert isinstance(made, base)
    assert type(base("other.yaml")) is type(made)
    assert getattr(made, "extra", 7) == 7
