"""`lock`, `diff`, `gate` and `comment` over a real repository: base, and pull requests of which each has one cause."""

import json
from collections.abc import Callable
from dataclasses import replace as changed
from pathlib import Path

import pytest
from agent_simulator import Agent
from builders import make_run
from checkout import FAQ, HEAD, REFUND, RETRY, Checkout, bloated, in_actions, task
from forge_github import GitHubServer
from forge_http import TOKEN, Fault


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


STALE = "tokenbudget.lock is stale (1 task): the next pull request would be compared with it."


def test_the_gate_says_when_the_lock_beside_the_run_is_stale(checkout: Checkout) -> None:
    slightly = changed(REFUND, user=REFUND.user + 60)
    checkout.measure(slightly)
    status, printed, _ = checkout.type("gate")
    assert status == 0
    assert "2 tasks within budget, $0.0504 a run; the lock is stale\n" in printed
    assert f" warn: {STALE} Write it anew, and commit it: tokenbudget lock.\n" in printed
    checkout.type("lock")
    status, printed, _ = checkout.type("gate")
    assert status == 0
    assert "stale" not in printed
    (checkout.root / "tokenbudget.lock").write_text("<<<<<<< main\n")
    assert "tokenbudget.lock:1: '<<<<<<< main' does not begin a lock" in checkout.type("gate")[1]


def test_a_run_of_another_commit_says_nothing_of_the_lock_that_is_checked_out(checkout: Checkout) -> None:
    checkout.measure(bloated(REFUND))
    assert STALE in checkout.type("gate")[1]
    checkout.commit()
    assert "stale" not in checkout.type("gate")[1]


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
    status, printed, _ = checkout.type("diff", "main", "HEAD", "--format", "md")
    assert status == 0
    assert "| results of `lookup_order` grew 2.1K → 9.4K tokens and are carried through 7 calls |" in printed
    assert "paid" not in printed  # nothing was run for it
    status, printed, _ = checkout.type("diff", "main", "--format", "json")
    found = json.loads(printed)
    assert found["schema"] == "tokenbudget/diff/1"
    claude, gpt = found["models"]
    assert (claude["name"], gpt["name"], gpt["change_usd"]) == ("claude-sonnet-5", "gpt-5-mini", "0")
    assert float(claude["change_usd"]) == pytest.approx(float(found["head_usd"]) - float(found["base_usd"]))
    (moved,) = [entry for entry in found["tasks"] if entry["movement"] != "unchanged"]
    assert moved["causes"][0]["kind"] == "result"
    assert sum(float(cause["usd"]) for cause in moved["causes"]) == pytest.approx(float(moved["change_usd"]))


def test_the_comment_is_written_to_a_file_and_decides_nothing(checkout: Checkout) -> None:
    checkout.measure(bloated(REFUND))
    status, printed, _ = checkout.type("comment", "--output", "comment.md", "--key", "agents")
    assert (status, printed) == (0, "")
    text = (checkout.root / "comment.md").read_text(encoding="utf-8")
    assert text.startswith("<!-- tokenbudget key=agents head=")
    assert text.splitlines()[1].startswith("### 🔴 Blocked: 1 task costs 74% more than before; the suite costs ")


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
