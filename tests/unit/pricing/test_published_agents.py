"""Every model call of a published study, priced again: Kapoor et al., "AI Agents That Matter", HumanEval agents."""

import csv
import gzip
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from published_prices import call, override, usd

from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable

CALLS = Path(__file__).parents[4] / "shared" / "goldens" / "humaneval_agent_calls.csv.gz"

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

SEED = usd("1.930112")
MEANS = {
    "simple/gpt-4-turbo-2024-04-09": SEED,
    "simple/gpt-3.5-turbo-0125": usd("0.0548539"),
    "simple_incr_temp/gpt-4-turbo-0409-5step": usd("2.44844"),
    "simple_repeat/gpt-4-turbo-0409-5repeats-no-temp-incr": usd("2.507188"),
    "simple_boosting/l3_8b-gpt35-l3_70b-gpt4-0409": usd("0.2731237"),
    "ldb/gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09": usd("4.42528"),
    "ldb/gpt-3.5-turbo-0125+gpt-4-turbo-2024-04-09": usd("0.2584717"),
}


@pytest.mark.skipif(not CALLS.exists(), reason="the published calls (../shared/goldens) are not on this machine")
def test_the_published_costs_are_reproduced_to_the_digit() -> None:
    runs: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    calls = without_call = 0
    with gzip.open(CALLS, "rt", newline="") as file:
        for row in csv.DictReader(file):
            if not row["model"]:
                without_call += 1  # a task that its agent solved without a call
                continue
            calls += 1
            usage = Usage(input=int(row["prompt_tokens"]), output=int(row["completion_tokens"]))
            charged = TABLE.charge(call(row["model"], usage, provider="gateway.test", host="gateway.test"))
            if row["config"] in MEANS:
                assert charged.cost is not None
                runs[row["config"]][row["run"]] += charged.cost

    assert (calls, without_call) == (32_576, 7_985)
    means = {config: sum(costs.values()) / len(costs) for config, costs in runs.items()}
    assert means == MEANS
    assert round(SEED + MEANS["ldb/gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09"], 2) == usd("6.36")
    assert round(SEED + MEANS["ldb/gpt-3.5-turbo-0125+gpt-4-turbo-2024-04-09"], 2) == usd("2.19")
