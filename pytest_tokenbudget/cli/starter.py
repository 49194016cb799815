"""What `tokenbudget init` brings along: each file, and where it goes in a project."""

import os
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

__all__ = ["FIRST_TEST", "CIKind", "Starter", "forge_of", "installs_ours_alone", "starters"]

CIKind = Literal["github", "gitlab", "none"]

FIRST_TEST: Final = "tests/test_agent_cost.py"
_INSTALL: Final = "@INSTALL@"
_PACKAGE: Final = "pytest-tokenbudget"
_IGNORED: Final = ".tokenbudget/"
_INCLUDED: Final = ".gitlab/agent-cost.gitlab-ci.yml"
_NOT_OURS: Final = frozenset({"node_modules", "site-packages", "venv", "build", "dist"})


class Starter(Struct, frozen=True, kw_only=True):
    """A file to write.

    Attributes:
        path: Where, from the project's root.
        text: What it holds.
        reason: Why it is not needed here, as a sentence; empty where it is.
        is_ours: Whether a newer one of ours may replace it, if told so; settings and tests are the user's.
        is_line: Whether the text is a line that belongs into the file, rather than all of it.
        is_asked: Whether the line is for the user to add, for the file is theirs.
    """

    path: str
    text: str
    reason: str = ""
    is_ours: bool = False
    is_line: bool = False
    is_asked: bool = False


def forge_of(root: Path) -> CIKind:
    """Whose CI a project uses, as far as its files tell; GitHub's where they do not."""
    is_gitlab = (root / ".gitlab-ci.yml").exists() or (root / ".gitlab").is_dir()
    return "gitlab" if is_gitlab and not (root / ".github").is_dir() else "github"


def starters(root: Path, ci: CIKind) -> Iterator[Starter]:
    """What a project needs, in the order in which a person reads it."""
    yield Starter(path="tokenbudget.yml", text=_template("tokenbudget.yml"), reason=_configured(root))
    tested = _tested(root)
    yield Starter(path=FIRST_TEST, text=_template("test_agent_cost.py.txt"), reason=tested)
    shared = "" if not tested else "It would go with a first test."
    yield Starter(path="tests/conftest.py", text=_template("conftest.py.txt"), reason=shared)
    install = _install(root)
    if ci == "github":
        for name in ("agent-cost.yml", "agent-cost-comment.yml"):
            yield Starter(
                path=f".github/workflows/{name}", text=_template(name).replace(_INSTALL, install), is_ours=True
            )
    elif ci == "gitlab":
        name = _INCLUDED.rpartition("/")[2]
        yield Starter(path=_INCLUDED, text=_template(name).replace(_INSTALL, install), is_ours=True)
        include = f"include: [{{local: {_INCLUDED}}}]"
        is_theirs = (root / ".gitlab-ci.yml").exists()
        yield Starter(path=".gitlab-ci.yml", text=include, is_line=True, is_asked=is_theirs)
    yield Starter(path=".gitignore", text=_IGNORED, is_line=True)


def _template(name: str) -> str:
    return (files("pytest_tokenbudget.cli") / "templates" / name).read_text(encoding="utf-8")


def _configured(root: Path) -> str:
    try:
        found = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return "`[tool.tokenbudget]` in pyproject.toml has the settings." if "tokenbudget" in found.get("tool", {}) else ""


def _tested(root: Path) -> str:
    """The sentence that there are tests already, if there are."""
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in _NOT_OURS)
        for name in sorted(names):
            path = (Path(folder) / name).relative_to(root).as_posix()
            is_test = fnmatch(name, "test_*.py") or fnmatch(name, "*_test.py")
            if is_test and path != FIRST_TEST:
                return f"There are tests, such as {path}: mark one with @pytest.mark.token_budget."
    return ""


def installs_ours_alone(root: Path) -> bool:
    """Whether nothing tells what the project's tests need beside this package."""
    return _install(root) == _PACKAGE


def _install(root: Path) -> str:
    """What pip installs to run the project's tests."""
    if (root / "requirements.txt").is_file():
        return f"-r requirements.txt {_PACKAGE}"
    is_project = (root / "pyproject.toml").is_file() and "[build-system]" in (root / "pyproject.toml").read_text(
        encoding="utf-8", errors="replace"
    )
    return f"-e . {_PACKAGE}" if is_project or (root / "setup.py").is_file() else _PACKAGE
