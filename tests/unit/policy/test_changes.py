"""Where a prompt changed, in words."""

from typing import Any

import pytest

from pytest_tokenbudget.model.drift import Change
from pytest_tokenbudget.policy.changes import changes_text, drifted_message


def change(kind: Any = "system", name: str = "", byte: int = 214, before: int = 40, after: int = 52) -> Change:
    return Change(kind=kind, name=name, position=0, byte=byte, before=before, after=after)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], ""),
        ([change()], "the system prompt changed (first at byte 214)"),
        ([change(byte=12_345)], "the system prompt changed (first at byte 12,345)"),
        ([change("tools", "lookup_order")], "the definition of `lookup_order` changed (first at byte 214)"),
        ([change("tools")], "the tool definitions changed (first at byte 214)"),
        ([change("tool_result", "lookup_order", before=0)], "the result of `lookup_order` is new"),
        ([change("user", "user", after=0)], "a user message is gone"),
        ([change(), change(byte=300)], "the system prompt changed (first at byte 214)"),
        (
            [change(), change("user", byte=0)],
            "the system prompt changed (first at byte 214), a user message changed (first at byte 0)",
        ),
        (
            [change(before=0), change("user", before=0), change("tools", before=0), change("media", before=0)],
            "the system prompt is new, a user message is new, 2 more parts differ",
        ),
    ],
)
def test_where_prompts_first_differ(found: list[Change], said: str) -> None:
    assert changes_text(found) == said


STOPPED = "[drift] POST https://h/v1 was stopped: it is not the request that was recorded "


@pytest.mark.parametrize(
    ("where", "index", "task", "said"),
    [
        (change(), 3, "a.py::test_a", "(recording 3 of a.yaml): the system prompt changed (first at byte 214)."),
        ("`model` changed", 0, "a.py::test_a", "(recording 0 of a.yaml): `model` changed."),
        (None, None, None, "(a.yaml): it asks something else."),
    ],
)
def test_what_a_stopped_test_says(where: Change | str | None, index: int | None, task: str | None, said: str) -> None:
    text = drifted_message("POST https://h/v1", source="a.yaml", index=index, where=where, task_id=task)
    assert text == (
        f"{STOPPED}{said} To record it again: pytest {f'{task} ' if task else ''}--tokenbudget-record=all. To replay "
        "it and estimate its cost: --tokenbudget-drift=estimate."
    )
