"""What is read of a run file for a comparison: the same, whether its calls are read or passed over."""

import json
import os
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from agent_simulator import calls_of, some_agent
from builders import make_budget, make_call, make_estimate, make_run, make_task
from msgspec.structs import replace

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.run import Recording, Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.store.judged import Judged, judged_of_run, load_judged
from pytest_tokenbudget.store.load import load_run
from pytest_tokenbudget.store.runfile import write_run
from pytest_tokenbudget.store.untrusted import load_untrusted

TABLE = PriceTable()


def task(name: str, *calls: Call, **fields: Any) -> Task:
    made = make_task(name, *calls, budget=make_budget(usd=0.2, workflow="triage"), **fields)
    return replace(made, portions=portions(calls, TABLE.above))


def agent(seed: int) -> list[Call]:
    return [TABLE.charge(call) for call in calls_of(some_agent(Random(seed)))]  # noqa: S311 - the same at every run


MISSING = make_call(None, status="missing", input=0)
RUN = make_run(
    *(task(f"t.py::test_{number}", *agent(number)) for number in range(5)),
    task("t.py::test_missing", *agent(6), MISSING),
    task("t.py::test_forged", *agent(7), replace(MISSING, cost=Decimal("0.01"))),
    task("t.py::test_drifted", make_estimate("0.28", "0.27", "0.30", source="a.yaml"), make_call()),
    task("t.py::test_refused", *agent(8), make_call("0", status="error", input=0)),
    make_task("t.py::test_none"),
    fixtures=(task("t.py::shop [session fixture, gw0]", *agent(9), outcome="fixture"),),
    recordings=(Recording(source="a.yaml", interactions=1), Recording(source="b.yaml", interactions=1, own=True)),
    commit="4be01aa" + "0" * 33,
)


def reads(folder: Path, run: Run) -> tuple[Judged, Judged]:
    """As it is read, and as a run that was read whole is."""
    file = folder / "run.json"
    write_run(file, run)
    return load_judged(file), judged_of_run(load_run(file), "run.json")


def test_a_run_is_read_as_if_its_calls_had_been_read(tmp_path: Path) -> None:
    found, whole = reads(tmp_path, RUN)
    assert dict(found.side.tasks) == dict(whole.side.tasks)
    assert replace(found.side, tasks={}) == replace(whole.side, tasks={})
    assert replace(found, side=whole.side) == whole
    assert found.foreign == {"a.yaml"}
    assert sorted(name for name, use in found.side.tasks.items() if use.unknown) == [
        "t.py::test_forged",
        "t.py::test_missing",
    ]
    assert [name for name, use in found.side.tasks.items() if use.drifted is not None] == ["t.py::test_drifted"]


@pytest.mark.parametrize("fields", [{"partial": ("-k refund",)}, {"incomplete": ("a worker died",)}])
def test_what_was_left_out_is_known(tmp_path: Path, fields: dict[str, Any]) -> None:
    found, whole = reads(tmp_path, replace(RUN, **fields))
    assert replace(found.side, tasks={}) == replace(whole.side, tasks={})


def test_what_was_paid_for_calls_of_unknown_cost_is_unknown(tmp_path: Path) -> None:
    sent = replace(MISSING, obtained="live")
    found, whole = reads(tmp_path, make_run(task("t.py::test_a", sent)))
    assert found.paid is whole.paid is None


def test_calls_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write_run(file, make_run(task("t.py::test_a", *agent(1))))
    record = json.loads(file.read_text())
    record["tasks"][0]["calls"] = ["these are no calls"]
    file.write_text(json.dumps(record))
    assert load_judged(file).side.tasks["t.py::test_a"].portions
    with pytest.raises(RunFileError):
        load_run(file)


