import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tokenbudget.errors import RecordingError
from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings import read_recordings

URL = "https://api.openai.com/v1/chat/completions"


def interaction(request: Any = None, response: Any = None) -> dict[str, Any]:
    return {
        "request": {"method": "POST", "uri": URL, "headers": {}, "body": "{}"} | (request or {}),
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "{}"}}
        | (response or {}),
    }


def cassette(*interactions: Any) -> str:
    return yaml.dump({"interactions": list(interactions), "version": 1})


def read(path: Path, content: str | bytes) -> list[Exchange | Skipped]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_recordings([path]))


def test_an_interaction_becomes_one_exchange(tmp_path: Path) -> None:
    text = """\
interactions:
- request:
    body: '{"model": "gpt-4o"}'
    headers:
      Content-Type:
      - application/json
      Accept: text/plain
    method: post
    uri: https://api.openai.com/v1/chat/completions
  response:
    body:
      string: "{\\"id\\": 1}"
    headers:
      Content-Encoding: [gzip, br]
      X-Count:
      - 7
      X-Nothing: []
    status:
      code: 201
      message: Created
version: 1
"""
    path = tmp_path / "a.yaml"
    assert read(path, text) == [
        Exchange(
            method="POST",
            url="https://api.openai.com/v1/chat/completions",
            request_headers={"content-type": "application/json", "accept": "text/plain"},
            request_body=b'{"model": "gpt-4o"}',
            status=201,
            response_headers={"content-encoding": "gzip", "x-count": "7"},
            response_body=b'{"id": 1}',
            obtained="replayed",
            source=str(path),
            index=0,
        )
    ]


PACKED = gzip.compress(b'{"a": 1}', mtime=0)


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ({"body": "plein d'é"}, b"plein d'\xc3\xa9"),
        ({"body": b'{"a": 1}'}, b'{"a": 1}'),
        ({"body": PACKED}, PACKED),
        ({"body": {"string": '{"a": 1}'}}, b'{"a": 1}'),
        ({"body": {"string": PACKED}}, PACKED),
        ({"body": {"base64_string": "eyJhIjogMX0="}}, b'{"a": 1}'),
        ({"body": {"base64_string": "eyJhIjogMX0", "encoding": "ASCII-8BIT"}}, b""),
        ({"body": {"string": None}}, b""),
        ({"body": None}, b""),
        ({"body": {}}, b"{}"),
        ({"body": {"model": "m", "n": 1, "stream": False}}, b'{"model":"m","n":1,"stream":false}'),
        ({"body": [{"a": 1.5}, None]}, b'[{"a":1.5},null]'),
        ({"body": [123, 125]}, b"{}"),
        ({"body": ["{", b"}"]}, b"{}"),
        ({"body": [300]}, b"[300]"),
        ({"parsed_body": {"a": [1, "x", None, True]}}, b'{"a":[1,"x",null,true]}'),
        ({"parsed_body": "data: {}\n\n"}, b"data: {}\n\n"),
        ({"parsed_body": None}, b""),
        ({"body": {"string": "…"}, "parsed_body": {"a": 1}}, b'{"a":1}'),
    ],
)
def test_every_form_of_a_body_is_read(tmp_path: Path, message: dict[str, Any], body: bytes) -> None:
    one = interaction()
    for part in ("request", "response"):
        del one[part]["body"]
        one[part] |= message
    [found] = read(tmp_path / "a.yaml", cassette(one))
    assert isinstance(found, Exchange)
    assert (found.request_body, found.response_body) == (body, body)


def test_a_response_of_httpx_under_old_vcrpy_is_read(tmp_path: Path) -> None:
    one = interaction()
    one["response"] = {"content": '{"a": 1}', "headers": {}, "http_version": "HTTP/1.1", "status_code": 404}
    [found] = read(tmp_path / "a.yaml", cassette(one))
    assert isinstance(found, Exchange)
    assert (found.status, found.response_body) == (404, b'{"a": 1}')


