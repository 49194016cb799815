import json
from random import Random
from types import MappingProxyType
from typing import Any

import pytest
from agent_simulator import calls_of, some_agent
from builders import make_call, make_run, make_segment, make_task
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_tokenbudget.errors import LockError
from pytest_tokenbudget.model.portion import Family, Portion, RateKey
from pytest_tokenbudget.model.usage import CLASSES, Usage
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.store.lock import Lock, lock_of_run, lock_text
from pytest_tokenbudget.store.lock_reading import read_lock

FEES = {"web_search": 1}
REFUND = "tests/test_triage.py::test_refund"
PROMPT = (
    make_segment("tools", 180, name="lookup_order", digest="a"),
    make_segment("tools", 154, name="issue_refund", digest="b"),
    make_segment("system", 343, name="system", digest="c"),
    make_segment("user", 60, name="user", digest="d"),
)


def lock_of(*calls: Any, task: str = REFUND, **fields: Any) -> Lock:
    return Lock(counter="tb1", tasks={task: portions(calls, lambda _: 0)}, **fields)


def two_calls() -> tuple[Any, Any]:
    later = (*PROMPT, make_segment("tool_result", 2100, name="lookup_order", digest="e"))
    return (
        make_call(prompt=PROMPT, input=700, cache_write=400, output=50),
        make_call(
            prompt=later, usage=Usage(input=2500, cache_read=400, output=80, thinking=12, fees={"web_search": 1})
        ),
    )


def test_a_task_is_a_line_that_a_reviewer_can_read() -> None:
    assert lock_text(lock_of(*two_calls())) == (
        "# tokenbudget.lock 1 counter=tb1\n"
        "@tools e7b3581f issue_refund=154 lookup_order=180\n"
        "tests/test_triage.py::test_refund model=claude-sonnet-5 "
        "via=anthropic:anthropic.messages@api.anthropic.com calls=2 input=3200 cache_read=400 cache_write=400 "
        "output=130 thinking=12 fee:web_search=1 result:lookup_order=2100/2100 system=343/686 "
        "tools=2*180:334/668 user=60/120 toolset=e7b3581f rest=426\n"
    )


def test_a_lock_reads_back_as_it_was() -> None:
    random = Random(5)  # noqa: S311 - the same at every run
    tasks = {
        f"tests/test_{number}.py::test[a b=c %41 é]": portions(
            calls_of(some_agent(random)), lambda call: call.usage.input
        )
        for number in range(40)
    }
    lock = Lock(counter="tb1", tasks=tasks, unknown={"tests/test_3.py::test[a b=c %41 é]": 2})
    again = read_lock(lock_text(lock))
    assert again == lock
    assert lock_text(again) == lock_text(lock)


texts = st.text(max_size=8)
counts = st.integers(0, 10**9)


@st.composite
def some_portion(draw: st.DrawFn) -> Portion:
    usage = {name: draw(counts) for name in CLASSES}
    families = [
        Family(kind=kind, name=name, items=draw(st.integers(1, 9)), largest=draw(counts), fresh=fresh, sent=fresh)
        for kind, name, fresh in draw(
            st.lists(
                st.tuples(st.sampled_from(["system", "result", "user"]), texts, st.integers(1, 9**9)),
                unique_by=lambda entry: entry[:2],
                max_size=3,
            )
        )
    ]
    served = draw(texts)
    return Portion(
        key=RateKey(
            provider=draw(texts),
            api=draw(texts),
            host=draw(texts),
            served=served,
            asked=draw(texts) or served,
            tier=draw(texts),
            context=tuple(sorted(draw(st.dictionaries(texts.filter(bool), texts, max_size=2)).items())),
            above=draw(counts),
        ),
        calls=draw(counts),
        drifted=draw(counts),
        usage=Usage(
            **usage,
            fees=MappingProxyType(draw(st.dictionaries(texts.filter(bool), st.integers(1, 9), max_size=2))),
            other=MappingProxyType(draw(st.dictionaries(texts.filter(bool), st.integers(1, 9), max_size=2))),
        ),
        families=tuple(families),
        tools=tuple(sorted(draw(st.dictionaries(texts.filter(bool), counts, max_size=2)).items())),
    )


