import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from builders import make_budget, make_call, make_estimate, make_run, make_segment, make_task
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.run import Recording, Run
from pytest_tokenbudget.model.task import Attempt, Stray, Task
from pytest_tokenbudget.policy.combine import combine
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.store.encoding import encode_json
from pytest_tokenbudget.store.load import load_run
from pytest_tokenbudget.store.runfile import run_record, write_run
from pytest_tokenbudget.store.untrusted import load_untrusted, untrusted_run

PROMPT = (make_segment("system", 343, digest="a"), make_segment("tool_result", 210, name="lookup_order", digest="b"))


def task(name: str, *calls: Call, **fields: Any) -> Task:
    return make_task(f"tests/test_a.py::{name}", *calls, portions=portions(calls, lambda _: 0), **fields)


def rich_run() -> Run:
    first = make_call("0.01", prompt=PROMPT, seconds=0.5)
    drifted = make_estimate("0.02", "0.01", "0.03", prompt=PROMPT, notes=("a note",))
    return make_run(
        task(
            "test_refund",
            first,
            drifted,
            budget=make_budget(usd=0.02, steps=9),
            strays=(Stray(kind="refused", request="POST https://api.openai.com/v1/responses"),),
            skipped=(Skipped(reason="no model", source="a.yaml", index=1),),
        ),
        task("test_over", make_call("0.09"), budget=make_budget(usd=0.01)),
        replace(task("test_again", first), earlier=(Attempt(outcome="rerun", calls=()),)),
        fixtures=(task("shop [module fixture]", first, outcome="fixture"),),
        recordings=(Recording(source="a.yaml", interactions=3, used=(0,)),),
        commit="4be01aa",
    )


GOOD = encode_json(run_record(rich_run()))


def changed(change: Callable[[Any], object]) -> bytes:
    record = json.loads(GOOD)
    change(record)
    return json.dumps(record).encode()


def test_what_pytest_writes_is_read_as_it_is(tmp_path: Path) -> None:
    write_run(tmp_path / "run.json", rich_run())

    assert load_untrusted(tmp_path / "run.json") == load_run(tmp_path / "run.json")


def refund(record: Any) -> Any:
    return next(task for task in record["tasks"] if task["id"].endswith("refund"))


def over(record: Any) -> Any:
    return next(task for task in record["tasks"] if task["id"].endswith("over"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is no JSON"),
        (b"\xff\xfe", "it is no JSON"),
        (b"9" * 5000, "it is no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 60 + b"]" * 60, "nested too deeply"),
        (b'{"schema": NaN}', "it is no JSON"),
        (b'{"schema": 1e999}', "it is no JSON"),
        (b"[]", "not a run file"),
        (b"{}", "not a run file"),
        (changed(lambda run: run.update(schema="tokenbudget/run/2")), "'tokenbudget/run/2', not a run file"),
        (changed(lambda run: run.pop("tasks")), "missing required field `tasks`"),
        (changed(lambda run: run.update(tasks={})), "Expected `array`"),
        (changed(lambda run: refund(run).update(id="x" * 1_000_000)), "a text of 1,000,000 characters"),
        (changed(lambda run: refund(run).update({"y" * 20_000: 1})), "a text of 20,000 characters"),
        (changed(lambda run: refund(run).update(id=7)), "Expected `str`"),
        (changed(lambda run: refund(run).update(id=over(run)["id"])), "two tasks called 'tests/test_a.py::test_over'"),
        (changed(lambda run: run["fixtures"][0].update(id=over(run)["id"])), "two tasks called"),
        (changed(lambda run: refund(run)["calls"][0]["usage"].update(input=-5)), "a number that is not from 0"),
        (changed(lambda run: refund(run)["calls"][0]["usage"].update(input=10**400)), "a number that is not from 0"),
        (changed(lambda run: refund(run)["calls"][0].update(seconds=1e300)), "a number that is not from 0"),
        (changed(lambda run: refund(run)["calls"][0].update(cost_usd="NaN")), "not an amount of US dollars"),
        (changed(lambda run: refund(run)["calls"][0].update(cost_usd="1e999999999")), "too many digits"),
        (
            changed(lambda run: refund(run)["budget"].update(usd="1e999999999")),
            "`usd` is 1E.999999999, which no limit can be",
        ),
        (
            changed(lambda run: refund(run)["budget"].update(tolerance="sNaN")),
            "`tolerance` is sNaN, which no limit can be",
        ),
        (changed(lambda run: refund(run)["verdict"]["findings"][0].update(high="1e99999")), "usd: .* too many digits"),
        (changed(lambda run: over(run)["verdict"].update(state="within")), "calls itself within.* are critical"),
        (changed(lambda run: over(run)["portions"][0]["usage"].update(input=1)), "not the sum of its calls"),
        (changed(lambda run: over(run)["portions"][0].update(calls=9)), "not the sum of its calls"),
        (changed(lambda run: run.update(as_of="2026-11-01T00:00:00")), "no time zone"),
        (changed(lambda run: run.update(as_of="0001-01-01T00:00:00+14:00")), "no day whose prices"),
        (changed(lambda run: run["recordings"][0].update(interactions=10**12)), "cannot hold so many answers"),
        (GOOD.replace(b"test_refund", rb"test_\ud800"), "it is no JSON|half a character"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:30],
)
def test_what_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(RunFileError, match=why) as refused:
        untrusted_run(data, "run.json")

    assert str(refused.value).startswith("run.json: ")
    assert len(str(refused.value)) < 1000


def test_a_large_file_is_not_even_parsed(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b" " * 2_001 + GOOD)

    with pytest.raises(RunFileError, match="more than 2,000 bytes"):
        load_untrusted(tmp_path / "run.json", largest=2_000)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match="No such file"):
        load_untrusted(tmp_path / "run.json")


def test_what_a_dead_process_left_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "x.main.jsonl").write_text('{"task": "evil", "outcome": "passed"}\n')
    (tmp_path / "run.json").write_bytes(changed(lambda run: run.update(unfinished="x")))

    run = load_untrusted(tmp_path / "run.json")

    assert run.unfinished is None
    assert run.incomplete == ("The session that wrote this run did not end: calls may be missing.",)
    assert "evil" not in {task.id for task in run.tasks}


def test_calls_without_their_sums_do_not_cost_nothing() -> None:
    run = untrusted_run(changed(lambda record: over(record).pop("portions")), "run.json")

    assert run.incomplete == (
        "tests/test_a.py::test_over: the sums of its calls, which a comparison reads, are missing.",
    )


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1e999999", "-1", "NaN", "x" * 20_000, "exact", "2026-11-01", "blocked", "@all <b>"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key of a document."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@settings(max_examples=150)
@given(st.data())
def test_a_mutated_file_is_read_or_refused(data: st.DataObject) -> None:
    record = json.loads(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(record)))
        if data.draw(st.booleans()) and isinstance(container, dict):
            del container[key]
        else:
            container[key] = data.draw(anything)

    try:
        run = untrusted_run(json.dumps(record).encode(), "run.json")
    except RunFileError:
        return
    # what was read can be used: summed, merged and written again
    assert run.totals.known >= Decimal(0)
    encode_json(run_record(combine([run, run], 2)))


@settings(max_examples=60)
@given(st.binary(max_size=40), st.integers(0, len(GOOD)))
def test_a_damaged_file_is_read_or_refused(noise: bytes, at: int) -> None:
    with suppress(RunFileError):
        untrusted_run(GOOD[:at] + noise + GOOD[at + len(noise) :], "run.json")
