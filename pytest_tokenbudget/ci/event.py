"""What CI says about this run, read from its variables and its event file.

All of it may have been chosen by whoever opened the pull request. So what comes out is of a known shape (a commit's
hash, a repository's name, a number) or absent: nothing here is a path, a command or Markdown.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Struct, UnsetType

__all__ = ["Event", "Forge", "Kind", "event_of", "read_event"]

Forge = Literal["github", "gitlab", "none"]
Kind = Literal["pull_request", "pull_request_target", "merge_group", "push", "workflow_run", "other"]
"""GitLab's merge request pipelines are pull requests here, and its merge trains merge groups."""

_LARGEST: Final = 32 * 1024 * 1024  # a webhook's payload has at most 25 MB
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-_]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_OWNER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-_]{0,99}")
# what git accepts as a branch, without what would read as an option
_BRANCH: Final = re.compile(
    r"(?![-/.])(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]{1,255}(?<![/.])"
)
_WORD: Final = re.compile(r"[a-z_]{1,40}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
_MERGED_BY_GITLAB: Final = frozenset({"merged_result", "merge_train"})


class Event(Struct, frozen=True, kw_only=True):
    """What this run of CI is about.

    Attributes:
        forge: Whose CI it is.
        kind: What started it.
        action: What happened to the pull request, as the forge names it.
        api_url: The forge's API.
        repository: `owner/name` on GitHub, the project's number on GitLab; empty where unknown.
        number: The pull request's number, if known.
        head: The commit that is proposed: the pull request's head, never the merge commit that CI tests.
        head_owner: Who owns the repository that the head is in.
        head_branch: The branch that is proposed.
        base_branch: What it is to be merged into.
        is_fork: Whether the head is in another repository.
        is_merged: Whether the commit that CI tests is a merge of the head into the base.
        triggered_by: What started the run whose end this is, for `workflow_run`.
        actor: Who started it.
        run: What CI calls this run: its number and attempt.
        summary: The file that a step's summary goes to.
        output: The file that a step's outputs go to.
        workspace: Where the repository is checked out.
    """

    forge: Forge = "none"
    kind: Kind = "other"
    action: str = ""
    api_url: str = ""
    repository: str = ""
    number: int | None = None
    head: str = ""
    head_owner: str = ""
    head_branch: str = ""
    base_branch: str = ""
    is_fork: bool = False
    is_merged: bool = False
    triggered_by: str = ""
    actor: str = ""
    run: str = ""
    summary: Path | None = None
    output: Path | None = None
    workspace: Path | None = None


class _Owner(Struct, frozen=True):
    login: str = ""


class _Repository(Struct, frozen=True):
    id: int = 0
    full_name: str = ""
    owner: _Owner | None = None


class _Ref(Struct, frozen=True):
    ref: str = ""
    sha: str = ""
    repo: _Repository | None = None


class _PullRequest(Struct, frozen=True):
    number: int = 0
    head: _Ref = _Ref()
    base: _Ref = _Ref()


class _MergeGroup(Struct, frozen=True):
    head_sha: str = ""
    base_ref: str = ""


class _WorkflowRun(Struct, frozen=True):
    event: str = ""
    head_sha: str = ""
    head_branch: str | None = None
    head_repository: _Repository | None = None


class _Payload(Struct, frozen=True):
    action: str = ""
    pull_request: _PullRequest | UnsetType = UNSET
    merge_group: _MergeGroup | UnsetType = UNSET
    workflow_run: _WorkflowRun | UnsetType = UNSET
    repository: _Repository = _Repository()


def read_event(variables: Mapping[str, str]) -> Event:
    """The event of this run, with the file that GitHub Actions keeps it in.

    Args:
        variables: CI's own variables.
    """
    name = variables.get("GITHUB_EVENT_PATH", "")
    payload = b""
    if name:
        try:
            with Path(name).open("rb") as file:
                payload = file.read(_LARGEST + 1)
        except OSError:
            payload = b""
    return event_of(variables, payload)


def event_of(variables: Mapping[str, str], payload: bytes = b"") -> Event:
    """The event that CI's variables, and GitHub's event file, tell of.

    Args:
        variables: CI's own variables.
        payload: The event as JSON. One that cannot be read tells nothing.
    """
    if variables.get("GITHUB_ACTIONS") == "true":
        return _of_github(variables, payload)
    if variables.get("GITLAB_CI") == "true":
        return _of_gitlab(variables)
    return Event()


def _of_github(variables: Mapping[str, str], raw: bytes) -> Event:
    payload = _read(raw)
    common = {
        "forge": "github",
        "action": _shaped(_WORD, payload.action),
        "api_url": _url(variables.get("GITHUB_API_URL", "")) or "https://api.github.com",
        "repository": _shaped(_REPOSITORY, variables.get("GITHUB_REPOSITORY", "")),
        "actor": _actor(variables.get("GITHUB_ACTOR", "")),
        "run": _run(variables.get("GITHUB_RUN_ID", ""), variables.get("GITHUB_RUN_ATTEMPT", "")),
        "summary": _path(variables.get("GITHUB_STEP_SUMMARY", "")),
        "output": _path(variables.get("GITHUB_OUTPUT", "")),
        "workspace": _path(variables.get("GITHUB_WORKSPACE", "")),
    }
    tested = _shaped(_COMMIT, variables.get("GITHUB_SHA", ""))
    kind: Kind
    fields: dict[str, object]
    match variables.get("GITHUB_EVENT_NAME", ""):
        case "pull_request" | "pull_request_target" as kind if payload.pull_request is not UNSET:
            proposed = payload.pull_request
            head = _shaped(_COMMIT, proposed.head.sha)
            fields = {
                "number": proposed.number if proposed.number > 0 else None,
                "head": head,
                "head_owner": _owner(proposed.head.repo),
                "head_branch": _shaped(_BRANCH, proposed.head.ref),
                "base_branch": _shaped(_BRANCH, proposed.base.ref),
                "is_fork": _differs(proposed.head.repo, proposed.base.repo),
                "is_merged": kind == "pull_request" and bool(tested) and tested != head,
            }
        case "merge_group" as kind if payload.merge_group is not UNSET:
            group = payload.merge_group
            fields = {
                "head": _shaped(_COMMIT, group.head_sha),
                "base_branch": _shaped(_BRANCH, group.base_ref.removeprefix("refs/heads/")),
                "is_merged": True,
            }
        case "workflow_run" as kind if payload.workflow_run is not UNSET:
            run = payload.workflow_run
            fields = {
                "head": _shaped(_COMMIT, run.head_sha),
                "head_owner": _owner(run.head_repository),
                "head_branch": _shaped(_BRANCH, run.head_branch or ""),
                "is_fork": _differs(run.head_repository, payload.repository),
                "triggered_by": _shaped(_WORD, run.event),
            }
        case "push" as kind:
            branch = variables.get("GITHUB_REF_NAME", "") if variables.get("GITHUB_REF_TYPE") == "branch" else ""
            fields = {"head": tested, "head_branch": _shaped(_BRANCH, branch)}
        case "pull_request" | "pull_request_target" | "merge_group" | "workflow_run" as kind:
            fields = {}  # its file is not there, or not as it should be
        case _:
            kind, fields = "other", {"head": tested}
    return msgspec.convert({"kind": kind, **common, **fields}, Event)


def _of_gitlab(variables: Mapping[str, str]) -> Event:
    def number(name: str) -> str:
        return _shaped(_NUMBER, variables.get(name, ""))

    iid, project = number("CI_MERGE_REQUEST_IID"), number("CI_PROJECT_ID")
    style = variables.get("CI_MERGE_REQUEST_EVENT_TYPE", "")
    # a merged results pipeline tests a merge commit; the branch's own is then named apart
    head = variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "") or variables.get("CI_COMMIT_SHA", "")
    kind = "push" if variables.get("CI_PIPELINE_SOURCE") == "push" else "other"
    if iid:
        kind = "merge_group" if style == "merge_train" else "pull_request"
    owner = number("CI_MERGE_REQUEST_PROJECT_ID")
    fields = {
        "forge": "gitlab",
        "kind": kind,
        "api_url": _url(variables.get("CI_API_V4_URL", "")) or "https://gitlab.com/api/v4",
        "repository": owner or project,
        "number": int(iid) if iid else None,
        "head": _shaped(_COMMIT, head),
        "head_branch": _shaped(_BRANCH, variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "")),
        "base_branch": _shaped(_BRANCH, variables.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")),
        # a fork's pipeline runs in the fork, without the variables of the project that it proposes to
        "is_fork": bool(owner) and owner != project,
        "is_merged": style in _MERGED_BY_GITLAB,
        "actor": _actor(variables.get("GITLAB_USER_LOGIN", "")),
        "run": _run(variables.get("CI_PIPELINE_ID", ""), variables.get("CI_JOB_ID", "")),
        "workspace": _path(variables.get("CI_PROJECT_DIR", "")),
    }
    return msgspec.convert(fields, Event)


