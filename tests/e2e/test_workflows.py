"""The workflows and actions: what linters say of them, what they may do, and their scripts, really run."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any, Final

import pytest
import yaml
from click.testing import CliRunner
from project import chat, recording

from pytest_tokenbudget.cli import main

ROOT: Final = Path(__file__).parents[2]
TEMPLATES: Final = ROOT / "pytest_tokenbudget" / "cli" / "templates"
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS: Final = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
WRITTEN: Final = [TEMPLATES / "agent-cost.yml", TEMPLATES / "agent-cost-comment.yml"]
EVERY: Final = [*WORKFLOWS, *ACTIONS, *WRITTEN]


def tool(name: str) -> str:
    """A linter of the development environment."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: it is in the dependency group `lint`")
    return found


def said(*command: str | Path, where: Path = ROOT) -> str:
    """What a command prints; empty where it ends well."""
    ran = subprocess.run([*map(str, command)], cwd=where, capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with what `tokenbudget init` writes for both forges."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)  # noqa: S607 - whichever git there is
    for ci in ("github", "gitlab"):
        assert CliRunner().invoke(main, ["init", "--ci", ci]).exit_code == 0
    return tmp_path


def test_actionlint_finds_nothing(repository: Path) -> None:
    assert said(tool("actionlint")) == ""
    assert said(tool("actionlint"), where=repository) == ""


def test_zizmor_finds_nothing(repository: Path) -> None:
    command = (tool("zizmor"), "--offline", "--quiet", ".github")
    assert said(*command) == ""
    assert said(*command, where=repository) == ""


def test_the_published_schemas_are_kept(repository: Path) -> None:
    check = tool("check-jsonschema")
    ours = sorted((repository / ".github" / "workflows").glob("*.yml"))
    assert said(check, "--builtin-schema", "vendor.github-workflows", *WORKFLOWS, *ours) == ""
    assert said(check, "--builtin-schema", "vendor.github-actions", *ACTIONS) == ""
    gitlab = [repository / ".gitlab-ci.yml", repository / ".gitlab" / "agent-cost.gitlab-ci.yml"]
    assert said(check, "--builtin-schema", "vendor.gitlab-ci", *gitlab) == ""


def test_the_linters_do_find_something(repository: Path) -> None:
    workflow = repository / ".github" / "workflows" / "agent-cost.yml"
    good = workflow.read_text()
    workflow.write_text(good.replace("needs: measure", "needs: missing"))
    assert "missing" in said(tool("actionlint"), where=repository)
    workflow.write_text(good.replace("run: python -m pytest", "run: echo ${{ github.head_ref }}"))
    assert "template-injection" in said(tool("zizmor"), "--offline", "--quiet", ".github", where=repository)
    workflow.write_text(good.replace("runs-on: ubuntu-latest", "runs-onn: ubuntu-latest"))
    assert "runs-onn" in said(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", workflow)


def steps(document: Any) -> Iterator[dict[str, Any]]:
    """Every step of a workflow or of a composite action."""
    yield from document.get("runs", {}).get("steps", ())
    for job in document.get("jobs", {}).values():
        yield from job.get("steps", ())


def named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", EVERY, ids=named)
def test_what_others_wrote_is_pinned_and_scripts_hold_no_expression(file: Path) -> None:
    document = yaml.safe_load(file.read_text())
    used = [step["uses"] for step in steps(document) if "uses" in step]
    used += [job["uses"] for job in document.get("jobs", {}).values() if "uses" in job]
    for uses in used:
        assert uses.startswith("$/.github/") or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", uses), uses
    for step in steps(document):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        # a matrix of ours may stand in a script; what an event or a caller says may not
        assert not re.search(r"\$\{\{(?!\s*matrix\.)", re.sub("#.*", "", step.get("run", ""))), step


@pytest.mark.parametrize("file", [*WORKFLOWS, *WRITTEN], ids=named)
def test_nothing_is_allowed_that_a_job_does_not_ask_for(file: Path) -> None:
    document = yaml.safe_load(file.read_text())

    assert document["permissions"] == {}
    for name, job in document["jobs"].items():
        allowed = {f"{what}: {how}" for what, how in job["permissions"].items()}
        may_write = name in {"judge", "comment"}
        assert allowed <= {"contents: read", "actions: read", *(["pull-requests: write"] if may_write else [])}
        # who may write runs no code of a pull request
        installs = " ".join(step.get("run", "") for step in job.get("steps", ()))
        assert not (may_write and ("pytest -" in installs or "-m pytest" in installs or "-e ." in installs))


@pytest.mark.parametrize("name", ["agent-cost-comment.yml"])
def test_a_fork_is_commented_on_without_its_code(name: str) -> None:
    for file in (ROOT / ".github" / "workflows" / name, TEMPLATES / name):
        (job,) = yaml.safe_load(file.read_text())["jobs"].values()
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert [step["with"]["ref"] for step in checkouts] == ["${{ github.event.repository.default_branch }}"]
        assert "head_sha" not in file.read_text()
        assert "secrets." not in file.read_text()


TEST: Final = """\
import json
import urllib.request

import pytest


@pytest.mark.token_budget(usd=0.0015)
def test_it():
    body = json.dumps({{"model": "tiny", "messages": [{{"role": "user", "content": "Hello"}}]}}).encode()
    headers = {{"Content-Type": "application/json"}}
    request = urllib.request.Request("https://api.openai.com/v1/chat/completions", body, headers, method="POST")
    urllib.request.urlopen(request, timeout=5).read()
    assert {healthy}
"""


class Runner:
    """A machine that runs the scripts of our actions in a project, as the forge would."""

    def __init__(self, project: Path, temp: Path) -> None:
        self.project = project
        self.temp = temp
        self.git("init", "-q", "-b", "main")

    def put(self, path: str, text: str) -> None:
        (self.project / path).parent.mkdir(parents=True, exist_ok=True)
        (self.project / path).write_text(text)

    def put_test(self, number: int, tokens: int, *, healthy: bool = True) -> None:
        self.put(f"tests/test_{number}.py", TEST.format(healthy=healthy))
        self.put(f"tests/cassettes/test_{number}/test_it.yaml", recording(chat(tokens)))

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=self.project, check=True, capture_output=True)  # noqa: S607

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "a change")

    def step(self, action: str, name: str, **inputs: str) -> "subprocess.CompletedProcess[str]":
        """Run one step of an action with its own environment."""
        document = yaml.safe_load((ROOT / ".github" / "actions" / action / "action.yml").read_text())
        given = {key: stated.get("default", "") for key, stated in document["inputs"].items()} | inputs
        (step,) = [step for step in document["runs"]["steps"] if step["name"] == name]

        def filled(text: str) -> str:
            text = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], text)
            return re.sub(r"\$\{\{ [^}]* \}\}", "", text.replace("${{ runner.temp }}", str(self.temp)))

        env = {key: value for key, value in os.environ.items() if not key.startswith(("TOKENBUDGET", "PYTEST", "GIT"))}
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],  # noqa: S607 - as the forge does
            cwd=self.project / filled(step["working-directory"]),
            env={
                **env,
                **{key: filled(value) for key, value in step["env"].items()},
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "GITHUB_OUTPUT": str(self.temp / "output"),
                "GITHUB_ACTIONS": "true",
                "GITHUB_BASE_REF": "main",
                "GITHUB_REF": "refs/pull/1/merge",
                "GITHUB_TOKEN": "",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def measure(self, shard: int, tests: str) -> "subprocess.CompletedProcess[str]":
        command = f"{sys.executable} -m pytest -q -p no:cacheprovider --disable-plugin-autoload -p tokenbudget {tests}"
        return self.step("measure", "Test, and measure", **{"test-command": command, "shard": str(shard)})


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    (tmp_path / "project").mkdir()
    (tmp_path / "temp").mkdir()
    runner = Runner(tmp_path / "project", tmp_path / "temp")
    runner.put("tokenbudget.yml", "prices: {tiny: {input: 1, output: 1}}\ngate: {floor: 0.001}\n")
    runner.put("pytest.ini", "[pytest]\n")
    return runner


def test_shards_of_a_dearer_pull_request_become_one_comment_and_are_stopped(runner: Runner) -> None:
    runner.put_test(1, 1000)
    runner.put_test(2, 1000)
    measured = runner.measure(1, "tests")
    assert measured.returncode == 0, measured.stdout
    base = runner.temp / "agent-cost" / "run-1.json"
    locked = subprocess.run(
        [sys.executable, "-c", "from pytest_tokenbudget.cli import main; main()", "lock", str(base)],
        cwd=runner.project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (runner.project / "tokenbudget.lock").exists(), locked.stderr
    runner.commit()
    runner.git("checkout", "-q", "-b", "change")
    runner.put_test(2, 9000, healthy=False)
    runner.put("tests/test_3.py", "def test_without_a_model(): ...\n")
    runner.commit()
    runner.git("checkout", "-q", "main")
    runner.git("merge", "-q", "--no-ff", "change")
    base.unlink()

    first, second, third = (runner.measure(shard, f"tests/test_{shard}.py") for shard in (1, 2, 3))
    # the budget stops nothing here, a broken test does
    assert (first.returncode, second.returncode, third.returncode) == (0, 1, 0), second.stdout
    assert "assert False" in second.stdout
    assert json.loads((runner.temp / "agent-cost" / "run-3.json").read_text())["tasks"] == []

    judged = runner.step("comment", "Check, combine, and comment", shards="3", gate="true")
    assert judged.returncode == 10, judged.stdout
    assert "3 run files, 2 tasks, $0.01: .tokenbudget/run.json" in judged.stdout
    assert "Incomplete" not in judged.stdout
    assert "test_2.py::test_it" in judged.stdout

    (runner.temp / "agent-cost" / "run-3.json").unlink()
    (runner.temp / "agent-cost" / "run-2.json").unlink()
    judged = runner.step("comment", "Check, combine, and comment", shards="3", gate="true")
    assert judged.returncode == 11, judged.stdout
    assert "2 of 3 shards are missing." in judged.stdout


def test_what_a_fork_wrote_is_checked(runner: Runner) -> None:
    runner.commit()
    (runner.temp / "agent-cost").mkdir()
    (runner.temp / "agent-cost" / "run-1.json").write_text('{"schema": "tokenbudget/run/1", "tasks": "$(id)"}')

    judged = runner.step("comment", "Check, combine, and comment")

    assert judged.returncode == 2
    assert "[run-file]" in judged.stdout
    assert not (runner.project / ".tokenbudget").exists()


def test_without_any_run_nothing_is_green(runner: Runner) -> None:
    runner.commit()

    assert runner.step("comment", "Check, combine, and comment", gate="true").returncode == 2
