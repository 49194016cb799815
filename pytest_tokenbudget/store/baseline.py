"""What a run is compared with: the lock of the commit that the pull request is merged into, or what somebody names.

CI tests a merge commit, whose first parent is the base as it is now; the event's own base may be days old. Where
nothing is found, the reason is said: a missing base never reads as a rise from zero.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.errors import BaselineError
from pytest_tokenbudget.policy.snapshot import Snapshot, TaskUse
from pytest_tokenbudget.store.git import Git, GitError
from pytest_tokenbudget.store.judged import load_judged
from pytest_tokenbudget.store.lock import FILE_NAME, Lock
from pytest_tokenbudget.store.lock_reading import read_lock, read_lock_file

__all__ = ["Baseline", "find_baseline", "named_snapshot", "snapshot_of_lock"]

_DAY: Final = 24 * 60 * 60
_SHORT: Final = 7


class Baseline(Struct, frozen=True, kw_only=True):
    """What was found to compare with.

    Attributes:
        snapshot: It; `None` where there is none.
        why: How it was chosen, or why there is none, as a sentence.
        age: Days since its commit was made, if known.
    """

    snapshot: Snapshot | None
    why: str
    age: Decimal | None = None


def snapshot_of_lock(lock: Lock, label: str, commit: str | None = None) -> Snapshot:
    """A lock as one side of a comparison."""
    return Snapshot(
        label=label,
        commit=commit,
        counter=lock.counter,
        tasks={
            task: TaskUse(id=task, portions=found, unknown=lock.unknown.get(task, 0))
            for task, found in lock.tasks.items()
        },
    )


def named_snapshot(root: Path, where: str) -> Snapshot:
    """What a person names: a run file, a lock, or a git revision whose lock is meant.

    Args:
        root: The project's root.
        where: What was typed.

    Raises:
        BaselineError: It is none of these, or the revision has no lock; the message says what was tried.
        RunFileError, LockError: The file cannot be read.
    """
    if "://" in where:  # it may hold a key, and is not shown
        message = f"An address is not fetched. Download it, and name the file: a run file, or a {FILE_NAME}."
        raise BaselineError(message)
    file = Path(where)
    if _is_file(file):
        if file.suffix == ".json":
            return replace(load_judged(file).side, label=file.as_posix())
        return snapshot_of_lock(read_lock_file(file), file.as_posix())
    git = Git(root)
    try:
        commit = git.commit(where)
    except GitError as error:
        message = f"{where!r:.200} is neither a file nor a git revision. Name a run file, a {FILE_NAME}, or a revision."
        raise BaselineError(message) from error
    try:
        found = _lock_of(git, commit)
    except GitError as error:
        message = f"{FILE_NAME} of {where} ({commit[:_SHORT]}) cannot be read: {error}."
        raise BaselineError(message) from error
    if found is None:
        message = f"{where} ({commit[:_SHORT]}) has no {FILE_NAME}. Run pytest there, then: tokenbudget lock."
        raise BaselineError(message)
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for one
        return False


def find_baseline(
    root: Path, *, merged_into: str | None = None, in_ci: bool = False, now: Callable[[], float] = time.time
) -> Baseline:
    """Find the lock of the commit that the work tree's changes are to be compared with.

    Args:
        root: The project's root.
        merged_into: What CI says is the branch that is merged into, where it tests a merge commit.
        in_ci: Whether CI measured what is checked out, and not somebody what they are at.
        now: The clock, in seconds since 1970.
    """
    git = Git(root)
    try:
        git.ask("rev-parse", "--git-dir")
        commit, why = _base_commit(git, merged_into, in_ci=in_ci)
    except GitError as error:
        return Baseline(snapshot=None, why=f"No base was found: {error}.")
    if commit is None:
        return Baseline(snapshot=None, why=why)
    try:
        if not git.has(commit):
            git.fetch(commit)
        found = _lock_of(git, commit)
        age = Decimal(max(0, int(now()) - git.age(commit))) / _DAY
    except GitError as error:
        why = f"The base {commit[:_SHORT]} is not in this clone, and cannot be fetched: {error}."
        return Baseline(snapshot=None, why=why)
    if found is None:
        return Baseline(snapshot=None, why=f"The base {commit[:_SHORT]} has no {FILE_NAME}.", age=age)
    return Baseline(snapshot=found, why=why, age=age)


def _base_commit(git: Git, merged_into: str | None, *, in_ci: bool) -> tuple[str | None, str]:
    if merged_into is not None:
        parents = git.parents()
        if len(parents) > 1:
            return parents[0], f"the first parent of the merge commit that CI tests, on {merged_into}"
    branch = f"origin/{merged_into}" if merged_into else git.default_branch()
    if branch is None:
        return None, "No base was found: this clone knows no default branch. Name one with --base."
    head, tip = git.commit("HEAD"), git.commit(branch)
    if head == tip:
        if not in_ci and git.has_changes():
            return head, "the commit that these changes are made on"
        parents = git.parents()
        if not parents:
            return None, f"No base was found: {branch} has a single commit."
        return parents[0], f"the commit before this one, on {branch}"
    base = git.merge_base(head, tip)
    if base is None:
        # a shallow clone: the tip of the branch is the nearest to it that can be had
        return tip, f"the tip of {branch}: where this branch began is not in this clone"
    return base, f"where this branch left {branch}"


def _lock_of(git: Git, commit: str) -> Snapshot | None:
    label = f"{FILE_NAME} of {commit[:_SHORT]}"
    text = git.show(commit, Path(FILE_NAME))
    return None if text is None else snapshot_of_lock(read_lock(text, label), label, commit)
