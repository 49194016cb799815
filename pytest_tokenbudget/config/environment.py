"""The only reader of the environment."""

import os
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

__all__ = [
    "Variable",
    "ci_token",
    "ci_variables",
    "current_test",
    "environment",
    "inherited",
]

_PREFIX: Final = "TOKENBUDGET_"
_CI: Final = (
    "GITHUB_ACTIONS",
    "GITHUB_ACTOR",
    "GITHUB_API_URL",
    "GITHUB_EVENT_NAME",
    "GITHUB_EVENT_PATH",
    "GITHUB_OUTPUT",
    "GITHUB_REF_NAME",
    "GITHUB_REF_TYPE",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_SHA",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE",
    "GITLAB_CI",
    "GITLAB_USER_LOGIN",
    "CI_API_V4_URL",
    "CI_COMMIT_SHA",
    "CI_JOB_ID",
    "CI_MERGE_REQUEST_EVENT_TYPE",
    "CI_MERGE_REQUEST_IID",
    "CI_MERGE_REQUEST_PROJECT_ID",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "CI_PIPELINE_ID",
    "CI_PIPELINE_SOURCE",
    "CI_PROJECT_DIR",
    "CI_PROJECT_ID",
)
_TOKENS: Final = {"github": ("GITHUB_TOKEN", "GH_TOKEN"), "gitlab": ("GITLAB_TOKEN",)}


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


def ci_variables() -> Mapping[str, str]:
    """What CI says of its run, by its own names; no secret is among them."""
    return {name: value for name in _CI if (value := os.environ.get(name))}


def ci_token(forge: Literal["github", "gitlab", "none"]) -> str:
    """The token to comment with; empty where there is none."""
    return next((value for name in _TOKENS.get(forge, ()) if (value := os.environ.get(name))), "")


def current_test() -> str | None:
    """The node id that pytest says is running, without its phase; `None` outside a test."""
    text = os.environ.get("PYTEST_CURRENT_TEST")
    return text.rpartition(" (")[0] or None if text else None


def inherited(*, without: tuple[str, ...]) -> dict[str, str]:
    """The environment for a child process, without the variables whose names begin so (in any case of letters)."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(without)}
