"""Calls on disk before the test sees their answers: what survives a crash, a timeout or `os._exit`.

One file of JSON lines per process, `calls/<session>.<worker>.jsonl` beside the run file, removed once that is written.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.benchmark import DIED, Drawn
from pytest_tokenbudget.model.task import Attempt, Outcome, Stray, Task, TaskCall
from pytest_tokenbudget.store.encoding import encode_json
from pytest_tokenbudget.store.folder import make_folder
from pytest_tokenbudget.store.records import run_call_from_record, run_call_record

__all__ = ["Recovered", "Spool", "clear_spools", "recover_tasks"]

_FOLDER: Final = "calls"
_FORKED: Final = "made by a process that the test forked: no budget counts these calls"
_STRAYED: Final = "a process that the test forked made model calls past every recording"
_ABANDONED: Final = 24 * 60 * 60
"""Seconds after which what another session kept counts as left behind by its death."""


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
        self._closed = False
        self._written = self._entries = 0
        self._process = os.getpid()
        self._lock = Lock()

    def keep(self, task_id: str, entry: TaskCall, *, is_fixture: bool = False, drawn: Drawn | None = None) -> None:
        """Write a call, unless the spool was closed.

        A process forked by a test inherits its spool, and what it says is told apart: its calls never reach the test.

        Raises:
            OSError: It cannot be written.
        """
        line = self._line(task_id, _FORKED, is_fixture=is_fixture) | {"call": run_call_record(entry)}
        if drawn is not None and "fixture" not in line:
            line["drawn"] = msgspec.to_builtins(drawn)
        self._write(line, entries=1)

    def stray(self, task_id: str, stray: Stray, *, is_fixture: bool = False) -> None:
        """Write a model request of which no answer is measured, unless the spool was closed.

        Raises:
            OSError: It cannot be written.
        """
        stray_line = self._line(task_id, _STRAYED, is_fixture=is_fixture) | {"stray": msgspec.to_builtins(stray)}
        self._write(stray_line, entries=1)

    def _line(self, task_id: str, forked: str, *, is_fixture: bool) -> dict[str, Any]:
        if os.getpid() != self._process:
            return {"task": f"{task_id} [forked process]", "fixture": True, "note": forked}
        return {"task": task_id, "fixture": True} if is_fixture else {"task": task_id}

    def ended(self, task_id: str, outcome: Outcome) -> None:
        """Note that an attempt at a task ended."""
        if self._file is not None:
            self._write({"task": task_id, "outcome": outcome})

    def _write(self, line: dict[str, Any], entries: int = 0) -> None:
        text = encode_json(line) + b"\n"
        with self._lock:
            if self._closed:
                return
            if self._file is None:
                make_folder(self._path.parent)
                self._first()
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            self._written += os.write(self._file, text)
            self._entries += entries

    def holds_only(self, entries: int) -> bool:
        """Whether so many calls and strays were kept through this very spool, and nothing by a process that was forked.

        Whoever has as many in memory need not read the file.
        """
        try:
            size = self._path.stat().st_size
        except OSError:
            size = 0
        return (size, self._entries) == (self._written, entries)

    def close(self) -> None:
        """Stop writing for good; the file stays until `clear_spools`."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                os.close(self._file)
                self._file = None


class Recovered(NamedTuple):
    """A task as its process kept it."""

    worker: str
    task: Task


def recover_tasks(out: Path, session: str, *, without: str | None = None) -> tuple[Recovered, ...]:
    """The tasks of a session, from what its processes kept; sorted by worker and in the order of their first call.

    A task that had not ended has the outcome `died`, and wider fixtures always `fixture`. A line that was cut by a
    crash is passed over.

    Args:
        out: The run file that the calls will end in.
        session: The session's name.
        without: A worker whose file is not read.
    """
    found = []
    for file in sorted((out.parent / _FOLDER).glob(f"{session}.*.jsonl")):
        worker = file.name.removeprefix(f"{session}.").removesuffix(".jsonl")
        if worker != without:
            found += [Recovered(worker, task) for task in _tasks(file)]
    return tuple(found)


def _tasks(file: Path) -> Iterator[Task]:
    calls: dict[str, list[TaskCall]] = {}
    strays: dict[str, list[Stray]] = {}
    earlier: dict[str, list[Attempt]] = {}
    outcomes: dict[str, Outcome] = {}
    notes: dict[str, dict[str, None]] = {}
    places: dict[str, Drawn] = {}
    for line in _lines(file):
        name = str(line.get("task"))
        if "outcome" in line:
            outcomes[name] = line["outcome"]
        elif "call" in line or "stray" in line:
            if outcomes.pop(name, "fixture") != "fixture":
                earlier.setdefault(name, []).append(Attempt(outcome="rerun", calls=tuple(calls.pop(name, ()))))
            if line.get("fixture"):
                outcomes[name] = "fixture"
            if note := line.get("note"):
                notes.setdefault(name, {})[note] = None
            of_task = calls.setdefault(name, [])
            with suppress(RunFileError, msgspec.ValidationError):
                if "drawn" in line:
                    places[name] = msgspec.convert(line["drawn"], Drawn)
                if "stray" in line:
                    strays.setdefault(name, []).append(msgspec.convert(line["stray"], Stray))
                else:
                    of_task.append(run_call_from_record(line["call"], place=str(file.name)))
    for name, entries in calls.items():
        yield Task(
            id=name,
            outcome=outcomes.get(name, "died"),
            calls=tuple(entries),
            exchanges=len(entries),
            earlier=tuple(earlier.get(name, ())),
            notes=tuple(notes.get(name, ())),
            strays=tuple(strays.get(name, ())),
            drawn=_unmeasured(places.get(name), has_ended=name in outcomes),
        )


def _unmeasured(drawn: Drawn | None, *, has_ended: bool) -> Drawn | None:
    """The place of a sample; one whose process died was not measured."""
    return drawn if drawn is None or has_ended else replace(drawn, unmeasured=DIED)


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


def clear_spools(out: Path, session: str) -> None:
    """Remove what a session kept, for the run file has it all now, and what others left behind days ago.

    Another session may be running over the same project right now.
    """
    folder = out.parent / _FOLDER
    oldest = time.time() - _ABANDONED
    for file in (*folder.glob("*.jsonl"), *folder.glob("*.samples")):
        if file.name.startswith(f"{session}.") or file.stat().st_mtime < oldest:
            file.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
