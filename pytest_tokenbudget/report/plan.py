"""A benchmark's plan: in rows and sentences for people, as Markdown, and as JSON for machines."""

from decimal import Decimal
from typing import Final

import msgspec

from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.policy.sampling import SamplePlan
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.markdown import plain, table

__all__ = ["COLUMNS", "SCHEMA", "plan_json", "plan_markdown", "plan_rows", "plan_sentences"]

SCHEMA: Final = "tokenbudget/plan/1"
COLUMNS: Final = ("to see", "samples", "would cost")


def plan_rows(plans: list[SamplePlan]) -> list[tuple[str, ...]]:
    """A row for each plan, by `COLUMNS`."""
    return [
        (
            amounts.signed_percent(Decimal(str(plan.effect))),
            amounts.tokens(plan.needed),
            amounts.usd(plan.cost),
        )
        for plan in plans
    ]


def plan_sentences(plan: SamplePlan, source: str) -> list[str]:
    """What a plan rests on.

    Args:
        plan: The plan.
        source: The run that its pilot comes from.
    """
    tasks = "1 task" if plan.pilot == 1 else f"{plan.pilot:,} tasks"
    if plan.cv is None or plan.seen_by_pilot is None or plan.seen_by_hundred is None:
        return [f"From {tasks} of {source}: too few to know how much tasks vary. A pilot takes two, better thirty."]
    power, alpha = amounts.percent(plan.power), amounts.percent(plan.alpha)
    pilot = (
        f"From {tasks} of {source}: {amounts.usd(plan.mean)} on average, with a coefficient of variation of "
        f"{plan.cv:.2f}. As many see {_share(plan.seen_by_pilot)}; 100 see {_share(plan.seen_by_hundred)}."
    )
    return [
        f"A rise is seen in {power} of benchmarks where it is there, and in {alpha} where there is none.",
        pilot,
        "Nothing was run. Base and head on the same samples need far fewer.",
    ]


def _share(effect: float) -> str:
    return amounts.signed_percent(Decimal(f"{effect:.3f}"))


def plan_json(plans: list[SamplePlan], source: str) -> bytes:
    """Plans of one pilot as JSON, schema `tokenbudget/plan/1`; amounts as text, `null` where unknown."""
    pilot = plans[0]
    record = {
        "schema": SCHEMA,
        "run": source,
        "samples": pilot.pilot,
        "cv": pilot.cv,
        "mean_usd": None if pilot.mean is None else dollars_text(pilot.mean),
        "power": pilot.power,
        "alpha": pilot.alpha,
        "seen_by_pilot": pilot.seen_by_pilot,
        "seen_by_hundred": pilot.seen_by_hundred,
        "plans": [
            {
                "effect": plan.effect,
                "needed": plan.needed,
                "cost_usd": None if plan.cost is None else dollars_text(plan.cost),
            }
            for plan in plans
        ],
    }
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def plan_markdown(plans: list[SamplePlan], source: str) -> str:
    """Plans of one pilot as Markdown.

    Args:
        plans: The plans.
        source: The run that their pilot comes from.
    """
    lines = table(COLUMNS, "lrr", ([plain(cell) for cell in row] for row in plan_rows(plans)))
    said = [f"- {plain(sentence, longest=1000)}" for sentence in plan_sentences(plans[0], source)]
    return "\n".join([*lines, "", *said]) + "\n"
