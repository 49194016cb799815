"""What a large suite's gate takes: two locks read, compared, split into causes, judged and written about.

Then the same by the console script, which reads a run file with all calls in the place of one lock.

python tests/benchmarks/bench_gate.py [tasks]
"""
# ruff: noqa: E402 - the simulator stands among the tests

import os
import resource
import subprocess
import sys
from dataclasses import replace as changed
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

sys.path[:0] = [str(Path(__file__).parents[1])]

from agent_simulator import EDITS, Agent, calls_of, some_agent
from builders import make_budget, make_run, make_task
from msgspec.structs import replace

from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.policy.compare import compare
from pytest_tokenbudget.policy.gate import gate
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.report.comment import About, comment
from pytest_tokenbudget.store.baseline import snapshot_of_lock
from pytest_tokenbudget.store.lock import Lock, lock_text
from pytest_tokenbudget.store.lock_reading import read_lock
from pytest_tokenbudget.store.runfile import write_run
from pytest_tokenbudget.tokens.worth import worth

CALLS = 20
KINDS = 60


@cache
def agents() -> list[tuple[Agent, Agent]]:
    """Simulated agents, before and after an edit."""
    random = Random(3)  # noqa: S311 - the same at every run
    made = []
    for _ in range(KINDS):
        agent = some_agent(random)
        steps = tuple(agent.steps[step % len(agent.steps)] for step in range(CALLS))
        agent = changed(agent, steps=steps)
        edited, _ = random.choice(EDITS)(agent, random)
        made.append((agent, edited))
    return made


@cache
def used() -> list[tuple[tuple[Portion, ...], ...]]:
    """What they use."""
    prices = PriceTable()
    return [tuple(portions(calls_of(side), prices.above) for side in pair) for pair in agents()]


def name_of(number: int) -> str:
    """A task's id."""
    return f"tests/agents/test_{number % 97}.py::test_ticket[{number}]"


def texts(tasks: int) -> tuple[str, str]:
    """The locks of a suite before and after a change that moves every second task."""
    before, after = {}, {}
    for number in range(tasks):
        one, other = used()[number % KINDS]
        before[name_of(number)], after[name_of(number)] = one, other if number % 2 else one
    return lock_text(Lock(counter="tb1", tasks=before)), lock_text(Lock(counter="tb1", tasks=after))


def timed(tasks: int) -> tuple[float, dict[str, float]]:
    """Seconds of processor time in all, and of each part."""
    base_text, head_text = texts(tasks)
    prices = PriceTable()
    parts = {}
    began = process_time()
    base, head = (snapshot_of_lock(read_lock(text), name) for text, name in ((base_text, "base"), (head_text, "head")))
    parts["reading both locks"] = process_time() - began
    part = process_time()
    found = compare(base, head, prices.card_of, worth)
    parts["comparing, with causes"] = process_time() - part
    part = process_time()
    verdict = gate(found, GateRules(), today=date(2026, 11, 25))
    parts["judging"] = process_time() - part
    part = process_time()
    text = comment(found, verdict, About(as_of=datetime(2026, 11, 1, tzinfo=UTC)))
    parts["writing the comment"] = process_time() - part
    assert text
    return process_time() - began, parts


def run_file(tasks: int, path: Path) -> None:
    """The run of the suite after the change, written as pytest would: of each kind of task once, then copied."""
    prices = PriceTable()
    kinds = []
    for pair, sums in zip(agents(), used(), strict=True):
        for agent, portion in zip(pair, sums, strict=True):
            calls = [prices.charge(call) for call in calls_of(agent)]
            task = make_task(f"task-{len(kinds):05}", *calls, budget=make_budget(usd=5))
            kinds.append(replace(task, portions=portion))
    write_run(path, make_run(*kinds, counter="tb1"))
    head, _, rest = path.read_bytes().partition(b'\n "tasks": [\n')
    listed, _, tail = rest.partition(b"\n ],")
    each = listed.split(b",\n  {\n")
    with path.open("wb") as file:
        file.write(head + b'\n "tasks": [\n')
        for number in range(tasks):
            kind = 2 * (number % KINDS) + number % 2
            text = each[kind] if not kind else b"  {\n" + each[kind]
            file.write(text.replace(b"task-%05d" % kind, name_of(number).encode()) + b",\n" * (number < tasks - 1))
        file.write(b"\n ]," + tail)


def command(tasks: int) -> tuple[float, int, int]:
    """Seconds of processor time and the peak megabytes of `tokenbudget gate`, and the run file's megabytes."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / ".tokenbudget").mkdir()
        for name in ("base.lock", "tokenbudget.lock"):  # of base, and the one that the change left as it was
            (root / name).write_text(texts(tasks)[0], encoding="utf-8")
        file = root / ".tokenbudget/run.json"
        run_file(tasks, file)
        script = Path(sys.executable).with_name("tokenbudget")
        process = subprocess.Popen(
            [script, "gate", "--base", "base.lock", "--format", "md"], cwd=root, stdout=subprocess.DEVNULL
        )
        _, status, spent = os.wait4(process.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 10
        return spent.ru_utime + spent.ru_stime, spent.ru_maxrss // 1024, file.stat().st_size // 2**20


def main() -> None:
    """Print what one suite takes, and one twice as large."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    clock = perf_counter()
    timed(100)  # the price data
    small, parts = timed(tasks)
    large, _ = timed(2 * tasks)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{tasks:,} tasks of {CALLS} calls: {small:.2f} s of processor time (at most 3)")
    for name, seconds in parts.items():
        print(f"  {name}: {seconds:.2f} s")
    print(f"{2 * tasks:,} tasks: {large:.2f} s, {large / small:.2f} times as long (at most 2.3)")
    print(f"peak memory of all of it: {peak:.0f} MB (at most 400); {perf_counter() - clock:.0f} s by the clock")
    seconds, memory, size = command(tasks)
    print(f"tokenbudget gate over a run file of {size} MB: {seconds:.2f} s (at most 3), {memory} MB (at most 400)")
    twice, memory, size = command(2 * tasks)
    print(f"over one of {size} MB: {twice:.2f} s, {twice / seconds:.2f} times as long (at most 2.3), {memory} MB")


if __name__ == "__main__":
    main()
