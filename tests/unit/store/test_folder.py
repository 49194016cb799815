import shutil
import subprocess
from pathlib import Path

from pytest_tokenbudget.store.folder import make_folder


def git(folder: Path, *words: str) -> str:
    command = [shutil.which("git") or "git", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_git_passes_over_what_belongs_to_this_machine(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    make_folder(tmp_path / ".tokenbudget" / "journal")
    (tmp_path / ".tokenbudget" / "journal" / "one.jsonl").write_text("{}")
    assert git(tmp_path, "status", "--short") == ""


def test_what_somebody_wrote_there_stays_and_other_folders_are_left_alone(tmp_path: Path) -> None:
    own = tmp_path / ".tokenbudget"
    own.mkdir()
    (own / ".gitignore").write_text("calls/\n")
    make_folder(own)
    assert (own / ".gitignore").read_text() == "calls/\n"
    make_folder(tmp_path / "runs" / "of today")
    assert not list((tmp_path / "runs").rglob(".gitignore"))
