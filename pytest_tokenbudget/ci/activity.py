"""What to do at the end of a run of CI: decided from its event alone, with the reason as a sentence."""

from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.ci.event import Event, Forge

__all__ = ["Activity", "ActivityKind", "Target", "activity_of"]

ActivityKind = Literal["comment", "artifact", "summary", "nothing"]
"""comment: here and now · artifact: keep the run file for a second workflow, which comments · summary: there is no pull
request to comment on · nothing: this is no run of CI that we know."""

_ENDED: Final = "closed"


class Target(Struct, frozen=True, kw_only=True):
    """The pull request to comment on.

    Attributes:
        forge: Where it is.
        api_url: The forge's API.
        repository: `owner/name` on GitHub, the project's number on GitLab.
        number: Its number; `None` where it is to be found by its head.
        head: The commit that was measured. The pull request must still have it as its head.
        head_owner: Who owns the repository that the head is in.
        head_branch: The branch that is proposed.
    """

    forge: Forge
    api_url: str
    repository: str
    number: int | None
    head: str
    head_owner: str = ""
    head_branch: str = ""


class Activity(Struct, frozen=True, kw_only=True):
    """What to do.

    Attributes:
        kind: It.
        reason: Why, as a sentence.
        target: The pull request to comment on, for `comment`.
    """

    kind: ActivityKind
    reason: str
    target: Target | None = None


def activity_of(event: Event, *, has_token: bool) -> Activity:
    """Decide what to do.

    Args:
        event: What CI says of this run.
        has_token: Whether there is a token to comment with.
    """
    match event.forge:
        case "github":
            return _on_github(event, has_token=has_token)
        case "gitlab":
            return _on_gitlab(event, has_token=has_token)
        case _:
            return Activity(kind="nothing", reason="This is no run of GitHub Actions or GitLab CI.")


def _on_github(event: Event, *, has_token: bool) -> Activity:
    match event.kind:
        case "pull_request_target":
            reason = (
                "`pull_request_target` runs with the base's secrets: nothing of a pull request is judged there. "
                "Use `pull_request`, and the two-stage pair for forks."
            )
            return Activity(kind="summary", reason=reason)
        case "pull_request" if event.action == _ENDED:
            return Activity(kind="summary", reason="The pull request is closed.")
        case "pull_request" if event.is_fork:
            reason = (
                "The pull request comes from a fork, whose token may only read: a second workflow, started by "
                "`workflow_run`, comments from the run file that this one keeps."
            )
            return Activity(kind="artifact", reason=reason)
        case "pull_request":
            return _comment(event, has_token=has_token)
        case "workflow_run" if event.triggered_by != "pull_request":
            return Activity(kind="summary", reason="The workflow that ended was not started by a pull request.")
        case "workflow_run":
            return _comment(event, has_token=has_token)
        case "merge_group":
            reason = "A merge queue tests a group of pull requests, and none of them alone."
            return Activity(kind="summary", reason=reason)
        case "push":
            return Activity(kind="summary", reason="A push has no pull request.")
        case _:
            return Activity(kind="summary", reason="What started this run has no pull request.")


def _on_gitlab(event: Event, *, has_token: bool) -> Activity:
    match event.kind:
        case "pull_request" if event.is_fork and not has_token:
            reason = (
                "The merge request comes from a fork, whose pipeline has no token of the project: run its pipeline "
                "in the project itself, or read the run file that this job keeps."
            )
            return Activity(kind="artifact", reason=reason)
        case "pull_request":
            return _comment(event, has_token=has_token)
        case "merge_group":
            return Activity(
                kind="summary", reason="A merge train tests several merge requests, and none of them alone."
            )
        case _:
            return Activity(kind="summary", reason="This pipeline has no merge request.")


def _comment(event: Event, *, has_token: bool) -> Activity:
    if not event.repository or not event.head:
        return Activity(kind="summary", reason="The event does not say which commit of which repository was measured.")
    if event.number is None and not (event.head_owner and event.head_branch):
        return Activity(kind="summary", reason="The event does not say where the pull request's branch is.")
    if not has_token:
        how = (
            "give the step `GITHUB_TOKEN: ${{ github.token }}` under `env:`, and the job `pull-requests: write`"
            if event.forge == "github"
            else "make a project access token with the scope `api`, and give it to the job as `GITLAB_TOKEN`"
        )
        return Activity(kind="summary", reason=f"There is no token to comment with: {how}.")
    target = Target(
        forge=event.forge,
        api_url=event.api_url,
        repository=event.repository,
        number=event.number,
        head=event.head,
        head_owner=event.head_owner,
        head_branch=event.head_branch,
    )
    where = f"number {event.number}" if event.number is not None else "the one whose head was measured"
    return Activity(kind="comment", reason=f"There is a pull request to comment on: {where}.", target=target)
