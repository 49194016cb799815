"""Where two requests differ, told without quoting either."""

from typing import Any

import pytest

from pytest_tokenbudget.traffic.drift_stop import first_difference

ASKED = {"model": "tiny", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}


def deep(value: object) -> object:
    for _ in range(40):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (ASKED | {"model": "mini"}, "`model` changed (first at byte 0)"),
        (ASKED | {"temperature": 0}, "`temperature` is new"),
        ({"model": "tiny"}, "`messages` is gone"),
        (
            ASKED | {"messages": [{"role": "system", "content": "Be brüf."}]},
            "`messages[0].content` changed (first at byte 5)",
        ),
        (ASKED | {"messages": [*ASKED["messages"], 1]}, "`messages` has 3 items, not 2"),
        (ASKED | {"messages": "none"}, "`messages` changed"),
        ([], "its body is another"),
        (ASKED, "its body is another"),
    ],
)
def test_the_first_difference_is_named_by_its_place(sent: Any, said: str) -> None:
    assert first_difference(sent, ASKED) == said


def test_a_deep_difference_is_named_as_far_as_a_reader_follows() -> None:
    assert first_difference(deep("x"), deep("y")) == f"`{'.'.join('a' * 12)}` changed"
