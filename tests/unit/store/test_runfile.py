import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from builders import make_budget, make_call, make_estimate, make_run, make_segment, make_task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.budget import LIMITS, Budget, Finding, State, Verdict
from pytest_tokenbudget.model.call import Call, Skipped, Status
from pytest_tokenbudget.model.drift import Change, Drift
from pytest_tokenbudget.model.exchange import Obtained
from pytest_tokenbudget.model.prompt import SegmentKind
from pytest_tokenbudget.model.run import Recording, Run
from pytest_tokenbudget.model.task import Attempt, Outcome, Phase, Stray, StrayKind, Task, TaskCall
from pytest_tokenbudget.model.usage import CLASSES, Usage
from pytest_tokenbudget.store.load import load_run
from pytest_tokenbudget.store.runfile import run_record, write_run

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = words.filter(bool)
maybe = st.none() | words
counts = st.integers(0, 2**53)
amounts = st.integers(0, 10**18).map(lambda number: Decimal(number).scaleb(-9))
sentences = st.lists(words, max_size=2).map(tuple)
usages = st.builds(
    Usage,
    **dict.fromkeys(CLASSES, counts),
    fees=st.dictionaries(names, st.integers(1, 99), max_size=2),
    other=st.dictionaries(names.filter(lambda name: name not in CLASSES), st.integers(1, 99), max_size=2),
)
changes = st.builds(
    Change,
    kind=st.sampled_from(get_args(SegmentKind)),
    name=words,
    **dict.fromkeys(("position", "byte", "before", "after"), counts),
)


def with_drift(call: Call) -> st.SearchStrategy[Call]:
    """An estimate for a drifted call, or none; what is counted by the piece is held."""
    if call.obtained != "drifted":
        return st.just(call)
    estimates = usages.map(lambda usage: replace(usage, fees=call.usage.fees))
    drifts = st.builds(
        Drift,
        recorded_usage=estimates,
        low=estimates,
        high=st.none() | estimates,
        cold=st.none() | estimates,
        **dict.fromkeys(("cost_low", "cost_high", "cost_cold", "cost_recorded"), st.none() | amounts),
        counter=words,
        reasons=sentences,
        first=st.none() | changes,
        volatile=sentences,
    )
    return (st.none() | drifts).map(lambda drift: replace(call, drift=drift))


# of a prompt, of when it started and of what else chose a rate, a run file keeps nothing to read back
calls = st.builds(
    Call,
    provider=words,
    api=words,
    host=words,
    model_asked=maybe,
    model_served=names,
    tier=maybe,
    stream=st.booleans(),
    http_status=st.integers(100, 599),
    status=st.sampled_from(get_args(Status)),
    usage=usages,
    cost=st.none() | amounts,
    unpriced=sentences,
    reported_cost=st.none() | amounts,
    tools=sentences,
    finish=maybe,
    response_id=maybe,
    seconds=st.none() | st.floats(0, 1e6),
    obtained=st.sampled_from(get_args(Obtained)),
    source=maybe,
    index=st.none() | counts,
    notes=sentences,
).flatmap(with_drift)
entries = st.lists(
    st.builds(TaskCall, call=calls, phase=st.sampled_from(get_args(Phase)), step=st.none() | st.integers(1, 99)),
    max_size=2,
).map(tuple)
findings = st.builds(
    Finding,
    limit=st.sampled_from([*LIMITS, "calls", "exchanges"]),
    state=st.sampled_from(get_args(State)),
    **dict.fromkeys(("bound", "value", "low", "high"), st.none() | amounts),
    reason=words,
)
verdicts = st.builds(
    Verdict, state=st.sampled_from(get_args(State)), findings=st.lists(findings, max_size=2).map(tuple)
)
budgets = st.builds(
    Budget,
    **dict.fromkeys(LIMITS, st.none() | amounts),
    tolerance=amounts,
    allow_no_calls=st.booleans(),
    workflow=maybe,
    team=maybe,
    origins=st.dictionaries(names, words, max_size=2).map(lambda origins: tuple(sorted(origins.items()))),
)
tasks = st.builds(
    Task,
    id=words,
    outcome=st.sampled_from(get_args(Outcome)),
    calls=entries,
    skipped=st.lists(st.builds(Skipped, reason=words, source=maybe, index=st.none() | counts), max_size=2).map(tuple),
    exchanges=counts,
    budget=budgets,
    verdict=verdicts,
    earlier=st.lists(
        st.builds(Attempt, outcome=st.sampled_from(get_args(Outcome)), calls=entries, verdict=verdicts), max_size=1
    ).map(tuple),
    notes=sentences,
    strays=st.lists(
        st.builds(Stray, kind=st.sampled_from(get_args(StrayKind)), request=words, how=words), max_size=2
    ).map(tuple),
)
recordings = st.builds(
    Recording,
    source=words,
    interactions=counts,
    used=st.lists(counts, max_size=3).map(tuple),
    own=st.booleans(),
    settled=st.booleans(),
)
runs = st.builds(
    Run,
    **dict.fromkeys(("tool_version", "as_of_source", "price_table", "counter", "mode"), words),
    as_of=st.datetimes(timezones=st.just(UTC)),
    commit=maybe,
    partial=sentences,
    incomplete=sentences,
    tasks=st.lists(tasks, max_size=2, unique_by=lambda task: task.id).map(lambda some: tuple(sorted(some, key=_id))),
    fixtures=st.lists(tasks, max_size=1).map(tuple),
    recordings=st.lists(recordings, max_size=2).map(tuple),
    orphans=sentences,
    failed=counts,
)