def test_a_body_of_bytesio_and_keys_of_multidict_are_read_without_making_objects(tmp_path: Path) -> None:
    text = """\
interactions:
- request:
    body: !!python/object/new:_io.BytesIO
      state: !!python/tuple
      - !!binary |
        aGVsbG8=
      - 0
      - null
    headers:
      ? !!python/object/apply:multidict._multidict.istr
      - Content-Type
      : - x/y
    method: !!python/unicode POST
    uri: !!python/str https://a.test/
  response:
    body: {string: !binary "aGVsbG8="}
    headers: !!python/object/apply:multidict._multidict.CIMultiDict
    - - !!python/tuple
        - !!python/object/apply:multidict._multidict.istr
          - Date
        - today
    status: {code: 200, message: OK}
version: 1
"""
    [found] = read(tmp_path / "a.yaml", text)
    assert isinstance(found, Exchange)
    assert (found.request_body, found.response_body) == (b"hello", b"hello")
    assert (found.request_headers, found.response_headers) == ({"content-type": "x/y"}, {"date": "today"})


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    text = cassette(interaction()).replace("body: '{}'", f"body: !!python/object/apply:os.system ['touch {trap}']")
    [found] = read(tmp_path / "a.yaml", text)
    assert isinstance(found, Exchange)
    assert found.request_body == f"touch {trap}".encode()
    assert not trap.exists()


def test_json_cassettes_are_read(tmp_path: Path) -> None:
    content = json.dumps({"version": 1, "interactions": [interaction(), interaction({"body": "\ud83d"})]})
    one, other = read(tmp_path / "a.json", content)
    assert isinstance(one, Exchange)
    assert isinstance(other, Exchange)
    assert (one.index, other.index, one.url) == (0, 1, URL)
    assert other.request_body == b"\xed\xa0\xbd"


def test_cassettes_of_go_vcr_and_of_rubys_vcr_are_alike_enough(tmp_path: Path) -> None:
    go = """\
---
version: 2
interactions:
  - id: 0
    request: {body: '{"a":1}', url: https://a.test/v1, method: POST, headers: {Accept: [x]}}
    response: {body: '{"b":2}', headers: {}, status: 200 OK, code: 200, duration: 1.5s}
"""
    ruby = """\
---
http_interactions:
- request: {method: post, uri: https://a.test/v1, body: {encoding: US-ASCII, string: '{"a":1}'}, headers: {Accept: [x]}}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: !binary "eyJiIjoyfQ=="}}
recorded_with: VCR 6.3.1
"""
    for text in (go, ruby):
        [found] = read(tmp_path / "a.yml", text)
        assert isinstance(found, Exchange)
        assert (found.method, found.url, found.status) == ("POST", "https://a.test/v1", 200)
        assert (found.request_body, found.response_body) == (b'{"a":1}', b'{"b":2}')


def test_a_list_without_its_mapping_is_an_old_cassette(tmp_path: Path) -> None:
    for content in (yaml.dump([interaction()]), json.dumps([interaction()])):
        [found] = read(tmp_path / "a", content)
        assert isinstance(found, Exchange)


def test_anchors_and_merged_keys_are_followed(tmp_path: Path) -> None:
    text = """\
interactions:
- request: &request {method: POST, uri: "https://a.test/", headers: {}, body: '1'}
  response: &response {status: {code: 200}, headers: {}, body: {string: '2'}}
- request: {<<: *request, body: '3'}
  response: *response
"""
    one, other = read(tmp_path / "a.yaml", text)
    assert isinstance(one, Exchange)
    assert isinstance(other, Exchange)
    assert (one.request_body, other.request_body, other.url) == (b"1", b"3", "https://a.test/")
    assert other.response_body == b"2"


def test_a_gzipped_cassette_is_read(tmp_path: Path) -> None:
    [found] = read(tmp_path / "a.yaml.gz", gzip.compress(cassette(interaction()).encode()))
    assert isinstance(found, Exchange)


def reasons(path: Path, content: str | bytes) -> list[tuple[int | None, str]]:
    found = read(path, content)
    assert all(item.source == str(path) for item in found)
    return [(item.index, item.reason) for item in found if isinstance(item, Skipped)]


