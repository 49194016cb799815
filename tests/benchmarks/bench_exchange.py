"""What metering one exchange takes: from bytes to a priced call, and from a replayed cassette to disk.

    python tests/benchmarks/bench_exchange.py [--rounds N]

An agent's sixth step: a request of 30 KB (system prompt, tools, a conversation with tool results), an answer of 2 KB.
Prints medians and best rounds, and beside them what decoding the same bytes as JSON takes in the same run.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from itertools import count as count_up
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import msgspec
from vcr.request import Request

from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.plugin.session import Session
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.traffic import cassette, intake
from pytest_tokenbudget.traffic.exchanges import exchange_of
from pytest_tokenbudget.wire import read

BATCH = 50
URL = "https://api.anthropic.com/v1/messages"
TOOL = {
    "name": "lookup_order",
    "description": "Find an order by its number, with its items, its payments and where it is. " * 3,
    "input_schema": {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": "What to look for."} for name in ("id", "mail", "since")
        },
    },
}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [
        {"type": "text", "text": "The order left our warehouse on Friday. " * 40},
        {"type": "tool_use", "id": "toolu_9", "name": "lookup_order", "input": {"id": "A-1042"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 812,
        "cache_creation_input_tokens": 512,
        "cache_read_input_tokens": 6_144,
        "cache_creation": {"ephemeral_5m_input_tokens": 512, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 390,
        "service_tier": "standard",
    },
}


def question(step: int, said: str) -> bytes:
    """A request of 30 KB; each step's last message differs from every other's.

    Args:
        step: The step's number.
        said: Put before every other text, so that texts are as new as this is.
    """
    messages: list[dict[str, object]] = [{"role": "user", "content": said + "Where is my order A-1042? " * 10}]
    for number in range(5):
        use = {"type": "tool_use", "id": f"toolu_{number}", "name": "lookup_order", "input": {"id": f"A-{number}"}}
        found = f"{said}Item {number}, paid. " * 250
        result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": found}
        messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    messages.append({"role": "user", "content": f"And then, step {step}?"})
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 1024,
        "system": said + "You help the customers of a shop. Be brief and kind. " * 80,
        "tools": [TOOL | {"name": f"{said}tool_{number}"} for number in range(10)],
        "messages": messages,
    }
    return json.dumps(body).encode()


class Taken(NamedTuple):
    """Seconds of one call: the median over rounds, and the best round, which a busy machine disturbs least."""

    median: float
    best: float

    def less(self, other: "Taken") -> "Taken":
        """What it takes beyond another."""
        return Taken(self.median - other.median, self.best - other.best)

    def __str__(self) -> str:
        return f"{self.median * 1e6:7.1f} µs, best {self.best * 1e6:6.1f} µs"


def timed(work: Callable[[], object], rounds: int, prepare: Callable[[], object] = lambda: None) -> Taken:
    """Time rounds of many calls, each prepared outside of the timing."""
    prepare()
    work()
    found = []
    for _ in range(rounds):
        prepare()
        start = perf_counter()
        work()
        found.append((perf_counter() - start) / BATCH)
    return Taken(median(found), min(found))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    answer = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["application/json"], "request-id": ["req_1"], "date": ["today"]},
        "body": {"string": json.dumps(ANSWER).encode()},
    }
    headers = {"content-type": "application/json", "accept": "application/json", "user-agent": "benchmark"}
    requests = [Request("POST", URL, question(step, ""), headers) for step in range(BATCH)]
    exchanges = [exchange_of(request, answer, "replayed") for request in requests]
    fresh = count_up()
    unseen: list[Exchange] = []

    def renew() -> None:
        said = f"{next(fresh)} "
        bodies = [question(step, f"{said}{step} ") for step in range(BATCH)]
        unseen[:] = [exchange_of(Request("POST", URL, body, headers), answer, "replayed") for body in bodies]

    size = len(exchanges[0].request_body)
    table = PriceTable()
    folder = tempfile.TemporaryDirectory()
    os.chdir(folder.name)
    session = Session(Path.cwd(), Settings(), name="bench", worker="main")
    session.start("test")

    def decode(exchange: Exchange) -> None:
        msgspec.json.decode(exchange.request_body)
        msgspec.json.decode(exchange.response_body)

    def price(exchange: Exchange) -> object:
        return table.charge(read(exchange, count))

    stored = [(request, answer) for request in requests]
    cassette.install()

    def replay() -> None:
        tape = cassette.Cassette("x.yaml", record_mode="none", match_on=(), allow_playback_repeats=True)
        tape.rewound, tape.data = True, stored[:1]
        for request in requests:
            tape.play_response(request)

    def repeat(work: Callable[[Exchange], object], over: list[Exchange] = exchanges) -> Callable[[], None]:
        def all_of_them() -> None:
            for exchange in over:
                work(exchange)

        return all_of_them

    json_alone = timed(repeat(decode), rounds)
    priced = timed(repeat(price), rounds)
    priced_new = timed(repeat(price, unseen), rounds, renew)
    built = timed(lambda: [exchange_of(request, answer, "replayed") for request in requests], rounds)
    metered = timed(repeat(session.meter.after), rounds)
    played = timed(replay, rounds)
    detach = intake.attach(session.meter, Path.cwd())
    played_metered = timed(replay, rounds)
    detach()
    print(f"a request of {size / 1024:.0f} KB, an answer of {len(exchanges[0].response_body) / 1024:.0f} KB, each call")
    print(f"both decoded as JSON, for comparison      {json_alone}")
    print(f"exchange to priced call, agent's 6th step {priced} ({priced.median / json_alone.median:.1f} × decoding)")
    print(f"exchange to priced call, every text new   {priced_new}")
    print(f"vcrpy's request and answer to exchange    {built}")
    print(f"exchange to priced call, kept on disk     {metered}")
    print(f"replayed by vcrpy: metered less plain     {played_metered.less(played)} (each answer drifted)")
    folder.cleanup()


if __name__ == "__main__":
    main()
