"""Every model call of a published study, priced again: Kapoor et al., "AI Agents That Matter", HumanEval agents."""

from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from published_agents import CALLS, published_calls
from published_prices import usd

SEED = usd("1.930112")
PUBLISHED = {
    "simple/gpt-4-turbo-2024-04-09": SEED,
    "simple/gpt-3.5-turbo-0125": usd("0.0548539"),
    "simple_incr_temp/gpt-4-turbo-0409-5step": usd("2.44844"),
    "simple_repeat/gpt-4-turbo-0409-5repeats-no-temp-incr": usd("2.507188"),
    "simple_boosting/l3_8b-gpt35-l3_70b-gpt4-0409": usd("0.2731237"),
    "ldb/gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09": usd("4.42528"),
    "ldb/gpt-3.5-turbo-0125+gpt-4-turbo-2024-04-09": usd("0.2584717"),
}
"""Mean cost of a run over 164 tasks."""

OTHERS = {
    "simple/gpt-3.5-turbo-0613": usd("0.0816102"),
    "simple_incr_temp/gpt-4-turbo-0409-1step": usd("1.93196"),
    "simple_repeat/gpt-4-turbo-0409-5repeats-0.5temp": usd("2.412836"),
    "simple_repeat/gpt-4-turbo-0409-8repeats-no-temp-incr": usd("2.830768"),
    "ldb/gpt-3.5-turbo-0125+gpt-3.5-turbo-0125": usd("0.538044875"),
    "ldb/gpt-3.5-turbo-0125+reflexion": usd("0.2957738"),
    "ldb/gpt-3.5-turbo-0613+gpt-3.5-turbo-0613": usd("1.58326425"),
    "ldb/gpt-4-turbo-2024-04-09+reflexion": usd("3.364536"),
}
"""The further configurations whose models all have one of the prices given; summed apart from this code."""

UNPRICED = {
    "ldb/gpt-3.5-turbo-0613+gpt-4-0613": {"azure_gpt-35-turbo-0613": 983},
    "ldb/gpt-3.5-turbo-0613+reflexion": {"azure_gpt-35-turbo-0613": 1500},
    "ldb/gpt-3.5-turbo-1106+gpt-3.5-turbo-1106": {"gpt-3.5-turbo-1106": 1953},
    "ldb/gpt-4-0613+gpt-4-0613": {"azure_gpt-4-0613": 465},
    "ldb/gpt-4-0613+reflexion": {"azure_gpt-4-0613": 677},
    "ldb/gpt-4-1106-preview+gpt-4-1106-preview": {"gpt-4-1106-preview": 850},
    "simple/gpt-3.5-turbo-1106": {"gpt-3.5-turbo-1106": 820},
    "simple/gpt-4-0613": {"azure_gpt-4-0613": 820},
    "simple/gpt-4-1106-preview": {"gpt-4-1106-preview": 820},
    "simple_boosting/CodeLlama-34b-Instruct-hf": {"codellama/CodeLlama-34b-Instruct-hf": 821},
    "simple_boosting/l3_8b-gpt-3.5-turbo-0613-l3_70b-gpt4-0613": {
        "azure_gpt-35-turbo-0613": 320,
        "azure_gpt-4-0613": 89,
    },
    "simple_boosting/l3_8b-gpt35-l3_70b-gpt4": {"gpt-4-0125": 55},
    "simple_incr_temp/gpt-3.5-turbo-0613-5step": {"azure_gpt-35-turbo-0613": 1397},
    "simple_incr_temp/gpt-4-0613-5step": {"azure_gpt-4-0613": 1034},
    "simple_repeat/gpt-3.5-turbo-0613-5repeats-no-temp-incr": {"azure_gpt-35-turbo-0613": 1537},
    "simple_repeat/gpt-4-0613-5repeats-no-temp-incr": {"azure_gpt-4-0613": 1053},
    "simple_repeat/gpt-4-turbo-0125-8repeats-no-temp-incr": {"azure-agent-eval-gpt-4": 222},
}
"""Calls of models that no price was given for: their configurations have no cost, rather than a cheap one."""


@pytest.mark.skipif(not CALLS.exists(), reason="the published calls (../shared/goldens) are not on this machine")
def test_the_published_costs_are_reproduced_to_the_digit() -> None:
    runs: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    unpriced: dict[str, Counter[str]] = defaultdict(Counter)
    calls = without_call = 0
    for row in published_calls():
        if not row.model:
            without_call += 1  # a task that its agent solved without a call
            continue
        calls += 1
        if row.cost is None:
            unpriced[row.config][row.model] += 1
        else:
            runs[row.config][row.run] += row.cost

    assert (calls, without_call) == (32_576, 7_985)
    assert {config: dict(models) for config, models in unpriced.items()} == UNPRICED
    means = {config: sum(costs.values()) / len(costs) for config, costs in runs.items() if config not in UNPRICED}
    assert means == PUBLISHED | OTHERS
    assert round(SEED + means["ldb/gpt-4-turbo-2024-04-09+gpt-4-turbo-2024-04-09"], 2) == usd("6.36")
    assert round(SEED + means["ldb/gpt-3.5-turbo-0125+gpt-4-turbo-2024-04-09"], 2) == usd("2.19")
