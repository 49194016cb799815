"""Whether a request asks a model for something that is billed."""

from typing import Any

from pytest_tokenbudget.traffic.exchanges import body_bytes
from pytest_tokenbudget.wire.routing import route_of

__all__ = ["asks_a_model"]


def asks_a_model(request: Any) -> bool:
    """Whether one of vcrpy's requests does; of a host that nobody knows, one that names a model."""
    route = route_of(request.method, request.uri)
    if route.kind not in {"read", "unsupported"}:
        return False
    # of a host that nobody knows, a path such as /v1/messages proves nothing
    return route.sure or b'"model"' in body_bytes(request.body)
