"""Telling a model call from other traffic: one rule for replay, for drift and for the guard below them."""

from collections.abc import Callable
from typing import Any, Final

from pytest_tokenbudget.traffic.exchanges import body_bytes
from pytest_tokenbudget.wire.routing import route_of

__all__ = ["asks_a_model", "is_model_call"]

_MODEL: Final = b'"model"'
_BILLED: Final = frozenset({"read", "unsupported"})


def asks_a_model(request: Any) -> bool:
    """Whether one of vcrpy's requests asks a model for something that is billed."""
    return is_model_call(request.method, request.uri, lambda: body_bytes(request.body))


def is_model_call(method: str, url: str, body: Callable[[], bytes | None]) -> bool:
    """Whether a request asks a model for something that is billed.

    Args:
        method: The HTTP method.
        url: The whole URL.
        body: Gives the body, and is asked only where method and URL do not settle it; `None` where the body cannot be
            seen without taking it from the client, which counts as one that names a model.
    """
    route = route_of(method, url)
    if route.kind not in _BILLED:
        return False
    if route.sure:
        return True
    # of a host that nobody knows, a path such as /v1/messages proves nothing
    seen = body()
    return seen is None or _MODEL in seen
