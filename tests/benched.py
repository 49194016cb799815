"""A project with a benchmark: its samples, their recordings, and what its run says of it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from project import Project, Ran, chat

from pytest_tokenbudget.model.benchmark import BenchmarkRun

__all__ = ["FAILING", "MANY", "PLAIN", "benched", "only", "order", "rows", "section", "verdict"]

PLAIN: Final = """
@pytest.mark.token_budget(usd=0.001)
@pytest.mark.token_benchmark(data="tickets.jsonl")
def test_it(sample):
    ask(sample["text"])
"""
"""A benchmark of one call a task, which may cost 1,000 tokens on average."""

FAILING: Final = PLAIN + "    assert sample['id'] != 'b', 'no answer'\n"

MANY: Final = {f"t{number}": 900 + number for number in range(12)}
"""Twelve samples and their tokens, within the budget."""


def rows(names: Iterable[str], **fields: Any) -> str:
    """Samples as JSON lines."""
    return "".join(json.dumps({"id": name, "text": "Hello", **fields}) + "\n" for name in names)


def benched(
    project: Project, costs: Mapping[str, int | None], source: str = PLAIN, *, test: str = "test_it"
) -> Project:
    """With a benchmark whose samples' recordings are of so many tokens; a sample of `None` has no recording."""
    project = project.tests(source).file("tickets.jsonl", rows(costs))
    for name, tokens in costs.items():
        if tokens is not None:
            project = project.recorded(chat(tokens), test=f"{test}[{name}]")
    return project


def only(ran: Ran) -> BenchmarkRun:
    """The run's one benchmark."""
    (found,) = ran.run.benchmarks
    return found


def verdict(ran: Ran) -> tuple[str, tuple[str, ...]]:
    """The state of the run's one benchmark, and why."""
    found = only(ran).result.verdict
    return found.state, tuple(ground.why for ground in found.grounds)


def section(ran: Ran) -> str:
    """The section that ends pytest's output, without its title."""
    return ran.out.partition("= token budget =")[2].partition("\n")[2].rpartition("\n=")[0]


def order(project: Project, names: Iterable[str]) -> list[str]:
    """Samples in the order of the draw."""
    collected = benched(project, dict.fromkeys(names)).run("--collect-only", "-q")
    return [line.partition("[")[2][:-1] for line in collected.out.splitlines() if line.startswith("test_it.py::")]
