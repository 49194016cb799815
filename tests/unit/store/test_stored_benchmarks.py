"""A benchmark in a run file, and back; and in one that somebody else wrote."""

import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema
import pytest
from builders import make_benched_run, make_plan, make_run, make_sampled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.sampling.outcome import outcome_of
from pytest_tokenbudget.store.encoding import encode_json
from pytest_tokenbudget.store.judged import load_judged
from pytest_tokenbudget.store.load import load_run
from pytest_tokenbudget.store.runfile import run_record, write_run
from pytest_tokenbudget.store.schema import run_schema
from pytest_tokenbudget.store.untrusted import untrusted_run

SCHEMA = jsonschema.Draft202012Validator(run_schema())

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
maybe_money = st.none() | st.integers(0, 10**9).map(lambda units: Decimal(units).scaleb(-6))
plans = st.builds(
    make_plan,
    st.integers(1, 14),
    population=st.integers(1, 10**6),
    data=words,
    seed=st.integers(0, 10**12),
    usd=maybe_money,
    usd_per_success=maybe_money,
    spend=maybe_money,
    tolerance=st.sampled_from(["0", "0.2", "1.5"]),
    ideal_steps=st.none() | st.integers(1, 9),
    rule=st.sampled_from(["point", "confident"]),
    workflow=st.none() | words,
    team=st.none() | words,
)
samples = st.lists(
    st.fixed_dictionaries(
        {
            "cost": st.none() | st.sampled_from(["0", "0.01", "0.010000001", "7", "1e-9"]),
            "outcome": st.sampled_from(["passed", "failed", "died", "skipped"]),
            "cluster": st.sampled_from(["", "c1", "c2"]),
            "unmeasured": st.sampled_from(["", "", "", "not recorded"]),
        }
    ),
    max_size=14,
)


@given(plans, samples, st.sampled_from([(), ("-k a",)]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_benchmarks_round_trip_and_keep_to_their_schema(
    plan: Any, found: list[dict[str, Any]], partial: tuple[str, ...]
) -> None:
    tasks = sorted((make_sampled(place, **each) for place, each in enumerate(found)), key=lambda task: task.id)
    run = make_run(*tasks, partial=partial, benchmarks=(outcome_of(plan, tasks, partial=partial),))
    SCHEMA.validate(json.loads(encode_json(run_record(run))))
    with TemporaryDirectory() as folder:
        path = Path(folder, "run.json")
        write_run(path, run)
        assert load_run(path) == run
        assert load_judged(path).side.benchmarks == run.benchmarks
        assert untrusted_run(path.read_bytes(), "run.json").benchmarks == run.benchmarks


@pytest.mark.parametrize(
    "run",
    [
        make_benched_run("0.01", "0.02"),
        make_benched_run("0.01", None),
        make_benched_run(*["0.1"] * 6, plan=make_plan(100)),
        make_benched_run(
            *(f"0.0{number}" for number in range(1, 30)), plan=make_plan(29, usd_per_success=1, rule="confident")
        ),
        make_benched_run(plan=make_plan(3)),
    ],
)
def test_kinds_of_verdicts_round_trip(run: Run, tmp_path: Path) -> None:
    SCHEMA.validate(json.loads(encode_json(run_record(run))))
    write_run(tmp_path / "run.json", run)
    assert load_run(tmp_path / "run.json") == run


def test_amounts_are_texts_in_full() -> None:
    failed = tuple(make_sampled(place, "0.000000001", outcome="failed") for place in range(2))
    record = run_record(make_run(*failed, benchmarks=(outcome_of(make_plan(2, usd="1e3"), failed),)))
    (benchmark,) = json.loads(encode_json(record))["benchmarks"]
    assert benchmark["plan"]["usd"] == "1000"
    figures = benchmark["result"]["figures"]
    assert (figures["total"], figures["mean"], figures["per_success"]) == ("0.000000002", "0.000000001", "Infinity")


GOOD = make_benched_run("0.01", "0.02", "0.03", others=(make_sampled(0, "9", benchmark="tests/t.py::gone"),))
GOOD = replace(GOOD, tasks=tuple(task for task in GOOD.tasks if "gone" not in task.id))


def changed(change: Callable[[Any], object]) -> bytes:
    record = json.loads(encode_json(run_record(GOOD)))
    change(record)
    return json.dumps(record).encode()


def test_a_forged_verdict_is_judged_anew() -> None:
    def forge(record: Any) -> None:
        result = record["benchmarks"][0]["result"]
        result["verdict"] = {"state": "pass", "rule": "point", "grounds": [], "early": None}
        result["figures"]["mean"] = "0.0001"
        record["benchmarks"][0]["unmeasured"] = []

    assert GOOD.benchmarks[0].blocks
    assert untrusted_run(changed(forge), "run.json").benchmarks == GOOD.benchmarks


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("usd", "NaN", "this run file is refused"),
        ("usd", "Infinity", "this run file is refused"),
        ("usd", "-1", "this run file is refused"),
        ("usd", "1e999999", "this run file is refused"),
        ("usd_per_success", "NaN", "this run file is refused"),
        ("spend", "-0.1", "this run file is refused"),
        ("tolerance", "NaN", "this run file is refused"),
        ("tolerance", "-1", "this run file is refused"),
        ("ideal_steps", "NaN", "is no number above 0"),
        ("ideal_steps", "0", "is no number above 0"),
        ("samples", -1, "a number that is not from 0 to 1,000,000,000,000"),
        ("samples", 10**15, "a number that is not from 0 to 1,000,000,000,000"),
        ("seed", -1, "a number that is not from 0 to 1,000,000,000,000"),
        ("samples", "many", "cannot be read"),
        ("rule", "mine", "cannot be read"),
        ("id", None, "cannot be read"),
        ("id", "x" * 10_001, "a text of 10,001 characters"),
    ],
)
def test_a_plan_that_is_none_is_refused(field: str, value: object, why: str) -> None:
    data = changed(lambda record: record["benchmarks"][0]["plan"].update({field: value}))
    with pytest.raises(RunFileError, match=why):
        untrusted_run(data, "run.json")


