"""A step's summary and outputs: as much as fits, and nothing that poses as something else."""

from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from builders import make_call, make_run, make_task
from msgspec.structs import replace

from pytest_tokenbudget.ci.sticky import Posted
from pytest_tokenbudget.ci.summary import LARGEST_SUMMARY, append_outputs, append_summary, outputs_of
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.policy.compare import Comparison, compare
from pytest_tokenbudget.policy.gate import GateVerdict
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.snapshot import snapshot_of_run
from pytest_tokenbudget.pricing.rates import RateCard, Rates

CARD = RateCard(entry="t", source="t", rates=Rates.per_million({"input": Decimal(1)}))


def read_outputs(text: str) -> dict[str, str]:
    """As the runner reads its file."""
    found, lines = {}, text.split("\n")
    while lines and lines[0]:
        name, _, end = lines.pop(0).partition("<<")
        at = lines.index(end)
        found[name] = "\n".join(lines[:at])
        lines = lines[at + 1 :]
    return found


def compared(base: int | None, head: int, *, known: bool = True) -> Comparison:
    def run(tokens: int) -> Run:
        calls = (make_call("1", input=tokens),)
        return make_run(replace(make_task("t.py::test_a", *calls), portions=portions(calls, lambda _: 0)))

    before = None if base is None else snapshot_of_run(run(base), "base")
    after = snapshot_of_run(run(head), "head")
    return compare(before, after, lambda _: CARD if known else None, lambda *_: 1.0)


def test_a_summary_is_added_to(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    assert append_summary(file, "### One\n") == ""
    assert append_summary(file, "### Two 🟢") == ""
    assert file.read_text() == "### One\n\n### Two 🟢\n\n"


def test_a_summary_is_cut_at_a_paragraph(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"x" * (LARGEST_SUMMARY - 1000))
    assert append_summary(file, "\n\n".join(f"paragraph {n} 🟢" for n in range(200))) == ""
    assert file.stat().st_size <= LARGEST_SUMMARY
    text = file.read_text()
    assert text.endswith("🟢\n\n_The rest is left out: a step's summary has room for 1 MiB._\n")
    assert "paragraph 20 🟢" in text


def test_a_full_summary(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"x" * LARGEST_SUMMARY)
    assert append_summary(file, "### One") == "The step's summary is full: nothing was added."
    assert file.stat().st_size == LARGEST_SUMMARY


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    assert append_summary(tmp_path, "x") == "The step's summary cannot be written: Is a directory."
    assert append_outputs(tmp_path / "no" / "file", {"a": "b"}) == (
        "The step's outputs cannot be written: No such file or directory."
    )


def test_outputs_of_many_lines_stay_one(tmp_path: Path) -> None:
    file = tmp_path / "output"
    values = {"verdict": "blocked", "comment": "a\nstatus<<x\n0\nx\n", "status": "10", "odd": "\ud800\r\n=<<"}
    assert append_outputs(file, values) == ""
    assert append_outputs(file, {"later": ""}) == ""
    raw = file.read_bytes().decode()
    assert read_outputs(raw) == {**values, "odd": "\\ud800\r\n=<<", "later": ""}


def test_a_value_that_guesses_the_end(tmp_path: Path) -> None:
    file, numbers = tmp_path / "output", count()
    values = {"a": "tokenbudget_0\nverdict<<x\npass\nx", "verdict": "blocked"}
    append_outputs(file, values, random=lambda: str(next(numbers)))
    assert read_outputs(file.read_text()) == values


@pytest.mark.parametrize(
    ("base", "head", "known", "cost", "change"),
    [
        (1_000_000, 1_500_000, True, "1.5", "0.5"),
        (1_500_000, 1_000_000, True, "1", "-0.5"),
        (None, 1_000_000, True, "1", ""),
        (1_000_000, 1_500_000, False, "", ""),
    ],
)
def test_what_later_steps_may_ask(base: int | None, head: int, known: bool, cost: str, change: str) -> None:  # noqa: FBT001
    posted = Posted(kind="created", url="https://github.com/acme/shop/pull/7#issuecomment-1")
    found = outputs_of(
        compared(base, head, known=known), GateVerdict(state="blocked"), comment=Path("c.md"), posted=posted
    )
    amounts = [found.pop(name) for name in ("cost_usd", "change_usd")]
    assert [amount and Decimal(amount) for amount in amounts] == [text and Decimal(text) for text in (cost, change)]
    assert found == {
        "verdict": "blocked",
        "status": "10",
        "comment": "c.md",
        "comment_url": posted.url,
        "posted": "created",
    }
