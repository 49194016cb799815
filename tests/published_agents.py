"""Every model call of a published study as samples: Kapoor et al., "AI Agents That Matter", HumanEval agents."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from msgspec import Struct
from published_prices import call, override

from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.policy.sampling import Sample
from pytest_tokenbudget.pricing import PriceTable

__all__ = ["CALLS", "TABLE", "Row", "published_calls", "published_samples"]

CALLS = Path(__file__).parents[2] / "shared" / "goldens" / "humaneval_agent_calls.csv.gz"

TABLE = PriceTable(
    overrides=(
        override("gpt-4-turbo-2024-04-09", input="10", output="30"),
        override("gpt-3.5-turbo-0125", input="0.5", output="1.5"),
        override("gpt-3.5-turbo-0613", input="1.5", output="2"),
        override("gpt-35-turbo", input="1.5", output="2"),
        override("*Llama-3-8b*", input="0.2", output="0.2"),
        override("*Llama-3-70b*", input="0.9", output="0.9"),
    )
)


class Row(Struct, frozen=True, kw_only=True):
    """A call, or a task that its agent solved without one: then the model is empty and the cost 0."""

    config: str
    run: str
    task: str
    model: str
    solved: bool
    usage: Usage
    cost: Decimal | None


def published_calls() -> Iterator[Row]:
    with gzip.open(CALLS, "rt", newline="") as file:
        for row in csv.DictReader(file):
            model = row["model"]
            usage = Usage(input=int(row["prompt_tokens"]), output=int(row["completion_tokens"]))
            charged = TABLE.charge(call(model, usage, provider="gateway.test", host="gateway.test")) if model else None
            yield Row(
                config=row["config"],
                run=row["run"],
                task=row["task"],
                model=model,
                solved=row["solved"] == "1",
                usage=usage,
                cost=Decimal(0) if charged is None else charged.cost,
            )


def published_samples() -> Mapping[str, Mapping[str, list[Sample]]]:
    """The tasks of each run of each configuration."""
    rows: dict[str, dict[str, dict[str, list[Row]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in published_calls():
        rows[row.config][row.run][row.task].append(row)
    return {
        config: {run: [_sample(task, calls) for task, calls in tasks.items()] for run, tasks in runs.items()}
        for config, runs in rows.items()
    }


def _sample(task: str, calls: list[Row]) -> Sample:
    costs = [row.cost for row in calls if row.cost is not None]
    return Sample(
        id=task,
        cost=sum(costs, Decimal(0)) if len(costs) == len(calls) else None,
        success=any(row.solved for row in calls),
        usage=sum((row.usage for row in calls), Usage()),
        steps=sum(bool(row.model) for row in calls),
        models=tuple((row.model, row.cost) for row in calls if row.model),
    )
