"""What a URL says before any body is read: the host, whose price list applies, and the path."""

from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

__all__ = ["Endpoint", "endpoint_of", "is_model_request"]

_PROVIDERS: Final = {
    "api.openai.com": "openai",
    "eu.api.openai.com": "openai",
    "us.api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "openrouter.ai": "openrouter",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.x.ai": "x-ai",
    "api.together.xyz": "together",
    "api.fireworks.ai": "fireworks",
    "api.perplexity.ai": "perplexity",
    "api.cerebras.ai": "cerebras",
}
"""Hosts by their exact name: a pattern would also match `api.openai.com.evil.test`."""

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class Endpoint(Struct, frozen=True, kw_only=True):
    """A request's line, taken apart.

    Attributes:
        method: The HTTP method, upper case.
        host: Lower case, with the port where it is not the scheme's own.
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
        name, port = (parts.hostname or "").lower(), parts.port
    except ValueError:  # a port or an IPv6 address that is none
        return Endpoint(method=method.upper(), host="", provider="", known=False, path="")
    host = name if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f"{name}:{port}"
    provider = _PROVIDERS.get(name)
    return Endpoint(
        method=method.upper(),
        host=host,
        provider=provider or host,
        known=provider is not None,
        path=parts.path.rstrip("/"),
    )


_MODEL_PATHS: Final = ("/chat/completions", "/responses", "/completions", "/embeddings", "/v1/messages")


def is_model_request(method: str, url: str) -> bool:
    """Whether a request is one that a provider bills: a POST to a known provider, or to a path that speaks a format."""
    endpoint = endpoint_of(method, url)
    return endpoint.method == "POST" and (endpoint.known or endpoint.path.endswith(_MODEL_PATHS))
