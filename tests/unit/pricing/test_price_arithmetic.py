"""Figures about agents that are nothing but prices times tokens, recomputed through our cost functions."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from published_prices import call, card, override, usd

from pytest_tokenbudget.model.task import TaskCall, Totals
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable, RateCard, cost_of

UNIT = card(input="1000000", cache_read="100000", cache_write="1250000", cache_write_1h="2000000")
"""Cache multipliers, with one input token at $1: costs are input-equivalents."""


def dollars(usage: Usage, rates: RateCard = UNIT) -> Decimal:
    cost = cost_of(usage, rates)
    assert cost is not None
    return cost


def test_thirty_steps_that_resend_their_history() -> None:
    resent = sum((Usage(input=4_000 * step) for step in range(1, 31)), Usage())

    assert dollars(resent) == 1_860_000
    # the rule of thumb, n²/2 times the step, leaves out half a step each
    assert dollars(Usage(input=30 * 30 * 4_000 // 2)) == 1_800_000


def test_thirty_steps_with_incremental_caching() -> None:
    cached = sum((Usage(cache_read=4_000 * (step - 1), cache_write=4_000) for step in range(1, 31)), Usage())

    assert dollars(cached) == 324_000
    assert round(1 - dollars(cached) / 1_860_000, 3) == usd("0.826")
    assert cached.cache_hit_rate == pytest.approx(0.935, abs=0.0005)


def test_five_hops_cost_thirteen_and_a_half_short_calls() -> None:
    hops = sum((Usage(input=2_000 + 1_700 * hop) for hop in range(5)), Usage())

    assert dollars(hops) == 27_000
    assert dollars(hops) / dollars(Usage(input=2_000)) == usd("13.5")


@pytest.mark.parametrize(
    ("write", "uses", "relative"),
    [
        ("cache_write", 1, "1.25"),
        ("cache_write", 2, "0.675"),
        ("cache_write_1h", 2, "1.05"),
        ("cache_write_1h", 3, "0.733"),
    ],
)
def test_cache_break_even(write: str, uses: int, relative: str) -> None:
    cached = Usage(**{write: 1_000, "cache_read": 1_000 * (uses - 1)})

    assert round(dollars(cached) / dollars(Usage(input=1_000 * uses)), 3) == usd(relative)


def test_the_support_agent_before_and_after() -> None:
    rates = card(input="1.753", cache_read="0.1753", output="8.765")
    before = dollars(Usage(input=312_000, output=22_000), rates)
    after = dollars(Usage(input=2_460, cache_read=38_540, output=9_000), rates)

    assert (round(before, 2), round(after, 2)) == (usd("0.74"), usd("0.09"))
    assert round(1 - after / before, 3) == usd("0.878")


def test_the_support_agents_figures_imply_its_prices() -> None:
    """$0.74 and $0.09 are two sums of two unknown rates: what a million tokens of input and of output cost."""
    before = dollars(Usage(input=312_000), UNIT), Decimal(22_000)
    after = dollars(Usage(input=2_460, cache_read=38_540), UNIT), Decimal(9_000)
    determinant = before[0] * after[1] - after[0] * before[1]
    million = Decimal(1_000_000)
    plain = (usd("0.74") * after[1] - usd("0.09") * before[1]) / determinant * million
    output = (before[0] * usd("0.09") - after[0] * usd("0.74")) / determinant * million

    assert (round(plain, 3), round(output / plain, 2)) == (usd("1.753"), usd("5.00"))


@pytest.mark.parametrize(("run", "solved", "success"), [("0.74", 71, "1.0423"), ("0.09", 78, "0.1154")])
def test_the_support_agent_per_success(run: str, solved: int, success: str) -> None:
    """What a hundred runs cost, over those that succeed: failures are paid for as well."""
    runs = sum((Usage(fees={"run": 1}) for _ in range(100)), Usage())

    assert round(dollars(runs, replace(UNIT, fees={"run": usd(run)})) / solved, 4) == usd(success)


def test_the_support_agent_needs_a_third_of_the_steps_less() -> None:
    calls = [TaskCall(call=call("m", Usage(output=1)), step=step) for step in range(1, 15)]
    before, after = (Totals.of(calls[:steps]).steps for steps in (14, 9))

    assert (before, after, round(Decimal(after) / before - 1, 2)) == (14, 9, usd("-0.36"))


def test_the_support_agent_saves_the_same_at_any_price_of_that_shape() -> None:
    for base in ("1", "3", "15"):
        rates = card(input=base, cache_read=str(Decimal(base) / 10), output=str(Decimal(base) * 5))
        before = dollars(Usage(input=312_000, output=22_000), rates)
        after = dollars(Usage(input=2_460, cache_read=38_540, output=9_000), rates)
        assert round(1 - after / before, 3) == usd("0.878")


@pytest.mark.parametrize(("large", "share"), [("15", "0.215"), ("5", "0.46")])
def test_a_cascade_of_three_sizes(large: str, share: str) -> None:
    small, middle, big = (card(input=rate) for rate in ("1", "3", large))
    million = Usage(input=1_000_000)

    # the small model routes every task and so has answered 65%; 28% go to the middle, of which 8% escalate with 7%
    cascade = (
        dollars(million, small)
        + usd("0.28") * dollars(million, middle)
        + (usd("0.07") + usd("0.28") * usd("0.08")) * dollars(million, big)
    )

    assert round(cascade / dollars(million, big), 3) == usd(share)


def test_a_cascade_answers_nine_in_ten_before_its_largest_model() -> None:
    small, middle = card(input="1"), card(input="1")

    answered = dollars(Usage(input=650_000), small) + dollars(Usage(input=280_000), middle) * (1 - usd("0.08"))
    assert answered * 100 == usd("90.76")


def test_cheap_first_in_parallel_costs_more_and_in_sequence_less() -> None:
    used, cheap, large = Usage(input=1_000_000), card(input="1"), card(input="15")

    parallel = dollars(used, cheap) + dollars(used, large)
    sequential = dollars(used, cheap) + usd("0.3") * dollars(used, large)
    assert round(parallel / dollars(used, large), 3) == usd("1.067")
    assert round(sequential / dollars(used, large), 3) == usd("0.367")


def test_sums_are_exact_over_many_calls() -> None:
    table = PriceTable(overrides=(override("m", input="0.1", output="0.3"),))
    costs = [table.charge(call("m", Usage(input=1, output=1))).cost for _ in range(10_000)]

    assert sum(cost for cost in costs if cost is not None) == usd("0.004")
