"""The demo's recordings: what they hold, and that they are what the agent says and the script answers."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import yaml

from pytest_tokenbudget.cli.audit import audit_recordings
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.pricing import DEFAULT_AS_OF, PriceTable

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASSETTES = FIXTURES / "support_agent" / "tests" / "cassettes"

# Added as a plugin: plain vcrpy, through pytest-recording, in the place of ours.
PLAIN_VCRPY = """\
import pytest

def pytest_configure(config):
    config.addinivalue_line("markers", "token_budget(**limits): what a test may cost")

def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("token_budget"):
            item.add_marker(pytest.mark.vcr)
"""


def interactions() -> list[dict[str, Any]]:
    return [
        interaction
        for path in sorted(CASSETTES.rglob("*.yaml"))
        for interaction in yaml.safe_load(path.read_text("utf-8"))["interactions"]
    ]


def calls_in(folder: Path) -> dict[str, list[Call]]:
    table = PriceTable(as_of=DEFAULT_AS_OF)
    return {
        path.stem: list(audit_recordings([path], table).calls)
        for path in sorted((folder / "support_agent" / "tests" / "cassettes").rglob("*.yaml"))
    }


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    left_out = ("PYTEST_", "OPENAI_", "ANTHROPIC_", "TOKENBUDGET")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def copied(folder: Path) -> Path:
    return Path(copytree(FIXTURES, folder / "fixtures", ignore=ignore_patterns("__pycache__", ".*")))


def test_they_are_small_and_hold_nothing_of_the_machine_that_recorded_them() -> None:
    texts = [path.read_text("utf-8") for path in CASSETTES.rglob("*.yaml")]
    assert sum(map(len, texts)) < 500_000
    for telltale in ("127.0.0.1", "localhost", "user-agent", "x-stainless", "api-key", "authorization"):
        assert not any(telltale in text.lower() for text in texts), telltale


def test_they_bear_the_public_hosts_and_the_least_of_headers() -> None:
    recorded = interactions()
    assert Counter(one["request"]["uri"] for one in recorded) == {
        "https://api.anthropic.com/v1/messages": 22,
        "https://api.openai.com/v1/chat/completions": 110,
    }
    names = {name for one in recorded for side in ("request", "response") for name in one[side]["headers"]}
    assert names == {"content-type", "anthropic-version"}


def test_every_call_is_read_exactly() -> None:
    calls = calls_in(FIXTURES)
    samples = [name for name in calls if name.startswith("test_sorting[T-")]
    assert {name: len(found) for name, found in calls.items()} == {
        "test_hours": 3,
        "test_shipping_abroad": 3,
        "test_delivery": 7,
        "test_escalate": 8,
        "test_refund": 11,
        **dict.fromkeys(samples, 1),
    }
    assert len(samples) == 100
    everything = [call for found in calls.values() for call in found]
    assert {call.status for call in everything} == {"exact"}
    assert {(call.model, call.api) for call in everything} == {
        ("claude-sonnet-5", "anthropic.messages"),
        ("gpt-5-mini", "openai.chat"),
    }
    assert sum(call.stream for call in everything) == 2
    # by hand, from the fourth interaction of test_refund: 1,497 of its input cached, 160 of 225 output tokens thought
    usage = calls["test_refund"][3].usage
    assert (usage.input, usage.cache_read, usage.output, usage.thinking) == (3212, 1497, 65, 160)
    # 3212 * $2 + 1497 * $0.20 + 225 * $10, for a million
    assert str(calls["test_refund"][3].cost) == "0.0089734"


def test_plain_vcrpy_replays_them(tmp_path: Path) -> None:
    project = copied(tmp_path) / "support_agent"
    (project / "plain_vcrpy.py").write_text(PLAIN_VCRPY)
    options = ["--disable-plugin-autoload", "-p", "pytest_recording.plugin", "-p", "plain_vcrpy"]
    # it draws no samples
    options += ["--ignore=tests/test_inbox.py", "--record-mode=none", "--block-network"]
    replayed = run(project, "-m", "pytest", "-q", *options)
    assert replayed.returncode == 0, replayed.stdout
    assert "8 passed" in replayed.stdout


def test_recording_again_gives_the_same_calls(tmp_path: Path) -> None:
    fixtures = copied(tmp_path)
    recorded = run(fixtures, "support_agent/record.py")
    assert recorded.returncode == 0, recorded.stdout
    # the bytes may differ with another release of an SDK; what is billed does not
    assert {name: [(call.api, call.usage) for call in found] for name, found in calls_in(fixtures).items()} == {
        name: [(call.api, call.usage) for call in found] for name, found in calls_in(FIXTURES).items()
    }
