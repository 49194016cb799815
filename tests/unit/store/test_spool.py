import os
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import make_call, make_run
from msgspec.structs import replace

from pytest_tokenbudget.model.task import Stray, TaskCall
from pytest_tokenbudget.store.load import load_run
from pytest_tokenbudget.store.runfile import write_run
from pytest_tokenbudget.store.spool import Spool, clear_spools, recover_tasks

ENTRY = TaskCall(call=make_call("0.01"), step=1)
STRAY = Stray(kind="escaped", request="POST https://api.openai.com/v1/responses", how="aiohttp")
A_DAY = 24 * 60 * 60


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / ".tokenbudget/run.json"


@pytest.fixture
def announced() -> list[str]:
    return []


@pytest.fixture
def spool(out: Path, announced: list[str]) -> Callable[..., Spool]:
    def make(worker: str = "main", session: str = "s1") -> Spool:
        return Spool(out, session, worker, lambda: announced.append(worker))

    return make


def test_nothing_is_written_before_the_first_call(spool: Callable[..., Spool], out: Path, announced: list[str]) -> None:
    kept = spool()
    kept.ended("a", "passed")
    assert (announced, out.parent.exists()) == ([], False)
    kept.keep("a", ENTRY)
    kept.keep("a", ENTRY)
    assert announced == ["main"]
    assert [file.name for file in (out.parent / "calls").iterdir()] == ["s1.main.jsonl"]


def test_what_was_kept_is_recovered(spool: Callable[..., Spool], out: Path) -> None:
    kept = spool("gw1")
    kept.keep("a", ENTRY)
    kept.ended("a", "passed")
    kept.keep("b", ENTRY)
    kept.keep("b", replace(ENTRY, phase="teardown", step=2))
    kept.keep("a fixture", ENTRY, is_fixture=True)
    kept.keep("a fixture", ENTRY, is_fixture=True)
    found = {entry.task.id: entry.task for entry in recover_tasks(out, "s1")}
    assert {name: (task.outcome, len(task.calls), task.exchanges) for name, task in found.items()} == {
        "a": ("passed", 1, 1),
        "b": ("died", 2, 2),
        "a fixture": ("fixture", 2, 2),
    }
    assert found["b"].calls == (ENTRY, replace(ENTRY, phase="teardown", step=2))
    assert {entry.worker for entry in recover_tasks(out, "s1")} == {"gw1"}
    assert recover_tasks(out, "s2") == ()


def test_attempts_are_told_apart(spool: Callable[..., Spool], out: Path) -> None:
    kept = spool()
    for outcome in ("failed", "failed", None):
        kept.keep("a", ENTRY)
        kept.keep("a", ENTRY)
        if outcome:
            kept.ended("a", outcome)
    [(_, task)] = recover_tasks(out, "s1")
    assert (task.outcome, len(task.calls)) == ("died", 2)
    assert [(attempt.outcome, len(attempt.calls)) for attempt in task.earlier] == [("rerun", 2), ("rerun", 2)]


@pytest.mark.parametrize("damage", [b'{"task": "a", "ca', b"\xff\xff\n", b"[]\n", b'{"task": "a", "call": {}}\n'])
def test_damage_takes_nothing_else_with_it(spool: Callable[..., Spool], out: Path, damage: bytes) -> None:
    spool().keep("a", ENTRY)
    [file] = (out.parent / "calls").iterdir()
    file.write_bytes(file.read_bytes() + damage)
    [(_, task)] = recover_tasks(out, "s1")
    assert len(task.calls) == 1


def test_a_closed_spool_writes_no_more(spool: Callable[..., Spool], out: Path, announced: list[str]) -> None:
    kept = spool()
    kept.keep("a", ENTRY)
    kept.close()
    kept.close()
    kept.keep("b", ENTRY)
    assert announced == ["main"]
    assert [entry.task.id for entry in recover_tasks(out, "s1")] == ["a"]
    never_opened = spool("gw0")
    never_opened.close()
    never_opened.keep("b", ENTRY)
    assert announced == ["main"]


