"""Reading a Bedrock event stream of 1 MB into a call, in small messages as Bedrock sends them.

    python tests/benchmarks/bench_eventstream.py [TIMES]

Prints the best and the median processor time of each kind. Exits with 1 where a best one is above 15 ms.
"""

import statistics
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from bedrock_frames import STREAM_LABEL, chunks, converse_stream, frame

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.wire import read

SIZE: Final = 1_000_000
MOST_MILLISECONDS: Final = 15
URL: Final = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/"
TOLD: Final = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 4, "outputTokenCount": 5}}
PADDING: Final = "abcdefghijklmnopqrstuvwxyzABCD"
CLAUDE: Final = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello wo"}}
CHUNK: Final = {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
STREAMS: Final = {
    "ConverseStream": (
        "converse-stream",
        frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello wor"}, "p": PADDING}),
        converse_stream({"inputTokens": 4, "outputTokens": 5, "totalTokens": 9}),
    ),
    "InvokeModel, Claude": (
        "invoke-with-response-stream",
        chunks(CLAUDE),
        chunks({"type": "message_stop"} | TOLD),
    ),
    "InvokeModel, OpenAI's": ("invoke-with-response-stream", chunks(CHUNK), chunks(CHUNK | TOLD)),
}


def milliseconds(exchange: Exchange) -> float:
    """The processor time of one reading."""
    start = time.process_time()
    found = read(exchange, len)
    took = (time.process_time() - start) * 1e3
    if not isinstance(found, Call) or dict(found.usage.counts()) != {"input": 4, "output": 5}:
        message = f"read as {found}"
        raise SystemExit(message)
    return took


def main() -> int:
    """Measure, print, and say whether it is quick enough."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    slowest = 0.0
    for name, (operation, one, end) in STREAMS.items():
        exchange = Exchange(
            method="POST",
            url=URL + operation,
            request_body=b"{}",
            status=200,
            response_headers=STREAM_LABEL,
            response_body=one * (SIZE // len(one)) + end,
            obtained="replayed",
        )
        took = [milliseconds(exchange) for _ in range(times)]
        slowest = max(slowest, min(took))
        print(f"{name}: {SIZE // len(one):,} messages, {min(took):.1f} ms (median {statistics.median(took):.1f})")
    print(f"slowest: {slowest:.1f} ms (at most {MOST_MILLISECONDS})")
    return int(slowest > MOST_MILLISECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
