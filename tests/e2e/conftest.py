"""A stranger's machine: an untouched copy of the project, an empty home, and packages to install."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import copy2
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

_OURS: Final = ("TOKENBUDGET", "PYTEST", "COV", "OPENAI", "ANTHROPIC", "VIRTUAL_ENV", "PYTHONPATH")


@pytest.fixture
def strange_home(tmp_path: Path) -> Mapping[str, str]:
    """The environment of somebody who has never used this project: an empty home, no key, no options of pytest."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"HOME": str(home)}


@pytest.fixture
def fresh_copy(tmp_path: Path) -> Path:
    """The files of the project as a clone of them would be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("this is no git checkout, so which files belong to the project is not known")
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file():  # one that was deleted is still listed until the deletion is committed
            (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            copy2(ROOT / name, tmp_path / "clone" / name)
    return tmp_path / "clone"


@pytest.fixture(scope="session")
def installer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with pip that can install; the test is skipped where nothing answers to a request for a tiny package."""
    where = tmp_path_factory.mktemp("installer")
    subprocess.run([sys.executable, "-m", "venv", str(where)], capture_output=True, check=True)
    python = where / "bin" / "python"
    pip = [str(python), "-m", "pip", "download", "-q", "--no-deps", "--retries", "0", "--timeout", "10"]
    asked = subprocess.run([*pip, "-d", str(where), "iniconfig"], capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip("packages cannot be installed here: no package index answers")
    return python


@pytest.fixture
def run(strange_home: Mapping[str, str]) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a command as a stranger would, without anything to read from."""

    def run_command(command: list[str], where: Path, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=where,
            env={**strange_home, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run_command
