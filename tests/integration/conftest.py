"""What integration tests share: a small project under test."""

from pathlib import Path

import genai_prices
import pytest
import vcr
from checkout import Checkout
from project import Project

import pytest_tokenbudget.plugin.hooks
import pytest_tokenbudget.plugin.progress
import pytest_tokenbudget.report.terminal
import pytest_tokenbudget.traffic.replay

# pytester forgets what its inner session imported, and vcrpy cannot be imported twice in one process
_STAYS_LOADED = (vcr, genai_prices, pytest_tokenbudget)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project; in it the model `tiny` costs a dollar per million tokens."""
    for name in ("CI", "TOKENBUDGET", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    return Project.empty(pytester).settings()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """On a branch from a base whose lock is committed."""
    made = Checkout(tmp_path / "project")
    made.measure()
    assert made.type("lock")[:2] == (0, "tokenbudget.lock: 2 lines. Commit it.\n")
    made.commit()
    made.git("switch", "--quiet", "--create", "work")
    made.commit()
    return made
