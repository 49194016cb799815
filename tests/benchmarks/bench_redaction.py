"""Taking secrets out of messages, beside decoding the same bytes as JSON with the standard library.

    python tests/benchmarks/bench_redaction.py [TIMES]

Prints the best processor time of each, in microseconds, and the ratio.
"""

import json
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from bedrock_frames import STREAM_LABEL, frame
from canaries import FORMED

from pytest_tokenbudget.traffic.redaction import Redactor

URL: Final = "https://api.anthropic.com/v1/messages"
HEADERS: Final = {"content-type": ["application/json"], "x-api-key": ["none"]}
RANDOM: Final = Random(1)  # noqa: S311 - no secrets
SENTENCE: Final = "The customer asks where the order is; look it up, and answer in one sentence.\n"


def best(run: Callable[[], object], times: int) -> float:
    """The best time of a call, in microseconds of the processor."""
    took = []
    for _ in range(times):
        start = time.process_time()
        run()
        took.append(time.process_time() - start)
    return min(took) * 1e6


def chat(size: int, *, secret: str = "") -> bytes:
    """An agent's request: texts, tool calls with their ids, results."""
    messages: list[object] = []
    while len(json.dumps(messages)) < size:
        ident = "toolu_" + b64encode(RANDOM.randbytes(18)).decode().replace("/", "a").replace("+", "b")
        messages += [
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": ident, "name": "lookup_order_by_number", "input": {"id": 7}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": ident, "content": SENTENCE * 15}]},
        ]
    messages.append({"role": "user", "content": f"It is {secret}"})
    return json.dumps({"model": "m", "max_tokens": 1024, "messages": messages}).encode()


def stream(size: int) -> bytes:
    """A stream of small events."""
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello wo"}}
    one = b"event: content_block_delta\ndata: " + json.dumps(event).encode() + b"\n\n"
    return one * (size // len(one))


def framed(size: int) -> bytes:
    """The same as AWS sends it."""
    one = frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello wo"}, "p": "abcdef"})
    return one * (size // len(one))


def main() -> int:
    """Measure and print."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    redactor = Redactor()
    image = json.dumps({"image": b64encode(RANDOM.randbytes(750_000)).decode()}).encode()
    bodies = {
        "a request of 30 KB": (chat(30_000), HEADERS),
        "a request of 300 KB": (chat(300_000), HEADERS),
        "a request of 30 KB that holds a key": (chat(30_000, secret=FORMED["anthropic"]), HEADERS),
        "an image of 1 MB": (image, HEADERS),
        "a stream of 30 KB": (stream(30_000), {"content-type": ["text/event-stream"]}),
        "a binary stream of 30 KB": (framed(30_000), {name: [value] for name, value in STREAM_LABEL.items()}),
    }
    empty = best(lambda: redactor.request("POST", URL, HEADERS, b""), times)
    print(f"URL and headers alone: {empty:.0f} µs (in all that follows)")
    for name, (body, headers) in bodies.items():
        took = best(lambda body=body, headers=headers: redactor.request("POST", URL, headers, body), times)  # type: ignore[misc]
        parts = (
            [body] if body.startswith(b"{") else [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
        )
        decoded = best(lambda parts=parts: [json.loads(part) for part in parts], times)  # type: ignore[misc]
        beside = f"{took / decoded:.1f} × json.loads ({decoded:.0f} µs)" if parts else "no JSON to compare with"
        print(f"{name}: {len(body):,} bytes, {took:.0f} µs, {beside}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
