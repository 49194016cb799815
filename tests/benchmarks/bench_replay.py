"""What it takes to find and hand out recorded answers, beside vcrpy and pytest-recording.

    python tests/benchmarks/bench_replay.py [--parts cassette suite call] [--calls N] [--rounds N]

*cassette*: from asking a cassette to its answer; loading, metering and estimating aside. Agents that loop and single
questions, 31 KB a request, as recorded and after an edit. vcrpy takes the square of the number of calls: fewer of them.
*suite*: 200 replayed tests of 10 calls, metering included, beside pytest-recording in processes of their own.
*call*: one of 200 replayed calls, above what the client takes with an answer made up by its transport; then metered.

CPU time, the least of some interleaved rounds: a busy machine stretches it all the same.
"""

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import boto3
import httpx2
import requests
import vcr.cassette
import yaml
from anthropic import Anthropic
from botocore.awsrequest import AWSResponse
from openai import OpenAI
from recorded_agents import EDITS, URL, agents, answer, questions, sent
from vcr import matchers
from vcr.request import Request

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.traffic import cassette as seam
from pytest_tokenbudget.traffic import intake
from pytest_tokenbudget.traffic.cassette_file import load_cassette, save_cassette
from pytest_tokenbudget.wire import read

Body = dict[str, Any]

DEFAULT = (matchers.method, matchers.scheme, matchers.host, matchers.port, matchers.path, matchers.query)
WITH_BODY = (*DEFAULT, matchers.body)
ALONE = [
    f"-pno:{plugin.name}"
    for plugin in entry_points(group="pytest11")
    if plugin.name not in {"tokenbudget", "recording"}
]


def unread(_: Exchange) -> Skipped:
    return Skipped(reason="")


def as_read(exchange: Exchange) -> Call | Skipped:
    return read(exchange, count)


@contextmanager
def metered(reader: Callable[[Exchange], Call | Skipped] | None) -> Iterator[None]:
    """With ours, or without."""
    meter = None if reader is None else Meter(reader, lambda *_: None)
    detach = intake.attach(meter, tempfile.gettempdir())  # type: ignore[arg-type]  # as without a session
    try:
        yield
    finally:
        detach()


def replayed(recorded: Sequence[Any], asked: Sequence[Any], match_on: Sequence[Any]) -> tuple[float, int]:
    """CPU seconds to replay all of it, and how many calls got the answer in their own place."""
    cassette = vcr.cassette.Cassette("benchmark.yaml", match_on=match_on)
    cassette.data, cassette.rewound = [(anew(request), response) for request, response in recorded], True
    asked = [anew(request) for request in asked]
    gc.collect()
    began = time.process_time()
    given = [cassette.play_response(one) for one in asked if cassette.can_play_response_for(one)]
    spent = time.process_time() - began
    return spent, sum(response is stored for response, (_, stored) in zip(given, recorded, strict=True))


def anew(request: Request) -> Request:
    """The same request, its body in bytes whose hash nobody knows yet."""
    return Request(request.method, request.uri, bytes(bytearray(request.body)), dict(request.headers))


def cassette_time(calls: int, rounds: int) -> None:
    """Print the part *cassette*."""
    for name, make in (("agents that loop", agents), ("single questions", questions)):
        once: dict[str, float] = {}
        for many in (calls, 2 * calls):
            bodies = make(many)
            recorded = [(sent(body), answer(number)) for number, body in enumerate(bodies)]
            size = sum(len(request.body) + 1500 for request, _ in recorded) / 1e6
            print(f"\n{many} calls of {name}, {size:.0f} MB")
            edits = {"as recorded": lambda body, _: body, "keys in another order": lambda body, _: turned(body)} | {
                f"{part} edited": edit for part, edit in EDITS.items()
            }
            for edit, change in edits.items():
                asked = [sent(change(body, number)) for number, body in enumerate(bodies)]
                with metered(unread):
                    spent, right = min(replayed(recorded, asked, DEFAULT) for _ in range(rounds))
                growth = f", {spent / once[edit]:.2f} times that of half as many" if edit in once else ""
                print(f"  {edit:28} {spent:6.2f} s, {right / many:.1%} their own answer{growth}")
                once[edit] = spent
    beside_vcrpy()


def turned(body: Body) -> Body:
    return dict(reversed(body.items()))


def beside_vcrpy() -> None:
    """Print what vcrpy takes, and ours for the same."""
    print()
    for many, match_on, name in ((500, DEFAULT, "default matching"), (60, WITH_BODY, "body matching")):
        bodies = agents(many)
        recorded = [(sent(body), answer(number)) for number, body in enumerate(bodies)]
        asked = [sent(body) for body in bodies]
        with metered(unread):
            ours = min(replayed(recorded, asked, match_on)[0] for _ in range(3))
        with metered(None):
            theirs = replayed(recorded, asked, match_on)[0]
        print(f"{many} calls, {name}: vcrpy {theirs:.2f} s, ours {ours:.3f} s: {theirs / ours:.0f} times as fast")
        edited = [sent(EDITS["its system prompt"](body, number)) for number, body in enumerate(bodies)]
        with metered(unread):
            ours = min(replayed(recorded, edited, DEFAULT)[0] for _ in range(3))
        print(f"  and ours where every system prompt was edited {ours:.3f} s")


