"""What a run is compared with, in real git repositories: full clones, shallow ones, merge commits, no history."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import make_call, make_run, make_task
from msgspec.structs import replace

from pytest_tokenbudget.errors import BaselineError
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.store.baseline import Baseline, find_baseline, named_snapshot
from pytest_tokenbudget.store.git import Git, GitError
from pytest_tokenbudget.store.lock import Lock, lock_text
from pytest_tokenbudget.store.runfile import write_run

DAY = 24 * 60 * 60
MADE = 1_795_000_000


def lock(tokens: int) -> str:
    calls = (make_call(input=tokens),)
    return lock_text(Lock(counter="tb1", tasks={"t.py::test_a": portions(calls, lambda _: 0)}))


class Repository:
    """A repository with commits of its lock, each a day after the one before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.made = MADE
        root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        environment = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "HOME": str(self.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": f"kim{'@example.com' * (what == 'EMAIL')}" for who in WHO for what in WHAT},
            **{f"GIT_{who}_DATE": f"@{self.made} +0000" for who in WHO},
        }
        done = subprocess.run(
            ["git", *words],  # noqa: S607 - the git of this machine
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, tokens: int | None, folder: str = ".", **files: str) -> str:
        self.made += DAY
        texts = {**files, **({"tokenbudget.lock": lock(tokens)} if tokens is not None else {})}
        for name, text in texts.items():
            path = self.root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def clone(self, root: Path, *words: str) -> "Repository":
        made = Repository.__new__(Repository)
        made.root, made.made = root, self.made
        self.git("clone", "--quiet", *words, f"file://{self.root}", str(root))
        return made


WHO, WHAT = ("AUTHOR", "COMMITTER"), ("NAME", "EMAIL")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


def tokens(found: Baseline) -> int:
    assert found.snapshot is not None, found.why
    (portion,) = found.snapshot.tasks["t.py::test_a"].portions
    return portion.usage.input


def find(repository: Repository, **options: str) -> Baseline:
    return find_baseline(repository.root, now=lambda: float(repository.made + 2 * DAY), **options)


def test_a_branch_is_compared_with_where_it_left_the_default_branch(repository: Repository) -> None:
    base = repository.commit(100)
    repository.git("switch", "--quiet", "--create", "work")
    repository.commit(200)
    repository.git("switch", "--quiet", "main")
    repository.commit(300)
    repository.git("switch", "--quiet", "work")
    found = find(repository)
    assert tokens(found) == 100
    assert found.snapshot is not None
    assert found.snapshot.commit == base
    assert found.snapshot.label == f"tokenbudget.lock of {base[:7]}"
    assert found.why == "where this branch left main"
    assert found.age == 4  # two commits later, and two days


def test_on_the_default_branch_it_is_the_commit_before(repository: Repository) -> None:
    repository.commit(100)
    repository.commit(200)
    assert tokens(find(repository)) == 100


def test_with_changes_that_are_not_committed_it_is_the_commit_that_they_are_made_on(repository: Repository) -> None:
    repository.commit(100)
    tip = repository.commit(200, **{"agent.py": "as it was"})
    (repository.root / "run.json").write_text("a file that git does not know changes nothing")
    assert tokens(find(repository)) == 100
    (repository.root / "agent.py").write_text("changed")
    found = find(repository)
    assert (tokens(found), found.why) == (200, "the commit that these changes are made on")
    assert found.snapshot is not None
    assert found.snapshot.commit == tip
    repository.git("switch", "--quiet", "--create", "work")  # a branch without a commit of its own is no other place
    assert tokens(find(repository)) == 200
    assert (
        tokens(find_baseline(repository.root, in_ci=True)) == 100
    )  # CI may write to files, but measures what is committed


def pull_request(repository: Repository) -> str:
    """A merge commit as CI tests it: the tip of main, which moved on, and the branch."""
    repository.commit(100)
    repository.git("switch", "--quiet", "--create", "work")
    repository.commit(None, **{"agent.py": "changed"})
    repository.git("switch", "--quiet", "main")
    tip = repository.commit(300)
    repository.git("switch", "--quiet", "--detach", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "as CI merges", "work")
    repository.git("branch", "pull")
    return tip