def test_a_session_clears_its_own_and_what_was_left_long_ago(spool: Callable[..., Spool], out: Path) -> None:
    for worker, session in (("main", "s1"), ("gw0", "s1"), ("main", "s12"), ("main", "old")):
        spool(worker, session).keep("a", ENTRY)
    folder = out.parent / "calls"
    long_ago = (folder / "old.main.jsonl").stat().st_mtime - A_DAY - 60
    os.utime(folder / "old.main.jsonl", (long_ago, long_ago))
    clear_spools(out, "s1")
    assert [file.name for file in folder.iterdir()] == ["s12.main.jsonl"]
    clear_spools(out, "s12")
    assert not folder.exists()
    clear_spools(out, "s12")


def test_a_place_that_cannot_be_written_raises_and_loses_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = Spool(tmp_path / "file/run.json", "s1", "main", lambda: None)
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        kept.keep("a", ENTRY)
    kept.close()
    assert recover_tasks(tmp_path / "file/run.json", "s1") == ()
    clear_spools(tmp_path / "file/run.json", "s1")


def test_an_unfinished_run_is_read_with_what_was_kept(spool: Callable[..., Spool], out: Path) -> None:
    for worker, outcome in (("gw0", None), ("gw1", "passed")):
        kept = spool(worker)
        kept.keep("a", ENTRY)
        kept.keep(f"fixture of {worker}", ENTRY, is_fixture=True)
        if outcome:
            kept.ended("a", outcome)
    write_run(out, make_run(unfinished="s1", incomplete=("The session has not finished.",)))
    run = load_run(out)
    [task] = run.tasks
    assert (task.outcome, [attempt.outcome for attempt in task.earlier]) == ("passed", ["died"])
    assert [fixture.id for fixture in run.fixtures] == ["fixture of gw0", "fixture of gw1"]
    assert run.incomplete == ("The session has not finished.", "a: the process ended inside this test.")
    assert run.totals.calls == 4
    assert load_run(out).unfinished == "s1"


def test_strays_are_recovered_with_and_without_calls(spool: Callable[..., Spool], out: Path) -> None:
    kept = spool()
    kept.stray("a", STRAY)
    kept.stray("b", STRAY)
    kept.keep("b", ENTRY)
    kept.ended("b", "failed")
    kept.stray("b", replace(STRAY, kind="refused"))
    kept.stray("a fixture", STRAY, is_fixture=True)
    found = {entry.task.id: entry.task for entry in recover_tasks(out, "s1")}
    assert {name: (task.outcome, len(task.calls), len(task.strays)) for name, task in found.items()} == {
        "a": ("died", 0, 1),
        "b": ("died", 0, 2),
        "a fixture": ("fixture", 0, 1),
    }
    assert [attempt.outcome for attempt in found["b"].earlier] == ["rerun"]
    assert found["b"].strays == (STRAY, replace(STRAY, kind="refused"))


def test_a_stray_that_is_cut_off_is_passed_over(spool: Callable[..., Spool], out: Path) -> None:
    spool().stray("a", STRAY)
    file = out.parent / "calls/s1.main.jsonl"
    file.write_bytes(file.read_bytes() + b'{"task": "a", "stray": {"kind": "esc"}}\n{"task": "a", "stray": {"ki')
    (found,) = recover_tasks(out, "s1")
    assert found.task.strays == (STRAY,)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_spool_knows_whether_it_holds_only_its_own(spool: Callable[..., Spool], out: Path) -> None:
    kept = spool()
    assert kept.holds_only(0)
    assert not kept.holds_only(1)
    kept.keep("a", ENTRY)
    kept.stray("a", STRAY)
    kept.ended("a", "passed")
    assert kept.holds_only(2)
    assert recover_tasks(out, "s1", without="main") == ()
    if (child := os.fork()) == 0:
        kept.keep("a", ENTRY)
        os._exit(0)
    os.waitpid(child, 0)
    assert not kept.holds_only(2)
    assert not kept.holds_only(3)
    kept.close()
    (out.parent / "calls/s1.main.jsonl").unlink()
    assert not kept.holds_only(2)
