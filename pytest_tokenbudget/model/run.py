"""Every task of one test session: the one input of every report."""

from datetime import datetime
from functools import cached_property
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.task import Task, Totals

__all__ = ["SCHEMA", "Run"]

SCHEMA: Final = "tokenbudget/run/1"


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

    @cached_property
    def totals(self) -> Totals:
        """Sums over every attempt of every task and fixture."""
        return sum((task.all_attempts for task in (*self.tasks, *self.fixtures)), Totals())
