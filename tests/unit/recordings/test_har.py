import gzip
import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings import read_recordings

URL = "https://api.openai.com/v1/chat/completions"
SSE = b'data: {"id": "caf\xc3\xa9"}\n\ndata: [DONE]\n\n'
PACKED = gzip.compress(SSE, mtime=0)


def entry(
    content: dict[str, Any] | None = None, *, post: dict[str, Any] | None = None, **response: Any
) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-01-30T23:09:17.934Z",
        "time": 3367,
        "request": {
            "method": "POST",
            "url": URL,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "postData": {"mimeType": "application/json", "text": '{"model": "m"}'} if post is None else post,
        },
        "response": {
            "status": 200,
            "headers": [{"name": "X-One", "value": "1"}, {"name": "x-one", "value": "2"}],
            "content": {"mimeType": "text/event-stream", "text": "{}"} if content is None else content,
        }
        | response,
    }


def archive(*entries: object) -> str:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "Polly.JS"}, "entries": list(entries)}})


def read(path: Path, content: str | bytes) -> list[Exchange | Skipped]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_recordings([path]))


def body(path: Path, content: dict[str, Any], **response: Any) -> bytes:
    (found,) = read(path, archive(entry(content, **response)))
    assert isinstance(found, Exchange)
    return found.response_body


def test_each_entry_is_an_exchange_with_its_index(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    found = read(path, archive(entry(), entry()))
    assert found == [
        Exchange(
            method="POST",
            url=URL,
            request_headers={"content-type": "application/json"},
            request_body=b'{"model": "m"}',
            status=200,
            response_headers={"x-one": "1"},
            response_body=b"{}",
            obtained="replayed",
            source=str(path),
            index=index,
            started_at=datetime(2026, 1, 30, 23, 9, 17, 934000, tzinfo=UTC),
        )
        for index in (0, 1)
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"text": SSE.decode()}, SSE),
        ({"text": b64encode(SSE).decode(), "encoding": "base64"}, SSE),
        ({"text": b64encode(PACKED).decode(), "encoding": "base64"}, PACKED),
        # Polly.js: the chunks of an encoded body apart, and before version 5 in hexadecimal digits
        (
            {
                "text": json.dumps([b64encode(PACKED[:20]).decode(), b64encode(PACKED[20:]).decode()]),
                "encoding": "base64",
            },
            PACKED,
        ),
        ({"text": json.dumps([PACKED[:20].hex(), PACKED[20:].hex()]), "_isBinary": True}, PACKED),
        ({"text": PACKED.hex(), "_isBinary": True}, PACKED),
        ({"size": 0}, b""),
        ({"text": None}, b""),
        ({"text": "%%%", "encoding": "base64"}, b""),
        ({"text": '["a"]'}, b'["a"]'),
    ],
)
def test_every_form_of_a_body_is_read(tmp_path: Path, content: dict[str, Any], expected: bytes) -> None:
    assert body(tmp_path / "a.har", content) == expected


def test_chunks_without_a_mark_are_joined_where_the_answer_was_encoded(tmp_path: Path) -> None:
    encoded = [{"name": "content-encoding", "value": "gzip"}]
    text = json.dumps([PACKED[:20].hex(), PACKED[20:].hex()])
    assert body(tmp_path / "a.har", {"text": text}, headers=encoded) == PACKED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6\r\ndata: \r\n5;x=y\r\n1\r\n\r\n\r\n0\r\n\r\n", b"data: 1\r\n\r\n"),
        ("6\r\ndata: \r\n5\r\n1\r\n\r\n\r\n", b"data: 1\r\n\r\n"),  # cut after a chunk
        ("data: 1\n\n", b"data: 1\n\n"),
        ("12\r\nand text that is no chunk", b"12\r\nand text that is no chunk"),
    ],
)
def test_the_transfers_chunks_are_undone(tmp_path: Path, text: str, expected: bytes) -> None:
    chunked = [{"name": "Transfer-Encoding", "value": "chunked"}]
    assert body(tmp_path / "a.har", {"text": text}, headers=chunked) == expected
    assert body(tmp_path / "a.har", {"text": text}) == text.encode()


UNKNOWN = "what it cost is unknown"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (entry(status=0), f"a request that got no answer (status 0): {UNKNOWN}"),
        (
            entry() | {"_webSocketMessages": []},
            f"a WebSocket session, not HTTP: it is not read, and {UNKNOWN}",
        ),
        (
            entry() | {"request": {"url": URL}},
            f"an entry whose request names no URL or no method: {UNKNOWN}",
        ),
        ({}, f"an interaction without a request: {UNKNOWN}. The file may be cut off: record it again"),
        (7, f"an interaction without a request: {UNKNOWN}. The file may be cut off: record it again"),
    ],
)
def test_an_entry_that_is_no_exchange_is_skipped_alone(tmp_path: Path, value: object, reason: str) -> None:
    found = read(tmp_path / "a.har", archive(entry(), value, entry()))
    assert [type(item) for item in found] == [Exchange, Skipped, Exchange]
    assert isinstance(found[1], Skipped)
    assert (found[1].index, found[1].reason) == (1, reason)


def test_entries_before_a_break_are_kept(tmp_path: Path) -> None:
    whole = archive(entry(), entry())
    found = read(tmp_path / "a.har", whole[: len(whole) - 40])
    assert [type(item) for item in found] == [Exchange, Skipped]
    assert found[1].index is None
    assert isinstance(found[1], Skipped)
    assert found[1].reason.startswith("cut off or damaged at line 1")


def test_a_gzipped_archive_is_read(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.har.gz", gzip.compress(archive(entry()).encode()))
    assert isinstance(found, Exchange)
    assert found.response_body == b"{}"


def test_an_instant_without_a_zone_is_unknown(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.har", archive(entry() | {"startedDateTime": "2026-01-30T23:09:17"}))
    assert isinstance(found, Exchange)
    assert found.started_at is None


def test_half_of_a_surrogate_pair_in_a_url_can_be_printed(tmp_path: Path) -> None:
    odd = entry()
    odd["request"]["url"] = "https://a.test/\ud800"
    (found,) = read(tmp_path / "a.har", archive(odd))
    assert isinstance(found, Exchange)
    assert found.url == "https://a.test/?"


def test_a_status_of_thousands_of_digits_costs_one_entry(tmp_path: Path) -> None:
    first, second = read(tmp_path / "a.har", archive(entry(status="9" * 5000), entry()))
    assert isinstance(first, Skipped)
    assert isinstance(second, Exchange)
