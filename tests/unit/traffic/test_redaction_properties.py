"""Whatever comes in: nothing raises, nothing found twice, usage stays, and time grows with the length alone."""

import json
from random import Random

import pytest
from canaries import FORMED, NAMED
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tokenbudget.traffic.redaction import Redactor

REDACTOR = Redactor(["ACME-[0-9]{4}"])
MEGABYTE = 1_000_000
SECRETS = [*FORMED.values(), *NAMED.values(), "ACME-1234"]

noise = st.text() | st.sampled_from(
    ['"', "\\", "\n", "=", ":", "://", "@", "&key=", '"password": "', "Bearer ", "data: ", "REDACTED-"]
)
texts = st.lists(noise | st.sampled_from(SECRETS), max_size=8).map("".join)
names = st.sampled_from(["a", "content", "api_key", "password", "token", "text", "arguments", "usage"]) | texts
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
labels = st.sampled_from(
    [
        "application/json",
        "text/event-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "application/vnd.amazon.eventstream",
    ]
)
headers = st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=2), max_size=2)


@settings(max_examples=60)
@given(st.binary() | texts.map(lambda text: text.encode("utf-8", "surrogatepass")), labels, headers, texts)
def test_anything_can_come_in(body: bytes, label: str, more: dict[str, list[str]], text: str) -> None:
    sent = more | {"content-type": [label], "content-encoding": ["gzip"]}
    once = REDACTOR.request("POST", text, sent, body)
    again = REDACTOR.request("POST", once.url, once.headers, once.body)
    assert (again.url, again.headers, again.body) == (once.url, once.headers, once.body)
    assert once == Redactor(["ACME-[0-9]{4}"]).request("POST", text, sent, body)
    said = REDACTOR.text(text)
    assert REDACTOR.text(said) == said


@settings(max_examples=50)
@given(values)
def test_json_keeps_its_shape(value: object) -> None:
    for ascii_only in (True, False):
        body = json.dumps({"x": value}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        cleaned = REDACTOR.response(200, {}, body).body
        assert _shape(json.loads(cleaned, object_pairs_hook=tuple)) == _shape(json.loads(body, object_pairs_hook=tuple))


def _shape(part: object) -> object:
    """What no redaction may change; keys can be secrets too, and two of them become equal."""
    if isinstance(part, (list, tuple)):
        return [_shape(inner) for inner in part]
    return str if isinstance(part, str) else part


@settings(max_examples=40)
@given(st.lists(texts, min_size=1, max_size=5), st.integers(0, 10**9))
def test_a_stream_keeps_its_events_and_its_usage(said: list[str], count: int) -> None:
    events = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in said]
    events.append({"choices": [], "usage": {"prompt_tokens": count, "completion_tokens": 3}})  # type: ignore[dict-item]
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    cleaned = REDACTOR.response(200, {"content-type": ["text/event-stream"]}, body).body
    lines = cleaned.split(b"\n\n")[:-1]
    assert len(lines) == len(events)
    assert json.loads(lines[-1].removeprefix(b"data: ")) == events[-1]
    assert all(json.loads(line.removeprefix(b"data: "))["choices"] for line in lines[:-1])


@settings(max_examples=50)
@given(st.sampled_from([*FORMED.values()]), st.data())
def test_a_secret_may_be_cut_anywhere(secret: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(secret) - 1), max_size=6)))
    pieces = [secret[start:end] for start, end in zip([0, *cuts], [*cuts, len(secret)], strict=True)]
    body = b"".join(
        b"data: " + json.dumps({"type": "content_block_delta", "index": 0, "delta": {"text": piece}}).encode() + b"\n\n"
        for piece in ["so ", *pieces, " it is"]
    )
    cleaned = REDACTOR.response(200, {"content-type": ["text/event-stream"]}, body).body
    whole = "".join(json.loads(line[6:])["delta"]["text"] for line in cleaned.split(b"\n\n")[:-1])
    assert whole.startswith("so REDACTED-")
    assert whole.endswith(" it is")
    assert len(whole) < len("so  it is") + 40


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "part",
    ["sk-", "a1b2c3d4e5f6g7h8.", "-eyJ", "password=", '"password": "', '\\"', '["a1",', "-----BEGIN PRIVATE KEY-----"],
)
def test_a_megabyte_of_malice(part: str) -> None:
    """A search that goes back over what it has seen would take hours here."""
    malice = part.encode() * (MEGABYTE // len(part))
    REDACTOR.request("POST", "https://a.example/", {}, b'{"x": "' + malice + b'"}')


def test_secrets_do_not_hide_each_other() -> None:
    random = Random(5)  # noqa: S311
    for _ in range(200):
        chosen = random.sample([*FORMED.values()], 3)
        text = random.choice([" ", ",", "\n", "|", '","']).join(chosen)
        cleaned = REDACTOR.text(text)
        assert not any(secret in cleaned for secret in chosen), text
