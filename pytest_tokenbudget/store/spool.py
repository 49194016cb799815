"""Calls on disk before the test sees their answers: what survives a crash, a timeout or `os._exit`.

One file of JSON lines per process, `calls/<session>.<worker>.jsonl` beside the run file, removed once that is written.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.task import Outcome, Task, TaskCall
from pytest_tokenbudget.store.records import run_call_from_record, run_call_record

__all__ = ["Spool", "clear_spools", "recover_tasks"]

_FOLDER: Final = "calls"
_encode = msgspec.json.Encoder().encode


class Spool:
    """Keeps the calls of one process.

    Nothing is written, not even a folder, before the first call.
    """

    def __init__(self, out: Path, session: str, worker: str, first: Callable[[], None]) -> None:
        """Prepare a spool.

        Args:
            out: The run file that the calls will end in.
            session: The session's name, the same in every worker.
            worker: The worker's name, `main` without workers.
            first: Called before the first call is written.
        """
        self._path = out.parent / _FOLDER / f"{session}.{worker}.jsonl"
        self._first = first
        self._file: int | None = None

    def keep(self, task_id: str, entry: TaskCall) -> None:
        """Write a call.

        Raises:
            OSError: It cannot be written.
        """
        self._write({"task": task_id, "call": run_call_record(entry)})

    def ended(self, task_id: str, outcome: Outcome) -> None:
        """Note that an attempt at a task ended."""
        if self._file is not None:
            self._write({"task": task_id, "outcome": outcome})

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._first()
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(self._file, _encode(line) + b"\n")

    def close(self) -> None:
        """Stop writing; the file stays until `clear_spools`."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def recover_tasks(out: Path, session: str) -> tuple[Task, ...]:
    """The tasks of a session whose process died, from what it kept.

    A task that had not ended has the outcome `died`. A line that was cut by the crash is passed over.
    """
    folder = out.parent / _FOLDER
    found = [task for file in sorted(folder.glob(f"{session}.*.jsonl")) for task in _tasks(file)]
    return tuple(sorted(found, key=lambda task: task.id))


def _tasks(file: Path) -> Iterator[Task]:
    calls: dict[str, list[TaskCall]] = {}
    outcomes: dict[str, Outcome] = {}
    for line in _lines(file):
        name = str(line.get("task"))
        if "outcome" in line:
            outcomes[name] = line["outcome"]
        elif "call" in line:
            if outcomes.pop(name, None) is not None:
                calls[name] = []  # a rerun: the last attempt counts
            try:
                calls.setdefault(name, []).append(run_call_from_record(line["call"], place=str(file.name)))
            except RunFileError:
                continue
    for name, entries in calls.items():
        yield Task(id=name, outcome=outcomes.get(name, "died"), calls=tuple(entries), exchanges=len(entries))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        text = file.read_bytes()
    except OSError:
        return
    for line in text.splitlines():
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if isinstance(value, dict):
            yield value


def clear_spools(out: Path) -> None:
    """Remove what was kept: the run file has it all now."""
    folder = out.parent / _FOLDER
    for file in folder.glob("*.jsonl"):
        file.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