def test_the_run_of_a_process_that_died_is_read_whole(tmp_path: Path) -> None:
    found, _ = reads(tmp_path, replace(RUN, unfinished="20261126-1"))
    assert len(found.side.tasks) == len(RUN.tasks) + len(RUN.fixtures)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "there is no run file. Run pytest first"),
        ("{", "the run file cannot be read: "),
        ("[]", "this is 'list', not a run file"),
        ('{"schema": "tokenbudget/run/9"}', "this is 'tokenbudget/run/9', not a run file of schema"),
        ('{"schema": "tokenbudget/run/1"}', "Object missing required field `tool_version`"),
        ("\udcff", "the run file cannot be read: "),
    ],
)
def test_a_file_that_is_none_is_refused_with_what_is_wrong(tmp_path: Path, text: str | None, says: str) -> None:
    file = tmp_path / "run.json"
    if text is not None:
        file.write_text(text, errors="surrogateescape")
    with pytest.raises(RunFileError, match=says.replace("[", r"\[")):
        load_judged(file)


@pytest.mark.parametrize("what", ["portions", "verdict", "call_count"])
def test_a_task_that_is_not_as_it_should_be_is_refused(tmp_path: Path, what: str) -> None:
    file = tmp_path / "run.json"
    write_run(file, make_run(task("t.py::test_a", *agent(1))))
    record = json.loads(file.read_text())
    record["tasks"][0][what] = [{"provider": 1}]
    file.write_text(json.dumps(record))
    if what == "call_count":  # what is only counted again from the calls
        assert load_judged(file).side.tasks
    else:
        with pytest.raises(RunFileError):
            load_judged(file)


def huge(record: dict[str, Any]) -> None:
    record["portions"][0]["usage"]["input"] = 10**30


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda task: task["portions"][0]["usage"].update(input=-5_000_000), "t.py::test_0: portions[0]: Expected"),
        (huge, "t.py::test_0: portions[0]: Expected"),
        (lambda task: task["portions"][0].update(calls=-1), "t.py::test_0: portions[0]: Expected"),
        (lambda task: task["portions"][0]["families"][0].__setitem__(3, -1), "t.py::test_0: portions[0]: Expected"),
        (lambda task: task["portions"][0]["tools"].update(x=-1), "t.py::test_0: portions[0]: Expected"),
        (lambda task: task.update(portions=[]), "t.py::test_0: its `portions` are not the sums of its calls."),
        (lambda task: task.update(id="t.py::test_1"), "t.py::test_1: two tasks have this name."),
        (lambda task: task["budget"].update(usd="NaN"), "t.py::test_0: its budget's `usd` is NaN, which no limit can"),
        (lambda task: task["budget"].update(usd="-1"), "t.py::test_0: its budget's `usd` is -1, which no limit can"),
        (lambda task: task["budget"].update(tokens="1e999999"), "t.py::test_0: its budget's `tokens` is 1E+999999"),
        (lambda task: task["budget"].update(tolerance="Infinity"), "t.py::test_0: its budget's `tolerance` is Infin"),
    ],
    ids=lambda value: None if callable(value) else "",
)
def test_what_no_run_of_ours_says_is_refused_and_named(tmp_path: Path, edit: Any, said: str) -> None:
    file = tmp_path / "run.json"
    write_run(file, RUN)
    record = json.loads(file.read_text())
    edit(next(each for each in record["tasks"] if each["id"] == "t.py::test_0"))
    file.write_text(json.dumps(record))
    with pytest.raises(RunFileError) as refused:
        load_judged(file)
    assert str(refused.value).startswith(f"run.json: {said}")


def test_what_is_no_regular_file_or_nested_without_end(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    for opening in ("", '{"more": '):
        file.write_text(opening + "[" * 200_000)
        with pytest.raises(RunFileError, match="cannot be read: it is nested too deeply"):
            load_judged(file)
    file.unlink()
    os.mkfifo(file)
    for read in (load_judged, load_untrusted):
        with pytest.raises(RunFileError, match="it is no regular file"):
            read(file)
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(RunFileError, match="it is no regular file"):
        load_judged(file)
    file.unlink()
    write_run(tmp_path / "real.json", RUN)
    file.symlink_to("real.json")
    assert load_judged(file).side.tasks
