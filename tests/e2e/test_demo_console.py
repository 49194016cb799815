"""`tokenbudget demo`, by the console script, on a machine that is set up against it."""

import os
import subprocess
import sys
from pathlib import Path

TOKENBUDGET = Path(sys.executable).with_name("tokenbudget")

# whatever a user may have set: nothing of it may change what the demo shows, and nothing may be sent to these hosts
HOSTILE = {
    "OPENAI_API_KEY": "sk-real",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "HTTPS_PROXY": "socks5://127.0.0.1:9",
    "all_proxy": "socks5://127.0.0.1:9",
    "PYTEST_ADDOPTS": "--no-such-option",
    "PYTEST_PLUGINS": "no_such_plugin",
    "TOKENBUDGET": "observe",
    "TOKENBUDGET_TOLERANCE": "900%",
}


def demo(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [TOKENBUDGET, "demo", *arguments],
        cwd=cwd,
        env=clean | environment | {"TMPDIR": str(cwd), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def test_the_demo_fails_one_test_on_purpose_and_explains_it(tmp_path: Path) -> None:
    shown = demo(cwd=tmp_path, **HOSTILE)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Over budget: $0.12 of $0.05 (+140%; 20% is tolerated)" in shown.stdout
    assert "lookup_order 4K" in shown.stdout
    assert "105 tasks cost $0.274; this run paid $0.00 (132 calls replayed)." in shown.stdout
    assert "1 failed, 103 passed, 4 xfailed" in shown.stdout
    assert "test_refund failed on purpose: it cost $0.12, and its budget is $0.05." in shown.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_kept_project_is_ready_to_be_run(tmp_path: Path) -> None:
    shown = demo("--keep", "kept", cwd=tmp_path)
    assert shown.returncode == 0
    assert "The project is in kept: cd there and run pytest." in shown.stdout
    kept = {path.name for path in (tmp_path / "kept").iterdir()}
    assert {"agent.py", "tools.py", "prompts.py", "tests", "tokenbudget.yml", "README.md"} <= kept
    assert not kept & {"record.py", "replies.py"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "OPENAI_"))}
    checked = subprocess.run(
        [TOKENBUDGET, "lock", "--check"], cwd=tmp_path / "kept", capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "tokenbudget.lock is what the run measured.\n")
    again = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:asyncio", "-q", "tests/test_faq.py"],
        cwd=tmp_path / "kept",
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert again.returncode == 0, again.stdout
    assert "2 tasks cost $0.0104; this run paid $0.00 (6 calls replayed)." in again.stdout
