"""What a pytest-recording suite pays for being metered: replayed tests of one call each, with the plugin and without.

    python tests/benchmarks/bench_recording.py [--client httpx|openai] [--rounds N] [--small N] [--large N]

Two sizes of suite, in interleaved rounds and processes of their own, tell what is paid once from what is paid for each
call. CPU time; medians of the differences. The tests are as pytest-recording's users have them, without our marker.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median

import yaml

CLIENTS = {
    "httpx": """\
import httpx
import pytest

client = httpx.Client()


def ask(text):
    body = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": text}]}
    return client.post("https://api.openai.com/v1/chat/completions", json=body).json()["choices"]
""",
    "openai": """\
import openai
import pytest

client = openai.OpenAI(api_key="any")


def ask(text):
    return client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": text}]).choices
""",
}
TEST = """

@pytest.mark.vcr
def test_{number}():
    assert ask("{number} " + "Where is my order, please? " * 200)
"""
IGNORED = ("PYTEST", "TOKENBUDGET", "PYTHONDONTWRITEBYTECODE")
NEEDED = {"tokenbudget", "recording"}
ALONE = [f"-pno:{plugin.name}" for plugin in entry_points(group="pytest11") if plugin.name not in NEEDED]
WITHOUT = ("-p", "no:tokenbudget")


def write_suite(folder: Path, client: str, tests: int) -> None:
    """Write a suite and its recordings, of about 6 KB a request and 2 KB an answer."""
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(CLIENTS[client] + "".join(TEST.format(number=number) for number in range(tests)))
    (folder / "cassettes" / "test_it").mkdir(parents=True)
    for number in range(tests):
        asked = f"{number} " + "Where is my order, please? " * 200
        request = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": asked}]}
        body = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
        recording = {"interactions": [{"request": _request(body), "response": _response(number)}], "version": 1}
        (folder / "cassettes" / "test_it" / f"test_{number}.yaml").write_text(yaml.safe_dump(recording))


def _request(body: str) -> dict[str, object]:
    return {
        "method": "POST",
        "uri": "https://api.openai.com/v1/chat/completions",
        "body": body,
        "headers": {"content-type": ["application/json"], "user-agent": ["benchmark"]},
    }


def _response(number: int) -> dict[str, object]:
    answer = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-5-mini-2025-08-07",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "It is on its way. " * 100},
            }
        ],
        "usage": {
            "prompt_tokens": 1_210,
            "completion_tokens": 510,
            "total_tokens": 1_720,
            "prompt_tokens_details": {"cached_tokens": 1_024},
            "completion_tokens_details": {"reasoning_tokens": 10},
        },
    }
    return {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["application/json"], "x-request-id": [f"req_{number}"]},
        "body": {"string": json.dumps(answer)},
    }


def cpu_seconds(folder: Path, *options: str) -> float:
    """CPU time of one run of pytest, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ALONE, *options]
    # with bytecode, as on every run but the first, whatever this process was told
    environment = {name: value for name, value in os.environ.items() if not name.startswith(IGNORED)}
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", choices=tuple(CLIENTS), default="openai")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--small", type=int, default=20)
    parser.add_argument("--large", type=int, default=420)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sizes = {size: Path(name) / str(size) for size in (given.small, given.large)}
        for size, folder in sizes.items():
            write_suite(folder, given.client, size)
            cpu_seconds(folder)  # compiles the modules
        base: dict[int, list[float]] = {size: [] for size in sizes}
        extra: dict[int, list[float]] = {size: [] for size in sizes}
        for turn in range(given.rounds):
            for size, folder in sizes.items():
                with_first = turn % 2 == 0
                runs = [cpu_seconds(folder, *(() if with_us == with_first else WITHOUT)) for with_us in (True, False)]
                ours, theirs = runs if with_first else reversed(runs)
                base[size].append(theirs)
                extra[size].append(ours - theirs)
    small, large = median(extra[given.small]), median(extra[given.large])
    each = (large - small) / (given.large - given.small)
    once = small - given.small * each
    print(f"replayed tests of one call each, client {given.client}, {given.rounds} interleaved rounds, CPU time")
    for size in sizes:
        print(f"{size:5} tests: {median(base[size]):.3f} s without the plugin, {median(extra[size]):+.3f} s with it")
    print(f"once: {once:.3f} s; for each call: {each * 1000:.3f} ms; 200 calls: {once + 200 * each:.3f} s")


if __name__ == "__main__":
    main()
