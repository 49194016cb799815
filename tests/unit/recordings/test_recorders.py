"""What recorders of other languages, and older ones of Python's, write."""

import gzip
import json
from pathlib import Path

import yaml

from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings import read_recordings
from pytest_tokenbudget.wire import read as read_exchange

URL = "https://api.openai.com/v1/chat/completions"


def read(path: Path, content: str | bytes) -> list[Exchange]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = list(read_recordings([path]))
    assert [item for item in found if isinstance(item, Skipped)] == []
    return [item for item in found if isinstance(item, Exchange)]


def test_rubys_vcr_writes_text_that_is_no_utf8_as_binary(tmp_path: Path) -> None:
    text = """\
---
http_interactions:
- request:
    method: post
    uri: !binary |-
      aHR0cHM6Ly9hLnRlc3QvdjE=
    body:
      encoding: US-ASCII
      base64_string: |
        eyJhIjox
        fQ==
    headers:
      !binary "Q29udGVudC1UeXBl":
      - !binary |-
        YXBwbGljYXRpb24vanNvbg==
  response:
    status:
      code: 200
      message: OK
    headers: {}
    body:
      encoding: ASCII-8BIT
      base64_string: !binary |-
        ZXlKaUlqb3lmUT09
  recorded_at: Fri, 04 Sep 2026 13:21:24 GMT
recorded_with: VCR 6.3.1
"""
    (found,) = read(tmp_path / "a.yml", text)
    assert (found.method, found.url) == ("POST", "https://a.test/v1")
    assert found.request_headers == {"content-type": "application/json"}
    assert (found.request_body, found.response_body) == (b'{"a":1}', b'{"b":2}')


def test_betamax_writes_rubys_form_as_json(tmp_path: Path) -> None:
    document = {
        "http_interactions": [
            {
                "request": {"method": "POST", "uri": URL, "headers": {"Accept": ["x"]}, "body": {"string": "{}"}},
                "response": {
                    "status": {"code": 200, "message": "OK"},
                    "headers": {},
                    "url": URL,
                    "body": {"encoding": "utf-8", "base64_string": "eyJiIjoyfQ=="},
                },
                "recorded_at": "2026-09-04T13:21:24",
            }
        ],
        "recorded_with": "betamax/0.9.0",
    }
    (found,) = read(tmp_path / "a.json", json.dumps(document))
    assert (found.url, found.response_body) == (URL, b'{"b":2}')


def test_go_vcr_writes_streams_and_binary_bodies(tmp_path: Path) -> None:
    text = """\
---
version: 2
interactions:
    - id: 0
      request:
        proto: HTTP/1.1
        proto_major: 1
        content_length: 7
        transfer_encoding: []
        host: a.test
        form: {}
        body: |
            {"a":1}
        headers:
            Content-Type:
                - application/json
        url: https://a.test/v1
        method: POST
      response:
        proto: HTTP/2.0
        transfer_encoding: [chunked]
        uncompressed: true
        body: !!binary AAAAkgAAAFI=
        headers:
            Content-Type: [application/vnd.amazon.eventstream]
        status: 200 OK
        code: 200
        duration: 1.5s
"""
    (found,) = read(tmp_path / "a.yaml", text)
    assert (found.status, found.request_body) == (200, b'{"a":1}\n')
    assert found.response_body == bytes.fromhex("000000920000 0052")


def answered(tokens: int) -> dict[str, object]:
    usage = {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1}
    body = json.dumps({"id": f"chatcmpl-{tokens}", "model": "gpt-4o", "choices": [], "usage": usage})
    return {
        "request": {"method": "POST", "uri": URL, "headers": {}, "body": {"model": "gpt-4o", "messages": []}},
        "response": {"status": {"code": 200}, "headers": {}, "body": {"string": body}},
    }


TELEMETRY = {
    "request": {"method": "POST", "uri": "https://telemetry.test/v1/traces", "headers": {}, "body": "{}"},
    "response": {"status": {"code": 200}, "headers": {}, "body": {"string": "{}"}},
}


def test_equal_answers_and_traffic_between_them_keep_their_places(tmp_path: Path) -> None:
    """Two requests were sent and billed, though they and their answers are equal."""
    items = [answered(7), TELEMETRY, answered(7), answered(9), TELEMETRY]
    packed = gzip.compress(yaml.dump({"interactions": items, "version": 1}).encode())
    found = [read_exchange(item, len) for item in read(tmp_path / "a.yaml.gz", packed)]
    assert [item.index for item in found] == [0, 1, 2, 3, 4]
    assert [item.usage.input if isinstance(item, Call) else item.reason for item in found] == [
        7,
        "not model traffic",
        7,
        9,
        "not model traffic",
    ]
