import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from pytest_tokenbudget.traffic.canonical import same_request

URL = "https://api.openai.com/v1/chat/completions"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}

texts = st.text(st.characters(codec="utf-8"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


def request(body: Any = b"", url: str = URL, method: str = "POST", **headers: str) -> Request:
    return Request(method, url, body, {name.replace("_", "-"): value for name, value in headers.items()})


@given(st.dictionaries(texts, json_values))
def test_neither_spacing_nor_the_order_of_keys_matters(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert same_request(request(json.dumps(value)), request(json.dumps(turned, indent=2, ensure_ascii=False)))


@given(json_values, json_values)
def test_other_json_is_another_request(one: object, other: object) -> None:
    left, right = json.dumps(one, sort_keys=True), json.dumps(other, sort_keys=True)
    assert same_request(request(left), request(right)) == (left == right)


@pytest.mark.parametrize(
    ("sent", "recorded", "same"),
    [
        (request(b"plain"), request("plain"), True),
        (request(b"plain"), request(b"plainer"), False),
        (request(None), request(b""), True),
        (request(None), request(b"{}"), False),
        (request(b"{}"), request(None), False),
        (request({"a": 1}), request('{"a": 1}'), True),
        (request(iter([b"a", b"b"])), request(b"ab"), True),
        (request(b"\xff\xfe"), request(b"\xff\xff"), False),
        (request(b'{"a": 1}', method="PUT"), request(b'{"a": 1}'), False),
        (request(url="https://h"), request(url="https://h/"), True),
        (request(url="https://h:443/a"), request(url="https://h/a"), True),
        (request(url="http://h/a"), request(url="https://h/a"), False),
        (request(url="https://h/a"), request(url="https://h/b"), False),
        (request(url="https://h/a?x=1"), request(url="https://h/a?x=2"), False),
        (request(url="https://h/a?x=1&y=2"), request(url="https://h/a?y=2&x=1"), True),
        (request(url="https://h:none/a"), request(url="https://h/a"), False),
        (request(b"x", authorization="a"), request(b"x", authorization="b"), True),
        (request(gzip.compress(b'{"a":1}', mtime=1)), request(gzip.compress(b'{"a": 1}', mtime=2)), True),
        (request(gzip.compress(b'{"a":1}')), request(gzip.compress(b'{"a":2}')), False),
        (None, request(), False),
    ],
)
def test_same(sent: Any, recorded: Any, same: bool) -> None:  # noqa: FBT001 - a parameter
    assert same_request(sent, recorded) is same


@pytest.mark.parametrize(("text", "same"), [(b"Hello", True), (b"Hello!", False)])
def test_the_boundary_of_a_form_is_drawn_at_random(text: bytes, same: bool) -> None:  # noqa: FBT001 - as above
    sent = request(b"--abc\r\n\r\n" + text + b"\r\n--abc--", content_type="multipart/form-data; boundary=abc")
    recorded = request(b"--xy\r\n\r\nHello\r\n--xy--", content_type='multipart/form-data; charset=x; boundary="xy"')
    assert same_request(sent, recorded) is same
