"""Reading a streamed answer of 300 pieces into a call, beside decoding its JSON with the standard library.

    python tests/benchmarks/bench_sse.py [TIMES]

Prints the best and the median processor time of each API. Exits with 1 where a best one is above 0.6 ms.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.wire import read

PIECES: Final = 300
MOST_MS: Final = 0.6


def chunk(finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": " word"}, "logprobs": None, "finish_reason": finish}
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-5.2",
        "choices": [choice],
    }
    return {**head, "usage": None, **more}


def message(n: int) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f" word {n}"}}


def piece(n: int) -> dict[str, Any]:
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "sequence_number": n}
    return {"type": "response.output_text.delta", "delta": f" word {n}", **at}


def generated(n: int, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": f" word {n}"}]}, "index": 0, **more}
    counts = {"promptTokenCount": 9, "candidatesTokenCount": n, "totalTokenCount": 9 + n}
    return {"candidates": [candidate], "usageMetadata": counts, "modelVersion": "gemini-2.5-flash"}


CLAUDE: Final = {"id": "msg_1", "type": "message", "model": "claude-sonnet-4-5", "content": []}
USAGE: Final = {"input_tokens": 9, "output_tokens": 1}
STREAMS: Final[dict[str, tuple[str, list[dict[str, Any]]]]] = {
    "OpenAI chat": (
        "https://api.openai.com/v1/chat/completions",
        [
            *(chunk() for _ in range(PIECES)),
            chunk("stop"),
            chunk(choices=[], usage={"prompt_tokens": 9, "completion_tokens": 300, "total_tokens": 309}),
        ],
    ),
    "OpenAI Responses": (
        "https://api.openai.com/v1/responses",
        [
            {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
            *(piece(n) for n in range(PIECES)),
            {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "usage": USAGE}},
        ],
    ),
    "Anthropic messages": (
        "https://api.anthropic.com/v1/messages",
        [
            {"type": "message_start", "message": {**CLAUDE, "usage": USAGE}},
            *(message(n) for n in range(PIECES)),
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 300}},
            {"type": "message_stop"},
        ],
    ),
    "Gemini": (
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent",
        [*(generated(n) for n in range(PIECES)), generated(PIECES, finishReason="STOP")],
    ),
}


def timed(run: Callable[[], object], times: int) -> list[float]:
    found = []
    for _ in range(times):
        start = time.process_time()
        run()
        found.append((time.process_time() - start) * 1000)
    return sorted(found)


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    slowest = 0.0
    for name, (url, events) in STREAMS.items():
        datas = [json.dumps(event).encode() for event in events]
        lines = [f"event: {event['type']}\n".encode() if "type" in event else b"" for event in events]
        body = b"".join(line + b"data: " + data + b"\n\n" for line, data in zip(lines, datas, strict=True))
        exchange = Exchange(
            method="POST",
            url=url,
            request_body=b'{"model": "m", "messages": []}',
            status=200,
            response_headers={"content-type": "text/event-stream"},
            response_body=body,
            obtained="replayed",
        )
        found = read(exchange, len)
        assert isinstance(found, Call)
        assert found.status == "exact"
        ours = timed(lambda exchange=exchange: read(exchange, len), times)
        plain = timed(lambda datas=datas: [json.loads(data) for data in datas], times)
        print(
            f"{name:19} {ours[0]:.2f} ms (median {statistics.median(ours):.2f}), "
            f"{ours[0] / plain[0]:.2f} of decoding alone ({plain[0]:.2f} ms)"
        )
        slowest = max(slowest, ours[0])
    print(f"slowest: {slowest:.2f} ms (at most {MOST_MS})")
    return int(slowest > MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
