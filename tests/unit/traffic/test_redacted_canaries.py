"""Secrets in every place and encoding: none is left in what comes out, and what comes out is as good as before."""

import json
from dataclasses import replace

import pytest
from canaries import ANYWHERE, NAMED_PLACES, Canary, Message, canaries, leaks

from pytest_tokenbudget.traffic.redaction import Finding, Redactor
from pytest_tokenbudget.wire.eventstream import decode_frames

Outcomes = list[tuple[Canary, Message, tuple[Finding, ...]]]

ALL = list(canaries())
PLACES = ANYWHERE | NAMED_PLACES


def placed(message: Message) -> bytes:
    return b"\0".join([message.text.encode(), message.url.encode(), repr(message.headers).encode(), message.body])


def cleaned(message: Message, redactor: Redactor) -> tuple[Message, tuple[Finding, ...]]:
    """What would be stored of a message, and what was said of it."""
    if message.part == "text":
        return replace(message, text=redactor.text(message.text)), ()
    if message.part == "request":
        request = redactor.request("POST", message.url, message.headers, message.body)  # type: ignore[arg-type]
        return replace(message, url=request.url, headers=dict(request.headers), body=request.body), request.found
    response = redactor.response(200, message.headers, message.body)  # type: ignore[arg-type]
    return replace(message, headers=dict(response.headers), body=response.body), response.found


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    redactor = Redactor()
    return [(canary, *cleaned(canary.message, redactor)) for canary in ALL]


def test_none_is_left(outcomes: Outcomes) -> None:
    left = [(canary.name, forms) for canary, after, _ in outcomes if (forms := leaks(canary.secret, placed(after)))]
    assert left == []


def test_the_search_sees_each_where_it_was_put() -> None:
    assert len(ALL) >= 500
    assert [canary.name for canary in ALL if not leaks(canary.secret, placed(canary.message))] == []


def test_what_is_clean_stays_as_it_is(outcomes: Outcomes) -> None:
    redactor = Redactor()
    assert [canary.name for canary, after, _ in outcomes if cleaned(after, redactor)[0] != after] == []


def test_what_was_json_is_json_of_the_same_shape(outcomes: Outcomes) -> None:
    def shape(value: object) -> object:
        if isinstance(value, dict):
            return [shape(part) for part in value.values()]
        if isinstance(value, list):
            return [shape(part) for part in value]
        return str if isinstance(value, str) else value

    seen = 0
    for canary, after, _ in outcomes:
        try:
            before = json.loads(canary.message.body)
        except ValueError:
            continue
        assert shape(json.loads(after.body)) == shape(before), canary.name
        seen += 1
    assert seen > len(ALL) / 4


def test_binary_streams_can_still_be_read(outcomes: Outcomes) -> None:
    framed = [
        (canary, after) for canary, after, _ in outcomes if "binary event" in canary.name and "cut" not in canary.name
    ]
    assert framed
    for canary, after in framed:
        had, has = decode_frames(canary.message.body), decode_frames(after.body)
        assert (has.broken, has.cut, len(has.events)) == (0, False, len(had.events)), canary.name


def test_each_is_reported_and_none_is_told(outcomes: Outcomes) -> None:
    for canary, _, found in outcomes:
        told = "\n".join(f"{kind} {place}" for kind, place in found)
        assert told or canary.message.part == "text", canary.name
        assert not leaks(canary.secret, told.encode()), canary.name


@pytest.mark.parametrize("place", PLACES)
def test_equal_secrets_become_equal(place: str) -> None:
    redactor = Redactor()
    one, other = (PLACES[place]("sk-" + "ant-api03-" + letter * 40 + "1") for letter in "ab")
    assert cleaned(one, redactor)[0] == cleaned(one, Redactor())[0]
    if place != "an encoding that nobody knows":  # nothing is left of that but its digest
        assert cleaned(one, redactor)[0] == cleaned(other, redactor)[0]
