"""`lock`, `diff`, `gate` and `comment` over a real repository: base, and pull requests of which each has one cause."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace as changed
from pathlib import Path
from shutil import which

import pytest
from agent_simulator import Agent, Step, calls_of
from builders import make_budget, make_call, make_run, make_task
from forge_github import GitHubServer
from forge_http import TOKEN, Fault
from msgspec.structs import replace

from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.store.runfile import write_run

TABLE = PriceTable()
WHO = {f"GIT_{who}_{what}": "kim@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

REFUND = Agent(
    model="claude-sonnet-5",
    system=900,
    tools=(("lookup_order", 180), ("issue_refund", 154)),
    user=150,
    steps=tuple(
        Step("lookup_order" if step in {1, 4} else "issue_refund", 2100 if step == 1 else 150, 120, 100)
        for step in range(9)
    ),
)
FAQ = Agent(model="gpt-5-mini", system=300, tools=(), user=60, steps=(Step("", 20, 150), Step("", 20, 120)))
HEAD = "9" * 40
RETRY = Step("issue_refund", 60, 40)


class Checkout:
    """A project in a git repository, on a branch; its runs are what a simulated agent makes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        (root / ".gitignore").write_text(".tokenbudget/\n")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words],  # noqa: S607 - the git of this machine
            cwd=self.root,
            env={**os.environ, **WHO, "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def measure(self, refund: Agent = REFUND, *, limit: float | None = None, unknown: bool = False) -> None:
        """Write the run that pytest would have written."""
        tasks = [task("tests/test_triage.py::test_refund", refund, limit), task("tests/test_faq.py::test_hours", FAQ)]
        if unknown:
            call = make_call(None, status="missing", input=0)
            tasks.append(make_task("tests/test_x.py::test_x", call, budget=make_budget(usd=1)))
        self.write(make_run(*tasks, commit=self.git("rev-parse", "HEAD") if self.commits else None))

    @property
    def commits(self) -> int:
        return int(self.git("rev-list", "--count", "--all"))

    def write(self, run: Run) -> None:
        write_run(self.root / ".tokenbudget/run.json", run)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")

    def type(self, *words: str, **environment: str) -> tuple[int, str, str]:
        """Run the console script; its status, what it printed, and what it said on stderr."""
        script = which("tokenbudget", path=str(Path(sys.executable).parent))
        assert script is not None
        known = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GITLAB_", "CI"))}
        done = subprocess.run(
            [script, *words], cwd=self.root, env={**known, **environment}, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr


def task(name: str, agent: Agent, limit: float | None = None) -> Task:
    calls = [TABLE.charge(call) for call in calls_of(agent)]
    made = make_task(name, *calls, budget=make_budget(usd=limit) if limit else None)
    return replace(made, portions=portions(calls, TABLE.above))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """On a branch from a base whose lock is committed."""
    made = Checkout(tmp_path / "project")
    made.measure()
    assert made.type("lock")[:2] == (0, "tokenbudget.lock: 2 lines. Commit it.\n")
    made.commit()
    made.git("switch", "--quiet", "--create", "work")
    made.commit()
    return made


def bloated(agent: Agent) -> Agent:
    return changed(agent, steps=tuple(changed(s, result=9400) if s.result == 2100 else s for s in agent.steps))


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (bloated, "results of `lookup_order` grew 2.1K → 9.4K tokens and are carried through 7 calls"),
        (
            lambda agent: changed(agent, dated=True),
            "cache hits 85% → 12%: the system prompt differs from call to call (9 versions)",
        ),
        (lambda agent: changed(agent, model="claude-opus-5"), "`claude-sonnet-5` → `claude-opus-5`"),
        (
            lambda agent: changed(agent, steps=(*agent.steps[:5], *[RETRY] * 8, *agent.steps[5:])),
            "8 more calls (9 → 17); `issue_refund` ran 6 → 14 times",
        ),
    ],
    ids=["a bloated tool result", "a broken cache", "another model", "a retry loop"],
)
def test_a_pull_request_is_blocked_and_its_cause_named_first(
    checkout: Checkout, edit: Callable[[Agent], Agent], cause: str
) -> None:
    checkout.measure(edit(REFUND))
    status, printed, _ = checkout.type("gate", "--format", "md")
    assert status == 10
    row = next(line for line in printed.splitlines() if line.startswith("| 🔴"))
    assert row.split(" | ")[5].removesuffix(" |") == cause
    status, printed, _ = checkout.type("gate")
    assert status == 10
    assert cause.replace("`", "") in printed


