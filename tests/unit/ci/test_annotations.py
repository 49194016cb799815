"""Annotations: at the test's line, a few of them, and text that stays text."""

from typing import Any

import pytest
from builders import make_budget, make_call, make_run, make_task
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.ci.annotations import Annotation, annotations, workflow_commands
from pytest_tokenbudget.policy.compare import Comparison, compare
from pytest_tokenbudget.policy.gate import GateState, GateVerdict, Reason
from pytest_tokenbudget.policy.snapshot import snapshot_of_run

TASK = "tests/test_triage.py::test_refund"
MARKER = "tests/test_triage.py:22: @pytest.mark.token_budget of test_refund"


def compared(name: str = TASK, origin: str = MARKER) -> Comparison:
    budget = make_budget(usd=0.30, origins=(("usd", origin),))
    run = make_run(make_task(name, make_call("0.742"), budget=budget))
    return compare(None, snapshot_of_run(run, "run.json"), lambda _: None, lambda *_: 1.0)


def found(state: GateState = "blocked", folder: str = "", **task: Any) -> list[Annotation]:
    comparison = compared(**task)
    name = comparison.tasks[0].id
    verdict = GateVerdict(state=state, reasons=(Reason(kind="unknown", state=state, task=name, text="50% too much."),))
    return annotations(comparison, verdict, folder=folder)


def parsed(command: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner reads it."""
    _, head, text = command.split("::", 2)
    level, _, rest = head.partition(" ")
    pairs = dict(pair.split("=", 1) for pair in rest.split(","))
    return level, {name: unescaped(value) for name, value in pairs.items()}, unescaped(text)


def unescaped(text: str) -> str:
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_the_line_of_the_marker() -> None:
    assert workflow_commands(found()) == [
        "::error file=tests/test_triage.py,line=22,title=Over what is allowed::test_refund: 50%25 too much."
    ]
    assert workflow_commands(found("warn", folder="agents/shop")) == [
        "::warning file=agents/shop/tests/test_triage.py,line=22,title=Cost::test_refund: 50%25 too much."
    ]


@pytest.mark.parametrize(
    ("origin", "name", "file", "line"),
    [
        ("tokenbudget.yml: budgets: tests/test_triage.py", TASK, "tests/test_triage.py", None),
        ("tests/other.py:5: a marker", TASK, "tests/test_triage.py", None),
        ("tests/test_triage.py:?: a marker", TASK, "tests/test_triage.py", None),
        (MARKER, "../../etc/passwd::test_a", "", None),
        (MARKER, "/etc/passwd::test_a", "", None),
        (MARKER, "no file", "", None),
    ],
)
def test_other_places(origin: str, name: str, file: str, line: int | None) -> None:
    assert [(one.file, one.line) for one in found(origin=origin, name=name)] == [(file, line)]


def test_a_passing_run_has_none() -> None:
    assert found("pass") == []


def test_at_most_ten_of_a_level_and_how_many_more() -> None:
    many = [Annotation(level=level, title="t", text=f"{n}") for n in range(25) for level in ("warning", "error")]
    lines = workflow_commands(many)
    assert len(lines) == 20
    assert lines[9] == "::error title=Cost::16 more: see the summary."
    assert lines[19] == "::warning title=Cost::16 more: see the summary."
    assert lines[0] == "::error title=t::0"
    assert len(workflow_commands(many[:20])) == 20


@given(
    st.text(max_size=80) | st.sampled_from(["\n::stop-commands::x", "a\r\n::add-mask::b", "%0A::error::x", ",line=1::"])
)
def test_a_command_stays_one(text: str) -> None:
    line = workflow_commands([Annotation(level="error", title=text, text=text, file=text or "f", line=3)])[0]
    assert line.isprintable()
    level, properties, said = parsed(line)
    assert level == "error"
    assert set(properties) == {"file", "line", "title"}
    assert properties["title"] == said


def test_a_long_text_is_cut() -> None:
    line = workflow_commands([Annotation(level="error", title="t", text="x" * 1_000_000)])[0]
    assert len(line) < 700
