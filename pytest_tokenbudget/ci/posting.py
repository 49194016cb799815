"""Posting a comment. Whatever happens there comes back as a value: no verdict waits for it."""

from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.ci.activity import Activity, Target
from pytest_tokenbudget.ci.forge import Comments
from pytest_tokenbudget.ci.patience import Patience
from pytest_tokenbudget.ci.refusal import RefusedError, shortened
from pytest_tokenbudget.ci.sticky import Mode, Posted, Sticky
from pytest_tokenbudget.ci.token import Token
from pytest_tokenbudget.report.comment import marker

__all__ = ["WHENS", "PostOptions", "When", "post"]

When = Literal["always", "changes"]
"""When a comment is made where there is none; one that is there is always brought up to date."""

WHENS: Final[tuple[When, ...]] = ("changes", "always")


class PostOptions(Struct, frozen=True, kw_only=True):
    """How to post.

    Attributes:
        token: What to post with.
        key: Tells several comments on one pull request apart; the one that the body was written with.
        mode: What becomes of a comment that is there.
        when: When to make one where there is none.
        has_news: Whether the comment says more than that all is as it was.
    """

    token: Token
    key: str = "default"
    mode: Mode = "update"
    when: When = "changes"
    has_news: bool = True


def post(activity: Activity, body: str, options: PostOptions, patience: Patience | None = None) -> Posted:
    """Bring a pull request's comment to be this body.

    Args:
        activity: What is to be done in this run of CI.
        body: The comment, as `report.comment` writes it.
        options: How.
        patience: How long to wait; a minute in all.
    """
    if activity.kind != "comment" or activity.target is None:
        return Posted(kind="skipped", reason=activity.reason)
    if options.mode == "off":
        return Posted(kind="skipped", reason="Comments are turned off.")
    begin = marker(options.key)
    if not body.startswith(begin):
        return Posted(kind="failed", reason=f"The comment does not begin with the marker of the key {options.key!r}.")
    try:
        comments = _comments(activity.target, options.token)
        sticky = Sticky(comments, patience or Patience(), marker=begin, head=activity.target.head)
        create = options.has_news or options.when == "always"
        return sticky.post(body, options.mode, create=create)
    except RefusedError as refusal:
        return Posted(kind="skipped" if refusal.is_moot else "failed", reason=str(refusal))
    except Exception as error:  # noqa: BLE001 - a client's defect must not cost the verdict either
        text = options.token.scrubbed(shortened(error))
        return Posted(kind="failed", reason=f"Posting failed ({type(error).__name__}: {text}).")


def _comments(target: Target, token: Token) -> Comments:
    if target.forge == "gitlab":
        from pytest_tokenbudget.ci.gitlab import GitLabComments

        return GitLabComments(target, token)
    from pytest_tokenbudget.ci.github import GitHubComments

    return GitHubComments(target, token)
