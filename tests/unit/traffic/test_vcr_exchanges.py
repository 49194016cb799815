from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from vcr.request import Request

from pytest_tokenbudget.traffic.exchanges import body_bytes, exchange_of, header_values, request_line

URL = "https://api.openai.com/v1/chat/completions"


def test_what_stubs_hand_over_becomes_an_exchange() -> None:
    request = Request("post", URL, '{"model": "m"}', {"Content-Type": "application/json"})
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["application/json"], "Set-Cookie": ["a", "b"]},
        "body": {"string": b'{"id": 1}'},
    }

    exchange = exchange_of(request, response, "replayed")

    assert (exchange.method, exchange.url, exchange.status, exchange.obtained) == ("POST", URL, 200, "replayed")
    assert exchange.request_body == b'{"model": "m"}'
    assert exchange.request_headers == {"content-type": "application/json"}
    assert exchange.response_headers == {"content-type": "application/json", "set-cookie": "a"}
    assert exchange.response_body == b'{"id": 1}'


@pytest.mark.parametrize(
    ("response", "status", "body"),
    [
        ({"status_code": 201, "content": "old httpx", "headers": {}}, 201, b"old httpx"),
        ({"status": {"code": "404"}, "body": {"string": "text"}}, 404, b"text"),
        ({"status": 500, "body": "text"}, 500, b"text"),
        ({"status": {"code": 200, "message": "OK"}, "body": {}}, 200, b""),
        ({"status": {"message": "OK"}, "body": {"string": None}}, 0, b""),
        ({"status": None, "headers": None, "body": None}, 0, b""),
        ({"status": {"code": "many"}, "headers": "none", "body": 7}, 0, b""),
        ({}, 0, b""),
        (None, 0, b""),
        ("nothing", 0, b""),
    ],
)
def test_responses_that_lack_or_bend_parts_are_read_as_far_as_they_go(response: Any, status: int, body: bytes) -> None:
    exchange = exchange_of(Request("POST", URL, None, {}), response, "recorded")
    assert (exchange.status, exchange.response_body) == (status, body)
    assert exchange.response_headers == {}


class Unreadable:
    """A body that is no text, no file and no sequence, such as a form of aiohttp's."""


class Broken:
    def read(self) -> bytes:
        raise OSError


def broken() -> Iterator[bytes]:
    yield b"a"
    raise ValueError


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, b""),
        (b"bytes", b"bytes"),
        ("text é", "text é".encode()),
        ("half \ud83d", b"half \xed\xa0\xbd"),
        (bytearray(b"array"), b"array"),
        (memoryview(b"view"), b"view"),
        (BytesIO(b"file"), b"file"),
        (iter([b"a", "b", bytearray(b"c")]), b"abc"),
        (iter([97, 98]), b"ab"),
        ({"model": "m", "n": [1, 2.5, None]}, b'{"model":"m","n":[1,2.5,null]}'),
        ([{"a": 1}], b'[{"a":1}]'),
        ({"a": object()}, b""),
        (Unreadable(), b""),
        (Broken(), b""),
        (broken(), b""),
        (12, b""),
    ],
)
def test_bodies_of_any_kind(body: object, expected: bytes) -> None:
    assert body_bytes(body) == expected


def test_reading_a_file_or_an_iterator_leaves_the_clients_own_alone() -> None:
    file = BytesIO(b"file")
    requests = [Request("POST", URL, file, {}), Request("POST", URL, iter([b"fi", b"le"]), {})]
    for request in requests:
        assert [exchange_of(request, {}, "live").request_body for _ in range(2)] == [b"file"] * 2
    assert file.read() == b"file"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"A": "x", "b": ["y", "z"], "C": ("t",)}, {"a": "x", "b": "y", "c": "t"}),
        ({b"A": b"caf\xe9"}, {"a": "café"}),
        ({"A": [], "B": None, "C": [None]}, {}),
        ({"A": 7}, {"a": "7"}),
        ({"A": "first", "a": "second"}, {"a": "first"}),
        ([("A", ["x", "y"]), ("B", "z")], {"a": "x", "b": "z"}),
        ([("alone",), "ab", 7], {"a": "b"}),
        (None, {}),
        ("text", {}),
        (3, {}),
    ],
)
def test_headers_of_any_kind(headers: object, expected: dict[str, str]) -> None:
    assert header_values(headers) == expected


def test_a_request_line_for_a_note_has_no_query() -> None:
    assert request_line(Request("GET", "https://h/v1?key=secret", None, {})) == "GET https://h/v1"
    assert request_line("no request") == "(no method) (no URL)"
