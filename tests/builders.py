"""Calls, tasks and runs for tests, each of which states only what matters to it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.drift import Drift
from pytest_tokenbudget.model.prompt import Segment
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Outcome, Task, TaskCall
from pytest_tokenbudget.model.usage import CLASSES, Usage
from pytest_tokenbudget.policy.budget import STRICT, Leniency, Measured, judge

__all__ = ["make_budget", "make_call", "make_estimate", "make_run", "make_segment", "make_task", "numbered"]


def make_call(cost: str | None = "0.01", **fields: Any) -> Call:
    """A replayed, exactly known call of 1,000 input and 100 output tokens.

    Args:
        cost: US dollars, `None` where unknown.
        fields: Token classes by name (which then stand alone), and fields of `Call`.
    """
    counts = {name: fields.pop(name) for name in CLASSES if name in fields}
    return Call(
        **{
            "provider": "anthropic",
            "api": "anthropic.messages",
            "host": "api.anthropic.com",
            "model_served": "claude-sonnet-5",
            "status": "exact",
            "usage": Usage(**(counts or {"input": 1000, "output": 100})),
            "obtained": "replayed",
            **fields,
        },
        cost=None if cost is None else Decimal(cost),
    )


def make_estimate(cost: str, low: str | None, high: str | None, **fields: Any) -> Call:
    """A drifted call with an estimate whose tokens are spread as its dollars are.

    Args:
        cost: US dollars of the estimate.
        low: The least.
        high: The most, `None` where nothing bounds it.
        fields: As of `make_call`, and fields of `Drift`.
    """
    names = {*Drift.__struct_fields__} - {"low", "high"}
    drift = {name: fields.pop(name) for name in names if name in fields}
    call = make_call(cost, obtained="drifted", **fields)
    ends = [None if end is None else Decimal(end) for end in (low, high)]
    spread = [None if end is None else _scaled(call.usage, end / Decimal(cost)) for end in ends]
    return replace(
        call,
        drift=Drift(
            **{"recorded_usage": call.usage, "counter": "o200k_base", **drift},
            low=spread[0] or Usage(),
            high=spread[1],
            cost_low=ends[0],
            cost_high=ends[1],
        ),
    )


def _scaled(usage: Usage, factor: Decimal) -> Usage:
    return replace(usage, **{name: round(count * factor) for name, count in usage.counts() if name in CLASSES})


def make_segment(kind: str, tokens: int, *, name: str = "", digest: str = "0" * 16) -> Segment:
    """A part of a prompt, of four characters a token."""
    return Segment(kind, name, digest, 4 * tokens, tokens)  # type: ignore[arg-type]  # any text will do here


def make_budget(**limits: Any) -> Budget:
    """A budget whose numbers are written as in a marker."""
    return Budget(
        **{
            name: Decimal(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
            for name, value in limits.items()
        }
    )


def numbered(calls: tuple[Call, ...], phase: str = "call") -> tuple[TaskCall, ...]:
    """Calls with their steps, as a task counts them."""
    entries: list[TaskCall] = []
    steps = 0
    for call in calls:
        steps += call.is_step
        entries.append(TaskCall(call=call, phase=phase, step=steps if call.is_step else None))  # type: ignore[arg-type]
    return tuple(entries)


def make_task(
    task_id: str = "tests/test_triage.py::test_refund",
    *calls: Call,
    budget: Budget | None = None,
    outcome: Outcome | None = None,
    finished: bool = True,
    leniency: Leniency = STRICT,
    **fields: Any,
) -> Task:
    """A task that ran to its end and was judged; failed where its budget blocks it."""
    limits = budget or Budget()
    entries = numbered(calls)
    exchanges = fields.pop("exchanges", len(entries) + len(fields.get("skipped", ())))
    verdict = judge(
        Measured(
            calls=entries,
            exchanges=exchanges,
            skipped=len(fields.get("skipped", ())),
            named=budget is not None,
            finished=finished,
            strays=fields.get("strays", ()),
        ),
        limits,
        leniency,
    )
    return Task(
        id=task_id,
        outcome=outcome or ("failed" if verdict.blocks else "passed"),
        calls=entries,
        exchanges=exchanges,
        budget=limits,
        verdict=verdict,
        **fields,
    )


def make_run(*tasks: Task, **fields: Any) -> Run:
    """A run at the prices of 2026-11-01."""
    return Run(
        **{
            "tool_version": "0.1.0",
            "as_of": datetime(2026, 11, 1, tzinfo=UTC),
            "as_of_source": "release",
            "price_table": "frozen",
            "counter": "test",
            "mode": "enforce",
            "tasks": tasks,
            **fields,
        }
    )
