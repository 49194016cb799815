"""The line that a benchmark prints now and then while it runs."""

import pytest
from builders import make_plan, make_sampled, make_task

from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.plugin import progress
from pytest_tokenbudget.plugin.progress import Progress


class Clock:
    """A clock that a test turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_lines_come_every_two_seconds_to_a_person(clock: Clock) -> None:
    said: list[str] = []
    told = Progress(said.append, is_watched=True)
    plan = make_plan(100, usd="0.002")
    for place in range(20):
        clock.now += 0.5
        told.take([make_sampled(place, "0.001" if place % 2 else "0.002")], lambda: [plan])
    assert said == [
        "test_ticket: 4 of 100 samples, $0.0015 a task ($0.00082 to $0.00218), $0.00 paid, within budget so far",
        "test_ticket: 8 of 100 samples, $0.0015 a task ($0.00114 to $0.00186), $0.00 paid, within budget so far",
        "test_ticket: 12 of 100 samples, $0.0015 a task ($0.00122 to $0.00178), $0.00 paid, within budget so far",
        "test_ticket: 16 of 100 samples, $0.0015 a task ($0.00127 to $0.00173), $0.00 paid, within budget so far",
        "test_ticket: 20 of 100 samples, $0.0015 a task ($0.0013 to $0.0017), $0.00 paid, within budget so far",
    ]


def test_lines_come_every_half_minute_to_a_log(clock: Clock) -> None:
    said: list[str] = []
    told = Progress(said.append, is_watched=False)
    for place in range(65):
        clock.now += 1
        told.take([make_sampled(place, "0.01")], lambda: [make_plan(100)])
    assert [line.partition(" samples")[0] for line in said] == ["test_ticket: 30 of 100", "test_ticket: 60 of 100"]


@pytest.mark.parametrize(
    ("tasks", "fields", "line"),
    [
        ([make_sampled(0, "0.5")], {}, "1 of 9 samples, $0.50 a task, $0.00 paid, over budget so far"),
        ([make_sampled(0, "0.012")], {}, "1 of 9 samples, $0.012 a task, $0.00 paid, within budget so far"),
        ([make_sampled(0, "0.5")], {"usd": None}, "1 of 9 samples, $0.50 a task, $0.00 paid"),
        ([make_sampled(0, "0.5"), make_sampled(1, None)], {}, "2 of 9 samples, ? a task, $0.00 paid"),
        ([make_sampled(0, "0.5", unmeasured="skipped"), make_task("t")], {}, None),
        ([make_sampled(place) for place in range(9)], {}, None),
    ],
)
def test_what_a_line_says(clock: Clock, tasks: list[Task], fields: dict[str, str | None], line: str | None) -> None:
    said: list[str] = []
    told = Progress(said.append, is_watched=True)
    clock.now = 3
    told.take(tasks, lambda: [make_plan(9, **fields)])
    assert said == ([] if line is None else [f"test_ticket: {line}"])


def test_a_name_moves_no_cursor(clock: Clock) -> None:
    said: list[str] = []
    told = Progress(said.append, is_watched=True)
    clock.now = 3
    name = "t.py::test\x1b[2J\n"
    told.take([make_sampled(0, benchmark=name)], lambda: [make_plan(9, id=name)])
    assert said[0].isprintable()
