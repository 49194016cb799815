"""`tokenbudget audit` against parsing the same files alone, in child processes that take turns.

    python tests/benchmarks/bench_audit.py [PAIRS]

First one cassette of 65 MB, against PyYAML's CSafeLoader, then 100 MB of recordings of every kind
(`mixed_recordings.py`), against that loader and the standard library's JSON.

Imports are left out of both times: each child measures itself after importing what it needs. Peak memory is the whole
child's. Exits with 1 where audit takes more than 1.25 times as long (1.3 times for the mixture), or more than 400 MB.
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml
from mixed_recordings import write_mixed

INTERACTIONS: Final = 2_000
MOST_TIMES: Final = 1.25
MOST_TIMES_MIXED: Final = 1.3
MOST_MEGABYTES: Final = 400

LOADER: Final = """
import gzip, json, pathlib, resource, sys, time
import yaml
path = pathlib.Path(sys.argv[1])
start = time.perf_counter()
found = 0
for file in sorted(path.iterdir()) if path.is_dir() else [path]:
    with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as stream:
        document = yaml.load(stream, yaml.CSafeLoader) if ".yaml" in file.suffixes else json.load(stream)
    items = document if isinstance(document, list) else document.get("interactions") or document["log"]["entries"]
    found += len(items)
    del document, items
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, found)
"""

AUDIT: Final = """
import contextlib, io, json, resource, sys, time
import genai_prices.data
import pytest_tokenbudget.cli.audit_table, pytest_tokenbudget.config.load, pytest_tokenbudget.pricing
import pytest_tokenbudget.recordings, pytest_tokenbudget.tokens, pytest_tokenbudget.wire
from pytest_tokenbudget.cli import main
path, printed = sys.argv[1], io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
start = time.perf_counter()
with contextlib.redirect_stdout(printed):
    main(["audit", path, "--format", "json"], standalone_mode=False)
seconds = time.perf_counter() - start
printed.seek(0)
statuses = json.load(printed)["totals"]["statuses"]
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, statuses["exact"])
"""


def write_cassette(path: Path) -> None:
    """Write chat completions of an agent whose prompts grow, as vcrpy does."""
    chance = random.Random(7)  # noqa: S311 - a repeatable text, not a secret
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(3_000)]

    def text(size: int) -> str:
        found = " ".join(chance.choices(words, k=size // 6))
        return f'{found}\n\nIt isn\'t "{chance.choice(words)}".'

    with path.open("w") as file:
        file.write("interactions:\n")
        for index in range(INTERACTIONS):
            turns = [{"role": "user", "content": text(1_500)} for _ in range(chance.randint(2, 24))]
            one = interaction(index, turns, text(chance.randint(500, 12_000)))
            file.write(yaml.dump([one], Dumper=yaml.CDumper))
        file.write("version: 1\n")


def interaction(index: int, messages: list[dict[str, str]], content: str) -> dict[str, Any]:
    """One chat completion with the headers that the OpenAI SDK and its server send."""
    body = json.dumps({"model": "gpt-4o-mini", "messages": messages})
    usage = {"prompt_tokens": 1_000 + index, "completion_tokens": 100, "total_tokens": 1_100 + index}
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    answer = {"id": f"chatcmpl-{index}", "object": "chat.completion", "model": "gpt-4o-mini", "choices": [choice]}
    sent = ["accept", "accept-encoding", "connection", "host", "user-agent", *(f"x-stainless-{n}" for n in range(8))]
    got = ["CF-RAY", "Connection", "Date", "Server", "alt-svc", *(f"x-ratelimit-{n}" for n in range(8))]
    return {
        "request": {
            "body": body,
            "headers": {name: ["a value of some length"] for name in sent} | {"content-type": ["application/json"]},
            "method": "POST",
            "uri": "https://api.openai.com/v1/chat/completions",
        },
        "response": {
            "body": {"string": json.dumps(answer | {"usage": usage}, indent=2)},
            "headers": {name: ["a value of some length"] for name in got} | {"Content-Type": ["application/json"]},
            "status": {"code": 200, "message": "OK"},
        },
    }


def measure(script: str, path: Path, expected: int) -> tuple[float, float]:
    """Seconds and peak megabytes of one child."""
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, megabytes, found = map(float, done.stdout.split())
    if found != expected:
        message = f"{found:.0f} interactions instead of {expected}"
        raise SystemExit(message)
    return seconds, megabytes


def compare(path: Path, expected: int, pairs: int, most_times: float) -> bool:
    """Measure, print, and say whether it is quick and small enough."""
    size = sum(file.stat().st_size for file in (path.iterdir() if path.is_dir() else [path]))
    print(f"{path.name}: {expected:,} interactions, {size / 1e6:.1f} MB, {pairs} pairs")
    ours, theirs = [], []
    for _ in range(pairs):
        theirs.append(measure(LOADER, path, expected))
        ours.append(measure(AUDIT, path, expected))
    times = statistics.median(mine[0] / other[0] for mine, other in zip(ours, theirs, strict=True))
    peak = max(megabytes for _, megabytes in ours)
    for name, found in (("parsing alone", theirs), ("audit", ours)):
        seconds = statistics.median(entry[0] for entry in found)
        print(f"{name}: {seconds:.2f} s (median), {max(entry[1] for entry in found):.0f} MB peak")
    print(f"audit / parsing: {times:.2f} (at most {most_times}); peak {peak:.0f} MB (at most {MOST_MEGABYTES})")
    return times <= most_times and peak <= MOST_MEGABYTES


def main() -> int:
    """Measure both, and say whether they are quick and small enough."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agent.yaml"
        write_cassette(path)
        quick = compare(path, INTERACTIONS, pairs, MOST_TIMES)
        mixed = Path(folder) / "mixed"
        mixed.mkdir()
        quick_mixed = compare(mixed, write_mixed(mixed), pairs, MOST_TIMES_MIXED)
    return int(not (quick and quick_mixed))


if __name__ == "__main__":
    raise SystemExit(main())