def test_a_harmless_pull_request_is_two_lines(checkout: Checkout) -> None:
    checkout.measure()
    status, printed, _ = checkout.type("gate", "--format", "md")
    assert status == 0
    marker, *lines = printed.splitlines()
    assert marker.startswith("<!-- tokenbudget key=default head=")
    assert len(lines) == 2
    assert lines[0] == "### 🟢 Agent cost unchanged: 2 tasks within budget, $0.05 a run"


def test_every_exit_status(checkout: Checkout) -> None:
    checkout.measure()
    assert checkout.type("gate")[0] == 0
    checkout.measure(limit=0.01)  # over it on base already, and not worse
    assert checkout.type("gate")[0] == 0
    checkout.measure(bloated(REFUND), limit=0.05)
    assert checkout.type("gate")[0] == 10
    checkout.measure(unknown=True)
    assert checkout.type("gate")[0] == 11
    checkout.measure()
    checkout.git("rm", "--quiet", "--cached", "tokenbudget.lock")
    (checkout.root / "tokenbudget.lock").unlink()
    checkout.commit()
    checkout.git("switch", "--quiet", "main")
    checkout.git("merge", "--quiet", "work")
    checkout.git("switch", "--quiet", "--create", "next")
    checkout.commit()
    assert checkout.type("gate")[0] == 0
    (checkout.root / "tokenbudget.yml").write_text("gate: {base: required}\n")
    status, printed, _ = checkout.type("gate")
    assert status == 12
    assert "has no tokenbudget.lock." in printed
    (checkout.root / "tokenbudget.yml").write_text("gate: {bass: required}\n")
    status, _, said = checkout.type("gate")
    assert status == 2
    assert "unknown key `bass` (did you mean `base`?)" in said
    assert "Traceback" not in said


def test_a_waiver_in_the_repository_lets_it_pass(checkout: Checkout) -> None:
    checkout.measure(bloated(REFUND))
    (checkout.root / "tokenbudget.yml").write_text(
        "waivers: [{task: '*::test_refund', usd: 0.09, reason: a tool, until: 2999-12-31, approver: kim}]\n"
    )
    status, printed, _ = checkout.type("gate")
    assert status == 0
    assert "Waived: 1 task over what is allowed" in printed


def test_a_stale_lock_is_told_and_written_anew(checkout: Checkout) -> None:
    checkout.measure(bloated(REFUND))
    assert checkout.type("lock", "--check") == (12, "", "tokenbudget.lock is stale. Type: tokenbudget lock\n")
    checkout.type("lock")
    assert checkout.type("lock", "--check")[0] == 0
    difference = checkout.git("diff", "--numstat", "tokenbudget.lock")
    assert difference.split()[:2] == ["1", "1"]  # its diff is the review: one line


def test_a_part_of_a_suite_writes_no_lock(checkout: Checkout) -> None:
    before = (checkout.root / "tokenbudget.lock").read_text()
    checkout.write(make_run(task("t.py::test_a", FAQ), partial=("-k refund",)))
    status, _, said = checkout.type("lock")
    assert status == 2
    assert said == (
        "tokenbudget: [lock] run.json: a lock is written from a whole run, and this is none: -k refund. "
        "Run pytest on the whole suite.\n"
    )
    assert (checkout.root / "tokenbudget.lock").read_text() == before


def test_two_commits_and_a_run_can_be_compared(checkout: Checkout) -> None:
    checkout.measure(bloated(REFUND))
    checkout.type("lock")
    checkout.commit()
    status, printed, _ = checkout.type("diff", "main", "HEAD")
    assert status == 0
    assert "results of lookup_order grew 2.1K → 9.4K tokens" in printed
    status, printed, _ = checkout.type("diff", "main", "--format", "json")
    found = json.loads(printed)
    assert found["schema"] == "tokenbudget/diff/1"
    (moved,) = [entry for entry in found["tasks"] if entry["movement"] != "unchanged"]
    assert moved["causes"][0]["kind"] == "result"
    assert sum(float(cause["usd"]) for cause in moved["causes"]) == pytest.approx(float(moved["change_usd"]))


