"""A project in a git repository whose runs a simulated agent makes, and the console script typed in it."""

import json
import os
import subprocess
import sys
from dataclasses import replace as changed
from pathlib import Path
from shutil import which
from typing import Any

from agent_simulator import Agent, Step, calls_of
from builders import make_budget, make_call, make_run, make_task
from forge_http import TOKEN
from msgspec.structs import replace

from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.store.runfile import write_run

__all__ = ["FAQ", "HEAD", "REFUND", "RETRY", "Checkout", "after_fork", "bloated", "in_actions", "task"]

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

    def clone(self, root: Path, *words: str) -> "Checkout":
        """A clone of it elsewhere, over git's own protocol."""
        self.git("clone", "--quiet", *words, f"file://{self.root}", str(root))
        made = Checkout.__new__(Checkout)
        made.root = root
        return made

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


def task(name: str, agent: Agent, usd: float | None = None, *, workflow: str | None = None) -> Task:
    calls = [TABLE.charge(call) for call in calls_of(agent)]
    made = make_task(name, *calls, budget=make_budget(usd=usd, workflow=workflow) if usd else None)
    return replace(made, portions=portions(calls, TABLE.above))


def bloated(agent: Agent) -> Agent:
    return changed(agent, steps=tuple(changed(s, result=9400) if s.result == 2100 else s for s in agent.steps))


def in_actions(
    checkout: Checkout, tmp_path: Path, api_url: str = "http://127.0.0.1:9", *, head: str = HEAD, fork: bool = False
) -> dict[str, str]:
    """The variables and the event file of a pull request's run in GitHub Actions.

    Args:
        checkout: What is checked out.
        tmp_path: Where the runner keeps its files.
        api_url: GitHub's API.
        head: The commit that is proposed.
        fork: Whether it is in another repository.
    """
    ours = {"id": 1, "full_name": "acme/shop", "owner": {"login": "acme"}}
    theirs = {"id": 2, "full_name": "kim/shop", "owner": {"login": "kim"}}
    proposed = {"ref": "topic", "sha": head, "repo": theirs if fork else ours}
    pull = {"number": 7, "head": proposed, "base": {"ref": "main", "sha": head, "repo": ours}}
    return {
        **in_workflow("pull_request", {"action": "synchronize", "pull_request": pull}, tmp_path, api_url),
        "GITHUB_SHA": checkout.git("rev-parse", "HEAD"),
    }


def after_fork(tmp_path: Path, api_url: str, *, head: str = HEAD) -> dict[str, str]:
    """The same of the run on the default branch that comments for a fork, when the fork's own has ended."""
    theirs = {"id": 2, "full_name": "kim/shop", "owner": {"login": "kim"}}
    ended = {"event": "pull_request", "head_sha": head, "head_branch": "topic", "head_repository": theirs}
    return in_workflow("workflow_run", {"action": "completed", "workflow_run": ended}, tmp_path, api_url)


def in_workflow(name: str, event: dict[str, Any], tmp_path: Path, api_url: str) -> dict[str, str]:
    """What every run in GitHub Actions has."""
    ours = {"id": 1, "full_name": "acme/shop", "owner": {"login": "acme"}}
    (tmp_path / "event.json").write_text(json.dumps({**event, "repository": ours}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": api_url,
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_RUN_ID": "8",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_TOKEN": TOKEN,
    }
