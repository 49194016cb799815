"""What a large suite's gate takes: two locks read, compared, split into causes, judged and written about.

python tests/benchmarks/bench_gate.py [tasks]
"""
# ruff: noqa: E402 - the simulator stands among the tests

import resource
import sys
from dataclasses import replace as changed
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from random import Random
from time import perf_counter, process_time

sys.path[:0] = [str(Path(__file__).parents[1])]

from agent_simulator import EDITS, calls_of, some_agent

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
from pytest_tokenbudget.tokens.worth import worth

CALLS = 20
KINDS = 60


@cache
def agents() -> list[tuple[tuple[Portion, ...], ...]]:
    """What simulated agents use, before and after an edit."""
    random = Random(3)  # noqa: S311 - the same at every run
    prices = PriceTable()
    made = []
    for _ in range(KINDS):
        agent = some_agent(random)
        steps = tuple(agent.steps[step % len(agent.steps)] for step in range(CALLS))
        agent = changed(agent, steps=steps)
        edited, _ = random.choice(EDITS)(agent, random)
        made.append(tuple(portions(calls_of(side), prices.above) for side in (agent, edited)))
    return made


def texts(tasks: int) -> tuple[str, str]:
    """The locks of a suite before and after a change that moves every second task."""
    before, after = {}, {}
    made = agents()
    for number in range(tasks):
        one, other = made[number % KINDS]
        name = f"tests/agents/test_{number % 97}.py::test_ticket[{number}]"
        before[name], after[name] = one, other if number % 2 else one
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
    print(f"peak memory of all of it: {peak:.0f} MB; {perf_counter() - clock:.0f} s by the clock")


if __name__ == "__main__":
    main()