def test_the_comment_is_written_to_a_file_and_decides_nothing(checkout: Checkout) -> None:
    checkout.measure(bloated(REFUND))
    status, printed, _ = checkout.type("comment", "--output", "comment.md", "--key", "agents")
    assert (status, printed) == (0, "")
    text = (checkout.root / "comment.md").read_text(encoding="utf-8")
    assert text.startswith("<!-- tokenbudget key=agents head=")
    assert "### 🔴 Blocked: 1 task costs +73% than before" not in text
    assert "### 🔴 Blocked: 1 task costs" in text


def test_a_tested_merge_commit_is_compared_with_its_first_parent(checkout: Checkout, tmp_path: Path) -> None:
    checkout.measure(bloated(REFUND))
    checkout.git("switch", "--quiet", "main")
    checkout.type("lock")
    checkout.commit()  # main moved on, to the very cost of the pull request
    checkout.git("switch", "--quiet", "--detach")
    checkout.git("merge", "--quiet", "--no-ff", "--message", "as CI merges", "work")
    status, printed, _ = checkout.type("gate", **in_actions(checkout, tmp_path))
    assert status == 0
    assert "the first parent of the merge commit that CI tests, on main" in printed


def test_what_names_nothing_is_refused(checkout: Checkout) -> None:
    checkout.measure()
    status, _, said = checkout.type("gate", "--base", "nothing-here")
    assert status == 2
    assert "[base] 'nothing-here' is neither a file nor a git revision." in said


def in_actions(checkout: Checkout, tmp_path: Path, api_url: str = "http://127.0.0.1:9") -> dict[str, str]:
    """The variables and the event file of a pull request's run in GitHub Actions."""
    head = {"ref": "topic", "sha": HEAD, "repo": {"id": 1, "full_name": "acme/shop", "owner": {"login": "acme"}}}
    base = {**head, "ref": "main"}
    event = {"action": "synchronize", "pull_request": {"number": 7, "head": head, "base": base}}
    (tmp_path / "event.json").write_text(json.dumps({**event, "repository": base["repo"]}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": api_url,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_RUN_ID": "8",
        "GITHUB_SHA": checkout.git("rev-parse", "HEAD"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_TOKEN": TOKEN,
    }


def test_in_actions_the_comment_is_posted_and_turns_green_after_the_fix(checkout: Checkout, tmp_path: Path) -> None:
    with GitHubServer(head=HEAD) as server:
        variables = in_actions(checkout, tmp_path, server.api_url)
        checkout.measure(bloated(REFUND))
        status, printed, said = checkout.type("comment", "--base", "main", "--require-post", **variables)
        assert (status, said.split(".")[0]) == (0, "tokenbudget: created")
        assert "::error file=tests/test_triage.py" in printed
        (posted,) = server.comments
        assert "### 🔴 Blocked: 1 task costs" in posted.body
        assert posted.body in (tmp_path / "summary.md").read_text(encoding="utf-8")
        assert "blocked" in (tmp_path / "output").read_text()
        checkout.measure()
        assert checkout.type("comment", "--base", "main", **variables)[0] == 0
        (posted,) = server.comments
        assert "### 🟢 Agent cost unchanged" in posted.body
        assert TOKEN not in printed + said


def test_a_failed_post_never_changes_the_verdict(checkout: Checkout, tmp_path: Path) -> None:
    checkout.measure(bloated(REFUND))
    with GitHubServer(head=HEAD) as server:
        server.faults.append(Fault(match=".*", status=403, message="Resource not accessible by integration", times=99))
        variables = in_actions(checkout, tmp_path, server.api_url)
        assert checkout.type("gate", "--base", "main", **variables)[0] == 10
        status, _, said = checkout.type("comment", "--base", "main", **variables)
        assert status == 0
        assert said.startswith("tokenbudget: failed.")
        assert "Blocked" in (tmp_path / "summary.md").read_text(encoding="utf-8")
        assert checkout.type("comment", "--base", "main", "--require-post", **variables)[0] == 13
