import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.prompt import Segment
from pytest_tokenbudget.model.task import TaskCall
from pytest_tokenbudget.model.usage import CLASSES, Usage
from pytest_tokenbudget.store.records import (
    call_from_record,
    call_record,
    run_call_from_record,
    run_call_record,
    skipped_record,
)

CALL = Call(
    provider="openai",
    api="openai.chat",
    host="api.openai.com",
    model_asked="gpt-5.2",
    model_served="gpt-5.2-2025-12-11",
    tier="default",
    http_status=200,
    status="exact",
    usage=Usage(input=176, cache_read=1024, output=340, fees={"web_search": 2, "image": 0}, other={"moon": 7}),
    cost=Decimal("0.005247200"),
    unpriced=("moon",),
    reported_cost=Decimal("1E-7"),
    prompt=(
        Segment("system", "system", "0" * 16, 40, 10),
        Segment("tool_result", "lookup_order", "1" * 16, 400, 100),
        Segment("user", "user", "2" * 16, 4, 1),
        Segment("tool_result", "lookup_order", "3" * 16, 80, 20),
    ),
    tools=("lookup_order",),
    finish="tool_calls",
    response_id="chatcmpl-1",
    seconds=0.25,
    obtained="recorded",
    source="cassettes/test_a.yaml",
    index=3,
    notes=("a note",),
)


def test_a_record_has_exactly_the_published_fields() -> None:
    assert call_record(CALL) == {
        "source": "cassettes/test_a.yaml",
        "index": 3,
        "provider": "openai",
        "api": "openai.chat",
        "host": "api.openai.com",
        "model": "gpt-5.2-2025-12-11",
        "tier": "default",
        "stream": False,
        "http_status": 200,
        "status": "exact",
        "usage": {"input": 176, "cache_read": 1024, "output": 340, "moon": 7},
        "fees": {"web_search": 2},
        "cost_usd": "0.0052472",
        "unpriced": ["moon"],
        "reported_usd": "0.0000001",
        "response_id": "chatcmpl-1",
        "notes": ["a note"],
    }


def test_an_unknown_cost_is_null_and_not_zero() -> None:
    record = call_record(Call(provider="openai", api="openai.chat", host="h", status="missing", obtained="replayed"))
    assert (record["cost_usd"], record["reported_usd"], record["model"], record["usage"]) == (None, None, None, {})
    assert call_from_record(record).cost is None


def test_a_record_in_a_run_adds_its_place_in_the_task() -> None:
    record = run_call_record(TaskCall(call=CALL, phase="setup", step=2))
    assert {name: value for name, value in record.items() if name not in call_record(CALL)} == {
        "step": 2,
        "phase": "setup",
        "obtained": "recorded",
        "model_asked": "gpt-5.2",
        "tools": ["lookup_order"],
        "finish": "tool_calls",
        "seconds": 0.25,
        "prompt": [["system", "system", 1, 10], ["tool_result", "lookup_order", 2, 120], ["user", "user", 1, 1]],
    }


def test_a_drifted_call_without_an_estimate_repeats_the_recorded_usage() -> None:
    drifted = Call(
        provider="openai", api="openai.chat", host="h", status="exact", obtained="drifted", usage=Usage(input=5)
    )
    record = run_call_record(TaskCall(call=drifted))
    assert [record[name] for name in ("recorded_usage", "band", "drift")] == [{"input": 5}, None, None]
    assert not {"recorded_usage", "band", "drift"} & run_call_record(TaskCall(call=CALL)).keys()


def test_a_skipped_exchange_has_three_fields() -> None:
    skipped = Skipped(reason="not model traffic", source="a.yaml", index=0, url="https://example.com")
    assert skipped_record(skipped) == {"source": "a.yaml", "index": 0, "reason": "not model traffic"}


COUNTS = st.integers(min_value=0, max_value=10**9)
AMOUNTS = st.none() | st.decimals(min_value=0, max_value=1000, places=12)
NAMES = st.text(min_size=1, max_size=12).filter(lambda name: name not in CLASSES)
CALLS = st.builds(
    Call,
    provider=st.text(),
    api=st.text(),
    host=st.text(),
    model_served=st.text(min_size=1),
    model_asked=st.none() | st.text(),
    tier=st.none() | st.text(),
    stream=st.booleans(),
    http_status=st.integers(100, 599),
    status=st.sampled_from(["exact", "partial", "missing", "unsupported", "unbilled", "error"]),
    usage=st.builds(
        Usage,
        **dict.fromkeys(CLASSES, COUNTS),
        fees=st.dictionaries(st.text(), st.integers(1, 99)),
        other=st.dictionaries(NAMES, st.integers(1, 99)),
    ),
    cost=AMOUNTS,
    unpriced=st.lists(st.text()).map(tuple),
    reported_cost=AMOUNTS,
    tools=st.lists(st.text()).map(tuple),
    finish=st.none() | st.text(),
    response_id=st.none() | st.text(),
    seconds=st.none() | st.floats(0, 1e6),
    obtained=st.sampled_from(["live", "recorded", "replayed", "drifted"]),
    source=st.none() | st.text(),
    index=st.none() | st.integers(0, 10**6),
    notes=st.lists(st.text()).map(tuple),
)


@given(CALLS, st.sampled_from(["setup", "call", "teardown"]), st.none() | st.integers(1, 99))
def test_a_call_of_a_run_survives_the_way_through_json(call: Call, phase: str, step: int | None) -> None:
    entry = TaskCall(call=call, phase=phase, step=step)  # type: ignore[arg-type]  # drawn from the literal's values
    assert run_call_from_record(json.loads(json.dumps(run_call_record(entry)))) == entry


def test_keys_of_a_later_version_are_passed_over() -> None:
    record = call_record(CALL) | {"colour": "blue"}
    assert call_record(call_from_record(record)) == call_record(CALL)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("provider", 5, "run.json: tasks[0].calls[1]: Expected `str`, got `int` - at `$.provider`"),
        ("status", "fine", "run.json: tasks[0].calls[1]: Invalid enum value 'fine' - at `$.status`"),
        ("usage", {"input": "many"}, "run.json: tasks[0].calls[1]: Expected `int`, got `str` - at `$.usage[...]`"),
        ("cost_usd", 0.5, "run.json: tasks[0].calls[1]: Expected `str | null`, got `float` - at `$.cost_usd`"),
        (
            "cost_usd",
            "NaN",
            "run.json: tasks[0].calls[1].cost_usd: 'NaN' is not an amount of US dollars of zero or more",
        ),
        ("reported_usd", "a lot", "run.json: tasks[0].calls[1].reported_usd: 'a lot' is not an amount of US dollars"),
    ],
)
def test_a_wrong_type_names_its_place(field: str, value: object, said: str) -> None:
    with pytest.raises(RunFileError) as raised:
        call_from_record(call_record(CALL) | {field: value}, place="run.json: tasks[0].calls[1]")
    assert str(raised.value).startswith(said)


def test_a_missing_field_is_named() -> None:
    record = call_record(CALL)
    del record["cost_usd"]
    with pytest.raises(RunFileError, match="missing required field `cost_usd`"):
        run_call_from_record(record)


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(RunFileError, match="Expected `object`, got `array`"):
        call_from_record([])  # type: ignore[arg-type]  # what a damaged file may hold
