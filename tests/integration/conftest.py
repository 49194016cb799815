"""What integration tests share: a small project under test."""

import genai_prices
import pytest
import vcr
from project import Project

import pytest_tokenbudget.plugin.hooks
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
