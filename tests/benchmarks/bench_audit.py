"""`tokenbudget audit` of a cassette of 65 MB against PyYAML's CSafeLoader alone, in child processes that take turns.

    python tests/benchmarks/bench_audit.py [PAIRS]

Imports are left out of both times: each child measures itself after importing what it needs. Peak memory is the whole
child's. Exits with 1 where audit takes more than 1.25 times as long, or more than 400 MB.
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

INTERACTIONS: Final = 2_000
MOST_TIMES: Final = 1.25
MOST_MEGABYTES: Final = 400

LOADER: Final = """
import resource, sys, time
import yaml
path = sys.argv[1]
start = time.perf_counter()
with open(path, "rb") as file:
    found = len(yaml.load(file, yaml.CSafeLoader)["interactions"])
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


def measure(script: str, path: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one child."""
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, megabytes, found = map(float, done.stdout.split())
    if found != INTERACTIONS:
        message = f"{found:.0f} interactions instead of {INTERACTIONS}"
        raise SystemExit(message)
    return seconds, megabytes


def main() -> int:
    """Measure, print, and say whether it is quick and small enough."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agent.yaml"
        write_cassette(path)
        print(f"{INTERACTIONS:,} interactions, {path.stat().st_size / 1e6:.1f} MB, {pairs} pairs")
        ours, theirs = [], []
        for _ in range(pairs):
            theirs.append(measure(LOADER, path))
            ours.append(measure(AUDIT, path))
    times = statistics.median(mine[0] / other[0] for mine, other in zip(ours, theirs, strict=True))
    peak = max(megabytes for _, megabytes in ours)
    for name, found in (("CSafeLoader alone", theirs), ("audit", ours)):
        seconds = statistics.median(entry[0] for entry in found)
        print(f"{name}: {seconds:.2f} s (median), {max(entry[1] for entry in found):.0f} MB peak")
    print(f"audit / CSafeLoader: {times:.2f} (at most {MOST_TIMES}); peak {peak:.0f} MB (at most {MOST_MEGABYTES})")
    return int(times > MOST_TIMES or peak > MOST_MEGABYTES)


if __name__ == "__main__":
    raise SystemExit(main())
