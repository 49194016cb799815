"""The README does what it says: its commands run, its files are used, its output is what is printed.

A `sh` block is run; a `text` block after it is its output. A block of another language whose first line is a comment
with a path is the file of that name. In output a line `…` stands for any lines; what may differ is named in `_DIFFERS`.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from loopback import LoopbackModel, Reply, in_order

README: Final = Path(__file__).parents[2] / "README.md"

Run = Callable[..., "subprocess.CompletedProcess[str]"]

_FENCED: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE: Final = re.compile(r"# (\S+\.\w+)\n")
_GAP: Final = "…"
_DIFFERS: Final = (
    (r"\b\d+\.\d+s\b", "0.00s"),  # how long it took
    (r"([=_])\1{2,}", r"\1\1\1"),  # and so how much room is left for the ruler around it
    (r"genai-prices \d[\w.]*", "genai-prices X"),  # which release is installed
)

WIDE: Final = {"COLUMNS": "100"}
ONLY_OURS: Final = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p tokenbudget -p recording"}
HOURS: Final = Reply(
    text="On Fridays you can call us from 9 to 17.",
    usage={"prompt_tokens": 1240, "completion_tokens": 380, "total_tokens": 1620},
)


@dataclass(frozen=True)
class Block:
    """A fenced block, with the output that is shown for it."""

    language: str
    text: str
    output: str | None

    @property
    def file(self) -> str | None:
        """The path in its first line, if there is one."""
        found = _TITLE.match(self.text)
        return found[1] if found and self.language != "sh" else None


def blocks() -> list[Block]:
    """What the README shows, in order."""
    fenced = [(found[1], found[2]) for found in _FENCED.finditer(README.read_text(encoding="utf-8"))]
    after = [*(text if language == "text" else None for language, text in fenced[1:]), None]
    return [
        Block(language, text, output if language == "sh" else None)
        for (language, text), output in zip(fenced, after, strict=True)
        if language != "text"
    ]


def commands() -> list[Block]:
    """The blocks that are run."""
    return [block for block in blocks() if block.language == "sh"]


def assert_printed(expected: str, printed: str) -> None:
    """Hold what was printed against what the README shows."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == _GAP else rf"{re.escape(line)}\n" for line in _comparable(expected).splitlines()
    )
    assert re.search(f"(?m)^{pattern}", _comparable(printed)), f"the README shows\n{expected}\nprinted is\n{printed}"


def _comparable(text: str) -> str:
    for what_differs, instead in _DIFFERS:
        text = re.sub(what_differs, instead, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def test_what_is_compared() -> None:
    assert_printed("a\n…\n=== 1 passed in 0.01s ===\n", "x\na\nb\n==== 1 passed in 12.34s ====\n")
    with pytest.raises(AssertionError):
        assert_printed("a\n$0.10\n", "a\n$0.11\n")


@pytest.mark.usefixtures("installer")
def test_the_first_command_runs_the_demo(fresh_copy: Path, run: Run) -> None:
    first = commands()[0]
    shown = run(["sh", "-c", first.text], fresh_copy, **WIDE)
    assert shown.returncode == 0, shown.stdout
    assert first.output is not None
    assert_printed(first.output, shown.stdout)


@pytest.mark.usefixtures("installer")
def test_the_second_command_runs_the_tests(fresh_copy: Path, run: Run) -> None:
    # a few of them: the whole would run this test again
    shown = run(["sh", "-c", commands()[1].text], fresh_copy, PYTEST_ADDOPTS="tests/unit/model")
    assert shown.returncode == 0, shown.stdout
    assert re.search(r"=== \d+ passed in ", shown.stdout), shown.stdout


def test_the_rest_works_in_a_project_that_begins_empty(tmp_path: Path, run: Run) -> None:
    project = tmp_path / "project"
    project.mkdir()
    environment = {**WIDE, **ONLY_OURS, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    setup = commands()[:2]
    for block in blocks():
        if block.file is not None:
            (project / block.file).parent.mkdir(parents=True, exist_ok=True)
            (project / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "sh" and block not in setup:
            if "--tokenbudget-record" in block.text:
                record(block.text, project, environment, run)
                continue
            shown = run(["sh", "-c", block.text], project, **environment)
            assert shown.returncode == 0, shown.stdout
            if block.output is not None:
                assert_printed(block.output, shown.stdout)


def record(command: str, project: Path, environment: dict[str, str], run: Run) -> None:
    """Record as the README says, with a model on loopback in the place of the real one."""
    with LoopbackModel(in_order(HOURS)) as model:
        shown = run(["sh", "-c", command], project, **environment, **model.environment, TOKENBUDGET="observe")
    assert shown.returncode == 0, shown.stdout
    recordings = list(project.rglob("cassettes/**/*.yaml"))
    assert recordings
    for recording in recordings:
        text = recording.read_text(encoding="utf-8")
        assert "authorization" not in text.lower()
        recording.write_text(text.replace(model.url, "https://api.openai.com"), encoding="utf-8")
