"""From what CI says to what is done: every kind of event, and those that somebody shaped."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.ci.activity import ActivityKind, Target, activity_of
from pytest_tokenbudget.ci.event import Event, event_of, read_event
from pytest_tokenbudget.config.environment import ci_token, ci_variables

HEAD, MERGE, BASE = "9" * 40, "a" * 40, "b" * 40
SHOP = {"id": 1, "full_name": "acme/shop", "owner": {"login": "acme"}}
FORK = {"id": 2, "full_name": "kim/shop", "owner": {"login": "kim"}}
HOSTILE = [
    "",
    "main; rm -rf /",
    "$(curl evil.example)",
    "`id`",
    "--upload-pack=evil",
    "../../etc/passwd",
    "a\nb",
    "a\x00b",
    "/absolute",
    "x" * 5000,
    "[click](https://evil.example)",
    "<img src=x onerror=alert(1)>",
    "ref\u202eevil",
    "HEAD^{/x}",
]


def github(name: str, payload: Any, **variables: str) -> Event:
    return event_of(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_SHA": MERGE,
            "GITHUB_API_URL": "https://api.github.com",
            "GITHUB_RUN_ID": "8123",
            "GITHUB_RUN_ATTEMPT": "2",
            "GITHUB_ACTOR": "kim",
            **variables,
        },
        payload if isinstance(payload, bytes) else json.dumps(payload).encode(),
    )


def pull_request(*, repo: Any = SHOP, ref: str = "topic", sha: str = HEAD, **fields: Any) -> dict[str, Any]:
    return {
        "action": "synchronize",
        "pull_request": {
            "number": 7,
            "head": {"ref": ref, "sha": sha, "repo": repo},
            "base": {"ref": "main", "sha": BASE, "repo": SHOP},
        },
        "repository": SHOP,
        **fields,
    }


def workflow_run(*, event: str = "pull_request", repo: Any = FORK, branch: str = "topic") -> dict[str, Any]:
    run = {"event": event, "head_sha": HEAD, "head_branch": branch, "head_repository": repo, "pull_requests": []}
    return {"action": "completed", "workflow_run": run, "repository": SHOP}


GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.example.com/api/v4",
    "CI_PROJECT_ID": "42",
    "CI_MERGE_REQUEST_PROJECT_ID": "42",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_COMMIT_SHA": HEAD,
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
    "CI_PIPELINE_ID": "900",
}


def test_a_pull_request_of_the_same_repository() -> None:
    event = github("pull_request", pull_request())
    assert event == Event(
        forge="github",
        kind="pull_request",
        action="synchronize",
        api_url="https://api.github.com",
        repository="acme/shop",
        number=7,
        head=HEAD,
        head_owner="acme",
        head_branch="topic",
        base_branch="main",
        is_merged=True,
        actor="kim",
        run="8123.2",
    )
    found = activity_of(event, has_token=True)
    assert (found.kind, found.reason) == ("comment", "There is a pull request to comment on: number 7.")
    assert found.target == Target(
        forge="github",
        api_url="https://api.github.com",
        repository="acme/shop",
        number=7,
        head=HEAD,
        head_owner="acme",
        head_branch="topic",
    )


@pytest.mark.parametrize(
    ("event", "kind", "says"),
    [
        (github("pull_request", pull_request(repo=FORK)), "artifact", "a second workflow, started by `workflow_run`"),
        (github("pull_request", pull_request(repo=None)), "artifact", "from a fork"),
        (github("pull_request", pull_request(action="closed")), "summary", "The pull request is closed."),
        (github("pull_request", pull_request(), GITHUB_ACTOR="dependabot[bot]"), "comment", "number 7"),
        (github("pull_request_target", pull_request(repo=FORK)), "summary", "nothing of a pull request is judged"),
        (github("workflow_run", workflow_run()), "comment", "the one whose head was measured"),
        (github("workflow_run", workflow_run(repo=SHOP)), "comment", "the one whose head was measured"),
        (github("workflow_run", workflow_run(event="push")), "summary", "not started by a pull request"),
        (github("workflow_run", workflow_run(repo=None)), "summary", "where the pull request's branch is"),
        (github("merge_group", {"merge_group": {"head_sha": MERGE}}), "summary", "A merge queue tests a group"),
        (github("push", {"ref": "refs/heads/main"}), "summary", "A push has no pull request."),
        (github("schedule", {}), "summary", "has no pull request"),
        (github("pull_request", b"{"), "summary", "does not say which commit"),
        (github("pull_request", {"pull_request": {"number": "7"}}), "summary", "does not say which commit"),
        (github("pull_request", pull_request(), GITHUB_REPOSITORY="acme"), "summary", "does not say which commit"),
        (event_of(GITLAB), "comment", "number 7"),
        (event_of({**GITLAB, "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"}), "summary", "A merge train tests"),
        (event_of({**GITLAB, "CI_MERGE_REQUEST_IID": ""}), "summary", "This pipeline has no merge request."),
        (event_of({}), "nothing", "This is no run of GitHub Actions or GitLab CI."),
    ],
)
def test_what_is_done(event: Event, kind: ActivityKind, says: str) -> None:
    found = activity_of(event, has_token=True)
    assert found.kind == kind
    assert says in found.reason
    assert (found.target is not None) == (kind == "comment")


def test_without_a_token() -> None:
    found = activity_of(github("pull_request", pull_request()), has_token=False)
    assert (found.kind, found.target) == ("summary", None)
    assert "GITHUB_TOKEN: ${{ github.token }}" in found.reason
    assert "`GITLAB_TOKEN`" in activity_of(event_of(GITLAB), has_token=False).reason
    fork = event_of({**GITLAB, "CI_PROJECT_ID": "43"})
    assert fork.repository == "42"
    assert activity_of(fork, has_token=False).kind == "artifact"
    assert activity_of(fork, has_token=True).kind == "comment"


def test_the_commit_that_ci_tests() -> None:
    assert github("pull_request", pull_request(), GITHUB_SHA=MERGE).is_merged
    assert not github("pull_request", pull_request(), GITHUB_SHA=HEAD).is_merged
    group = github("merge_group", {"merge_group": {"head_sha": MERGE, "base_ref": "refs/heads/main"}})
    assert (group.head, group.base_branch, group.is_merged) == (MERGE, "main", True)
    merged = event_of(
        {
            **GITLAB,
            "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result",
            "CI_COMMIT_SHA": MERGE,
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
        }
    )
    assert (merged.head, merged.is_merged, merged.base_branch) == (HEAD, True, "main")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_comes_through(text: str) -> None:
    proposed = pull_request(ref=text, sha=text, repo={"id": 2, "owner": {"login": text}}, action=text)
    proposed["pull_request"]["base"]["ref"] = text
    variables = dict.fromkeys(
        ("GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_ACTOR", "GITHUB_RUN_ID", "GITHUB_API_URL"), text
    )
    event = github("pull_request", proposed, **variables)
    assert (event.head, event.head_owner, event.repository, event.actor, event.action) == ("",) * 5
    assert event.head_branch in {"", text}
    assert event.base_branch == event.head_branch
    assert event.run in {"", "2"}
    assert event.api_url == "https://api.github.com"
    found = activity_of(event, has_token=True)
    assert found.kind in {"summary", "artifact"}
    assert not text or text not in found.reason
    gitlab = event_of({name: text if name.startswith("CI_") else value for name, value in GITLAB.items()})
    assert activity_of(gitlab, has_token=True).kind == "summary"


@pytest.mark.parametrize("text", HOSTILE)
def test_branches_are_such_as_git_accepts(text: str) -> None:
    branch = github("pull_request", pull_request(ref=text)).head_branch
    assert branch in {"", text}  # a sound name may hold anything else: it is sent encoded, and never shown
    assert not branch.startswith(("-", "/"))
    assert branch.isprintable()
    assert not re.search(r"[\x00-\x20~^:?*\[\\]|\.\.", branch)
    assert len(branch) <= 255


@pytest.mark.parametrize(
    "url",
    [
        "https://kim:secret@evil.example",
        "file:///etc/passwd",
        "https://x.example/?a=b",
        "http://[",
        "https://a b.example",
    ],
)
def test_addresses(url: str) -> None:
    assert github("push", {}, GITHUB_API_URL=url).api_url == "https://api.github.com"
    assert github("push", {}, GITHUB_API_URL="https://ghe.acme.example/api/v3/").api_url == (
        "https://ghe.acme.example/api/v3"
    )


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(HOSTILE)
KEYS = st.sampled_from(
    ["pull_request", "number", "head", "base", "ref", "sha", "repo", "id", "owner", "login", "workflow_run", "action"]
)
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))


@given(st.sampled_from(["pull_request", "workflow_run", "merge_group", "push"]), ANY)
def test_any_payload_is_an_event(name: str, payload: Any) -> None:
    event = github(name, payload)
    found = activity_of(event, has_token=True)
    assert event.kind == name
    assert re.fullmatch(r"(?:[0-9a-f]{40})?", event.head)
    assert found.kind != "comment" or found.target is not None


def test_the_file_of_the_event(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(pull_request()))
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REPOSITORY": "acme/shop"}
    assert read_event({**variables, "GITHUB_EVENT_PATH": str(file)}).number == 7
    missing = read_event({**variables, "GITHUB_EVENT_PATH": str(tmp_path / "none.json")})
    assert (missing.kind, missing.number) == ("pull_request", None)


def test_what_is_read_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.setenv("GITLAB_TOKEN", "")
    monkeypatch.setenv("CI_JOB_TOKEN", "never")
    assert ci_variables()["GITHUB_ACTIONS"] == "true"
    assert not any("TOKEN" in name for name in ci_variables())
    assert (ci_token("github"), ci_token("gitlab"), ci_token("none")) == ("ghs_secret", "", "")