AND_UNKNOWN = "and what it cost is unknown"
AGAIN = "the rest is not read, and what it cost is unknown. Record it again"
TOO_DEEP = "nested too deep or too large: no recorder writes that"
CUT = "what it cost is unknown. The file may be cut off: record it again"
UNREAD = "it is not read, and what it cost is unknown"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it holds nothing"),
        (b" \n\n", "it holds nothing"),
        (b"# a comment\n", "it holds nothing"),
        (b"{}", "it holds nothing"),
        (b"[]", "it holds nothing"),
        (b"interactions: []\nversion: 1\n", "a cassette without interactions"),
        (b"interactions:\nversion: 1\n", "a cassette without interactions"),
        (b'{"interactions": []}', "a cassette without interactions"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no recording: it is binary, not text"),
        (b"SQLite format 3\0", "no recording: it is binary, not text"),
        (b"caf\xe9: 1", f"cut off or damaged at byte 4 (invalid trailing UTF-8 octet): {AGAIN}"),
        (b"hello", "no recording: it is plain text or a single value"),
        (b"- a\n- b\n", "no recording: it is a list"),
        (b"a: 1\nb: 2\n", "no recording: no list of `interactions` among its keys (a, b)"),
        (
            b"a: 1\nb: 2\nc: 3\nd: 4\ninteractions: 5",
            "no recording: no list of `interactions` among its keys (a, b, c, d, …)",
        ),
        (b"a: 1\n b: 2\n", f"cut off or damaged at line 2 (mapping values are not allowed in this context): {AGAIN}"),
        (b"a: *b\n", f"cut off or damaged at line 1 (an alias of nothing before it): {AGAIN}"),
        (b"a: &a [*a]\n", f"cut off or damaged at line 1 (an alias of nothing before it): {AGAIN}"),
        (b"a: " + b"[" * 5000, f"cut off or damaged at line 1 ({TOO_DEEP}): {AGAIN}"),
        (b"- " * 5000 + b"b", f"cut off or damaged at line 1 ({TOO_DEEP}): {AGAIN}"),
        (b"a: " + b"{b: " * 500 + b"c" + b"}" * 500, f"cut off or damaged at line 1 ({TOO_DEEP}): {AGAIN}"),
        (b'{"log": {"creator": {"name": "Polly.JS"}, "entries": []}}', "a HAR archive without requests"),
        (b"messages:\n- a\n- b\n", f"a transcript of 2 messages, not HTTP: {UNREAD}"),
        (b'{"a": "\xff"}', f"cut off or damaged at byte 7 (invalid start byte): {AGAIN}"),
        (b'{"a": [{"interactions": [1, 2]}]}', "no recording: no list of `interactions` among its keys (a)"),
        (b'{"a": ', f"cut off or damaged at line 1 (Expecting value): {AGAIN}"),
        (
            b"\x1f\x8b\x08\0oh no",
            f"cannot be read, {AND_UNKNOWN}: Compressed file ended before the end-of-stream marker was reached",
        ),
    ],
)
def test_a_file_that_is_no_cassette_is_skipped_with_what_it_is(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reasons(tmp_path / "a", content) == [(None, reason)]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nonsense", f"an interaction without a request: {CUT}"),
        ({"request": {"method": "GET"}}, f"an interaction whose request names no URI: {CUT}"),
        ({"request": {"uri": URL}}, f"an interaction whose request names no method: {CUT}"),
        (
            {"request": {"uri": URL, "method": "GET"}, "response": None},
            f"an interaction without a response: {CUT}",
        ),
        (
            interaction(response={"status": {"code": 2}}),
            f"an interaction whose response has no HTTP status: {CUT}",
        ),
        ({"request_sample": {}, "response_sample": {}}, f"a gRPC message, not HTTP: {UNREAD}"),
        (
            {"kind": "message", "direction": "sent", "data": {}},
            f"a message of a WebSocket session, not HTTP: {UNREAD}",
        ),
    ],
)
def test_an_interaction_that_is_none_is_skipped_alone(tmp_path: Path, value: object, reason: str) -> None:
    found = read(tmp_path / "a.yaml", cassette(interaction(), value, interaction()))
    assert [item.index for item in found] == [0, 1, 2]
    assert [type(item) for item in found] == [Exchange, Skipped, Exchange]
    assert isinstance(found[1], Skipped)
    assert found[1].reason == reason


def test_interactions_before_a_break_are_kept(tmp_path: Path) -> None:
    text = cassette(interaction(), interaction(), interaction({"body": "cut here"}))
    cut = text[: text.rindex("cut here")]
    found = read(tmp_path / "a.yaml", cut + '"')
    line = cut.count("\n") + 1
    assert [item.index for item in found] == [0, 1, 2]
    assert isinstance(found[2], Skipped)
    assert found[2].reason == f"cut off or damaged at line {line} (found unexpected end of stream): {AGAIN}"


