"""What recording costs for each call, step by step, and what loading a recording costs beside vcrpy's way.

    PYTHONPATH=tests python tests/benchmarks/bench_own_cassette.py [--calls N] [--load N]

Recording: a call of 20 KB and its answer of 4 KB pass a cassette as vcrpy's stubs drive it, no network included; wall
time, as `fsync` waits. Loading: the same interactions in our layout, in vcrpy's, and ours read by libyaml; CPU time.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vcr
import yaml
from studio import Studio
from vcr.cassette import Cassette
from vcr.request import Request
from vcr.serialize import serialize
from vcr.serializers import yamlserializer

from pytest_tokenbudget.traffic.cassette_file import load_cassette, save_cassette
from pytest_tokenbudget.traffic.redaction import Redactor
from pytest_tokenbudget.traffic.stored import as_played, as_stored, clean_request, clean_response

URL = "https://api.openai.com/v1/chat/completions"
WORDS = "The kettle was delivered on Tuesday, and it leaks when it boils. "
HEADERS = {"content-type": "application/json", "authorization": "Bearer sk-proj-" + "Zx9" * 16}


def asked(number: int) -> Request:
    messages = [{"role": "user", "content": f"{number}.{part} {WORDS * 3}"} for part in range(90)]
    return Request("POST", URL, json.dumps({"model": "m", "messages": messages}).encode(), HEADERS)


def answered(number: int) -> dict[str, Any]:
    choices = [{"index": 0, "message": {"role": "assistant", "content": f"{number} {WORDS * 60}"}}]
    usage = {"prompt_tokens": 4000, "completion_tokens": 900, "total_tokens": 4900}
    body = json.dumps({"id": f"c-{number}", "model": "m", "choices": choices, "usage": usage}).encode()
    headers = {"Content-Type": ["application/json"], "Date": ["today"], "Set-Cookie": ["session=1"]}
    return {"status": {"code": 200, "message": "OK"}, "headers": headers, "body": {"string": body}}


def drive(cassette: Cassette, calls: int) -> float:
    """Milliseconds for each call."""
    requests = [asked(number) for number in range(calls)]
    began = time.perf_counter()
    for number, request in enumerate(requests):
        assert not cassette.can_play_response_for(request)
        cassette.append(request, answered(number))
    return (time.perf_counter() - began) / calls * 1e3


def each(run: Callable[[], object], times: int) -> float:
    """Milliseconds of wall time for one."""
    began = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - began) / times * 1e3


def recording(folder: Path, calls: int) -> None:
    with vcr.use_cassette(str(folder / "plain.yaml")) as cassette:
        plain = drive(cassette, calls)
    studio = Studio(folder)
    with studio.open("once") as cassette:
        ours = drive(cassette, calls)
    redactor, request, response = Redactor(), asked(1), answered(1)
    clean = clean_request(request, redactor), clean_response(response, redactor)
    with (folder / "line").open("wb", buffering=0) as file:
        line = b"x" * 30_000
        written = each(lambda: file.write(line), 50)
        synced = each(lambda: (file.write(line), os.fsync(file.fileno())), 50)
    print(f"recording one call ({len(request.body) // 1000} KB asked), {calls} of them")
    print(f"  plain vcrpy, metered                     {plain:8.3f} ms")
    print(f"  our cassette: redacted, journalled       {ours:8.3f} ms  {ours / plain:5.1f} times plain")
    print(f"    redacting the request                  {each(lambda: clean_request(request, redactor), 50):8.3f} ms")
    print(f"    redacting the response                 {each(lambda: clean_response(response, redactor), 50):8.3f} ms")
    print(f"    laying both out                        {each(lambda: as_stored(*clean), 50):8.3f} ms")
    print(f"    writing a line                         {written:8.3f} ms")
    print(f"    writing and fsync                      {synced:8.3f} ms")
    print(f"  of a model call of 1 s                   {ours / 10:8.2f} %")


def cpu(run: Callable[[], object]) -> float:
    """Milliseconds of CPU time; the best of three."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        run()
        taken.append(time.process_time() - began)
    return min(taken) * 1e3


def loading(folder: Path, count: int) -> None:
    redactor = Redactor()
    pairs = [(clean_request(asked(n), redactor), clean_response(answered(n), redactor)) for n in range(count)]
    stored = [as_stored(*pair) for pair in pairs]
    own, theirs = folder / "own.yaml", folder / "theirs.yaml"
    save = cpu(lambda: save_cassette(own, stored))
    requests, responses = [request for request, _ in pairs], [response for _, response in pairs]
    saved = cpu(lambda: theirs.write_text(serialize({"requests": requests, "responses": responses}, yamlserializer)))
    sizes = [file.stat().st_size / 1e6 for file in (own, theirs)]
    print(f"{count} interactions, {sizes[0]:.0f} MB of ours, {sizes[1]:.0f} MB of vcrpy's")
    rows = (
        ("writing, vcrpy's", saved),
        ("writing, ours", save),
        ("loading, plain vcrpy and its file", cpu(lambda: Cassette.load(path=str(theirs)))),
        ("libyaml alone, our file", cpu(lambda: yaml.load(own.read_bytes(), yaml.CSafeLoader))),
        ("ours, vcrpy's file", cpu(lambda: [as_played(one) for one in load_cassette(theirs)])),
        ("ours, our file", cpu(lambda: [as_played(one) for one in load_cassette(own)])),
    )
    for name, taken in rows:
        print(f"  {name:40} {taken:8.1f} ms  {taken / rows[-1][1]:5.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--load", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recording(Path(folder), options.calls)
        loading(Path(folder), options.load)


if __name__ == "__main__":
    main()
