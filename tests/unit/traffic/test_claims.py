"""Each recording answers one request: chosen when vcrpy asks, taken when it plays, free again if its client is gone."""

import gc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
import vcr
import vcr.cassette
from conversations import DEFAULT, recorded, request, steps
from vcr.errors import UnhandledHTTPRequestError
from vcr.record_mode import RecordMode

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.traffic import cassette as seam
from pytest_tokenbudget.traffic import intake

HELLO, BYE = steps("Help.", "Hello")[0], steps("Help.", "Bye")[0]


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[list[Exchange]]:
    found: list[Exchange] = []

    def take(exchange: Exchange) -> Skipped:
        found.append(exchange)
        return Skipped(reason="")

    seam.install()
    detach = intake.attach(Meter(take, lambda *_: None), tmp_path, volatile=["trace"])
    yield found
    detach()


def tape(*bodies: Any, kind: Any = None, **options: Any) -> Any:
    made = (kind or vcr.cassette.Cassette)("tape.yaml", **{"match_on": DEFAULT} | options)
    made.data, made.rewound = recorded(*bodies), True
    return made


def play(cassette: Any, asked: Any) -> Any:
    """What a stub does; the number of the answer, or `None` where it would send."""
    return cassette.play_response(asked)["answer"] if cassette.can_play_response_for(asked) else None


def test_what_one_request_was_promised_another_does_not_get(seen: list[Exchange]) -> None:
    cassette = tape(HELLO, HELLO)
    first, second, third = (request(HELLO) for _ in range(3))
    assert cassette.can_play_response_for(first)
    assert cassette.can_play_response_for(second)
    assert not cassette.can_play_response_for(third)
    assert cassette.play_response(second)["answer"] == 1
    assert cassette.play_response(first)["answer"] == 0
    assert [(exchange.obtained, exchange.index) for exchange in seen] == [("replayed", 1), ("replayed", 0)]


def test_a_client_that_is_gone_keeps_nothing(seen: list[Exchange]) -> None:
    cassette = tape(HELLO)
    assert cassette.can_play_response_for(request(HELLO))
    gc.collect()
    assert play(cassette, request(HELLO)) == 0
    assert len(seen) == 1


def test_asking_twice_changes_nothing(seen: list[Exchange]) -> None:
    cassette = tape(HELLO, HELLO)
    asked = request(HELLO)
    assert all(cassette.can_play_response_for(asked) for _ in range(3))
    assert [play(cassette, asked), play(cassette, request(HELLO))] == [0, 1]
    assert len(seen) == 2


def test_a_request_that_was_answered_and_asks_again_keeps_nothing_from_others(seen: list[Exchange]) -> None:
    # urllib3 opens a connection anew, on which the last request is the one before
    cassette = tape(HELLO, HELLO)
    old = request(HELLO)
    assert play(cassette, old) == 0
    assert cassette.can_play_response_for(old)
    assert play(cassette, request(HELLO)) == 1
    assert not cassette.can_play_response_for(old)
    with pytest.raises(UnhandledHTTPRequestError):
        cassette.play_response(old)
    assert len(seen) == 2


def test_a_body_that_was_not_whole_when_asked_is_chosen_for_anew(seen: list[Exchange]) -> None:
    cassette = tape(HELLO, BYE)
    asked = request(b"")
    assert cassette.can_play_response_for(asked)
    asked.body = request(BYE).body
    assert play(cassette, asked) == 1
    assert play(cassette, request(HELLO)) == 0
    assert [exchange.obtained for exchange in seen] == ["replayed", "replayed"]


def test_a_drifted_exchange_says_what_was_recorded(seen: list[Exchange]) -> None:
    cassette = tape(HELLO)
    assert play(cassette, request(BYE, user_agent="x")) == 0
    (exchange,) = seen
    assert (exchange.obtained, exchange.index, exchange.seconds) == ("drifted", 0, None)
    assert exchange.recorded is not None
    assert exchange.recorded.body == request(HELLO).body
    assert exchange.recorded.url == exchange.url


def test_fields_that_the_settings_call_volatile_are_no_drift(seen: list[Exchange]) -> None:
    assert play(tape(HELLO | {"trace": 1}), request(HELLO | {"trace": 2})) == 0
    assert [(exchange.obtained, exchange.recorded) for exchange in seen] == [("replayed", None)]


def test_winding_back_gives_everything_free(seen: list[Exchange]) -> None:
    cassette = tape(HELLO, BYE)
    for _ in range(2):
        assert [play(cassette, request(body)) for body in (BYE, HELLO, HELLO)] == [1, 0, None]
        cassette.rewind()
    cassette.data = recorded(BYE)
    assert play(cassette, request(BYE)) == 0
    assert len(seen) == 5