def test_interactions_before_a_byte_that_is_no_text_are_kept(tmp_path: Path) -> None:
    text = cassette(interaction(), interaction(), interaction({"body": "cut here"})).encode()
    at = text.index(b"cut here")
    found = read(tmp_path / "a.yaml", text.replace(b"cut here", b"\xff"))
    assert [(type(item), item.index) for item in found] == [(Exchange, 0), (Exchange, 1), (Skipped, 2)]
    assert isinstance(found[2], Skipped)
    assert found[2].reason == f"cut off or damaged at byte {at} (invalid leading UTF-8 octet): {AGAIN}"


def test_interactions_before_a_break_in_json_are_kept(tmp_path: Path) -> None:
    text = json.dumps({"version": 1, "interactions": [interaction(), interaction({"body": "cut here"})]}, indent=1)
    cut = text[: text.rindex("cut here")]
    one, rest = read(tmp_path / "a.json", cut)
    assert isinstance(one, Exchange)
    assert isinstance(rest, Skipped)
    line = cut.count("\n") + 1
    assert rest.reason == f"cut off or damaged at line {line} (Unterminated string starting at): {AGAIN}"


def test_interactions_before_a_nest_that_is_too_deep_are_kept(tmp_path: Path) -> None:
    text = cassette(interaction(), interaction({"body": "DEEP"}), interaction()).replace(
        "DEEP", "[" * 2000 + "]" * 2000
    )
    found = read(tmp_path / "a.yaml", text)
    assert [(type(item), item.index) for item in found] == [(Exchange, 0), (Skipped, 1)]
    assert isinstance(found[1], Skipped)
    assert f"({TOO_DEEP}): {AGAIN}" in found[1].reason


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    rungs = ["a: &a0 [x]"] + [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    [(index, reason)] = reasons(tmp_path / "a.yaml", "\n".join(rungs))
    assert (index, reason) == (
        None,
        f"cut off or damaged at line 8 (aliases that expand beyond 5,000,000 values): {AGAIN}",
    )


def test_directories_are_walked_in_order_and_sources_named_as_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b/z.yaml", "b/a.json", "a.yml", "b/c/x.yaml", "notes.md", ".git/x.yaml", "b/node_modules/x.json"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(cassette(interaction()))
    assert [item.source for item in read_recordings(["./b", Path(), "a.yml", "notes.md"])] == [
        "./b/a.json",
        "./b/c/x.yaml",
        "./b/z.yaml",
        "./a.yml",
        "notes.md",
    ]


def test_a_missing_path_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    missing = tmp_path / "gone.yaml"
    with pytest.raises(RecordingError) as raised:
        read_recordings([tmp_path, missing])
    assert str(raised.value) == (
        f"{missing}: there is no such file or directory. Give a cassette, or a directory of cassettes."
    )


def test_a_file_that_cannot_be_opened_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "gone")
    [found] = read_recordings([tmp_path])
    assert isinstance(found, Skipped)
    assert found.reason.startswith("cannot be read, and what it cost is unknown: ")


def test_large_cassettes_are_read_without_libyaml_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = cassette(*[interaction({"body": f"{number}"}) for number in range(3)])
    with_libyaml = read(tmp_path / "a.yaml", text)
    monkeypatch.setattr("pytest_tokenbudget.recordings.yaml_values._PARSER", yaml.SafeLoader)
    assert read(tmp_path / "a.yaml", text) == with_libyaml


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(body=st.dictionaries(st.text(), JSON_VALUES, max_size=4))
@settings(max_examples=60, deadline=None)
def test_parsed_bodies_keep_their_values(tmp_path_factory: pytest.TempPathFactory, body: dict[str, Any]) -> None:
    [found] = read(tmp_path_factory.mktemp("x") / "a.yaml", cassette(interaction(response={"parsed_body": body})))
    assert isinstance(found, Exchange)
    assert json.loads(found.response_body) == body


def whole(count: int) -> list[dict[str, Any]]:
    return [interaction({"body": f"a {number}", "headers": {"b": ["c"]}}) for number in range(count)]


