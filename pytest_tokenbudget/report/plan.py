"""A benchmark's plan: in rows and sentences for people, as Markdown, and as JSON for machines."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct

from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.policy.sampling import SamplePlan
from pytest_tokenbudget.report import amounts
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.report.markdown import plain, table
from pytest_tokenbudget.report.names import listed, of_test

__all__ = ["SCHEMA", "Planned", "columns", "plan_json", "plan_markdown", "plan_rows", "plan_sentences"]

SCHEMA: Final = "tokenbudget/plan/1"
_COLUMNS: Final = ("to see", "samples", "would cost")


class Planned(Struct, frozen=True, kw_only=True):
    """The plans that rest on one pilot.

    Attributes:
        benchmark: The benchmark that is the pilot; empty where it is some tasks.
        tests: The pilot's tests, without parameters.
        plans: A plan for each effect, at least one.
    """

    benchmark: str
    tests: tuple[str, ...]
    plans: tuple[SamplePlan, ...]


def columns(planned: Sequence[Planned]) -> tuple[str, ...]:
    """What `plan_rows` have."""
    return ("benchmark", *_COLUMNS) if len(planned) > 1 else _COLUMNS


def plan_rows(planned: Sequence[Planned]) -> list[tuple[str, ...]]:
    """A row for each plan, by `columns`; a benchmark is named in its first, where there are several."""
    rows: list[tuple[str, ...]] = []
    for pilot in planned:
        for index, plan in enumerate(pilot.plans):
            row = (
                amounts.signed_percent(Decimal(str(plan.effect))),
                amounts.tokens(plan.needed),
                amounts.usd(plan.cost),
            )
            name = "" if index else printable(of_test(pilot.benchmark))
            rows.append((name, *row) if len(planned) > 1 else row)
    return rows


def plan_sentences(planned: Sequence[Planned], source: str) -> list[str]:
    """What plans rest on.

    Args:
        planned: The plans, of at least one pilot.
        source: The run that their pilots come from.
    """
    said = [_pilot(pilot, source) for pilot in planned]
    if all(pilot.plans[0].seen_by_pilot is None for pilot in planned):
        return said
    power, alpha = amounts.percent(planned[0].plans[0].power), amounts.percent(planned[0].plans[0].alpha)
    return [
        f"A rise is seen in {power} of benchmarks where it is there, and in {alpha} where there is none.",
        *said,
        "Nothing was run. Base and head on the same samples need far fewer.",
    ]


def _pilot(pilot: Planned, source: str) -> str:
    plan = pilot.plans[0]
    what = "sample" if pilot.benchmark else "task"
    many = f"1 {what}" if plan.pilot == 1 else f"{plan.pilot:,} {what}s"
    of = f"From {many} of {source} ({listed([printable(of_test(test)) for test in pilot.tests])})"
    if plan.cv is None or plan.seen_by_pilot is None or plan.seen_by_hundred is None:
        return f"{of}: too few to know how much tasks vary. A pilot takes two, better thirty."
    text = (
        f"{of}: {amounts.usd(plan.mean)} on average, with a coefficient of variation of {plan.cv:.2f}. As many see "
        f"{_share(plan.seen_by_pilot)}; 100 see {_share(plan.seen_by_hundred)}."
    )
    # different tests vary more than a benchmark's samples would
    return text if len(pilot.tests) == 1 else f"{text} Choose tasks that are alike with --task or --workflow."


def _share(effect: float) -> str:
    return amounts.signed_percent(Decimal(str(effect)))  # as a benchmark's own section has it


def plan_json(planned: Sequence[Planned], source: str) -> bytes:
    """Plans as JSON, schema `tokenbudget/plan/1`; amounts as text, `null` where unknown.

    What tells of the pilot stands at the top where there is one, and with each plan in any case.
    """
    first = planned[0]
    alone = len(planned) == 1
    record = {
        "schema": SCHEMA,
        "run": source,
        **{name: value if alone else None for name, value in _figures(first).items()},
        "power": first.plans[0].power,
        "alpha": first.plans[0].alpha,
        "plans": [
            {
                **_figures(pilot),
                "effect": plan.effect,
                "needed": plan.needed,
                "cost_usd": None if plan.cost is None else dollars_text(plan.cost),
            }
            for pilot in planned
            for plan in pilot.plans
        ],
    }
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def _figures(pilot: Planned) -> dict[str, Any]:
    plan = pilot.plans[0]
    return {
        "benchmark": pilot.benchmark or None,
        "tests": pilot.tests,
        "samples": plan.pilot,
        "cv": plan.cv,
        "mean_usd": None if plan.mean is None else dollars_text(plan.mean),
        "seen_by_pilot": plan.seen_by_pilot,
        "seen_by_hundred": plan.seen_by_hundred,
    }


def plan_markdown(planned: Sequence[Planned], source: str) -> str:
    """Plans as Markdown.

    Args:
        planned: The plans, of at least one pilot.
        source: The run that their pilots come from.
    """
    names = columns(planned)
    alignment = "l" * (len(names) - 2) + "rr"
    lines = table(names, alignment, ([plain(cell) for cell in row] for row in plan_rows(planned)))
    said = [f"- {plain(sentence, longest=1000)}" for sentence in plan_sentences(planned, source)]
    return "\n".join([*lines, "", *said]) + "\n"
