"""The wheel works where there is nothing but it and what it declares."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

TEST = """\
import pytest


@pytest.mark.token_budget(usd=0.01, allow_no_calls=True)
def test_without_a_call() -> None:
    pass


@pytest.mark.token_budget(usd=0.01)
def test_not_measured() -> None:
    pass
"""


def test_the_wheel_works_without_the_source(installer: Path, fresh_copy: Path, tmp_path: Path, run: Run) -> None:
    built = run([str(installer), "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), "."], fresh_copy)
    assert built.returncode == 0, built.stdout
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "pytest_tokenbudget/py.typed" in names
    data = {"README.md", "cl100k_base.xz", "o200k_base.xz"}
    assert {f"pytest_tokenbudget/tokens/data/{name}" for name in data} <= set(names)
    templates = {"agent-cost.yml", "agent-cost-comment.yml", "agent-cost.gitlab-ci.yml", "tokenbudget.yml"}
    assert {f"pytest_tokenbudget/cli/templates/{name}" for name in templates} <= set(names)
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"pytest_tokenbudget"}

    # from here on only the wheel is named
    empty = tmp_path / "empty"
    (empty / "tests").mkdir(parents=True)
    (empty / "tests" / "test_marked.py").write_text(TEST)
    bin_ = empty / "venv" / "bin"
    made = run([sys.executable, "-m", "venv", "venv"], empty)
    assert made.returncode == 0, made.stdout
    installed = run([str(bin_ / "python"), "-m", "pip", "install", "-q", str(wheel)], empty)
    assert installed.returncode == 0, installed.stdout

    version = run([str(bin_ / "tokenbudget"), "--version"], empty)
    assert (version.returncode, version.stdout) == (0, f"tokenbudget {wheel.name.split('-')[1]}\n")

    counting = (
        "from pytest_tokenbudget.tokens.counting import counter_for as c; print(c('gpt-5').name, c('gpt-4').name)"
    )
    counted = run([str(bin_ / "python"), "-c", counting], empty)
    assert (counted.returncode, counted.stdout) == (0, "o200k_base cl100k_base\n")

    audited = run([str(bin_ / "tokenbudget"), "audit", "tests", "--format", "json"], empty)
    assert audited.returncode == 0, audited.stdout
    assert '"schema":"tokenbudget/audit/1"' in audited.stdout.replace(" ", "")

    tested = run([str(bin_ / "python"), "-m", "pytest", "-p", "no:cacheprovider"], empty)
    assert tested.returncode == pytest.ExitCode.TESTS_FAILED, tested.stdout
    assert "1 failed, 1 passed" in tested.stdout
    assert "Not measured: the test has a budget but made no model call" in tested.stdout