def _id(task: Task) -> str:
    return task.id


@given(runs)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_a_run_file_round_trips(run: Run) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "run.json")
        write_run(path, run)
        assert load_run(path) == run


RUN = make_run(
    make_task(
        "tests/test_a.py::test_a",
        make_call("0.0052472", input=176, cache_read=1024, output=340),
        make_call(None, status="missing", usage=Usage()),
        budget=make_budget(usd=0.30, steps=4, workflow="triage", team="support"),
    ),
    commit="0123abc",
)


def test_a_run_file_says_what_its_page_says() -> None:
    record = run_record(RUN)
    task = record["tasks"][0]
    assert {name: value for name, value in record.items() if name != "tasks"} == {
        "schema": "tokenbudget/run/1",
        "tool_version": "0.1.0",
        "as_of": "2026-11-01T00:00:00+00:00",
        "as_of_source": "release",
        "price_table": "frozen",
        "counter": "test",
        "mode": "enforce",
        "commit": "0123abc",
        "unfinished": None,
        "partial": [],
        "incomplete": [],
        "totals": {
            "usage": {"input": 176, "cache_read": 1024, "output": 340},
            "fees": {},
            "cost_usd": None,
            "known_usd": "0.0052472",
            "incurred_usd": "0",
            "call_count": 2,
            "steps": 2,
            "drifted": 0,
            "estimated": 0,
            "band": None,
            "unknown": 1,
        },
        "fixtures": [],
        "failed": 0,
        "recordings": [],
        "orphans": [],
        "benchmarks": [],
    }
    assert {name: value for name, value in task.items() if name not in {"calls", "verdict"}} == {
        "id": "tests/test_a.py::test_a",
        "workflow": "triage",
        "team": "support",
        "outcome": "failed",
        "usage": {"input": 176, "cache_read": 1024, "output": 340},
        "fees": {},
        "cost_usd": None,
        "known_usd": "0.0052472",
        "incurred_usd": "0",
        "call_count": 2,
        "steps": 2,
        "drifted": 0,
        "estimated": 0,
        "band": None,
        "unknown": 1,
        "all_attempts_usd": None,
        "traffic": "replayed",
        "strays": [],
        "sample": None,
        "budget": {"usd": "0.3", "steps": "4", "tolerance": "0.2", "allow_no_calls": False, "origins": {}},
        "exchanges": 2,
        "notes": [],
        "skipped": [],
        "portions": [],
        "earlier": [],
    }
    assert task["verdict"]["state"] == "unknown"
    assert [call["cost_usd"] for call in task["calls"]] == ["0.0052472", None]


