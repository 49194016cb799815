"""What estimating a drifted call takes: loading the ranks, and then a request of 10 KB whose prompt changed.

    python tests/benchmarks/bench_estimate.py [--rounds N]

Each round changes the system prompt (2 KB), a tool and the last message anew, so that no count is remembered. Prints
medians and best rounds, beside them the same exchange replayed without a change, in the same run, and the bound.
"""

import argparse
import json
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.exchange import Exchange, RecordedRequest
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.tokens.counting import counter_for
from pytest_tokenbudget.tokens.ranks import VOCABULARIES, encoding
from pytest_tokenbudget.wire import read

LIMIT = 0.005
URL = "https://api.openai.com/v1/chat/completions"
LABEL = {"content-type": "application/json"}
ANSWER = {
    "model": "gpt-5-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Soon."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 2_400, "completion_tokens": 50, "total_tokens": 2_450},
}


def question(edit: str) -> bytes:
    """A request of 10 KB: system prompt, tools, a conversation with tool results."""
    messages: list[dict[str, object]] = [
        {"role": "system", "content": f"You help the customers of shop {edit}. Be brief and kind. " * 36},
        {"role": "user", "content": "Where is my order A-1042? " * 10},
    ]
    for number in range(4):
        asked = {"name": "lookup_order", "arguments": json.dumps({"id": f"A-{number}"})}
        call = {"id": f"call_{number}", "type": "function", "function": asked}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        found = f"Item {number}, paid on Friday, in our warehouse. " * 36
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": found})
    messages.append({"role": "user", "content": f"And then, {edit}?"})
    parameters = {"type": "object", "properties": {name: {"type": "string"} for name in ("id", "mail", "since")}}
    tool = {"name": "lookup_order", "description": f"Find an order of {edit} by its number.", "parameters": parameters}
    return json.dumps(
        {"model": "gpt-5-mini", "messages": messages, "tools": [{"type": "function", "function": tool}]}
    ).encode()


def exchange(sent: bytes, recorded: bytes | None = None) -> Exchange:
    """An exchange as traffic hands it over."""
    return Exchange(
        method="POST",
        url=URL,
        request_body=sent,
        request_headers=LABEL,
        status=200,
        response_headers=LABEL,
        response_body=json.dumps(ANSWER).encode(),
        obtained="replayed" if recorded is None else "drifted",
        recorded=None if recorded is None else RecordedRequest(url=URL, body=recorded, headers=LABEL),
    )


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def main() -> None:
    """Print what each takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    for name in VOCABULARIES:
        before = process_time()
        loading = [timed(lambda name=name: encoding.__wrapped__(name)) for _ in range(3)]  # type: ignore[misc]
        cpu = (process_time() - before) / 3
        print(f"loading {name}: best of 3 {min(loading) * 1e3:.0f} ms, {cpu * 1e3:.0f} ms of this process's own time")
    counter_for("gpt-5-mini")
    meter = Meter(lambda seen: read(seen, count), lambda *_: None, price=PriceTable().charge)
    old = question("as recorded")
    meter.after(exchange(old))
    same = [timed(lambda: meter.after(exchange(old))) for _ in range(rounds)]
    changed = [exchange(question(f"number {number}"), old) for number in range(rounds)]
    drifted = [timed(lambda seen=seen: meter.after(seen)) for seen in changed]
    assert all(entry.call.drift for entry in meter.outside.calls[-rounds:])
    print(f"request of {len(old) / 1000:.1f} KB, {rounds} rounds")
    for name, taken in (("replayed as recorded", same), ("drifted, all counts new", drifted)):
        print(f"{name:24} median {median(taken) * 1e3:.2f} ms, best {min(taken) * 1e3:.2f} ms")
    print(f"{'bound':24} {LIMIT * 1e3:.0f} ms: {LIMIT / median(drifted):.1f} × the median of a drifted call")


if __name__ == "__main__":
    main()
