"""What the settings of a commit say of prices, read from git: data of somebody else's, bounded in size, never run."""

from pathlib import Path
from typing import Final

from pytest_tokenbudget.config.load import FILE_NAME, PYPROJECT, price_settings
from pytest_tokenbudget.config.place import refuse
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import BaselineError, ConfigError
from pytest_tokenbudget.store.git import Git, GitError

__all__ = ["LARGEST", "base_settings"]

LARGEST: Final = 2_000_000
"""Bytes of a file of settings: budgets of 20,000 tests."""

_SHORT: Final = 7


def base_settings(root: Path, commit: str) -> Settings:
    """What `tokenbudget.yml` and `pyproject.toml` of a commit say of prices.

    Args:
        root: The project's root.
        commit: The commit.

    Raises:
        BaselineError: A file cannot be read; the message names it and says why, without a full stop.
    """
    git, of = Git(root), f" of {commit[:_SHORT]}"
    try:
        found = git.commit(commit)
        yaml, pyproject = (_content(git, found, name) for name in (FILE_NAME, PYPROJECT))
        return price_settings(None if yaml is None else _text(yaml, f"{FILE_NAME}{of}"), pyproject, of)
    except (GitError, ConfigError) as error:
        raise BaselineError(str(error).rstrip(".")) from error


def _content(git: Git, commit: str, name: str) -> bytes | None:
    text = git.show(commit, Path(name), largest=LARGEST)
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(name, f"is not UTF-8 text ({error.reason} at byte {error.start})") from error