def test_vcrpys_own_books_are_kept(seen: list[Exchange]) -> None:
    cassette = tape(HELLO, BYE, drop_unused_requests=True)
    cassette._loaded_count = 2  # noqa: SLF001 - as after loading
    assert play(cassette, request(BYE)) == 1
    assert (cassette.play_count, cassette.play_counts, cassette.all_played) == (1, Counter({1: 1}), False)
    assert cassette._played_interactions == [cassette.data[1]]  # noqa: SLF001 - what is kept of a cassette
    assert play(cassette, request(HELLO)) == 0
    assert cassette.all_played
    assert len(seen) == 2


@pytest.mark.parametrize("mode", RecordMode)
@pytest.mark.parametrize("rewound", [True, False])
@pytest.mark.parametrize("repeats", [True, False])
def test_whether_vcrpy_sends_is_vcrpys_to_say(seen: list[Exchange], mode: Any, *, rewound: bool, repeats: bool) -> None:
    wanted = mode is not RecordMode.ALL and (rewound or repeats)
    cassette = tape(HELLO, record_mode=mode, allow_playback_repeats=repeats)
    cassette.rewound = rewound
    asked = [request(HELLO) for _ in range(2)]
    assert [play(cassette, one) is not None for one in asked] == [wanted, wanted and repeats]
    assert len(seen) == wanted + (wanted and repeats)


def test_what_was_just_recorded_answers_the_next(seen: list[Exchange]) -> None:
    cassette = tape(BYE, record_mode=RecordMode.NEW_EPISODES, match_on=(*DEFAULT, vcr.matchers.body))
    asked = request(HELLO)
    assert not cassette.can_play_response_for(asked)
    cassette.append(asked, {"answer": 7})
    assert [play(cassette, request(HELLO)), play(cassette, request(HELLO)), play(cassette, request(BYE))] == [
        7,
        None,
        0,
    ]
    assert [exchange.obtained for exchange in seen] == ["recorded", "replayed", "replayed"]


def test_the_users_filter_is_asked_as_often_as_by_vcrpy(seen: list[Exchange]) -> None:
    def ask(cassette: Any) -> list[str]:
        asked: list[str] = []
        cassette._before_record_request = lambda one: asked.append(one.uri) or one  # noqa: SLF001 - the user's
        play(cassette, request(HELLO))
        play(cassette, request(HELLO))
        return asked

    detach = intake.attach(None, "")  # type: ignore[arg-type]  # as without a session
    plain = ask(tape(HELLO))
    detach()
    assert ask(tape(HELLO)) == plain
    assert len(seen) == 1


def test_a_filter_that_sends_requests_of_its_own_does_not_disturb(seen: list[Exchange]) -> None:
    cassette = tape(BYE, HELLO)

    def nested(asked: Any) -> Any:
        if asked.headers.get("by") != "filter" and not seen:
            play(cassette, request(BYE, by="filter"))
        return asked

    cassette._before_record_request = nested  # noqa: SLF001 - the user's
    assert cassette.can_play_response_for(asked := request(HELLO))
    assert cassette.play_response(asked)["answer"] == 1
    assert [exchange.index for exchange in seen] == [0, 1]


class Finds(vcr.cassette.Cassette):  # type: ignore[misc]  # vcrpy ships no types
    def _responses(self, _: Any) -> Iterator[Any]:
        yield from ((index, answer) for index, (_, answer) in reversed(list(enumerate(self.data))))


def test_a_class_that_finds_its_own_answers_is_left_to_it(seen: list[Exchange]) -> None:
    cassette = tape(HELLO, BYE, HELLO, kind=Finds)
    assert [play(cassette, request(HELLO)) for _ in range(4)] == [2, 1, 0, None]
    assert [exchange.obtained for exchange in seen] == ["replayed", "drifted", "replayed"]


def test_external_lookups_are_vcrpys(seen: list[Exchange]) -> None:
    cassette = tape(HELLO, BYE, HELLO)
    assert play(cassette, request(HELLO)) == 0
    assert [found["answer"] for found in cassette.responses_of(request(HELLO))] == [0, 1, 2]
    assert request(HELLO) in cassette
    assert len(seen) == 1


@pytest.mark.parametrize("edit", ["", " Be brief."], ids=["exact", "drifted"])
@pytest.mark.parametrize("threads", [2, 16])
def test_threads_each_get_their_own(seen: list[Exchange], threads: int, edit: str) -> None:
    asked = [f"question {number} on matter {number * 17}" for number in range(300)]
    cassette = tape(*(steps("Help.", text)[0] for text in asked))
    order = list(range(300))
    Random(threads).shuffle(order)  # noqa: S311 - no secret
    with ThreadPoolExecutor(threads) as pool:
        sent = [request(steps(f"Help.{edit}", asked[number])[0]) for number in order]
        assert list(pool.map(lambda one: play(cassette, one), sent)) == order
    assert sorted(exchange.index or 0 for exchange in seen) == list(range(300))


def test_threads_that_ask_the_same_share_what_there_is(seen: list[Exchange]) -> None:
    cassette = tape(*[HELLO] * 200)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: play(cassette, request(HELLO)), range(300)))
    assert sorted(number for number in got if number is not None) == list(range(200))
    assert got.count(None) == 100
    assert len(seen) == 200