ESTIMATE = make_estimate(
    "0.28",
    "0.27",
    "0.30",
    input=1000,
    output=100,
    recorded_usage=Usage(input=900, output=100),
    cold=Usage(input=1000, output=100),
    cost_cold=Decimal("0.29"),
    cost_recorded=Decimal("0.25"),
    reasons=("the output may be another",),
    first=Change(kind="system", name="", position=0, byte=214, before=40, after=52),
    volatile=("system",),
)


def test_an_estimate_says_what_its_page_says() -> None:
    call = run_record(make_run(make_task("a", ESTIMATE)))["tasks"][0]["calls"][0]
    assert {name: call[name] for name in ("usage", "recorded_usage", "band", "drift", "cost_usd")} == {
        "usage": {"input": 1000, "output": 100},
        "recorded_usage": {"input": 900, "output": 100},
        "band": {"input": [964, 1071], "usd": ["0.27", "0.3"]},
        "drift": {
            "low": {"input": 964, "output": 96},
            "high": {"input": 1071, "output": 107},
            "cold": {"input": 1000, "output": 100},
            "cold_usd": "0.29",
            "recorded_usd": "0.25",
            "counter": "o200k_base",
            "reasons": ["the output may be another"],
            "first": {"kind": "system", "name": "", "position": 0, "byte": 214, "before": 40, "after": 52},
            "volatile": ["system"],
        },
        "cost_usd": "0.28",
    }


@pytest.mark.parametrize(
    ("calls", "band"),
    [
        ([make_call("0.1", input=10)], None),
        ([make_call("0.1", input=10), ESTIMATE], {"input": [974, 1081], "usd": ["0.37", "0.4"]}),
        ([make_call(None, unpriced=("model",), input=10), ESTIMATE], {"input": [974, 1081], "usd": ["0.27", None]}),
        ([make_call("0.1", input=10), make_estimate("1", "0.9", None)], {"input": [10, None], "usd": ["0.1", None]}),
        ([make_call("0.1", input=10, obtained="drifted")], {"input": [0, None], "usd": ["0", None]}),
    ],
)
def test_a_task_and_its_run_have_the_band_of_their_calls(calls: list[Call], band: dict[str, Any] | None) -> None:
    record = run_record(make_run(make_task("a", *calls)))
    assert record["tasks"][0]["band"] == band
    assert record["totals"]["band"] == band


@pytest.mark.parametrize(
    ("kind", "traffic", "cost", "incurred"),
    [
        ("refused", "recorded", "0.1", "0.1"),
        ("escaped", "escaped", None, None),
        ("unanswered", "recorded", "0.1", None),
    ],
)
def test_strays_leave_costs_unknown(kind: Any, traffic: str, cost: str | None, incurred: str | None) -> None:
    stray = Stray(kind=kind, request="POST https://api.openai.com/v1/responses", how="httpcore")
    [record] = run_record(make_run(make_task("a", make_call("0.1", obtained="recorded"), strays=(stray,))))["tasks"]
    assert (record["traffic"], record["cost_usd"], record["incurred_usd"]) == (traffic, cost, incurred)
    assert record["strays"] == [{"kind": kind, "request": stray.request, "how": "httpcore"}]


def test_a_run_file_from_before_there_were_estimates_is_read() -> None:
    run = make_run(make_task("a", make_call(obtained="drifted")))
    record = run_record(run)
    for name in ("failed", "recordings", "orphans"):
        del record[name]
    (task,) = record["tasks"]
    for name in ("traffic", "strays", "estimated"):
        del task[name]
    for name in ("band", "drift"):
        del task["calls"][0][name]
    with TemporaryDirectory() as folder:
        path = Path(folder, "run.json")
        path.write_text(json.dumps(record))
        assert load_run(path) == run


def test_families_of_the_prompt_are_summed(tmp_path: Path) -> None:
    call = make_call(
        prompt=(make_segment("user", 3), make_segment("tool_result", 5, name="look"), make_segment("user", 4))
    )
    write_run(tmp_path / "run.json", make_run(make_task("a", call)))
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["tasks"][0]["calls"][0]["prompt"] == [["user", "", 2, 7], ["tool_result", "look", 1, 5]]


