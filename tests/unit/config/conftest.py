import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tokenbudget.config.load import load_settings
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import ConfigError


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TOKENBUDGET"):
            monkeypatch.delenv(name)


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a project whose tokenbudget.yml (and pyproject.toml) hold these texts."""

    def load(yml: str | None = None, *, pyproject: str | None = None, **options: str) -> Settings:
        if yml is not None:
            (tmp_path / "tokenbudget.yml").write_text(yml, encoding="utf-8")
        if pyproject is not None:
            (tmp_path / "pyproject.toml").write_text(pyproject, encoding="utf-8")
        return load_settings(tmp_path, options=options)

    return load


@pytest.fixture
def refusal(load: Callable[..., Settings]) -> Callable[..., str]:
    """The whole message with which such a project is refused."""

    def refusal(*args: str, **kwargs: str) -> str:
        with pytest.raises(ConfigError) as raised:
            load(*args, **kwargs)
        return str(raised.value)

    return refusal
