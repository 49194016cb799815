"""What a request line says before any body is read: the host, whose price list applies, and the path."""

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from pytest_tokenbudget.wire.hosts import provider_of

__all__ = ["Endpoint", "endpoint_of"]

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class Endpoint(Struct, frozen=True, kw_only=True):
    """A request's line, taken apart.

    Attributes:
        method: The HTTP method, upper case.
        host: Lower case, with the port where it is not the scheme's own; empty where the URL has none.
        provider: Whose price list applies; the host itself where nobody is known by it.
        known: Whether the host belongs to a provider that we know.
        path: The URL's path without a trailing slash.
    """

    method: str
    host: str
    provider: str
    known: bool
    path: str


@lru_cache(maxsize=1024)
def endpoint_of(method: str, url: str) -> Endpoint:
    """Take a request line apart; an agent's calls share a handful of them."""
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:  # a port or an IPv6 address that is none
        return Endpoint(method=method.upper(), host="", provider="", known=False, path="")
    host = name if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f"{name}:{port}"
    path = parts.path.rstrip("/")
    provider = provider_of(name, port, path)
    return Endpoint(method=method.upper(), host=host, provider=provider or host, known=provider is not None, path=path)
