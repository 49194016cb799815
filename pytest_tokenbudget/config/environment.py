"""The only reader of the environment."""

import os
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

__all__ = ["CI", "Variable", "current_test", "environment", "environment_of_ci", "inherited"]

_PREFIX: Final = "TOKENBUDGET_"


class Variable(Struct, frozen=True):
    """An environment variable that is set."""

    name: str
    value: str


def environment() -> Mapping[str, Variable]:
    """Our variables by what they set: `TOKENBUDGET_AS_OF` sets `as_of`, and `TOKENBUDGET` alone the mode.

    Empty variables count as absent.
    """
    found = {
        name[len(_PREFIX) :].lower(): Variable(name, value)
        for name, value in os.environ.items()
        if name.startswith(_PREFIX) and value
    }
    if mode := os.environ.get("TOKENBUDGET"):
        found.setdefault("mode", Variable("TOKENBUDGET", mode))
    return found


class CI(Struct, frozen=True, kw_only=True):
    """What a CI run says of itself; everything is empty elsewhere.

    Attributes:
        commit: The commit that a pull request proposes, not the merge commit that is tested.
        run: What CI calls this run, such as `8123.1`.
        base_branch: The branch that a pull request is merged into.
        is_merge: Whether a merge commit of both is tested.
    """

    commit: str = ""
    run: str = ""
    base_branch: str = ""
    is_merge: bool = False


def environment_of_ci() -> CI:
    """Read what GitHub Actions or GitLab CI says; whoever posts reads a pull request's own commit from the event."""
    known = os.environ
    if known.get("GITHUB_ACTIONS"):
        branch = known.get("GITHUB_BASE_REF", "")
        merge = known.get("GITHUB_REF", "").endswith("/merge")
        run = ".".join(filter(None, (known.get("GITHUB_RUN_ID", ""), known.get("GITHUB_RUN_ATTEMPT", ""))))
        commit = "" if merge else known.get("GITHUB_SHA", "")
        return CI(commit=commit, run=run, base_branch=branch, is_merge=bool(branch) and merge)
    if known.get("GITLAB_CI"):
        branch = known.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")
        merge = known.get("CI_MERGE_REQUEST_EVENT_TYPE") in {"merged_result", "merge_train"}
        commit = known.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or known.get("CI_COMMIT_SHA", "")
        return CI(commit=commit, run=known.get("CI_JOB_ID", ""), base_branch=branch, is_merge=bool(branch) and merge)
    return CI()


def current_test() -> str | None:
    """The node id that pytest says is running, without its phase; `None` outside a test."""
    text = os.environ.get("PYTEST_CURRENT_TEST")
    return text.rpartition(" (")[0] or None if text else None


def inherited(*, without: tuple[str, ...]) -> dict[str, str]:
    """The environment for a child process, without the variables whose names begin so (in any case of letters)."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(without)}