def test_a_tested_merge_commit_is_compared_with_its_first_parent(repository: Repository, tmp_path: Path) -> None:
    tip = pull_request(repository)
    clone = repository.clone(tmp_path / "clone", "--branch=pull")
    found = find(clone, merged_into="main")
    assert tokens(found) == 300
    assert found.snapshot is not None
    assert found.snapshot.commit == tip
    assert found.why == "the first parent of the merge commit that CI tests, on main"


def test_a_clone_of_depth_1_fetches_the_first_parent(repository: Repository, tmp_path: Path) -> None:
    tip = pull_request(repository)
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = repository.clone(tmp_path / "clone", "--depth=1", "--branch=pull", "--single-branch")
    assert not Git(clone.root).has(tip)
    with pytest.raises(subprocess.CalledProcessError):
        clone.git("rev-parse", "--verify", "HEAD^1")
    assert tokens(find(clone, merged_into="main")) == 300


def test_a_clone_that_cannot_fetch_says_so(repository: Repository, tmp_path: Path) -> None:
    tip = pull_request(repository)
    clone = repository.clone(tmp_path / "clone", "--depth=1", "--branch=pull", "--single-branch")
    clone.git("remote", "remove", "origin")
    found = find(clone, merged_into="main")
    assert found.snapshot is None
    assert found.why == (
        f"The base {tip[:7]} is not in this clone, and cannot be fetched: this clone has no remote to fetch from."
    )


def test_a_project_in_a_folder_of_its_repository(repository: Repository) -> None:
    repository.commit(100, folder="agents/support")
    repository.commit(200, folder="agents/support")
    found = find_baseline(repository.root / "agents/support")
    assert tokens(found) == 100


def test_a_base_without_a_lock(repository: Repository) -> None:
    base = repository.commit(None)
    repository.commit(200)
    found = find(repository)
    assert (found.snapshot, found.why) == (None, f"The base {base[:7]} has no tokenbudget.lock.")


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda _repository: None, "No base was found: this clone knows no default branch. Name one with --base."),
        (lambda repository: repository.commit(100), "No base was found: main has a single commit."),
    ],
)
def test_where_there_is_nothing_to_compare_with(
    repository: Repository, prepare: Callable[[Repository], object], why: str
) -> None:
    prepare(repository)
    assert (find(repository).snapshot, find(repository).why) == (None, why)


def test_a_folder_that_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = find_baseline(tmp_path)
    assert found.snapshot is None
    assert found.why.startswith("No base was found: ")


def test_without_git_nothing_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git cannot be run"):
        Git(tmp_path).commit("HEAD")
    assert "git cannot be run" in find_baseline(tmp_path).why


def test_a_run_a_lock_and_a_revision_can_be_named(repository: Repository) -> None:
    base = repository.commit(100)
    repository.commit(200)
    calls = (make_call(input=300),)
    run = make_run(replace(make_task("t.py::test_a", *calls), portions=portions(calls, lambda _: 0)))
    write_run(repository.root / "run.json", run)
    named = {
        where: named_snapshot(repository.root, str(where))
        for where in ("HEAD", base, "HEAD~1", repository.root / "run.json", repository.root / "tokenbudget.lock")
    }
    assert [snapshot.tasks["t.py::test_a"].portions[0].usage.input for snapshot in named.values()] == [
        200,
        100,
        100,
        300,
        200,
    ]


@pytest.mark.parametrize("where", ["nothing-here", "--upload-pack=touch", ""])
def test_what_names_nothing(repository: Repository, where: str) -> None:
    repository.commit(100)
    with pytest.raises(BaselineError, match="is neither a file nor a git revision"):
        named_snapshot(repository.root, where)


def test_an_address_is_not_fetched_and_no_key_in_it_is_shown(repository: Repository) -> None:
    repository.commit(100)
    with pytest.raises(BaselineError) as raised:
        named_snapshot(repository.root, "https://kim:secret@ci.example/run.json?token=secret")
    assert str(raised.value) == (
        "An address is not fetched. Download it, and name the file: a run file, or a tokenbudget.lock."
    )


def test_a_revision_without_a_lock(repository: Repository) -> None:
    repository.commit(None)
    with pytest.raises(BaselineError, match=r"HEAD \([0-9a-f]{7}\) has no tokenbudget.lock"):
        named_snapshot(repository.root, "HEAD")
