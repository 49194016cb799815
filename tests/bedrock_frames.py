"""Builders of AWS event streams, for tests of Bedrock."""

import json
import struct
from base64 import b64encode
from zlib import crc32

__all__ = ["STREAM_LABEL", "chunks", "converse_stream", "frame"]

STREAM_LABEL = {"content-type": "application/vnd.amazon.eventstream"}


def header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + b"\7" + struct.pack(">H", len(value)) + value.encode()


def frame(name: str, payload: object, *, kind: str = "event", headers: bytes = b"") -> bytes:
    """One message; of an exception, the name is its type."""
    sort = ":event-type" if kind == "event" else ":exception-type" if kind == "exception" else ":error-code"
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    block = header(sort, name) + header(":content-type", "application/json") + header(":message-type", kind) + headers
    prelude = struct.pack(">II", 16 + len(block) + len(body), len(block))
    message = prelude + struct.pack(">I", crc32(prelude)) + block + body
    return message + struct.pack(">I", crc32(message))


def converse_stream(usage: object, *texts: str, **metadata: object) -> bytes:
    """What ConverseStream sends: a text, a tool call, and the usage."""
    told = {"metrics": {"latencyMs": 7}} | metadata | ({"usage": usage} if usage is not None else {})
    start = {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t", "name": "lookup"}}}
    return b"".join(
        [
            frame("messageStart", {"role": "assistant", "p": "abc"}),
            *(frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in texts),
            frame("contentBlockStop", {"contentBlockIndex": 0}),
            frame("contentBlockStart", start),
            frame("contentBlockStop", {"contentBlockIndex": 1}),
            frame("messageStop", {"stopReason": "tool_use"}),
            frame("metadata", told),
        ]
    )


def chunks(*events: object) -> bytes:
    """What InvokeModelWithResponseStream sends: each native event as base64."""
    packed = (b64encode(json.dumps(event, separators=(",", ":")).encode()).decode() for event in events)
    return b"".join(frame("chunk", {"bytes": event, "p": "abcdef"}) for event in packed)
