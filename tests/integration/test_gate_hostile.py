"""The gate in hostile hands, through the console script: a sentence and a status, never a crash, and nothing run."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from builders import make_run
from checkout import FAQ, REFUND, Checkout, bloated, in_actions, task

HOSTILE = "tests/\u202egnp.py::test_\u2066x\n::error::pwned\r\n\x1b[2J@octocat <img src=x>|`|"
SCRIPT = which("tokenbudget", path=str(Path(sys.executable).parent)) or ""


def printed_safely(text: str) -> None:
    assert not [letter for letter in text if letter in "\x1b\r\u202e\u2066\0"]
    assert not any(line.startswith("::") for line in text.splitlines())


def test_names_that_are_no_text_stay_on_their_line(checkout: Checkout) -> None:
    checkout.write(make_run(task(HOSTILE, REFUND)))
    for words in (("gate",), ("gate", "--format", "md"), ("diff",), ("diff", "--format", "md")):
        printed_safely(checkout.type(*words)[1])
    (checkout.root / "tokenbudget.lock").write_text("")
    checkout.type("lock")
    checkout.commit()
    checkout.write(make_run(task("tests/test_x.py::test_renamed", REFUND)))
    printed = checkout.type("gate", "--base", "HEAD")[1]
    printed_safely(printed)
    assert "test_renamed (was " in printed
    checkout.write(make_run(task(HOSTILE, bloated(REFUND))))
    printed = checkout.type("gate", "--base", "HEAD")[1]
    printed_safely(printed)
    assert "results of lookup_order grew" in printed


@pytest.mark.parametrize(
    "revision",
    [
        "--upload-pack=touch pwned",
        "--output=pwned",
        "-h",
        "^HEAD",
        "main..HEAD",
        "HEAD:tokenbudget.lock",
        "$(touch pwned)",
        "HEAD;touch pwned",
        "",
        "a" * 5000,
    ],
    ids=lambda text: text[:12],
)
def test_a_revision_that_is_none_is_no_option_and_no_command(checkout: Checkout, revision: str) -> None:
    checkout.measure()
    for words in (("gate", f"--base={revision}"), ("diff", "--", revision), ("diff", "--", "main", revision)):
        status, printed, said = checkout.type(*words)
        assert (status, printed) == (2, "")
        assert "is neither a file nor a git revision." in said
        assert len(said) < 400
    assert not (checkout.root / "pwned").exists()


def test_a_base_branch_that_looks_like_an_option(checkout: Checkout, tmp_path: Path) -> None:
    checkout.measure()
    environment = in_actions(checkout, tmp_path)
    event = json.loads((tmp_path / "event.json").read_text())
    event["pull_request"]["base"]["ref"] = "--upload-pack=touch pwned"
    (tmp_path / "event.json").write_text(json.dumps(event))
    status, printed, said = checkout.type("gate", **environment)
    assert (status, said) == (0, "")
    assert "Agent cost" in printed
    assert not (checkout.root / "pwned").exists()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace(b"test_refund", b"test_%ff"), ":4: a name in it is no text."),
        (lambda text: text.replace(b"calls=9", b"calls=9 calls=8"), ":4: `calls` stands twice."),
        (lambda text: text.replace(b"@tools", b"<<<<<<< HEAD\n@tools"), ":2: a merge conflict stands here."),
        (lambda text: text + text.splitlines()[-1], ":5: tests/test_triage.py::test_refund has two lines for claude"),
    ],
    ids=["a name that is no text", "a key twice", "a merge conflict", "a line twice"],
)
def test_a_lock_of_a_commit_that_is_none_is_named_with_its_line(checkout: Checkout, edit: Any, said: str) -> None:
    checkout.measure()
    lock = checkout.root / "tokenbudget.lock"
    lock.write_bytes(edit(lock.read_bytes()))
    checkout.commit()
    status, printed, error = checkout.type("gate", "--base", "HEAD")
    assert (status, printed) == (2, "")
    assert error.startswith(f"tokenbudget: [lock] tokenbudget.lock of {checkout.git('rev-parse', '--short=7', 'HEAD')}")
    assert said in error


def test_counts_that_contradict_each_other_are_no_crash(checkout: Checkout) -> None:
    checkout.measure()
    lock = checkout.root / "tokenbudget.lock"
    lock.write_text(lock.read_text().replace(" user=", " user=0*0:"))
    assert checkout.type("gate", "--base", str(lock))[0] == 0


def test_a_lock_that_is_no_text_is_stale(checkout: Checkout) -> None:
    checkout.measure()
    (checkout.root / "tokenbudget.lock").write_bytes(b"\xff\xfe")
    assert checkout.type("lock", "--check")[0] == 12


def test_a_run_file_that_never_ends(checkout: Checkout) -> None:
    run = checkout.root / ".tokenbudget/run.json"
    run.parent.mkdir(exist_ok=True)
    run.unlink(missing_ok=True)
    os.mkfifo(run)
    for words in (("gate",), ("comment",), ("lock",), ("combine", str(run))):
        status, _, said = checkout.type(*words)
        assert status == 2
        assert "it is no regular file" in said


def test_a_run_file_of_200_megabytes_is_read_or_refused(checkout: Checkout) -> None:
    checkout.measure()
    run = checkout.root / ".tokenbudget/run.json"
    run.write_text(f'{run.read_text().rstrip()[:-1]}, "more": "{"x" * 200_000_000}"}}')
    assert checkout.type("gate")[0] == 0
    status, _, said = checkout.type("combine", str(run), "--output", "combined.json")
    assert status == 2
    assert "it has more than 20,000,000 bytes" in said


def test_two_that_write_one_file_leave_a_whole_one(checkout: Checkout) -> None:
    checkout.measure(bloated(REFUND))
    words = [SCRIPT, "comment", "--output", "comment.md"]
    writers = [subprocess.Popen(words, cwd=checkout.root) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    text = (checkout.root / "comment.md").read_text()
    assert text == checkout.type("gate", "--format", "md")[1]
    assert not list(checkout.root.glob(".comment*"))


def test_a_lock_whose_writer_is_killed_is_the_old_one(checkout: Checkout) -> None:
    checkout.write(make_run(*(task(f"tests/test_{number}.py::test_a", FAQ) for number in range(1000))))
    lock = checkout.root / "tokenbudget.lock"
    old = lock.read_bytes()
    # what it writes into before it replaces the lock is a pipe, which takes 64 KB of it and then lets it wait
    script = f'mkfifo ".tokenbudget.lock.$$" && exec {SCRIPT} lock'
    writer = subprocess.Popen(["sh", "-c", script], cwd=checkout.root)  # noqa: S607 - the shell of this machine
    pipe = checkout.root / f".tokenbudget.lock.{writer.pid}"
    while not pipe.exists():
        time.sleep(0.01)
    with pipe.open("rb") as half:
        assert half.read(1000).startswith(b"# tokenbudget.lock 1 counter=")
        writer.kill()
        assert writer.wait() == -signal.SIGKILL
    assert lock.read_bytes() == old
    pipe.unlink()
    assert checkout.type("lock")[0] == 0
    assert lock.read_bytes().count(b"\n") == 1001