AGENT = """\
import httpx
import pytest

client = httpx.Client()
SAYS = "The parcel left the warehouse in Porto, and is expected within a week. " * 7
FIELD = {"type": "string", "description": "What to look for, in the customer's own words."}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"look_into_{tool}",
            "description": "Look something up.",
            "parameters": {"type": "object", "properties": {f"field_{n}": FIELD for n in range(5)}, "required": []},
        },
    }
    for tool in range(10)
]


def steps(test, calls):
    said = [{"role": "system", "content": SAYS}, {"role": "user", "content": f"Where is order {test}?"}]
    for step in range(calls):
        yield {"model": "gpt-5-mini", "messages": list(said), "tools": TOOLS}
        said.append({"role": "assistant", "content": f"I look at page {step}"})
        said.append({"role": "tool", "tool_call_id": f"call_{step}", "content": f"Page {step} of {test}: {SAYS}"})


def run(test, calls):
    for body in steps(test, calls):
        assert client.post("https://api.openai.com/v1/chat/completions", json=body).json()["choices"]
"""
OURS = "ours, as recorded by us"
SUITES = {
    OURS: ("@pytest.mark.token_budget", ()),
    "ours, as recorded by vcrpy": ("@pytest.mark.token_budget", ()),
    "pytest-recording, default": ("@pytest.mark.vcr", ("-pno:tokenbudget",)),
    "pytest-recording, body": (
        '@pytest.mark.vcr(match_on=["method", "scheme", "host", "port", "path", "query", "body"])',
        ("-pno:tokenbudget",),
    ),
    "pytest-recording, default, metered by us": ("@pytest.mark.vcr", ()),
}


def write_suite(folder: Path, marker: str, tests: int, calls: int, *, ours: bool = False) -> None:
    """Write a suite with its recordings, in our layout or in vcrpy's."""
    (folder / "cassettes" / "test_it").mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    source, agent = AGENT, dict[str, Any]()
    exec(AGENT, agent)  # noqa: S102 - the agent above
    for test in range(tests):
        source += f"\n\n{marker}\ndef test_{test}():\n    run({test}, {calls})\n"
        interactions = []
        for number, body in enumerate(agent["steps"](test, calls)):
            asked = sent(body).body
            response = answer(number, tokens=len(asked) // 4)
            response["body"]["string"] = response["body"]["string"].decode()
            request = {"method": "POST", "uri": URL, "body": asked.decode(), "headers": {}}
            request["headers"] = {"content-type": ["application/json"]}
            interactions.append({"request": request, "response": response})
        recording = folder / "cassettes" / "test_it" / f"test_{test}.yaml"
        recording.write_text(yaml.safe_dump({"interactions": interactions, "version": 1}))
        if ours:
            save_cassette(recording, load_cassette(recording))
    (folder / "test_it.py").write_text(source)


def cpu_seconds(folder: Path, *options: str) -> float:
    """CPU time of one run of pytest, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ignored = ("PYTEST", "TOKENBUDGET", "PYTHONDONTWRITEBYTECODE")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ALONE, *options],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith(ignored)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def suite_time(tests: int, calls: int, rounds: int) -> None:
    """Print the part *suite*."""
    print(f"\n{tests} tests of {calls} calls, 10 KB on average with ten tools, each process whole")
    taken: dict[str, list[float]] = {name: [] for name in SUITES}
    with tempfile.TemporaryDirectory() as name:
        for number, (suite, (marker, _)) in enumerate(SUITES.items()):
            write_suite(Path(name) / str(number), marker, tests, calls, ours=suite == OURS)
        for turn in range(rounds + 1):
            for number, (suite, (_, options)) in enumerate(SUITES.items()):
                spent = cpu_seconds(Path(name) / str(number), *options)
                if turn:  # the first compiles the modules
                    taken[suite].append(spent)
    default, body = (min(taken[f"pytest-recording, {name}"]) for name in ("default", "body"))
    for suite, spent in taken.items():
        best = min(spent)
        print(f"  {suite:42} {best:6.2f} s, {best / default:.2f} of default, {body / best:.1f} times as fast as body")


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "On its way. " * 100}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1000, "output_tokens": 300},
}
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "On its way. " * 100}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1000, "outputTokens": 300, "totalTokens": 1300},
    "metrics": {"latencyMs": 1},
}
HEADERS = {"Content-Type": "application/json"}


def made_up(payload: bytes) -> httpx2.Client:
    """A client whose transport answers by itself, and takes no time for it."""
    return httpx2.Client(
        transport=httpx2.MockTransport(lambda _: httpx2.Response(200, headers=HEADERS, content=payload))
    )


class Adapter(requests.adapters.BaseAdapter):
    """requests' transport, answering by itself."""

    def __init__(self, payload: bytes) -> None:
        super().__init__()
        self.payload = payload

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response._content, response.request = 200, self.payload, request  # noqa: SLF001
        response.headers.update(HEADERS)
        return response

    def close(self) -> None:
        """Nothing is open."""


class _Raw:
    def __init__(self, payload: bytes) -> None:
        self.payload = payload

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.payload


Ask = Callable[[str], Any]


def openai_asks(payload: bytes | None) -> Ask:
    client = OpenAI(api_key="any", http_client=None if payload is None else made_up(payload))
    return lambda text: client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])


