import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from pytest_tokenbudget.traffic.canonical import Forms, same_request
from pytest_tokenbudget.traffic.volatile import Volatile

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


def calls(*ids: str) -> dict[str, Any]:
    """A conversation in OpenAI's words, with a call and a result for each id."""
    said: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]
    for name in ids:
        said.append({"role": "assistant", "tool_calls": [{"id": name, "function": {"name": "f", "arguments": "{}"}}]})
        said.append({"role": "tool", "tool_call_id": name, "content": "found"})
    return {"model": "m", "messages": said}


@pytest.mark.parametrize(
    ("sent", "recorded", "same"),
    [
        (calls("a", "b"), calls("x", "y"), True),
        (calls("a", "b"), calls("b", "a"), True),
        (calls("a", "a"), calls("x", "x"), True),
        (calls("a", "a"), calls("x", "y"), False),
        (calls("a", "b"), calls("x", "x"), False),
    ],
)
def test_ids_of_tool_calls_matter_only_by_what_belongs_together(sent: Any, recorded: Any, *, same: bool) -> None:
    assert same_request(request(json.dumps(sent)), request(json.dumps(recorded))) is same


def said(*blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


@pytest.mark.parametrize(
    "asked",
    [
        lambda name: said({"type": "tool_use", "id": name}, {"type": "tool_result", "tool_use_id": name}),
        lambda name: said({"toolUse": {"toolUseId": name, "name": "f"}}, {"toolResult": {"toolUseId": name}}),
        lambda name: {"input": [{"type": "function_call", "call_id": name, "id": f"fc_{name}"}, {"call_id": name}]},
        lambda name: {"contents": [{"parts": [{"functionCall": {"id": name}}, {"functionResponse": {"id": name}}]}]},
        *[
            lambda name, field=field: ASKED | {field: {"any": name}}
            for field in ("metadata", "user", "safety_identifier", "prompt_cache_key", "requestMetadata", "labels")
        ],
    ],
)
def test_ids_and_labels_of_every_provider_are_left_out(asked: Any) -> None:
    assert same_request(request(json.dumps(asked("one"))), request(json.dumps(asked("two"))))


@pytest.mark.parametrize(
    "changed",
    [
        {"store": True},
        {"service_tier": "flex"},
        {"previous_response_id": "resp_1"},
        {"stream": True},
        {"stream_options": {"include_usage": True}},
        {"seed": 1},
        {"tools": []},
        {"response_format": {"type": "json_object"}},
    ],
)
def test_what_changes_the_answer_or_its_price_is_not_left_out(changed: Any) -> None:
    assert not same_request(request(json.dumps(ASKED)), request(json.dumps(ASKED | changed)))


def test_no_id_is_an_id_that_is_not_in_its_place() -> None:
    one, other = (said({"type": "text", "text": "Hello", "id": name}) for name in ("one", "two"))
    assert not same_request(request(json.dumps(one)), request(json.dumps(other)))


FIELDS = Volatile(["trace_id", "extra_body.session", "messages.sent_at"])


@pytest.mark.parametrize(
    ("sent", "recorded", "same"),
    [
        ({"trace_id": 1}, {"trace_id": 2}, True),
        ({"trace_id": 1}, {}, True),
        ({"deep": [{"trace_id": 1, "a": 1}]}, {"deep": [{"trace_id": 2, "a": 1}]}, True),
        ({"deep": [{"trace_id": 1, "a": 1}]}, {"deep": [{"trace_id": 2, "a": 2}]}, False),
        ({"extra_body": {"session": 1}}, {"extra_body": {"session": 2}}, True),
        ({"session": 1}, {"session": 2}, False),
        ({"messages": [{"sent_at": 1}, {"sent_at": 2}]}, {"messages": [{"sent_at": 3}, {"sent_at": 4}]}, True),
        ({"messages": "text"}, {"messages": "text"}, True),
        ({"messages": [{"sent_at": 1}]}, {"messages": [{"sent_at": 1}, {}]}, False),
    ],
)
def test_the_users_fields_are_left_out_by_name_or_path(sent: Any, recorded: Any, *, same: bool) -> None:
    assert same_request(request(json.dumps(sent)), request(json.dumps(recorded)), FIELDS) is same


@pytest.mark.parametrize(
    ("sent", "recorded", "same"),
    [
        ("a=1&b=2", "b=2&a=1", True),
        ("a=1&b=2", "a=1&b=3", False),
        ("a=1&user=x", "a=1&user=y", True),
        ("a=1&trace_id=x", "a=1", True),
        ("a=%20", "a=+", True),
    ],
)
def test_forms_are_compared_by_their_fields(sent: str, recorded: str, *, same: bool) -> None:
    label = "application/x-www-form-urlencoded"
    assert same_request(request(sent, content_type=label), request(recorded, content_type=label), FIELDS) is same


@pytest.mark.parametrize(
    "odd",
    [
        b"[1, 2]",
        b'"text"',
        b"{}",
        b'{"messages": {"a": [1, 2, 3]}}',
        b'{"messages": [[1], "a", null, 1.5]}',
        b'{"messages": [{"content": [{"type": ["odd"]}], "tool_calls": {"id": 1}, "parts": [null]}]}',
        b'{"input": [' + b",".join([b"1"] * 5000) + b"]}",
        b'{"a": 1e400}',
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b'{"model": 7, "stream": "yes"}',
        b"\xef\xbb\xbf{}",
        b"  {}",
        b"[" * 5000,
    ],
)
def test_any_body_has_a_form_and_words_in_its_parts(odd: bytes) -> None:
    forms = Forms()
    form = forms.of(request(odd))
    assert form == Forms(Volatile(["a.b"])).of(request(odd))
    assert all(forms.words(part) for part in form.parts)