def _read(raw: bytes) -> _Payload:
    if not raw or len(raw) > _LARGEST:
        return _Payload()
    try:
        return msgspec.json.decode(raw, type=_Payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Payload()


def _shaped(shape: re.Pattern[str], text: str) -> str:
    return text if text.isprintable() and shape.fullmatch(text) else ""


def _owner(repository: _Repository | None) -> str:
    if repository is None or repository.owner is None:
        return ""
    return _shaped(_OWNER, repository.owner.login)


def _differs(head: _Repository | None, base: _Repository | None) -> bool:
    """Whether the head is in another repository; so it is where its repository is gone."""
    return head is None or base is None or head.id != base.id


def _actor(text: str) -> str:
    return _shaped(_OWNER, text.removesuffix("[bot]")) and text


def _run(number: str, attempt: str) -> str:
    parts = [part for text in (number, attempt) if (part := _shaped(_NUMBER, text))]
    return ".".join(parts)


def _path(text: str) -> Path | None:
    """A file that CI itself names: never one of an event."""
    return Path(text) if text and "\0" not in text else None


def _url(text: str) -> str:
    """An address of an API, without whatever could hold a secret or lead elsewhere."""
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.username is None
        sound = sound and not parts.query and not parts.fragment and (parts.port is None or parts.port > 0)
    except ValueError:
        return ""
    return text.rstrip("/") if sound and text.isprintable() and " " not in text else ""
