"""Calls, tasks and runs for tests, each of which states only what matters to it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from pytest_tokenbudget.model.benchmark import BenchmarkPlan, Drawn
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.drift import Drift
from pytest_tokenbudget.model.prompt import Segment
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Outcome, Task, TaskCall
from pytest_tokenbudget.model.usage import CLASSES, Usage
from pytest_tokenbudget.policy.budget import STRICT, Leniency, Measured, judge
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.sampling.outcome import outcome_of

__all__ = [
    "make_benched_run",
    "make_budget",
    "make_call",
    "make_estimate",
    "make_plan",
    "make_run",
    "make_sampled",
    "make_segment",
    "make_task",
    "numbered",
]


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


TICKETS = "tests/test_triage.py::test_ticket"


def make_plan(samples: int, **fields: Any) -> BenchmarkPlan:
    """A benchmark of so many samples that may cost a cent each; amounts as in a marker."""
    stated = {"id": TICKETS, "data": "tickets.jsonl", "population": samples, "usd": "0.01", **fields}
    money = ("usd", "usd_per_success", "spend", "tolerance", "ideal_steps")
    values = {
        name: Decimal(str(value)) if name in money and value is not None else value for name, value in stated.items()
    }
    return BenchmarkPlan(samples=samples, **values)


def make_sampled(place: int, cost: str | None = "0.01", *, benchmark: str = TICKETS, **fields: Any) -> Task:
    """A sample of one call, of a token for a millionth of a dollar; its id follows from its place in the draw.

    Args:
        place: From 0.
        cost: US dollars, `None` where unknown.
        benchmark: Its benchmark.
        fields: Fields of `Drawn`, and of `Task`.
    """
    drawn = {name: fields.pop(name) for name in ("cluster", "unmeasured") if name in fields}
    tokens = 1000 if cost is None else int(Decimal(cost) * 1_000_000)
    calls = (make_call(cost, input=tokens, unpriced=() if cost else ("model",)),)
    return make_task(
        f"{benchmark}[t{place}]",
        *calls,
        portions=portions(calls, lambda _: 0),
        drawn=Drawn(benchmark=benchmark, place=place, **drawn),
        **fields,
    )


def make_benched_run(*costs: str | None, plan: BenchmarkPlan | None = None, **fields: Any) -> Run:
    """A run of one benchmark whose samples cost this, in the order of the draw.

    Args:
        costs: US dollars, `None` where unknown.
        plan: What it is held against; by default, `make_plan` of as many samples.
        fields: Fields of `Run`.
    """
    asked = plan or make_plan(len(costs))
    tasks = tuple(make_sampled(place, cost, benchmark=asked.id) for place, cost in enumerate(costs))
    every = tuple(sorted((*tasks, *fields.pop("others", ())), key=lambda task: task.id))
    partial = fields.get("partial", ())
    return make_run(*every, benchmarks=(outcome_of(asked, every, partial=partial),), **fields)
