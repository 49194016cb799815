"""The console script where CI runs it: shallow clones, forks, runs that are started again, and a defect of our own."""

from pathlib import Path

import pytest
from checkout import HEAD, Checkout, after_fork, bloated, in_actions
from checkout import REFUND as AGENT
from forge_github import GitHubServer
from forge_http import TOKEN

BLOCKED = "### 🔴 Blocked: 1 task costs"


def shallow(checkout: Checkout, tmp_path: Path) -> Checkout:
    """A clone of depth 1 of the merge commit that CI tests, with the run that was measured in it."""
    checkout.git("switch", "--quiet", "--detach", "main")
    checkout.git("merge", "--quiet", "--no-ff", "--message", "as CI merges", "work")
    checkout.git("branch", "pull")
    clone = checkout.clone(tmp_path / "clone", "--depth=1", "--branch=pull", "--single-branch")
    assert clone.git("rev-list", "--count", "HEAD") == "1"
    clone.measure(bloated(AGENT))
    return clone


def test_in_a_clone_of_depth_1_the_base_is_fetched(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("config", "uploadpack.allowAnySHA1InWant", "true")  # as GitHub and GitLab have it
    clone = shallow(checkout, tmp_path)
    status, printed, said = clone.type("gate", **in_actions(clone, tmp_path))
    assert (status, said) == (10, "")
    assert "results of lookup_order grew 2.1K → 9.4K tokens" in printed
    assert "the first parent of the merge commit that CI tests, on main" in printed


@pytest.mark.parametrize(("rule", "status"), [("required", 12), ("optional", 0)])
def test_a_clone_of_depth_1_that_can_fetch_nothing_never_reads_as_a_rise(
    checkout: Checkout, tmp_path: Path, rule: str, status: int
) -> None:
    clone = shallow(checkout, tmp_path)
    clone.git("remote", "remove", "origin")
    (clone.root / "tokenbudget.yml").write_text(f"gate: {{base: {rule}}}\n")
    found, printed, _ = clone.type("gate", **in_actions(clone, tmp_path))
    assert found == status
    assert "is not in this clone, and cannot be fetched: this clone has no remote to fetch from." in printed
    assert "+" not in printed


def test_a_fork_is_judged_at_once_and_commented_on_from_the_default_branch(checkout: Checkout, tmp_path: Path) -> None:
    checkout.measure(bloated(AGENT))
    with GitHubServer(head=HEAD) as server:
        server.pulls = [{"number": 7, "label": "kim:topic", "head": None}]
        first = in_actions(checkout, tmp_path, server.api_url, fork=True)
        assert checkout.type("gate", "--base", "main", **first)[0] == 10
        status, printed, said = checkout.type("comment", "--base", "main", "--require-post", **first)
        assert status == 0  # nothing could be posted, and nothing was to be
        assert said.startswith("tokenbudget: skipped. The pull request comes from a fork, whose token may only read")
        assert "::error file=tests/test_triage.py" in printed
        assert BLOCKED in (tmp_path / "summary.md").read_text(encoding="utf-8")
        assert (server.asked, server.comments) == ([], [])

        second = after_fork(tmp_path, server.api_url)
        status, _, said = checkout.type("comment", "--base", "main", "--require-post", **second)
        assert (status, said.split(".")[0]) == (0, "tokenbudget: created")
        (posted,) = server.comments
        assert BLOCKED in posted.body
        assert checkout.type("gate", "--base", "main", **second)[0] == 10


def test_a_fork_that_has_been_pushed_to_since_is_not_commented_on(checkout: Checkout, tmp_path: Path) -> None:
    checkout.measure(bloated(AGENT))
    with GitHubServer(head="8" * 40) as server:
        server.pulls = [{"number": 7, "label": "kim:topic", "head": None}]
        status, _, said = checkout.type("comment", "--base", "main", **after_fork(tmp_path, server.api_url))
        assert (status, said.split(".")[0]) == (0, "tokenbudget: skipped")
        assert server.comments == []


def test_a_run_that_is_started_again_leaves_one_comment(checkout: Checkout, tmp_path: Path) -> None:
    checkout.measure(bloated(AGENT))
    with GitHubServer(head=HEAD) as server:
        variables = in_actions(checkout, tmp_path, server.api_url)
        said = []
        for attempt in ("1", "2"):
            status, _, told = checkout.type("comment", "--base", "main", **{**variables, "GITHUB_RUN_ATTEMPT": attempt})
            assert status == 0
            said.append(told.split(".")[0])
        assert said == ["tokenbudget: created", "tokenbudget: updated"]
        (posted,) = server.comments
        assert " run=8.2 -->" in posted.body
        assert BLOCKED in posted.body
        # the same attempt once more finds what it would write
        again = checkout.type("comment", "--base", "main", **{**variables, "GITHUB_RUN_ATTEMPT": "2"})
        assert again[2].startswith("tokenbudget: unchanged.")
        assert server.count("^POST .*comments$") == 1


def test_a_defect_of_ours_is_status_1_and_says_where_to_report_it_and_nothing_secret(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.measure()
    broken = tmp_path / "broken" / "rich"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text(
        "import os\nraise RuntimeError('no ' + os.environ['GITHUB_TOKEN'])\n"  # a dependency that breaks
    )
    variables = {"PYTHONPATH": str(tmp_path / "broken"), "GITHUB_TOKEN": TOKEN}
    status, printed, said = checkout.type("gate", "--base", "main", **variables)
    assert (status, printed) == (1, "")
    first, where, what, *frames, last = said.splitlines()
    assert (
        first == "tokenbudget: tokenbudget gate crashed (RuntimeError): a defect of it, and no verdict on your tests."
    )
    assert where.endswith(": https://github.com/pytest-tokenbudget/pytest-tokenbudget/issues")
    assert what.startswith(" tokenbudget ")
    assert any(frame.startswith(" pytest_tokenbudget.cli.gate:") for frame in frames)
    assert frames[-1].startswith(" rich:2 ")
    assert last.endswith("tokenbudget --traceback …")
    assert TOKEN not in said
    assert str(tmp_path) not in said

    status, _, said = checkout.type("--traceback", "gate", "--base", "main", **variables)
    assert status == 1
    assert said.endswith(f"RuntimeError: no {TOKEN}\n")
