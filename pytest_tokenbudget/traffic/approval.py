"""What a cassette let out: the guard below it lets each such request pass once.

A context variable, because every stub of vcrpy asks its cassette and sends in one and the same thread and task. A
request that goes out in another way carries no approval, even where a task inherited its context from an approved one.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from threading import Lock
from urllib.parse import unquote, urlsplit

__all__ = ["approve_request", "forget_unsent", "if_unsent", "take_approval", "was_unsent", "withdraw"]

_PORTS = {"http": 80, "https": 443}
_lock = Lock()


class _Approval:
    __slots__ = ("followed", "is_followable", "method", "unsent", "url", "used")

    def __init__(self, method: str, url: str) -> None:
        self.method = method
        self.url = url
        self.used = False
        self.followed = self.is_followable = False
        self.unsent: Callable[[], None] | None = None


_given: ContextVar[_Approval | None] = ContextVar("tokenbudget_approval", default=None)


def approve_request(method: str, url: str) -> None:
    """Let one request pass; it takes the place of what was approved here before."""
    _given.set(_Approval(method, url))


def withdraw() -> None:
    """Take back what was approved here: the answer is there, or nothing was sent."""
    _given.set(None)


def if_unsent(tell: Callable[[], None]) -> None:
    """Have somebody told if what was approved here turns out never to have been sent."""
    given = _given.get()
    if given is not None:
        given.unsent = tell


def forget_unsent() -> None:
    """Tell nobody: something else is being sent now."""
    given = _given.get()
    if given is not None:
        given.unsent = None


def was_unsent() -> None:
    """Tell that what was approved here was never sent, unless a redirect of it was followed."""
    given = _given.get()
    if given is not None and given.used and not given.followed and given.unsent is not None:
        given.unsent()


def take_approval(method: str, url: str, *, follows_redirects: bool = False) -> bool:
    """Whether a request was approved here; an approval serves once.

    Args:
        method: The HTTP method.
        url: The whole URL, as the client's transport sees it.
        follows_redirects: Whether the client follows redirects below its cassette. Those it may follow until the answer
            is there.
    """
    given = _given.get()
    if given is None:
        return False
    with _lock:  # tasks and threads may share a context's approval
        if given.used:
            # an approval that another client used, whose answer never came, is still here
            given.followed = follows_redirects and given.is_followable
            return given.followed
        asked, approved = _address(url.partition("?")[0]), _address(given.url.partition("?")[0])
        if method != given.method.upper() or asked != approved:
            return False
        given.used, given.is_followable = True, follows_redirects
        return True


@lru_cache(maxsize=1024)
def _address(url: str) -> tuple[str, int | None, str]:
    """Host, port and path: clients differ in how they write the rest."""
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # nothing that could be sent
        port = -1
    return (parts.hostname or "").lower(), port, unquote(parts.path) or "/"
