import struct
from zlib import crc32

import pytest
from bedrock_frames import STREAM_LABEL, frame
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.wire.eventstream import decode_frames, is_framed


def sealed(message: bytes) -> bytes:
    head = message[:8]
    whole = head + struct.pack(">I", crc32(head)) + message[12:]
    return whole + struct.pack(">I", crc32(whole))


def test_a_message_is_a_prelude_headers_and_a_payload() -> None:
    headers = b"\x0b:event-type\x07\x00\x08metadata\x0d:message-type\x07\x00\x05event"
    assert len(headers) == 0x2D
    whole = sealed(struct.pack(">II", 12 + 0x2D + 7 + 4, 0x2D) + bytes(4) + headers + b'{"a":1}')
    found = decode_frames(whole)
    assert found.events == [("metadata", b'{"a":1}')]
    assert (found.errors, found.broken, found.cut) == ([], 0, False)


def test_messages_follow_one_another() -> None:
    found = decode_frames(frame("a", {"x": 1}) + frame("b", b"") + frame("a", b"no JSON"))
    assert found.events == [("a", b'{"x": 1}'), ("b", b""), ("a", b"no JSON")]


def test_headers_of_every_type_are_passed_over() -> None:
    others = b"".join(
        [
            b"\1t\0",
            b"\1f\1",
            b"\1b\2\x7f",
            b"\1s\3\0\1",
            b"\1i\4\0\0\0\1",
            b"\1l\5" + bytes(8),
            b"\1y\6\0\3abc",
            b"\1w\x08" + bytes(8),
            b"\1u\x09" + bytes(16),
        ]
    )
    body = b"{}"
    block = others + b"\x0b:event-type\x07\x00\x04late"
    whole = sealed(struct.pack(">II", 16 + len(block) + len(body), len(block)) + bytes(4) + block + body)
    assert decode_frames(whole).events == [("late", b"{}")]


@pytest.mark.parametrize("kind", ["exception", "error"])
def test_exceptions_and_errors_are_named(kind: str) -> None:
    found = decode_frames(frame("a", {}) + frame("throttlingException", {"message": "slow down"}, kind=kind))
    assert found.events == [("a", b"{}")]
    assert found.errors == ["throttlingException"]


def test_a_damaged_payload_loses_its_own_message_alone() -> None:
    damaged = bytearray(frame("a", {"text": "hello"}))
    damaged[-8] ^= 1
    found = decode_frames(frame("a", {"n": 1}) + bytes(damaged) + frame("a", {"n": 2}))
    assert found.events == [("a", b'{"n": 1}'), ("a", b'{"n": 2}')]
    assert (found.broken, found.cut) == (1, False)


def test_a_damaged_length_loses_what_follows() -> None:
    damaged = bytearray(frame("a", {"text": "hello"}))
    damaged[3] ^= 1
    found = decode_frames(frame("a", {"n": 1}) + bytes(damaged) + frame("a", {"n": 2}))
    assert found.events == [("a", b'{"n": 1}')]
    assert (found.broken, found.cut) == (1, True)


def test_a_length_that_cannot_be_is_damage() -> None:
    for total, size in ((15, 0), (0, 0), (40, 30)):
        found = decode_frames(sealed(struct.pack(">II", total, size) + bytes(40)))
        assert (found.events, found.broken, found.cut) == ([], 1, True)


def test_a_stream_that_ends_within_a_message_is_cut() -> None:
    whole = frame("a", {"n": 1}) + frame("b", {"n": 2})
    first = len(frame("a", {"n": 1}))
    for length in range(first + 1, len(whole)):
        found = decode_frames(whole[:length])
        assert (found.events, found.broken, found.cut) == ([("a", b'{"n": 1}')], 0, True)
    assert decode_frames(whole[:first]).cut is False


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
def test_nothing_raises(noise: bytes, position: int, value: int) -> None:
    stream = bytearray(frame("metadata", {"usage": {"inputTokens": 5}}) * 2 + noise)
    stream[position % len(stream)] = value
    for body in (bytes(stream), noise):
        found = decode_frames(body)
        assert len(found.events) <= 2 or noise
        is_framed(body, {})


@given(st.binary(max_size=64))
def test_headers_that_are_none_raise_nothing(block: bytes) -> None:
    whole = sealed(struct.pack(">II", 16 + len(block), len(block)) + bytes(4) + block)
    found = decode_frames(whole)
    assert len(found.events) + len(found.errors) == 1


def test_a_stream_is_told_by_its_first_bytes_or_its_label() -> None:
    whole = frame("a", {})
    assert is_framed(whole, {})
    assert is_framed(whole[:14], STREAM_LABEL)
    assert is_framed(b"", STREAM_LABEL)
    assert not is_framed(b'{"message": "denied"}', STREAM_LABEL)
    assert not is_framed(whole[:14], {"content-type": "application/json"})
