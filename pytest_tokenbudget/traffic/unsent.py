"""Requests that a seam let pass and that were never sent, for nothing listens where they were to go: nobody bills them.

A refused connection is the one failure that tells so for certain: whatever else ends a request may have come after it.
"""

from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from pytest_tokenbudget.traffic.approval import was_unsent

__all__ = ["is_refused", "telling"]


def is_refused(error: BaseException) -> bool:
    """Whether an error of a client says that the connection was refused, in its own words or in those of its cause.

    What it came in the midst of says nothing: it may have been another request.
    """
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        if isinstance(found, ConnectionRefusedError):
            return True
        if isinstance(found, BaseExceptionGroup):  # one for each address that was tried
            return all(is_refused(each) for each in found.exceptions)
        seen.add(id(found))
        found = found.__cause__
    return False


def telling(send: Any) -> Any:
    """A method by which requests leave a client, that tells of those which could not be sent.

    Args:
        send: The method, asynchronous or not.
    """
    if iscoroutinefunction(send):

        @wraps(send)
        async def send_or_tell(*args: Any, **kwargs: Any) -> Any:
            try:
                return await send(*args, **kwargs)
            except Exception as error:
                if is_refused(error):
                    was_unsent()
                raise

        return send_or_tell

    @wraps(send)
    def send_and_tell(*args: Any, **kwargs: Any) -> Any:
        try:
            return send(*args, **kwargs)
        except Exception as error:
            if is_refused(error):
                was_unsent()
            raise

    return send_and_tell
