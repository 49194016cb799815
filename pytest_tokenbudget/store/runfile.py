"""Writing the run file: a whole test session as JSON, schema `tokenbudget/run/1`."""

import os
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.budget import Budget, Verdict
from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.model.run import SCHEMA, Recording, Run
from pytest_tokenbudget.model.task import Task, Totals
from pytest_tokenbudget.store.benchmarks import benchmark_record
from pytest_tokenbudget.store.drifts import sums_band
from pytest_tokenbudget.store.encoding import laid_out
from pytest_tokenbudget.store.folder import make_folder
from pytest_tokenbudget.store.portions import portion_record
from pytest_tokenbudget.store.records import run_call_record, skipped_record
from pytest_tokenbudget.store.usages import usage_record

__all__ = ["run_record", "write_run"]

_DEPTH: Final = 4
"""The run, its tasks, a task, its calls: a call stands on a line."""


def write_run(path: Path, run: Run) -> None:
    """Write a run file whole: a reader sees the one before or this one, never half of it.

    Raises:
        RunFileError: It cannot be written; the message names the file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        make_folder(path.parent)
        with temporary.open("wb") as file:
            file.writelines(laid_out(run_record(run), _DEPTH))
            file.write(b"\n")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        message = f"{path}: the run cannot be written: {error.strerror or error}. Say where with --tokenbudget-out."
        raise RunFileError(message) from error


def run_record(run: Run) -> dict[str, Any]:
    """The run as plain JSON values."""
    return {
        "schema": SCHEMA,
        "tool_version": run.tool_version,
        "as_of": run.as_of.isoformat(),
        "as_of_source": run.as_of_source,
        "price_table": run.price_table,
        "counter": run.counter,
        "mode": run.mode,
        "commit": run.commit,
        "unfinished": run.unfinished,
        "partial": list(run.partial),
        "incomplete": list(run.incomplete),
        "totals": _totals(run.totals),
        "tasks": [_task(task) for task in run.tasks],
        "fixtures": [_task(task) for task in run.fixtures],
        "failed": run.failed,
        "recordings": [_recording(recording) for recording in run.recordings],
        "orphans": list(run.orphans),
        "benchmarks": [benchmark_record(benchmark) for benchmark in run.benchmarks],
    }


def _recording(recording: Recording) -> dict[str, Any]:
    return {
        "source": recording.source,
        "interactions": recording.interactions,
        "used": list(recording.used),
        "own": recording.own,
        "settled": recording.settled,
    }


def _task(task: Task) -> dict[str, Any]:
    totals = task.totals
    return {
        "id": task.id,
        "workflow": task.budget.workflow,
        "team": task.budget.team,
        "outcome": task.outcome,
        **_totals(totals),
        "all_attempts_usd": _text(task.all_attempts.cost),
        "cost_usd": None if task.escaped else _text(totals.cost),
        "incurred_usd": None if task.possibly_billed else _incurred(task.all_attempts),
        "traffic": task.traffic,
        "strays": [{"kind": stray.kind, "request": stray.request, "how": stray.how} for stray in task.strays],
        "sample": None if task.drawn is None else msgspec.to_builtins(task.drawn),
        "budget": _budget(task.budget),
        "verdict": _verdict(task.verdict),
        "exchanges": task.exchanges,
        "notes": list(task.notes),
        "skipped": [skipped_record(skipped) for skipped in task.skipped],
        "calls": [run_call_record(entry) for entry in task.calls],
        "portions": [portion_record(portion) for portion in task.portions],
        "earlier": [
            {
                "outcome": attempt.outcome,
                "verdict": _verdict(attempt.verdict),
                "calls": [run_call_record(entry) for entry in attempt.calls],
            }
            for attempt in task.earlier
        ],
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "usage": usage_record(totals.usage),
        "fees": dict(sorted(totals.usage.fees.items())),
        "cost_usd": _text(totals.cost),
        "known_usd": dollars_text(totals.known),
        "incurred_usd": _incurred(totals),
        "call_count": totals.calls,
        "steps": totals.steps,
        "drifted": totals.drifted,
        "estimated": totals.estimated,
        "band": _band(totals),
        "unknown": totals.unknown,
    }


def _band(totals: Totals) -> dict[str, Any] | None:
    if not totals.drifted:
        return None
    return sums_band(totals.low, totals.high, totals.known_low, None if totals.unknown else totals.known_high)


def _incurred(totals: Totals) -> str | None:
    return None if totals.unknown_sent else dollars_text(totals.incurred)


def _budget(budget: Budget) -> dict[str, Any]:
    return {
        **{name: dollars_text(bound) for name, bound in budget.limits()},
        "tolerance": dollars_text(budget.tolerance),
        "allow_no_calls": budget.allow_no_calls,
        "origins": dict(budget.origins),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": verdict.state,
        "blocks": verdict.blocks,
        "findings": [
            {
                "limit": finding.limit,
                "state": finding.state,
                "bound": _text(finding.bound),
                "value": _text(finding.value),
                "low": _text(finding.low),
                "high": _text(finding.high),
                "reason": finding.reason,
            }
            for finding in verdict.findings
        ],
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else dollars_text(amount)