def anthropic_asks(payload: bytes | None) -> Ask:
    client = Anthropic(api_key="any", http_client=None if payload is None else made_up(payload))
    said: Callable[[str], Any] = lambda text: [{"role": "user", "content": text}]  # noqa: E731
    return lambda text: client.messages.create(model="m", max_tokens=64, messages=said(text))


def requests_asks(payload: bytes | None) -> Ask:
    session = requests.Session()
    if payload is not None:
        session.mount("https://", Adapter(payload))
    url = "https://api.openai.com/v1/chat/completions"
    return lambda text: session.post(
        url, json={"model": "m", "messages": [{"role": "user", "content": text}]}, timeout=5
    ).json()


def boto3_asks(payload: bytes | None) -> Ask:
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    client = boto3.client("bedrock-runtime", region_name="us-east-1", **keys)
    if payload is not None:
        answered: Callable[..., Any] = lambda request, **_: AWSResponse(request.url, 200, HEADERS, _Raw(payload))  # noqa: E731
        client.meta.events.register("before-send.*.*", answered)
    return lambda text: client.converse(modelId="m", messages=[{"role": "user", "content": [{"text": text}]}])


CLIENTS: dict[str, tuple[Callable[[bytes | None], Ask], Any]] = {
    "openai": (openai_asks, json.loads(answer(0, 1_300)["body"]["string"])),
    "anthropic": (anthropic_asks, MESSAGE),
    "requests": (requests_asks, json.loads(answer(0, 1_300)["body"]["string"])),
    "boto3": (boto3_asks, CONVERSED),
}


def each_call(ask: Ask, texts: Sequence[str]) -> float:
    """CPU milliseconds of a call, on average."""
    gc.collect()
    began = time.process_time()
    for text in texts:
        ask(text)
    return (time.process_time() - began) / len(texts) * 1000


def call_time(rounds: int) -> None:
    """Print the part *call*."""
    texts = [f"{number} " + "Where is my order, please? " * 200 for number in range(200)]
    print("\none of 200 calls of 6 KB, above what the client takes with a made-up answer")
    for client, (asks, told) in CLIENTS.items():
        payload = json.dumps(told).encode()
        floor = min(each_call(asks(payload), texts) for _ in range(rounds))
        recorded = recorded_by(asks(None), texts, payload)
        ours = min(through_cassette(asks(None), texts, recorded, unread) for _ in range(rounds))
        whole = min(through_cassette(asks(None), texts, recorded, as_read) for _ in range(rounds))
        theirs = through_cassette(asks(None), texts, recorded, None)
        print(
            f"  {client:10} {floor:5.2f} ms by itself; ours {ours - floor:+.2f} ms, metered {whole - floor:+.2f} ms; "
            f"vcrpy {theirs - floor:+.2f} ms"
        )


def recorded_by(ask: Ask, texts: Sequence[str], payload: bytes) -> list[Any]:
    """The requests that a client makes of texts, as recorded with an answer."""
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["application/json"]},
        "body": {"string": payload},
    }
    seen: dict[bytes, Request] = {}
    with metered(None), opened(before_record_request=lambda one: seen.setdefault(one.body, one)) as cassette:
        cassette.data = [(Request("POST", "https://any", b"", {}), response)]
        cassette.allow_playback_repeats, cassette._match_on = True, ()  # noqa: SLF001 - one answer for all
        for text in texts:
            ask(text)
    return [(request, response) for request in seen.values()]


def through_cassette(
    ask: Ask, texts: Sequence[str], recorded: list[Any], reader: Callable[[Exchange], Call | Skipped] | None
) -> float:
    """CPU milliseconds of a call that a cassette answers, on average."""
    with metered(reader), opened() as cassette:
        cassette.data, cassette.rewound = list(recorded), True
        return each_call(ask, texts)


def opened(**options: Any) -> Any:
    """A cassette without a file."""
    return vcr.use_cassette(f"{tempfile.gettempdir()}/no such folder/none.yaml", record_mode="none", **options)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=["cassette", "suite", "call"])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    seam.install()
    if "cassette" in given.parts:
        cassette_time(given.calls, given.rounds)
    if "suite" in given.parts:
        suite_time(200, 10, given.rounds)
    if "call" in given.parts:
        call_time(given.rounds)


if __name__ == "__main__":
    main()
