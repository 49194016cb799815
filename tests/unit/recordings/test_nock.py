import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings import read_recordings

BINARY = bytes.fromhex("00000092000000524b819bc10b3a6576656e74")
PACKED = gzip.compress(b'{"id": 1}', mtime=0)


def entry(**more: Any) -> dict[str, Any]:
    return {
        "scope": "https://api.openai.com:443",
        "method": "post",
        "path": "/v1/chat/completions?x=1",
        "body": {"model": "m", "n": 1},
        "status": 200,
        "response": {"id": 1},
        "rawHeaders": ["Content-Type", "application/json", "X-One", "1", "X-One", "2"],
        "reqheaders": {"Accept": "*/*"},
    } | more


def read(path: Path, *entries: object) -> list[Exchange | Skipped]:
    path.write_text(json.dumps(entries))
    return list(read_recordings([path]))


def test_each_entry_is_an_exchange_with_its_index(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert read(path, entry(), entry()) == [
        Exchange(
            method="POST",
            url="https://api.openai.com:443/v1/chat/completions?x=1",
            request_headers={"accept": "*/*"},
            request_body=b'{"model":"m","n":1}',
            status=200,
            response_headers={"content-type": "application/json", "x-one": "1"},
            response_body=b'{"id":1}',
            obtained="replayed",
            source=str(path),
            index=index,
        )
        for index in (0, 1)
    ]


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (BINARY.hex(), BINARY),
        (BINARY.hex().upper(), BINARY),
        ([PACKED[:9].hex(), PACKED[9:].hex()], PACKED),
        ("data: {}\n\n", b"data: {}\n\n"),
        ("deadbeef", b"deadbeef"),  # too short to be told from a word
        ("0123456789abcdef0", b"0123456789abcdef0"),  # half a byte is left over
        ("", b""),
        ([], b""),
        (["a", "b"], b'["a","b"]'),
        ([{"a": 1}], b'[{"a":1}]'),
        (None, b""),
    ],
)
def test_every_form_of_a_body_is_read(tmp_path: Path, response: object, body: bytes) -> None:
    (found,) = read(tmp_path / "a.json", entry(response=response))
    assert isinstance(found, Exchange)
    assert found.response_body == body


def test_headers_may_be_a_mapping(tmp_path: Path) -> None:
    for key in ("headers", "rawHeaders"):
        made = {name: value for name, value in entry().items() if name != "rawHeaders"}
        (found,) = read(tmp_path / "a.json", made | {key: {"Content-Type": ["text/plain", "x"]}})
        assert isinstance(found, Exchange)
        assert found.response_headers == {"content-type": "text/plain"}


def test_a_reply_without_a_status_is_nocks_200(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.json", {"scope": "https://a.test", "path": "/"})
    assert isinstance(found, Exchange)
    assert (found.method, found.status, found.response_body) == ("GET", 200, b"")


def test_an_entry_that_is_none_is_skipped_alone(tmp_path: Path) -> None:
    found = read(tmp_path / "a.json", entry(), entry(status="gone"), entry(scope=7), entry())
    assert [type(item) for item in found] == [Exchange, Skipped, Skipped, Exchange]
    assert isinstance(found[1], Skipped)
    assert found[1].reason == "a nock entry whose scope, path, method or status is none: what it cost is unknown"


def test_entries_before_a_break_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    whole = json.dumps([entry(), entry()])
    path.write_text(whole[:-20])
    assert [type(item) for item in read_recordings([path])] == [Exchange, Skipped]
    path.write_text("[1, 2,")
    (found,) = read_recordings([path])
    assert isinstance(found, Skipped)
    assert found.index is None


def test_half_of_a_surrogate_pair_in_a_path_can_be_printed(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.json", entry(path="/v1/\ud800"))
    assert isinstance(found, Exchange)
    assert found.url == "https://api.openai.com:443/v1/?"


def test_a_status_of_thousands_of_digits_costs_one_entry(tmp_path: Path) -> None:
    first, second = read(tmp_path / "a.json", entry(status="9" * 5000), entry())
    assert isinstance(first, Skipped)
    assert isinstance(second, Exchange)