def test_two_benchmarks_of_one_name_are_refused() -> None:
    data = changed(lambda record: record["benchmarks"].append(record["benchmarks"][0]))
    with pytest.raises(RunFileError, match="two benchmarks called"):
        untrusted_run(data, "run.json")


def test_a_benchmark_that_was_taken_out_is_missed() -> None:
    run = untrusted_run(changed(lambda record: record["benchmarks"].clear()), "run.json")
    (doubt,) = run.incomplete
    assert doubt.endswith("samples of this benchmark were measured, and what they are held against is missing.")


@pytest.mark.parametrize("samples", [10**9, 10**12])
def test_a_benchmark_of_endless_samples_costs_no_time(samples: int) -> None:
    data = changed(lambda record: record["benchmarks"][0]["plan"].update(samples=samples, spend="1"))
    before = time.process_time()
    (found,) = untrusted_run(data, "run.json").benchmarks
    assert found.result.verdict.state == "inconclusive"
    assert time.process_time() - before < 20  # a loop over them would take hours


def test_places_beyond_all_measure_decide_nothing() -> None:
    def forge(record: Any) -> None:
        for task in record["tasks"]:
            task["sample"]["place"] = 10**12
        record["benchmarks"][0]["plan"]["samples"] = 4

    (found,) = untrusted_run(changed(forge), "run.json").benchmarks
    assert found.result.verdict.state == "block"  # their sum is above the budget of all four
    assert found.result.verdict.early is None


junk = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "NaN", "-1", "x", "1"])
    | st.just([])
    | st.just({})
)


@given(st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_stands_in_a_benchmark_is_read_or_refused(data: st.DataObject) -> None:
    record = json.loads(encode_json(run_record(GOOD)))
    holder: Any = record["benchmarks"][0]
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.integers(0, 4)) == 0:
            break
        holder = holder[key]
    holder[key] = data.draw(junk)
    text = json.dumps(record).encode()
    with TemporaryDirectory() as folder:
        path = Path(folder, "run.json")
        path.write_bytes(text)
        for read in (lambda: untrusted_run(text, "run.json"), lambda: load_run(path), lambda: load_judged(path)):
            try:
                read()
            except RunFileError as error:
                assert "run.json" in str(error)  # noqa: PT017 - reading it is fine, too
