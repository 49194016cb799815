"""What git knows: commits, their parents, and files as they were.

The `git` that is installed is run. Nothing is changed but, in a shallow clone, which commits it holds.
"""

import subprocess
from pathlib import Path
from typing import Final

from msgspec import Struct

__all__ = ["Git", "GitError"]

_PATIENCE: Final = 30
_FETCHING: Final = 120
_DEFAULTS: Final = ("main", "master")


class GitError(Exception):
    """Git cannot say; the message is its own."""


class Git(Struct, frozen=True):
    """A work tree.

    Attributes:
        root: A folder in it.
    """

    root: Path

    def ask(self, *words: str, patience: float = _PATIENCE) -> str:
        """What a git command prints.

        Raises:
            GitError: It failed, or there is no git.
        """
        try:
            found = subprocess.run(  # noqa: S603 - no shell, and revisions behind --end-of-options
                ["git", *words],  # noqa: S607 - the git that the user's own commands run
                cwd=self.root,
                capture_output=True,
                timeout=patience,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError) as error:
            message = f"git cannot be run: {error}"
            raise GitError(message) from error
        if found.returncode:
            said = found.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(_said(said[-1]) if said else f"git {words[0]} ended with {found.returncode}")
        return found.stdout.decode("utf-8", "surrogateescape")

    def commit(self, revision: str) -> str:
        """The commit that a revision names, in full.

        Raises:
            GitError: It names none.
        """
        found = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
        if found.startswith("^"):  # what is left out is named so, and is no commit to compare with
            message = f"{revision} names no commit"
            raise GitError(message)
        return found

    def parents(self, revision: str = "HEAD") -> tuple[str, ...]:
        """A commit's parents, the first first; in a shallow clone too, where `HEAD^1` is unknown.

        Raises:
            GitError: There is no such commit.
        """
        # --no-replace-objects, and not `rev-parse HEAD^@`: a shallow clone pretends that its commits have no parents
        text = self.ask("--no-replace-objects", "cat-file", "-p", f"{revision}^{{commit}}")
        header = text.partition("\n\n")[0]
        return tuple(line.removeprefix("parent ") for line in header.splitlines() if line.startswith("parent "))

    def has(self, commit: str) -> bool:
        """Whether the commit is in this clone."""
        try:
            self.ask("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError:
            return False
        return True

    def has_changes(self) -> bool:
        """Whether a file that git knows differs from the commit that is checked out.

        Raises:
            GitError: Git cannot say.
        """
        return bool(self.ask("--no-optional-locks", "status", "--porcelain", "--untracked-files=no").strip())

    def fetch(self, commit: str) -> None:
        """Bring one commit into a shallow clone.

        Raises:
            GitError: There is no remote, or it does not give it.
        """
        remote = self.ask("remote").splitlines()
        if not remote:
            message = "this clone has no remote to fetch from"
            raise GitError(message)
        name = "origin" if "origin" in remote else remote[0]
        self.ask("fetch", "--quiet", "--no-tags", "--depth=1", name, commit, patience=_FETCHING)

    def show(self, commit: str, file: Path, *, largest: int | None = None) -> str | None:
        """A file's text as of a commit; `None` where the commit has none.

        Args:
            commit: The commit.
            file: Its path, from this work tree's `root`.
            largest: Bytes that it may have; any number where nothing is given.

        Raises:
            GitError: The commit cannot be read, or the file is too large.
        """
        prefix = self.ask("rev-parse", "--show-prefix").strip()
        path = f"{prefix}{file.as_posix()}"
        if not self.ask("ls-tree", "--name-only", "--full-tree", commit, "--", path).strip():
            return None
        if largest is not None and int(self.ask("cat-file", "-s", f"{commit}:{path}")) > largest:
            message = f"{file.name} has more than {largest:,} bytes"
            raise GitError(message)
        return self.ask("show", f"{commit}:{path}")

    def age(self, commit: str) -> int:
        """When a commit was made, in seconds since 1970.

        Raises:
            GitError: The commit is not here.
        """
        return int(self.ask("show", "--no-patch", "--format=%ct", commit).strip())

    def default_branch(self) -> str | None:
        """What pull requests are merged into, as far as this clone tells."""
        for name in (self._remote_head(), *(f"origin/{name}" for name in _DEFAULTS), *_DEFAULTS):
            if name:
                try:
                    self.commit(name)
                except GitError:
                    continue
                return name
        return None

    def _remote_head(self) -> str | None:
        try:
            return self.ask("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").strip()
        except GitError:
            return None

    def merge_base(self, one: str, other: str) -> str | None:
        """The last commit that two have in common, if this clone holds one."""
        try:
            return self.ask("merge-base", one, other).strip() or None
        except GitError:
            return None


def _said(line: str) -> str:
    """What git complains about, in a sentence of ours."""
    text = line.removeprefix("fatal: ")
    return "this is no git repository" if text.startswith("not a git repository") else text
