import gzip
import json
import sys
import zlib
from types import ModuleType

import pytest
from wire_exchanges import CHAT, JSON_LABEL, MESSAGES, SSE_LABEL, call, chat, chunk, message, sse

from pytest_tokenbudget.wire.events import decode_events

USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
COUNTS = {"input": 12, "output": 5}
BODY = json.dumps(chat(USAGE)).encode()
STREAM = sse(chunk(content="Hi"), chunk(USAGE, finish="stop"), done=True)


@pytest.mark.parametrize("label", ["gzip", "", "br"])
def test_gzip_is_undone_whatever_the_label(label: str) -> None:
    found = call(response=gzip.compress(BODY), headers={**JSON_LABEL, "content-encoding": label})
    assert (found.status, dict(found.usage.counts())) == ("exact", COUNTS)


@pytest.mark.parametrize("label", ["gzip", "deflate", "br", "zstd"])
def test_a_body_stored_decoded_is_read_as_it_is(label: str) -> None:
    assert call(response=BODY, headers={**JSON_LABEL, "content-encoding": label}).status == "exact"
    assert call(response=STREAM, headers={**SSE_LABEL, "content-encoding": label}).status == "exact"


def test_deflate_with_and_without_its_wrapper() -> None:
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for packed in (zlib.compress(BODY), bare.compress(BODY) + bare.flush()):
        assert call(response=packed, headers={**JSON_LABEL, "content-encoding": "deflate"}).status == "exact"


def test_a_gzip_stream_that_was_cut_is_read_as_far_as_it_goes() -> None:
    start = {"type": "message_start", "message": message({"input_tokens": 9, "output_tokens": 1})}
    packed = gzip.compress(sse(start, *[{"type": "ping", "n": n} for n in range(2000)]))
    found = call(MESSAGES, packed[: len(packed) // 2], headers=SSE_LABEL)
    assert (found.status, dict(found.usage.counts())) == ("partial", {"input": 9, "output": 1})


def test_a_damaged_gzip_body_is_said() -> None:
    packed = bytearray(gzip.compress(BODY))
    packed[12:20] = b"\xff" * 8
    found = call(response=bytes(packed))
    assert found.status == "missing"
    assert found.notes[0].startswith("response: the gzip body is damaged")
    assert call(response=b"\x1f\x8b\x08").notes == ("response: the body is empty",)


@pytest.mark.parametrize(
    ("encoding", "body", "modules", "package"),
    [
        ("br", b"\x1b\x0a\x00\xf8", ["brotli", "brotlicffi"], "brotli"),
        ("zstd", b"\x28\xb5\x2f\xfd\x04", ["compression.zstd", "zstandard", "backports.zstd"], "zstandard"),
    ],
)
def test_an_encoding_without_a_decoder_is_named(
    encoding: str, body: bytes, modules: list[str], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)
    found = call(response=body, headers={**JSON_LABEL, "content-encoding": encoding})
    assert found.status == "missing"
    assert found.notes == (f"response: the body is encoded as {encoding}, which needs the package {package}",)


def test_a_decoder_that_is_installed_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    brotli = ModuleType("brotli")
    brotli.decompress = lambda body: BODY if body == b"\x1bpacked" else 1 / 0  # type: ignore[attr-defined] - a stand-in
    monkeypatch.setitem(sys.modules, "brotli", brotli)
    headers = {**JSON_LABEL, "content-encoding": "br"}
    assert call(response=b"\x1bpacked", headers=headers).status == "exact"
    assert call(response=b"\x1bbroken", headers=headers).notes == (
        "response: the br body is damaged (division by zero)",
    )


@pytest.mark.parametrize(
    ("body", "headers", "status", "note"),
    [
        (BODY, SSE_LABEL, "exact", "response: labelled as a stream, but it is one JSON body"),
        (STREAM, JSON_LABEL, "exact", "response: labelled as JSON, but it is a stream of events"),
        (b"<!doctype html><p>Hi", JSON_LABEL, "missing", "response: it is a web page, not an answer of the API"),
        (b"\n <html>", SSE_LABEL, "missing", "response: it is a web page, not an answer of the API"),
        (b"Welcome", {"content-type": "text/html"}, "missing", "response: it is a web page, not an answer of the API"),
        (b"", JSON_LABEL, "missing", "response: the body is empty"),
        (b" \n", {}, "missing", "response: the body is empty"),
        (b"[1, 2]", JSON_LABEL, "missing", "response: it is a JSON list, no object"),
        (b"null", JSON_LABEL, "missing", "response: it is a JSON NoneType, no object"),
        (b"\x00\x01\xff", {}, "missing", None),
        (BODY[:-20], JSON_LABEL, "missing", None),
        (b"", SSE_LABEL, "missing", "the stream was cut before its usage"),
    ],
)
def test_a_body_unlike_its_label(body: bytes, headers: dict[str, str], status: str, note: str | None) -> None:
    found = call(CHAT, body, headers=headers)
    assert found.status == status
    assert found.notes[0] == note if note else found.notes[0].startswith("response: the body is not JSON (")


def test_a_body_without_headers_is_known_by_its_bytes() -> None:
    assert call(response=BODY, headers={}).stream is False
    assert call(response=STREAM, headers={}).stream is True
    assert call(response=b": keep-alive\n\n" + STREAM, headers={}).notes == ()


def test_what_the_standard_library_forgives_is_forgiven() -> None:
    odd = b'\xef\xbb\xbf{"usage": {"prompt_tokens": 12, "completion_tokens": 5}, "x": NaN, "y": "\\ud83d"}'
    assert dict(call(response=odd).usage.counts()) == COUNTS
    assert call(response=b"[" * 100_000).status == "missing"


def test_a_request_that_cannot_be_read_does_not_hide_the_usage() -> None:
    found = call(response=BODY, request=b'{"model": "gpt')
    assert (found.status, found.model_asked, found.prompt) == ("exact", None, ())
    assert found.notes[0].startswith("request: the body is not JSON (")
    assert call(response=BODY, request=gzip.compress(b'{"model": "gpt-4o"}')).model_asked == "gpt-4o"


def test_events_as_the_standard_frames_them() -> None:
    body = b'\xef\xbb\xbf: hello\r\nid: 1\r\nevent: a\r\ndata: {"x":\r\ndata: 1}\r\n\r\n'
    body += b'data:{"y":2}\r\rretry: 5\n\ndata:\n\n'
    found = decode_events(body)
    assert found.events == [("a", {"x": 1}), ("", {"y": 2})]
    assert (found.done, found.broken) == (False, 0)


def test_the_last_event_needs_no_blank_line() -> None:
    assert decode_events(b'data: {"x": 1}').events == [("", {"x": 1})]
    assert decode_events(b"data: [DONE]").done


def test_events_that_cannot_be_read_are_counted() -> None:
    found = call(response=b"data: hello\n\n" + STREAM, headers=SSE_LABEL)
    assert (found.status, found.notes) == ("exact", ("response: 1 of the stream's events cannot be read",))
    lost = call(response=b'data: {"usage": {"prompt\n\n' + STREAM, headers=SSE_LABEL)
    assert lost.status == "partial"


def test_a_packed_body_may_not_unpack_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tokenbudget.wire.framing._MOST_UNPACKED", 1 << 20)
    allowed = BODY + b" " * ((1 << 20) - len(BODY))
    assert call(response=gzip.compress(allowed)).status == "exact"
    found = call(response=gzip.compress(allowed + b" "))
    assert (found.status, found.notes) == ("missing", ("response: the gzip body unpacks to more than 1 MB",))
