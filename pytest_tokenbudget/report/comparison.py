"""A comparison as JSON, schema `tokenbudget/diff/1`; with a verdict it is what the gate prints."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.policy.causes import Cause, label_of
from pytest_tokenbudget.policy.compare import Comparison, TaskCost, TaskDiff
from pytest_tokenbudget.policy.gate import GateVerdict, Reason
from pytest_tokenbudget.policy.groups import DIMENSIONS, Group, groups
from pytest_tokenbudget.policy.price_change import PriceChange
from pytest_tokenbudget.report.gate_text import headline, reason_text
from pytest_tokenbudget.store.benchmarks import benchmark_record, pairs_record

__all__ = ["SCHEMA", "comparison_json"]

SCHEMA: Final = "tokenbudget/diff/1"


def comparison_json(comparison: Comparison, verdict: GateVerdict | None = None) -> str:
    """The comparison as the text of a JSON document; amounts are text in full, or null where unknown."""
    base = comparison.base
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "base": None if base is None else {"label": base.label, "commit": base.commit},
        "head": {"label": comparison.head.label, "commit": comparison.head.commit},
        "base_usd": _text(comparison.total("base")) if base is not None else None,
        "head_usd": _text(comparison.total("head")),
        "causes": _causes(comparison.causes),
        **{f"{by}s": [_group(group) for group in groups(comparison, by)] for by in DIMENSIONS},
        "prices": _prices(comparison.prices),
        "tasks": [_task(task) for task in comparison.tasks],
    }
    if verdict is not None:
        tasks = {task.id: task for task in comparison.tasks}
        record |= {
            "verdict": verdict.state,
            "status": verdict.status,
            "headline": headline(comparison, verdict),
            "reasons": [_reason(reason, tasks.get(reason.task)) for reason in verdict.reasons],
        }
    return msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n"


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name or None,
        "tasks": group.tasks,
        "base_usd": _text(group.base),
        "head_usd": _text(group.head),
        "change_usd": _text(group.change),
    }


def _prices(change: PriceChange | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "change_usd": _text(change.total.change) if change.total is not None else None,
        "differs": list(change.differs),
        "models": [
            {
                "name": each.model or None,
                "discounted": each.discounted,
                "base_prices_usd": _text(each.base),
                "head_prices_usd": _text(each.head),
                "change_usd": _text(each.change),
            }
            for each in change.models
        ],
        "unknown": list(change.unknown),
    }


def _task(task: TaskDiff) -> dict[str, Any]:
    return {
        "id": task.id,
        "was": task.was or None,
        "movement": task.movement,
        "workflow": task.budget.workflow,
        "team": task.budget.team,
        "base": _cost(task.base),
        "head": _cost(task.head),
        "change_usd": _text(task.change),
        "budget_usd": _text(task.budget.usd),
        "verdict": task.verdict.state,
        "causes": _causes(task.causes),
        "benchmark": None if task.benched is None else benchmark_record(task.benched.run),
        "pairs": None if task.benched is None or task.benched.pairs is None else pairs_record(task.benched.pairs),
    }


def _cost(cost: TaskCost | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    return {
        "usd": _text(cost.usd),
        "low_usd": _text(cost.low),
        "high_usd": _text(cost.high),
        "calls": cost.calls,
        "drifted": cost.drifted,
        "usage": dict(cost.usage.counts()),
    }


def _causes(found: Sequence[Cause]) -> list[dict[str, Any]]:
    return [
        {"kind": cause.kind, "name": cause.name or None, "label": label_of(cause.kind), "usd": _text(cause.usd)}
        for cause in found
    ]


def _reason(reason: Reason, task: TaskDiff | None) -> dict[str, Any]:
    waiver = reason.waiver
    return {
        "kind": reason.kind,
        "state": reason.state,
        "task": reason.task or None,
        "text": reason_text(reason, task, str),
        "waiver": None if waiver is None else waiver.place,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else dollars_text(amount)
