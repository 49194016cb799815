"""Every task of one test session: the one input of every report."""

from datetime import datetime
from functools import cached_property
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.benchmark import BenchmarkRun
from pytest_tokenbudget.model.task import Task, Totals

__all__ = ["INTERRUPTED", "SCHEMA", "Recording", "Run"]

INTERRUPTED: Final = "interrupted"
"""Why a run is partial whose session ended before its tests did: stopped, or its tests could not be collected."""

SCHEMA: Final = "tokenbudget/run/1"


class Recording(Struct, frozen=True, kw_only=True):
    """A recording that was opened, and what of it was played.

    Attributes:
        source: Its path as given.
        interactions: How many answers it held when it was opened; the most, where it was opened several times.
        used: The positions of those that were played, from 0, ascending.
        own: Whether it is the recording of a marked test that opens none itself: ours to keep.
        settled: Whether every test that opened it passed: only then what was not played is not needed.
    """

    source: str
    interactions: int
    used: tuple[int, ...] = ()
    own: bool = False
    settled: bool = True

    @property
    def unused(self) -> tuple[int, ...]:
        """The positions of answers that were not played."""
        played = frozenset(self.used)
        return tuple(index for index in range(self.interactions) if index not in played)


class Run(Struct, frozen=True, kw_only=True, dict=True):
    """One test session.

    Attributes:
        tool_version: Our version.
        as_of: The instant whose prices were used.
        as_of_source: Who chose it: `release`, or the setting's place.
        price_table: An identity of the prices used: equal text means equal prices.
        counter: The local token counter of the prompt segments.
        mode: `enforce` or `observe`.
        unfinished: The session's name while it runs; a run file that still has it belongs to a process that died.
        commit: The git commit of the tested tree, if there is one.
        partial: Why only a part of the suite ran, such as `-k`; empty for a whole run.
        incomplete: What went wrong while measuring, in sentences; empty for a run to be trusted.
        tasks: The tasks that made a call or have a budget, sorted by id.
        fixtures: Wider fixtures that made calls, one task for each execution.
        recordings: The recordings that were opened, sorted by source.
        orphans: Files where tests keep their recordings that belong to no test and were not opened.
        failed: How many tests failed, measured or not.
        benchmarks: The benchmarks, sorted by id; their samples are among the tasks.
    """

    tool_version: str
    as_of: datetime
    as_of_source: str
    price_table: str
    counter: str
    mode: str
    unfinished: str | None = None
    commit: str | None = None
    partial: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    fixtures: tuple[Task, ...] = ()
    recordings: tuple[Recording, ...] = ()
    orphans: tuple[str, ...] = ()
    failed: int = 0
    benchmarks: tuple[BenchmarkRun, ...] = ()

    @cached_property
    def totals(self) -> Totals:
        """Sums over every attempt of every task and fixture."""
        return sum((task.all_attempts for task in (*self.tasks, *self.fixtures)), Totals())
