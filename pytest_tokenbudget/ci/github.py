"""Comments on GitHub, by PyGithub. It waits for nothing by itself: `Patience` does."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pytest_tokenbudget.ci.activity import Target
from pytest_tokenbudget.ci.forge import Found, Note
from pytest_tokenbudget.ci.refusal import RefusedError, shortened, waiting_time
from pytest_tokenbudget.ci.token import Token

if TYPE_CHECKING:
    from github.GithubException import GithubException
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest

__all__ = ["GitHubComments"]

_Answer = TypeVar("_Answer")

_ACTIONS: Final = "github-actions[bot]"
_TIMEOUT: Final = 10
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _REFUSED, _TOO_MANY, _BROKEN = 401, 403, 404, 422, 429, 500
_A_MINUTE: Final = 60.0
"""What GitHub asks to wait after a secondary limit that names no time (REST best practices, 2022-11-28)."""
_AT_ONCE: Final = 100
_HIDDEN: Final = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { id isMinimized } } }"


class GitHubComments:
    """The comments on one pull request of GitHub, or of GitHub Enterprise.

    Args:
        target: The pull request.
        token: What to ask with.
        timeout: Seconds for one answer.
        now: Seconds since 1970.

    Raises:
        RefusedError: PyGithub is not installed.
    """

    can_hide = True

    def __init__(
        self, target: Target, token: Token, *, timeout: int = _TIMEOUT, now: Callable[[], float] = time.time
    ) -> None:
        try:
            from github import Auth, Github
        except ImportError:
            message = "PyGithub is not installed. Type: pip install 'pytest-tokenbudget[github]'"
            raise RefusedError(message) from None
        self._target, self._token, self._now = target, token, now
        self._client = Github(
            base_url=target.api_url,
            auth=Auth.Token(token.reveal()),
            timeout=timeout,
            per_page=100,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent="pytest-tokenbudget",
            lazy=True,  # what is not asked for is not fetched
        )
        self._repository = self._client.get_repo(target.repository)
        self._pull: PullRequest | None = None
        self._known: dict[int, IssueComment] = {}

    def find(self) -> Found:
        """The pull request, by its number, or by the branch and commit that were measured."""

        def live() -> Found:
            pull = self._by_number() if self._target.number is not None else self._by_head()
            found = Found(number=pull.number, head=pull.head.sha)
            self._pull = pull
            return found

        return self._asked(live)

    def _by_number(self) -> "PullRequest":
        return self._repository.get_pull(self._target.number or 0)

    def _by_head(self) -> "PullRequest":
        """The open pull request whose head was measured. A number that an artifact claims is not asked for."""
        if self._pull is not None:
            return self._repository.get_pull(self._pull.number)
        target = self._target
        branch = f"{target.head_owner}:{target.head_branch}"
        found = list(self._repository.get_pulls(state="open", head=branch))
        matching = [pull for pull in found if pull.head.sha == target.head]
        if len(matching) == 1:
            return matching[0]
        if matching:
            numbers = ", ".join(f"#{pull.number}" for pull in matching)
            message = f"Several open pull requests have this head ({numbers}): it cannot be told which was measured."
        else:
            message = f"No open pull request has the head {target.head[:7]} that was measured."
        raise RefusedError(message, is_moot=not matching)

    def author(self) -> str:
        """Whose token it is. One of Actions may not ask for its user, but GraphQL tells."""
        try:
            _, data = self._asked(lambda: self._client.requester.graphql_query("query { viewer { login } }", {}))
            return str(data["data"]["viewer"]["login"])
        except RefusedError as refusal:
            if refusal.passes or refusal.status == _UNAUTHORIZED:
                raise
        except (KeyError, TypeError):
            pass
        return _ACTIONS

    def notes(self) -> Sequence[Note]:
        """All comments, on all pages."""
        return self._asked(lambda: [self._note(comment) for comment in self._found().get_issue_comments()])

    def create(self, body: str) -> Note:
        """A new comment."""
        return self._asked(lambda: self._note(self._found().create_issue_comment(body)))

    def update(self, note: Note, body: str) -> Note:
        """Another text for a comment."""
        comment = self._known[note.id]

        def edit() -> Note:
            comment.edit(body)
            return self._note(comment)

        return self._asked(edit)

    def delete(self, note: Note) -> None:
        """Remove a comment."""
        try:
            self._asked(self._known[note.id].delete)
        except RefusedError as refusal:
            if refusal.status != _NOT_FOUND:
                raise

    def hide(self, notes: Sequence[Note]) -> None:
        """Minimize comments as outdated."""
        comments = {self._known[note.id].node_id: self._known[note.id] for note in notes[-_AT_ONCE:]}
        variables = {"ids": list(comments)}
        _, data = self._asked(lambda: self._client.requester.graphql_query(_HIDDEN, variables))
        nodes = [node for node in (data.get("data") or {}).get("nodes") or () if node]
        for name in (node["id"] for node in nodes if node.get("isMinimized") is False):
            self._asked(comments[name].minimize)

    def show(self, note: Note) -> None:
        """Unfold a comment."""
        self._asked(self._known[note.id].unminimize)

    def _found(self) -> "PullRequest":
        if self._pull is None:
            self.find()
        assert self._pull is not None  # noqa: S101 - `find` sets it
        return self._pull

    def _note(self, comment: "IssueComment") -> Note:
        self._known[comment.id] = comment
        author = comment.user.login if comment.user is not None else ""
        return Note(id=comment.id, author=author, body=comment.body or "", url=comment.html_url or "")

    def _asked(self, question: Callable[[], _Answer]) -> _Answer:
        from github.GithubException import GithubException
        from requests import RequestException

        try:
            return question()
        except GithubException as error:
            refusal = self._refusal(error)
        except RequestException as error:
            text = f"GitHub did not answer ({type(error).__name__})."
            refusal = RefusedError(text, passes=True)
        raise refusal from None  # what the library raised holds the answer's headers

    def _refusal(self, error: "GithubException") -> RefusedError:
        status, headers = error.status, error.headers or {}
        said = self._said(error)
        wait = waiting_time(headers, self._now())
        if status == _TOO_MANY or (status == _FORBIDDEN and (wait is not None or "rate limit" in said.lower())):
            text = f"GitHub's rate limit is reached (HTTP {status}: {said})."
            return RefusedError(text, status=status, passes=True, wait=_A_MINUTE if wait is None else wait)
        if status >= _BROKEN:
            return RefusedError(f"GitHub is not well (HTTP {status}).", status=status, passes=True, wait=wait)
        return RefusedError(self._advice(status, said), status=status)

    def _advice(self, status: int, said: str) -> str:
        where = self._target.repository
        number = self._pull.number if self._pull is not None else self._target.number
        match status:
            case 401:
                return f"GitHub does not know this token (HTTP 401: {said}). It may have expired."
            case 403:
                return (
                    f"The token may not comment in {where} (HTTP 403: {said}). Give the job `pull-requests: write` "
                    "under `permissions`. For a pull request from a fork, comment from a second workflow on "
                    "`workflow_run`: see docs/guide/ci.md."
                )
            case 404:
                thing = f"pull request {number}" if number is not None else "repository"
                return (
                    f"GitHub shows this token no {thing} in {where} (HTTP 404). Give the job `pull-requests: write` "
                    "and `contents: read` under `permissions`."
                )
            case 422:
                return f"GitHub does not take the comment (HTTP 422: {said})."
            case _:
                return f"GitHub refused (HTTP {status}: {said})."

    def _said(self, error: "GithubException") -> str:
        data: Any = error.data
        text = data.get("message") if isinstance(data, dict) else None
        if text is None and isinstance(data, dict) and isinstance(data.get("errors"), list):
            text = "; ".join(str(one.get("message", "")) for one in data["errors"] if isinstance(one, dict))
        return self._token.scrubbed(shortened(text or "without a word"))
