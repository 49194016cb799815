"""Recordings of every kind that teams have, some 100 MB of them, for `bench_audit.py`."""

import gzip
import json
import random
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import yaml

MEGABYTE: Final = 1_000_000
OPENAI: Final = "https://api.openai.com/v1/chat/completions"
ANTHROPIC: Final = "https://api.anthropic.com/v1/messages"
BEDROCK: Final = "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/"
CHANCE: Final = random.Random(7)  # noqa: S311 - a repeatable text, not a secret
WORDS: Final = ["".join(CHANCE.choices("abcdefghijklmnopqrstuvwxyz", k=CHANCE.randint(2, 9))) for _ in range(3_000)]


def text(size: int) -> str:
    """Some words, with what YAML has to quote."""
    return " ".join(CHANCE.choices(WORDS, k=size // 6)) + '\n\nIt isn\'t "so".'


def turns() -> list[dict[str, str]]:
    """An agent's growing conversation."""
    return [{"role": "user", "content": text(1_500)} for _ in range(CHANCE.randint(2, 16))]


def interaction(url: str, request: object, response: object, label: str = "application/json") -> dict[str, Any]:
    """One interaction as vcrpy writes it; the response is a body's text or bytes, or all of its fields."""
    sent = {f"x-stainless-{n}": ["a value of some length"] for n in range(8)} | {"accept": ["*/*"]}
    got = {f"x-ratelimit-{n}": ["a value of some length"] for n in range(8)} | {"Content-Type": [label]}
    body = {"parsed_body": response} if isinstance(response, dict) else {"body": {"string": response}}
    return {
        "request": {"method": "POST", "uri": url, "headers": sent, "body": json.dumps(request)},
        "response": {"headers": got, "status": {"code": 200, "message": "OK"}, **body},
    }


def message() -> dict[str, Any]:
    """An answer of Claude."""
    usage = {"input_tokens": 9, "cache_read_input_tokens": 900, "output_tokens": 50}
    content = [{"type": "text", "text": text(2_000)}]
    return {"id": "m", "type": "message", "model": "claude-sonnet-4-5", "content": content, "usage": usage}


def chat() -> dict[str, Any]:
    """One chat completion."""
    usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
    choice = {"index": 0, "message": {"role": "assistant", "content": text(6_000)}, "finish_reason": "stop"}
    body = json.dumps({"id": "c", "model": "gpt-4o-mini", "choices": [choice], "usage": usage}, indent=2)
    return interaction(OPENAI, {"model": "gpt-4o-mini", "messages": turns()}, body)


def sse() -> dict[str, Any]:
    """One streamed chat completion of 100 to 300 chunks."""
    head = {"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o-mini", "system_fingerprint": "fp_0123456789"}
    chunks: list[dict[str, Any]] = [
        head | {"choices": [{"index": 0, "delta": {"content": CHANCE.choice(WORDS)}, "finish_reason": None}]}
        for _ in range(CHANCE.randint(100, 300))
    ]
    chunks.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    chunks.append(head | {"choices": [], "usage": {"prompt_tokens": 90, "completion_tokens": 9, "total_tokens": 99}})
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    return interaction(
        OPENAI, {"model": "gpt-4o-mini", "stream": True, "messages": turns()[:4]}, body, "text/event-stream"
    )


def parsed() -> dict[str, Any]:
    """One message of Claude whose body stands decoded."""
    return interaction(ANTHROPIC, {"model": "claude-sonnet-4-5", "messages": turns()}, message())


def frame(event: object) -> bytes:
    """One message of an AWS event stream."""
    payload = json.dumps({"bytes": b64encode(json.dumps(event).encode()).decode(), "p": "abcdefghijkl"}).encode()
    block = b"\x0b:event-type\x07\x00\x05chunk\x0d:content-type\x07\x00\x10application/json"
    block += b"\x0d:message-type\x07\x00\x05event"
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    whole = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return whole + struct.pack(">I", crc32(whole))


def bedrock() -> dict[str, Any]:
    """One binary stream of 100 to 300 events."""
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello wor"}}
    events = [
        {"type": "message_start", "message": message() | {"content": []}},
        *[delta] * CHANCE.randint(100, 300),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 50}},
        {"type": "message_stop"},
    ]
    body = b"".join(map(frame, events))
    request = {"anthropic_version": "bedrock-2023-05-31", "messages": turns()[:4]}
    return interaction(BEDROCK + "invoke-with-response-stream", request, body, "application/vnd.amazon.eventstream")


def har_entry() -> dict[str, Any]:
    """One entry of a HAR archive."""
    one = chat()
    headers = [{"name": f"x-{n}", "value": "a value of some length"} for n in range(12)]
    post = {"mimeType": "application/json", "text": one["request"]["body"]}
    content = {"mimeType": "application/json", "text": one["response"]["body"]["string"]}
    return {
        "startedDateTime": "2026-01-30T23:09:17.934Z",
        "request": {"method": "POST", "url": OPENAI, "headers": headers, "postData": post},
        "response": {"status": 200, "headers": headers, "content": content},
    }


def nock_entry() -> dict[str, Any]:
    """One binary stream in nock's hexadecimal digits."""
    one = bedrock()
    host, path = one["request"]["uri"].split("/model/")
    body = one["response"]["body"]["string"].hex()
    return {
        "scope": host + ":443",
        "method": "POST",
        "path": f"/model/{path}",
        "body": {},
        "status": 200,
        "response": body,
    }


def filled(make: Callable[[], dict[str, Any]], size: int) -> Iterator[dict[str, Any]]:
    """Yield items until they take about as many bytes as JSON."""
    while size > 0:
        item = make()
        size -= len(json.dumps(item, default=lambda value: "x" * (len(value) * 4 // 3)))
        yield item


def write_mixed(folder: Path) -> int:
    """Write the files; return how many interactions they hold."""
    found = 0
    for name, make, megabytes in (
        ("chat.yaml", chat, 32),
        ("streams.yaml", sse, 20),
        ("parsed.yaml", parsed, 14),
        ("bedrock.yaml", bedrock, 10),
        ("packed.yaml.gz", chat, 10),
        ("chat.json", chat, 6),
        ("browser.har", har_entry, 5),
        ("nock.json", nock_entry, 3),
    ):
        items = list(filled(make, megabytes * MEGABYTE))
        found += len(items)
        if name.endswith(".yaml"):
            content = yaml.dump({"interactions": items, "version": 1}, Dumper=yaml.CDumper).encode()
        elif name.endswith(".gz"):
            content = gzip.compress(yaml.dump({"interactions": items, "version": 1}, Dumper=yaml.CDumper).encode())
        else:
            document: object = {"interactions": items, "version": 1}
            document = {"log": {"entries": items}} if name.endswith(".har") else items if "nock" in name else document
            content = json.dumps(document, indent=1).encode()
        (folder / name).write_bytes(content)
    return found
