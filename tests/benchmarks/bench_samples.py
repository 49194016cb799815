"""What a benchmark of many samples takes on one process and on two, and what a sample costs beside its own work.

    python tests/benchmarks/bench_samples.py [--samples N] [--rounds N] [--replay]

By default a sample sleeps for 3 ms; with `--replay` it replays a recorded call over the standard library instead, each
from a cassette of its own (by plain HTTP: for HTTPS, urllib reads every root certificate, in 16 ms). Rounds are
interleaved, in processes of their own, and medians are printed: wall time of `-n 2` against `-n 0`, and CPU and wall
time per sample beside the same tests from `pytest.mark.parametrize`, which sleep.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median
from typing import NamedTuple

IGNORED = ("PYTEST", "TOKENBUDGET", "PYTHONDONTWRITEBYTECODE")
OURS = {"tokenbudget", "xdist", "xdist.looponfail"}
ALONE = [f"-pno:{plugin.name}" for plugin in entry_points(group="pytest11") if plugin.name not in OURS]
SLEEP = "    time.sleep(0.003)\n"
ASK = """\
    body = json.dumps({"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}]}).encode()
    request = urllib.request.Request("http://api.openai.com/v1/chat/completions", body, method="POST")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as response:
        response.read()
"""
HEAD = "import json, time, urllib.request\nimport pytest\n\n"
MARKED = """
@pytest.mark.token_budget(usd=1)
@pytest.mark.token_benchmark(data="tickets.jsonl", samples=1_000_000)
def test_it(sample):
"""
PLAIN = """
ROWS = [json.loads(line) for line in open("tickets.jsonl")]

@pytest.mark.parametrize("sample", ROWS, ids=[row["id"] for row in ROWS])
def test_it(sample):
"""
CASSETTE = """\
interactions:
- request:
    method: POST
    uri: http://api.openai.com/v1/chat/completions
    headers: {}
    body: '{"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}]}'
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [application/json]}
    body: {string: '{"id": "c", "object": "chat.completion", "model": "gpt-5-mini", "choices": [],
      "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}}'}
version: 1
"""


class Spent(NamedTuple):
    """Seconds of one run."""

    wall: float
    cpu: float


def run(folder: Path, module: str, *options: str) -> Spent:
    """One run of pytest over one module, its start included."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ALONE, *options, module]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(IGNORED)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def prepare(folder: Path, samples: int, *, replay: bool) -> None:
    """Write the tests, their data and, where they replay, their recordings."""
    body = ASK if replay else SLEEP
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_marked.py").write_text(f"{HEAD}{MARKED}{body}")
    (folder / "test_plain.py").write_text(f"{HEAD}{PLAIN}{SLEEP}")
    names = [f"t{number}" for number in range(samples)]
    (folder / "tickets.jsonl").write_text("".join(json.dumps({"id": name}) + "\n" for name in names))
    if replay:
        cassettes = folder / "cassettes" / "test_marked"
        cassettes.mkdir(parents=True)
        for name in names:
            (cassettes / f"test_it[{name}].yaml").write_text(CASSETTE)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--replay", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, given.samples, replay=given.replay)
        one, two, plain = [], [], []
        for _ in range(given.rounds):
            one.append(run(folder, "test_marked.py", "-n0"))
            two.append(run(folder, "test_marked.py", "-n2"))
            plain.append(run(folder, "test_plain.py", "-n0"))
    what = "replays a call" if given.replay else "sleeps 3 ms"
    print(f"{given.samples:,} samples, each {what}; {given.rounds} interleaved rounds; load {os.getloadavg()[0]:.1f}")
    walls = [median(spent.wall for spent in runs) for runs in (one, two, plain)]
    print(f"-n 0: {walls[0]:.1f} s; -n 2: {walls[1]:.1f} s; as fast: {walls[0] / walls[1]:.2f} times")
    beside = median(ours.cpu - theirs.cpu for ours, theirs in zip(one, plain, strict=True)) / given.samples
    each = median(ours.wall - theirs.wall for ours, theirs in zip(one, plain, strict=True)) / given.samples
    print(f"parametrized, asleep: {walls[2]:.1f} s; a sample more: {beside * 1e6:.0f} µs of CPU, {each * 1e6:.0f} µs")


if __name__ == "__main__":
    main()
