from decimal import Decimal
from itertools import pairwise

import pytest

from pytest_tokenbudget.model.budget import BLOCKING, LIMITS, SEVERITY, UNLIMITED, Budget, Finding, State, Verdict


def finding(limit: str, state: State) -> Finding:
    return Finding(limit=limit, state=state, bound=Decimal(1), value=Decimal(1))


def test_the_first_of_equally_bad_findings_decides() -> None:
    verdict = Verdict(
        state="blocked",
        findings=(finding("usd", "over"), finding("tokens", "blocked"), finding("steps", "blocked")),
    )
    assert verdict.worst == finding("tokens", "blocked")


@pytest.mark.parametrize(("mild", "bad"), list(pairwise(SEVERITY)))
def test_states_weigh_in_their_order(mild: State, bad: State) -> None:
    assert Verdict(state=bad, findings=(finding("usd", mild), finding("steps", bad))).worst == finding("steps", bad)


def test_no_finding_decides_nothing() -> None:
    assert (UNLIMITED.worst, UNLIMITED.blocks) == (None, False)


@pytest.mark.parametrize("state", SEVERITY)
def test_what_blocks_is_what_is_worse_than_a_warning(state: State) -> None:
    assert Verdict(state=state).blocks is (SEVERITY.index(state) > SEVERITY.index("inconclusive"))
    assert Verdict(state=state).blocks is (state in BLOCKING)


def test_limits_come_in_their_order_and_zero_is_one() -> None:
    budget = Budget(steps=Decimal(0), usd=Decimal("0.3"), tolerance=Decimal(1), workflow="triage")
    assert budget.limits() == (("usd", Decimal("0.3")), ("steps", Decimal(0)))
    assert [name for name, _ in Budget(**dict.fromkeys(LIMITS, Decimal(1))).limits()] == list(LIMITS)
