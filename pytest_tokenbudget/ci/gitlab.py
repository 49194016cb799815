"""Comments on GitLab, by python-gitlab. It waits for nothing by itself: `Patience` does."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pytest_tokenbudget.ci.activity import Target
from pytest_tokenbudget.ci.forge import Found, Note
from pytest_tokenbudget.ci.refusal import RefusedError, shortened, waiting_time
from pytest_tokenbudget.ci.token import Token

if TYPE_CHECKING:
    from gitlab.exceptions import GitlabError
    from gitlab.v4.objects import ProjectMergeRequest
    from requests import Response

__all__ = ["GitLabComments"]

_Answer = TypeVar("_Answer")

_TIMEOUT: Final = 10.0
_NOT_FOUND, _TOO_MANY, _BROKEN = 404, 429, 500
_ONCE: Final[dict[str, Any]] = {"max_retries": 0}


class GitLabComments:
    """The notes on one merge request of GitLab, hosted by itself or not.

    Args:
        target: The merge request.
        token: What to ask with; a project access token with the scope `api`: a job's own token cannot comment.
        timeout: Seconds for one answer.
        now: Seconds since 1970.

    Raises:
        RefusedError: python-gitlab is not installed.
    """

    can_hide = False

    def __init__(
        self, target: Target, token: Token, *, timeout: float = _TIMEOUT, now: Callable[[], float] = time.time
    ) -> None:
        try:
            import requests
            from gitlab import Gitlab
        except ImportError:
            message = "python-gitlab is not installed. Type: pip install 'pytest-tokenbudget[gitlab]'"
            raise RefusedError(message) from None
        self._target, self._token, self._now = target, token, now
        self._headers: dict[str, str] = {}
        session = requests.Session()
        session.hooks["response"].append(self._keep_headers)  # its exceptions have none
        self._client = Gitlab(
            target.api_url.removesuffix("/api/v4"),
            private_token=token.reveal(),
            timeout=timeout,
            per_page=100,
            retry_transient_errors=False,
            keep_base_url=True,
            user_agent="pytest-tokenbudget",
            session=session,
        )
        self._request: ProjectMergeRequest | None = None

    def _keep_headers(self, response: "Response", *_: object, **__: object) -> None:
        self._headers = dict(response.headers)

    def find(self) -> Found:
        """The merge request."""

        def get() -> "ProjectMergeRequest":
            project = self._client.projects.get(self._target.repository, lazy=True)
            return project.mergerequests.get(self._target.number or 0, **_ONCE)

        self._request = self._asked(get)
        return Found(number=self._request.iid, head=self._request.sha or "")

    def author(self) -> str:
        """Whose token it is."""

        def who() -> str:
            found = self._client.http_get("/user", **_ONCE)
            return str(found.get("username", "")) if isinstance(found, dict) else ""

        return self._asked(who)

    def notes(self) -> Sequence[Note]:
        """All notes, on all pages, without those that GitLab itself writes."""

        def everything() -> list[Note]:
            notes = self._found().notes.list(iterator=True, order_by="created_at", sort="asc", **_ONCE)
            return [self._note(note) for note in notes if not getattr(note, "system", False)]

        return self._asked(everything)

    def create(self, body: str) -> Note:
        """A new note."""
        return self._asked(lambda: self._note(self._found().notes.create({"body": body}, **_ONCE)))

    def update(self, note: Note, body: str) -> Note:
        """Another text for a note."""
        self._asked(lambda: self._found().notes.update(note.id, {"body": body}, **_ONCE))
        return Note(id=note.id, author=note.author, body=body, url=note.url)

    def delete(self, note: Note) -> None:
        """Remove a note."""
        try:
            self._asked(lambda: self._found().notes.delete(note.id, **_ONCE))
        except RefusedError as refusal:
            if refusal.status != _NOT_FOUND:
                raise

    def hide(self, notes: Sequence[Note]) -> None:
        """GitLab folds no notes away: `can_hide` says so."""

    def show(self, note: Note) -> None:
        """No note is folded away."""

    def _found(self) -> "ProjectMergeRequest":
        if self._request is None:
            self.find()
        assert self._request is not None  # noqa: S101 - `find` sets it
        return self._request

    def _note(self, note: Any) -> Note:  # noqa: ANN401 - python-gitlab gives its objects no fields
        url = f"{self._found().web_url}#note_{note.id}"
        return Note(id=int(note.id), author=str(note.author.get("username", "")), body=note.body or "", url=url)

    def _asked(self, question: Callable[[], _Answer]) -> _Answer:
        from gitlab.exceptions import GitlabError
        from requests import RequestException

        self._headers = {}
        try:
            return question()
        except GitlabError as error:
            refusal = self._refusal(error)
        except RequestException as error:
            refusal = RefusedError(f"GitLab did not answer ({type(error).__name__}).", passes=True)
        raise refusal from None

    def _refusal(self, error: "GitlabError") -> RefusedError:
        status = error.response_code or 0
        said = self._token.scrubbed(shortened(error.error_message or "without a word"))
        wait = waiting_time(self._headers, self._now())
        if status == _TOO_MANY:
            text = f"GitLab's rate limit is reached (HTTP 429: {said})."
            return RefusedError(text, status=status, passes=True, wait=wait)
        if status >= _BROKEN:
            return RefusedError(f"GitLab is not well (HTTP {status}).", status=status, passes=True, wait=wait)
        return RefusedError(self._advice(status, said), status=status)

    def _advice(self, status: int, said: str) -> str:
        project, number = self._target.repository, self._target.number
        match status:
            case 401:
                return (
                    f"GitLab does not take this token (HTTP 401: {said}). A job's own token cannot comment: make a "
                    "project access token with the scope `api`, and give it to the job as `GITLAB_TOKEN`."
                )
            case 403:
                return (
                    f"The token may not comment in project {project} (HTTP 403: {said}). It needs the scope `api` and "
                    "the role Reporter."
                )
            case 404:
                return f"GitLab shows this token no merge request {number} in project {project} (HTTP 404)."
            case 0:
                return f"GitLab's answer is not what its API gives ({said})."
            case _:
                return f"GitLab refused (HTTP {status}: {said})."