WHOLE_YAML = cassette(*whole(3)).encode()
WHOLE_JSON = json.dumps({"version": 1, "interactions": whole(3)}).encode()


@given(content=st.sampled_from([WHOLE_YAML, WHOLE_JSON]), end=st.floats(0, 1), junk=st.binary(max_size=8))
@settings(max_examples=200, deadline=None)
def test_no_content_raises_and_whole_interactions_survive(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, end: float, junk: bytes
) -> None:
    start = content[: round(end * len(content))]
    found = read(tmp_path_factory.mktemp("x") / "a.yaml", start + junk)
    assert found
    exchanges = [item.index for item in found if isinstance(item, Exchange)]
    assert exchanges == list(range(len(exchanges)))
    begun = start.count(b"request:") + start.count(b'"request":')
    assert len(exchanges) >= begun - 1


@pytest.mark.parametrize("code", ["9" * 5000, "200 OK", "-20", "0200", "\u0662\u0660\u0660"])
def test_a_status_that_is_none_costs_one_interaction(tmp_path: Path, code: str) -> None:
    odd, good = interaction(response={"status": {"code": code}}), interaction()
    first, second = read(tmp_path / "a.yaml", cassette(odd, good))
    assert isinstance(first, Skipped)
    assert first.reason.startswith("an interaction whose response has no HTTP status: what it cost is unknown")
    assert isinstance(second, Exchange)


def test_a_pipe_in_a_directory_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text(cassette(interaction()))
    pipe, exchange = read_recordings([tmp_path])
    assert isinstance(pipe, Skipped)
    assert pipe.reason == "cannot be read, and what it cost is unknown: it is no regular file"
    assert isinstance(exchange, Exchange)


def test_a_directory_that_cannot_be_listed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.yaml").write_text(cassette(interaction()))
    listed = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refusing)  # whoever runs the tests may be allowed everything
    exchange, closed = read_recordings([tmp_path])
    assert isinstance(exchange, Exchange)
    assert isinstance(closed, Skipped)
    assert closed.reason.startswith("cannot be read, and what it cost is unknown: [Errno 13] Permission denied")


def test_a_file_that_was_deleted_meanwhile_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(cassette(interaction()))
    items = read_recordings([tmp_path])
    path.unlink()
    (found,) = items
    assert isinstance(found, Skipped)
    assert found.reason.startswith("cannot be read, and what it cost is unknown: [Errno 2]")


def test_names_that_are_no_text_can_be_printed(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path / "a") + b"\xff.yaml")
    Path(path).write_text(cassette(interaction()))
    (found,) = read_recordings([path])
    assert found.source == f"{tmp_path}/a\\udcff.yaml"


def test_half_of_a_surrogate_pair_in_a_url_can_be_printed(tmp_path: Path) -> None:
    content = json.dumps({"interactions": [interaction(request={"uri": "https://a.test/\ud800"})]})
    (found,) = read(tmp_path / "a.json", content)
    assert isinstance(found, Exchange)
    assert found.url == "https://a.test/?"


def test_zeros_behind_a_cassette_hide_no_cost(tmp_path: Path) -> None:
    first, rest = read(tmp_path / "a.yaml", cassette(interaction(), interaction()).encode() + bytes(4096))
    assert isinstance(first, Exchange)
    assert isinstance(rest, Skipped)
    assert "what it cost is unknown" in rest.reason
    (only,) = read(tmp_path / "b.yaml", cassette(interaction()).encode() + bytes(4096))
    assert isinstance(only, Skipped)
    assert "what it cost is unknown" in only.reason


def test_a_packed_file_may_not_unpack_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tokenbudget.recordings.read._MOST_UNZIPPED", 3 << 20)
    for name, content in (
        ("a.yaml.gz", cassette(interaction()) + "#" * (4 << 20)),
        ("a.json.gz", json.dumps({"interactions": [interaction()], "x": "#" * (4 << 20)})),
    ):
        found = read(tmp_path / name, gzip.compress(content.encode()))[-1]
        assert isinstance(found, Skipped)
        assert found.reason.endswith("it unpacks to more than 3 MB: unpack it, and give the unpacked file")
    assert len(read(tmp_path / "b.json.gz", gzip.compress(json.dumps([interaction()] * 2).encode()))) == 2