@given(st.dictionaries(texts.filter(bool), some_portion().map(lambda portion: (portion,)), max_size=3))
def test_hostile_names_read_back_as_they_were(tasks: dict[str, tuple[Portion, ...]]) -> None:
    lock = Lock(counter="tb1", tasks=tasks)
    text = lock_text(lock)
    assert read_lock(text) == lock
    assert all(line.isascii() and line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "input=3200",
            "input=3100",
            "its prompt parts add up to 4,000 tokens, its input to 3,900: edited, or merged wrongly",
        ),
        ("system=343/686", "system=343/687", "its prompt parts add up to 4,001 tokens"),
        ("calls=2", "calls=two", "'two' is not a count"),
        ("calls=2", "colls=2", "calls"),
        ("system=", "sistem=", "`sistem=343/686` is unknown here"),
        ("toolset=e7b3581f", "toolset=ffffffff", "there is no line `@tools ffffffff`"),
        ("via=anthropic:", "via=", "`via` is not provider:api@host"),
        ("calls=2", "<<<<<<<", "'<<<<<<<' is not key=value"),
        ("tests/test_triage.py", "<<<<<<< HEAD tests/test_triage.py", "a merge conflict stands here"),
    ],
)
def test_an_edited_line_is_refused_with_its_number(before: str, after: str, said: str) -> None:
    text = lock_text(lock_of(*two_calls()))
    assert before in text
    with pytest.raises(LockError) as refused:
        read_lock(text.replace(before, after))
    assert str(refused.value).startswith("tokenbudget.lock:3: ")
    assert said in str(refused.value)
    assert str(refused.value).endswith("Write it anew: tokenbudget lock.")


@pytest.mark.parametrize("text", ["", "{}", "# tokenbudget.lock 2 counter=tb1\n", json.dumps({"schema": 1})])
def test_what_is_no_lock(text: str) -> None:
    with pytest.raises(LockError, match=r"tokenbudget\.lock of 4be01aa:1: .* does not begin a lock of version 1"):
        read_lock(text, "tokenbudget.lock of 4be01aa")


def test_a_task_listed_twice_is_refused() -> None:
    text = lock_text(lock_of(*two_calls()))
    with pytest.raises(LockError, match="has two lines for claude-sonnet-5"):
        read_lock(text + text.splitlines()[-1])


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("calls=2", "calls=2 calls=1", "4: `calls` stands twice"),
        ("@tools", "@tools e7b3581f issue_refund=1\n@tools", "3: there is another line `@tools e7b3581f`"),
        ("=180\n", "=-180\n", "2: '-180' is not a count"),
        ("=180\n", f"={'9' * 5000}\n", f"2: '{'9' * 40}' is not a count"),
        ("calls=2", "calls=\N{ARABIC-INDIC DIGIT TWO}", "4: '\N{ARABIC-INDIC DIGIT TWO}' is not a count"),
        ("rest=426", f"rest={'9' * 5000}", f"4: '{'9' * 40}' is not a count"),
        ("system=", f"system=2*{'9' * 5000}:", "4: `system=2*"),
        ("test_refund", "test_%ff", "4: a name in it is no text"),
        ("counter=tb1", "counter=%ff", "1: a name in it is no text"),
        ("tests/test_triage.py", "||||||| base tests/test_triage.py", "4: a merge conflict stands here"),
        (" rest=426\n", " rest=426\nx unknown=1\nx unknown=2\n", "5: there is another count of the unknown calls of x"),
    ],
)
def test_a_hostile_line_is_refused_with_its_number(before: str, after: str, said: str) -> None:
    lines = lock_text(lock_of(*two_calls())).replace("@tools", "# a comment\n@tools" if said[0] == "4" else "@tools")
    assert before in lines
    with pytest.raises(LockError) as refused:
        read_lock(lines.replace(before, after, 1))
    assert str(refused.value).startswith(f"tokenbudget.lock:{said}")


def test_lines_that_git_merged_twice_are_one() -> None:
    text = lock_text(lock_of(*two_calls(), unknown={REFUND: 1}))
    tools, unknown = text.splitlines()[1], text.splitlines()[3]
    assert read_lock(text.replace(tools, f"{tools}\n{tools}") + f"{unknown}\n") == read_lock(text)


def test_a_task_whose_calls_are_in_no_sum_is_not_locked() -> None:
    call = make_call()
    whole = make_run(replace(make_task("t.py::test_a", call), portions=portions([call], lambda _: 0)))
    assert lock_of_run(whole, "run.json").tasks["t.py::test_a"]
    with pytest.raises(LockError, match=r"run.json: t.py::test_a: its `portions` are not the sums of its calls\."):
        lock_of_run(make_run(make_task("t.py::test_a", call)), "run.json")