def test_an_instant_keeps_its_place_in_time(tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=2))
    run = replace(RUN, as_of=datetime(2026, 11, 1, 1, tzinfo=zone))
    write_run(tmp_path / "run.json", run)
    assert load_run(tmp_path / "run.json").as_of == datetime(2026, 10, 31, 23, tzinfo=UTC)


def test_the_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep/er/run.json"
    write_run(path, RUN)
    write_run(path, replace(RUN, commit="new"))
    assert load_run(path).commit == "new"
    assert [file.name for file in path.parent.iterdir()] == ["run.json"]


def test_text_that_no_json_can_carry_is_written_out(tmp_path: Path) -> None:
    write_run(tmp_path / "run.json", make_run(make_task("tests/\udcff.py::test_a", make_call())))
    [task] = load_run(tmp_path / "run.json").tasks
    assert task.id == "tests/\\udcff.py::test_a"


@pytest.mark.parametrize("below", ["a file", "a folder"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder/inner").mkdir(parents=True)
    path = tmp_path / ("file/run.json" if below == "a file" else "folder")
    with pytest.raises(RunFileError, match=r"the run cannot be written: .* Say where with --tokenbudget-out") as caught:
        write_run(path, RUN)
    assert str(path) in str(caught.value)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "folder"]


def test_there_may_be_no_run_file(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"there is no run file\. Run pytest first"):
        load_run(tmp_path / "run.json")


def broken(**changes: Any) -> bytes:
    return json.dumps(run_record(RUN) | changes).encode()


def with_task(**changes: Any) -> bytes:
    record = run_record(RUN)
    return json.dumps(record | {"tasks": [record["tasks"][0] | changes]}).encode()


def with_drift_field(**changes: Any) -> bytes:
    record = run_record(make_run(make_task("a", ESTIMATE)))
    record["tasks"][0]["calls"][0] |= changes
    return json.dumps(record).encode()


BROKEN = {
    "an estimate without a band": (with_drift_field(band=None), r"calls\[0\].drift: Expected `object`, got `null`"),
    "a wrong band": (with_drift_field(band={"usd": ["1", "much"]}), r"calls\[0\].drift: 'much' is not an amount"),
    "a wrong estimate": (with_drift_field(drift={"low": 1}), r"calls\[0\]: Expected `object`, got `int`"),
    "empty": (b"", "cannot be read"),
    "cut": (broken()[:300], "cannot be read"),
    "binary": (b"\x00\xff", "cannot be read"),
    "no object": (b"[]", "this is 'list', not a run file of schema 'tokenbudget/run/1'"),
    "another schema": (broken(schema="tokenbudget/run/2"), "this is 'tokenbudget/run/2', not a run file"),
    "no schema": (b"{}", "this is None, not a run file"),
    "no tasks": (broken(tasks=None), r"cannot be read: Expected `array`, got `null` - at `\$\.tasks`"),
    "a wrong instant": (broken(as_of="yesterday"), "cannot be read: .*as_of"),
    "a wrong limit": (with_task(budget={"usd": "a lot"}), "cannot be read: .*budget"),
    "a wrong budget": (with_task(budget=[]), "cannot be read: .*budget"),
    "wrong origins": (with_task(budget={"origins": 1}), "cannot be read: .*origins"),
    "a wrong verdict": (with_task(verdict={"state": "fine", "findings": []}), "cannot be read: .*verdict"),
    "a wrong skipped item": (with_task(skipped=[1]), "cannot be read: .*skipped"),
    "a wrong call": (with_task(calls=[{}]), r"run.json: tests/test_a.py::test_a: calls\[0\]: .*provider"),
    "a wrong amount": (
        with_task(calls=[run_record(RUN)["tasks"][0]["calls"][0] | {"cost_usd": "NaN"}]),
        r"calls\[0\].cost_usd: 'NaN' is not an amount",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_run_file_is_refused_with_its_place(tmp_path: Path, what: str) -> None:
    content, message = BROKEN[what]
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunFileError, match=message):
        load_run(tmp_path / "run.json")


def test_keys_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(with_task(moon=1, budget={"usd": "0.3", "moon": 1}))
    [task] = load_run(tmp_path / "run.json").tasks
    assert task.budget.usd == Decimal("0.3")
