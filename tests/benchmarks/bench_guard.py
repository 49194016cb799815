"""What the guard below vcrpy costs each request that leaves: clients against a server on loopback, with and without it.

    python tests/benchmarks/bench_guard.py [--calls N] [--pairs N]

First the guard alone, by the kind of request; then whole calls of real clients, the median of the ratios of pairs in
alternating order.
"""

import argparse
import http.client
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
import requests

sys.path.insert(0, str(Path(__file__).parents[2] / "fixtures"))
from loopback import LoopbackModel, Reply

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.traffic import guard
from pytest_tokenbudget.traffic.approval import approve_request

ASKED = {"model": "tiny", "messages": [{"role": "user", "content": "Hello " * 400}]}
BODY = json.dumps(ASKED).encode()
CHAT = "/v1/chat/completions"


def install() -> Callable[[], None]:
    """A guard that counts."""
    meter = Meter(lambda _: Skipped(source=None, index=None, reason=""), lambda *_: None)
    return guard.install(meter, lambda: guard.Ruling(task=TaskMeter("bench")))


def microseconds(step: Callable[[], object], times: int) -> float:
    """What a step takes, the fastest of five rounds."""
    best = float("inf")
    for _ in range(5):
        began = perf_counter()
        for _ in range(times):
            step()
        best = min(best, perf_counter() - began)
    return best / times * 1e6


def alone(times: int) -> None:
    """Print what the guard takes by itself."""
    leaving = guard._leaving  # noqa: SLF001 - what every seam calls
    model, other = f"https://api.openai.com{CHAT}", "https://api.github.com/repos/o/r/issues"
    unsure = "http://localhost:4000/v1/messages"

    def approved(url: str) -> Callable[[], None]:
        def step() -> None:
            approve_request("POST", url)
            leaving("httpcore", "POST", url, lambda: BODY)

        return step

    uninstall = install()
    print("the guard alone, for each request:")
    for name, step in {
        "no model call": lambda: leaving("httpcore", "GET", other, lambda: None),
        "a model call that a cassette let out": approved(model),
        "the same, told by a body of 2 KB": approved(unsure),
        "a model call past every cassette, counted": lambda: leaving("httpcore", "POST", model, lambda: None),
    }.items():
        print(f"  {microseconds(step, times):6.2f} µs  {name}")
    uninstall()


def whole(calls: int, pairs: int) -> None:
    """Print whole calls of clients."""
    with LoopbackModel(lambda *_: Reply(text="Hi.")) as server, httpx.Client() as client, requests.Session() as session:
        port = int(server.url.rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port)

        def http_client() -> None:
            connection.request("POST", CHAT, BODY, {"Content-Type": "application/json"})
            connection.getresponse().read()

        print(f"whole calls over loopback, {pairs} pairs of {calls}:")
        for name, step in {
            "httpx": lambda: client.post(server.url + CHAT, content=BODY),
            "requests": lambda: session.post(server.url + CHAT, data=BODY, timeout=5),
            "http.client": http_client,
        }.items():
            ratios, base = [], []
            for pair in range(pairs):
                taken = {}
                for guarded in (True, False) if pair % 2 else (False, True):
                    uninstall = install() if guarded else None
                    began = perf_counter()
                    for _ in range(calls):
                        step()
                    taken[guarded] = perf_counter() - began
                    if uninstall:
                        uninstall()
                ratios.append(taken[True] / taken[False])
                base.append(taken[False] / calls * 1e6)
            print(f"  {name:12} {median(base):7.0f} µs without, with / without {median(ratios):.3f}")
        connection.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=15)
    given = parser.parse_args()
    alone(20 * given.calls)
    whole(given.calls, given.pairs)


if __name__ == "__main__":
    main()
