"""Killed at any point, a recording loses nothing that its client was handed, and pays for nothing twice."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROUNDS, SEED = 50, 4
SCRIPT = Path(__file__).with_name("killed_recordings.py")


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path_factory.mktemp("killed"), str(ROUNDS), str(SEED)],
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")
def test_nothing_is_lost_and_nothing_is_paid_for_twice(rounds: list[dict[str, Any]]) -> None:
    whole, *killed = rounds
    assert set(whole["received"].values()) == {1}
    assert len(killed) == ROUNDS
    for one in killed:
        assert one["status"] == 0
        # every answer that the client was handed is in the journal or the cassette
        assert set(one["handed"]) <= set(one["kept"])
        # none that was kept is asked for again; and of what was, the one before is reported as possibly billed
        assert all(one["received"][question] == 1 for question in one["kept"])
        again = [question for question, times in one["received"].items() if times > 1]
        assert max(one["received"].values()) <= 2
        assert len(again) <= len(one["strays"])
        # the recording is whole, and the journal gone
        assert sorted(one["recorded"]) == sorted(whole["recorded"])
        assert one["journals"] == 0


def test_the_points_were_of_all_kinds(rounds: list[dict[str, Any]]) -> None:
    """Else the test above would show little."""
    killed = [one for one in rounds if one["killed"]]
    partial = [one for one in killed if 0 < len(one["kept"]) < len(rounds[0]["recorded"])]
    assert len(partial) >= ROUNDS / 4
    assert sum(bool(one["strays"]) for one in killed) >= ROUNDS / 5
