"""How fast a call is priced, beside genai-prices' own arithmetic in the same run.

    python tests/benchmarks/bench_pricing.py [--rounds N]

Prints medians over interleaved rounds and their ratios, and what the first price of a process costs once.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from statistics import median
from time import perf_counter

import genai_prices

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import DEFAULT_AS_OF, LongPrompt, PriceTable, RateCard, Rates, cost_of
from pytest_tokenbudget.wire import read

TABLE = PriceTable()

CLAUDE_CALL = Call(
    provider="anthropic",
    api="anthropic.messages",
    host="api.anthropic.com",
    model_asked="claude-sonnet-4-5",
    model_served="claude-sonnet-4-5-20250929",
    tier="standard",
    price_context=(("inference_geo", "not_available"),),
    status="exact",
    usage=Usage(input=1_200, cache_read=15_872, cache_write=512, output=340),
    obtained="replayed",
)
THEIR_USAGE = genai_prices.Usage(
    input_tokens=17_584, cache_read_tokens=15_872, cache_write_tokens=512, output_tokens=340
)

RESPONSE = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_763_800_000,
        "model": "gpt-5.2-2025-12-11",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "All 17 tests pass. " * 20},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 1_200,
            "completion_tokens": 340,
            "total_tokens": 1_540,
            "prompt_tokens_details": {"cached_tokens": 1_024, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 0},
        },
        "service_tier": "default",
    }
).encode()
EXCHANGE = Exchange(
    method="POST",
    url="https://api.openai.com/v1/chat/completions",
    status=200,
    response_headers={"content-type": "application/json"},
    response_body=RESPONSE,
    obtained="replayed",
)

ONCE = """
import {before}
from time import perf_counter
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable
call = Call(provider="openai", api="openai.chat", host="api.openai.com", model_asked="gpt-5.2", status="exact",
            usage=Usage(input=1), obtained="replayed")
start = perf_counter()
PriceTable().charge(call)
print(perf_counter() - start)
"""


def four_class_card() -> RateCard:
    """A rate card like Claude's, with a long-prompt tier."""
    per_million = {"input": "3", "cache_read": "0.3", "cache_write": "3.75", "output": "15"}
    rates = Rates.per_million({name: Decimal(rate) for name, rate in per_million.items()})
    longer = LongPrompt(200_000, rates.times(Decimal(2)))
    return RateCard(entry="bench", source="bench", rates=rates, long_prompts=(longer,))


def their_price() -> object:
    """genai-prices: four classes, model seen before."""
    return genai_prices.calc_price(
        THEIR_USAGE, "claude-sonnet-4-5", provider_id="anthropic", genai_request_timestamp=DEFAULT_AS_OF
    )


def their_extract_and_price() -> object:
    """genai-prices: from a response's bytes to a price."""
    extracted = genai_prices.extract_usage(json.loads(RESPONSE), provider_id="openai", api_flavor="chat")
    return extracted.calc_price(genai_request_timestamp=DEFAULT_AS_OF)


def our_read_and_charge() -> object:
    """Ours: from an exchange to a priced call."""
    call = read(EXCHANGE, len)
    return TABLE.charge(call) if isinstance(call, Call) else call


def microseconds(work: Callable[[], object], times: int) -> float:
    """The mean of some repetitions, in microseconds."""
    start = perf_counter()
    for _ in range(times):
        work()
    return (perf_counter() - start) / times * 1e6


def once_seconds(before: str) -> float:
    """What the first price of a process costs, in seconds, with some modules imported already."""
    done = subprocess.run(
        [sys.executable, "-c", ONCE.format(before=before)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    contests: dict[str, tuple[Callable[[], object], int]] = {
        "genai-prices calc_price": (their_price, 300),
        "PriceTable.charge": (partial(TABLE.charge, CLAUDE_CALL), 10_000),
        "cost_of": (partial(cost_of, CLAUDE_CALL.usage, four_class_card()), 10_000),
        "genai-prices extract + price": (their_extract_and_price, 200),
        "read + charge": (our_read_and_charge, 1_000),
    }
    figures: dict[str, list[float]] = {name: [] for name in contests}
    for work, _ in contests.values():
        work()
    for _ in range(rounds):
        for name, (work, times) in contests.items():
            figures[name].append(microseconds(work, times))
    medians = {name: median(found) for name, found in figures.items()}
    for name, value in medians.items():
        print(f"{name:<30} {value:8.2f} µs")
    price, extract = medians["genai-prices calc_price"], medians["genai-prices extract + price"]
    print(
        f"charge is {price / medians['PriceTable.charge']:.1f}x calc_price, cost_of {price / medians['cost_of']:.1f}x"
    )
    print(f"read + charge is {extract / medians['read + charge']:.1f}x extract + price")
    for before in ("sys", "pydantic, httpx2", "openai"):
        print(f"first price of a process after importing {before}: {median(map(once_seconds, [before] * 7)):.3f} s")


if __name__ == "__main__":
    main()
