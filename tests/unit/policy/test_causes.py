"""Causes are exact whatever happens, and right where the truth is known: on a simulated agent and provider."""
# ruff: noqa: S311 - simulated, and the same at every run

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from agent_simulator import EDITS, Agent, Step, calls_of, some_agent
from builders import make_call, make_segment
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.portion import FamilyKind, RateKey
from pytest_tokenbudget.policy.causes import Cause, causes, summed
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.sides import Costed
from pytest_tokenbudget.pricing import PriceTable

TABLE = PriceTable()


def weight(key: RateKey, kind: FamilyKind) -> float:
    del kind
    return 1.4 if key.model.startswith("claude") else 1.0


def costed(calls: Sequence[Call]) -> list[Costed]:
    found = []
    for portion in portions(calls, TABLE.above):
        card = TABLE.card_of(portion)
        assert card is not None, portion.key
        found.append(Costed(portion=portion, card=card))
    return found


def total(side: Sequence[Costed]) -> Decimal:
    return sum((each.usd for each in side), Decimal(0))


def named(found: Sequence[Cause]) -> list[tuple[str, str]]:
    return [(cause.kind, cause.name) for cause in found]


def matters(before: Sequence[Costed], after: Sequence[Costed], share: str = "0.01") -> bool:
    change = abs(total(after) - total(before))
    return change >= max(Decimal("0.0001"), Decimal(share) * total(before))


def test_the_right_cause_comes_first_in_a_thousand_single_edits() -> None:
    random = Random(20261125)
    wrong: Counter[tuple[str, str]] = Counter()
    tried = 0
    while tried < 1000:
        agent = some_agent(random)
        edit = random.choice(EDITS)
        edited, truth = edit(agent, random)
        before, after = costed(calls_of(agent)), costed(calls_of(edited))
        if not matters(before, after):
            continue
        tried += 1
        first = named(causes(before, after, weight))[0]
        if first != truth:
            wrong[edit.__name__, str(first)] += 1
    print(f"the right cause first: {1 - wrong.total() / tried:.1%} of {tried} single edits", dict(wrong))  # noqa: T201
    assert wrong.total() <= 20, wrong


def test_both_causes_come_first_in_a_thousand_double_edits() -> None:
    random = Random(20261126)
    wrong: Counter[tuple[str, str]] = Counter()
    tried = 0
    while tried < 1000:
        agent = some_agent(random)
        first, second = random.sample(EDITS, 2)
        once, one = first(agent, random)
        twice, other = second(once, random)
        before, between, after = costed(calls_of(agent)), costed(calls_of(once)), costed(calls_of(twice))
        if one == other or not (matters(before, between, "0.03") and matters(between, after, "0.03")):
            continue
        tried += 1
        if set(named(causes(before, after, weight))[:2]) != {one, other}:
            wrong[first.__name__, second.__name__] += 1
    print(f"both causes first: {1 - wrong.total() / tried:.1%} of {tried} double edits", dict(wrong))  # noqa: T201
    assert wrong.total() <= 50, wrong


def some_run(random: Random) -> list[Call]:
    """Any calls: what no agent makes, with counts that contradict each other."""
    kinds = ("system", "tools", "user", "assistant", "tool_call", "tool_result", "media")
    found = []
    for _ in range(random.randrange(7)):
        prompt = []
        for _ in range(random.randrange(7)):
            kind, name, size = random.choice(kinds), random.choice(("", "a", "b")), random.choice((0, 7, 90, 4000))
            prompt.append(make_segment(kind, size, name=name, digest=f"{kind}{name}{size}"))
        classes = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "thinking")
        counts = {name: random.choice((0, 0, 1, 350, 5000)) for name in classes}
        model = random.choice(("claude-sonnet-5", "claude-opus-5"))
        found.append(make_call("0", model_served=model, prompt=tuple(prompt), **counts))
    return found


def test_causes_sum_to_the_change_and_change_sign_with_the_sides_in_a_thousand_runs() -> None:
    random = Random(20261127)
    for _ in range(1000):
        before, after = costed(some_run(random)), costed(some_run(random))
        found = causes(before, after, weight)
        assert sum((cause.usd for cause in found), Decimal(0)) == total(after) - total(before)
        mirrored = causes(after, before, weight)
        assert [(cause.kind, cause.name, -cause.usd) for cause in mirrored] == [
            (cause.kind, cause.name, cause.usd) for cause in found
        ]
        assert causes(after, after, weight) == ()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.decimals(-5, 5, places=12)), max_size=20))
def test_the_causes_of_tasks_add_to_those_of_the_run(parts: list[tuple[str, Decimal]]) -> None:
    several = [Cause(kind="result", name=name, usd=usd) for name, usd in parts]
    together = summed(several)
    assert sum(cause.usd for cause in together) == sum(usd for _, usd in parts)
    assert len({cause.name for cause in together}) == len(together)
    sizes = [abs(cause.usd) for cause in together]
    assert sizes == sorted(sizes, reverse=True)


AGENT = Agent(
    model="claude-sonnet-5",
    system=900,
    tools=(("lookup_order", 200), ("refund", 150)),
    user=200,
    steps=tuple(Step(tool="lookup_order" if step == 1 else "refund", result=300, output=100) for step in range(8)),
)


def test_more_calls_are_not_laid_on_the_tools_that_each_of_them_sends() -> None:
    longer = Agent(**{**vars_of(AGENT), "steps": (*AGENT.steps, *AGENT.steps[-4:])})
    assert "tools" not in [cause.kind for cause in causes(costed(calls_of(AGENT)), costed(calls_of(longer)), weight)]


def test_cache_luck_is_told_apart_from_a_changed_prompt() -> None:
    cold, warm = costed(calls_of(AGENT)), costed(calls_of(Agent(**{**vars_of(AGENT), "warm": True})))
    (first, *_) = causes(cold, warm, weight)
    assert (first.kind, first.label) == ("warm", "cache luck")
    assert first.usd < 0


def test_calls_that_moved_to_another_model_are_the_models_doing() -> None:
    small = [make_call("0", model_served="claude-sonnet-5", input=1000, output=50) for _ in range(6)]
    large = [make_call("0", model_served="claude-opus-5", input=1000, output=50) for _ in range(2)]
    found = causes(costed([*small, *large]), costed([*small[:4], *large, *large]), weight)
    assert named(found)[0] == ("model", "")


def test_a_model_that_is_called_no_more_is_fewer_calls() -> None:
    both = [make_call("0", model_served=name, input=1000, output=50) for name in ("claude-sonnet-5", "claude-opus-5")]
    (only,) = causes(costed(both), costed(both[:1]), weight)
    assert (only.kind, only.label) == ("calls", "behaviour")
    assert only.usd < 0


@pytest.mark.parametrize("cause", ["system", "tools", "schema", "user", "result", "media", "cache"])
def test_what_a_change_itself_does_is_text(cause: str) -> None:
    assert Cause(kind=cause, usd=Decimal(1)).label == "text"


def vars_of(agent: Agent) -> dict[str, Any]:
    return {name: getattr(agent, name) for name in agent.__dataclass_fields__}
