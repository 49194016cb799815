"""How long a large run takes to be judged, summed, printed and written.

    pytest -s tests/benchmarks/bench_report.py

A run of 100,000 calls reports in seconds, and twice the tasks take about twice the time.
"""

import time
from collections.abc import Callable
from pathlib import Path

from builders import make_budget, make_call, make_run, make_segment, make_task

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.report.failure import failure_text
from pytest_tokenbudget.report.terminal import summary
from pytest_tokenbudget.store.runfile import write_run

CALLS = 20
SEGMENTS = 20


def agent() -> list[Call]:
    """The calls of one task, each with a prompt of twenty parts."""
    prompt = tuple(make_segment("tool_result", 900, name="search", digest=str(part)) for part in range(SEGMENTS))
    return [make_call("0.0123456", input=18_000, cache_read=4_000, output=300, prompt=prompt) for _ in range(CALLS)]


def built(tasks: int) -> Run:
    """A run that is within its budgets but for every tenth task, and whose sums nobody has asked for yet."""
    calls = agent()
    budgets = [make_budget(usd=0.20), *[make_budget(usd=0.30)] * 9]
    return make_run(
        *(make_task(f"tests/test_{n % 50}.py::test_{n}", *calls, budget=budgets[n % 10]) for n in range(tasks))
    )


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(tasks: int, folder: Path) -> dict[str, float]:
    runs: list[Run] = []
    found = {"build and judge": timed(lambda: runs.append(built(tasks)))}
    run = runs[0]
    found["totals"] = timed(lambda: run.totals)
    found["summary"] = timed(lambda: summary(run, width=100))
    found["summary -v"] = timed(lambda: summary(run, width=100, verbosity=1))
    found["write_run"] = timed(lambda: write_run(folder / "run.json", run))
    return found


def test_a_run_of_100_000_calls_reports_in_seconds(tmp_path: Path) -> None:
    half, whole = measured(2_500, tmp_path), measured(5_000, tmp_path)
    print()
    for name, seconds in whole.items():
        print(f"{name:>16}: {seconds:6.2f} s for 100,000 calls, {seconds / half[name]:.1f} times those of 50,000")
    reporting = {name: seconds for name, seconds in whole.items() if name != "build and judge"}
    assert sum(reporting.values()) < 30
    # what is quadratic would take four times as long
    assert sum(whole.values()) / sum(half.values()) < 3


def test_one_failure_of_a_thousand_calls_is_told_at_once() -> None:
    task = make_task("t", *agent() * 50, budget=make_budget(usd=0.30))
    seconds = timed(lambda: failure_text(task))
    print(f"\n{seconds * 1000:.0f} ms for the text of a failure of 1,000 calls")
    assert seconds < 2
