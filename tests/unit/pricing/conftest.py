import pytest
from published_prices import PROVIDERS

from pytest_tokenbudget.pricing import genai


@pytest.fixture(autouse=True)
def _frozen_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genai, "_providers", lambda: PROVIDERS)
