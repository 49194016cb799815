"""From a request line to what is to be done with it: read it, count it as unreadable, or as free.

A billable endpoint that no format reads is still a call: leaving it out would make its cost $0.
"""

import re
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import unquote

from msgspec import Struct

from pytest_tokenbudget.wire.bedrock_model import bedrock_path
from pytest_tokenbudget.wire.endpoint import Endpoint, endpoint_of
from pytest_tokenbudget.wire.format import Format
from pytest_tokenbudget.wire.formats import (
    format_elsewhere,
    format_of,
    responses_format,
    results_format_of,
    user_format_of,
)

__all__ = ["Route", "is_model_request", "route_of"]

_UNBILLED: Final = re.compile(
    r"(?:"
    r"/count_tokens|/responses/input_tokens|:countTokens|:computeTokens|/count-tokens(?::\w+)?"  # counting is free
    r"|/tokenize|/detokenize|/moderations|/models|/traces/ingest|/event_logging(?:/.*)?"
    r"|/(?:responses|batches)/[^/]+/cancel|/chat/completions/[^/]+"
    r"|/(?:files|uploads|conversations|vector_stores|assistants|skills)(?:/.*)?|/threads(?:/(?!runs)[^/]+(?:/messages)?)?"
    r"|/realtime/(?!calls)(?:translations/)?\w+|/(?:realtime/calls|live/sessions)/[^/]+/(?:hangup|refer|reject)"
    r"|/(?:oauth|organizations?|auth|keys|credits)(?:/.*)?"
    r"|/api/(?:show|pull|push|copy|create|delete|tags|ps)"
    r")"
)
"""Ends of paths that a POST is not charged for."""

_BILLED_BY_MISTRAL: Final = re.compile(r".*/v1/(?:conversations(?:/.*)?|(?:chat/)?moderations)")
"""What others give for free: there a conversation is generated, and a moderation costs tokens."""

_BILLED_ANYWHERE: Final = (
    (re.compile(r".*/model/.+/invoke-with-bidirectional-stream"), "bedrock.speech"),
    (re.compile(r".*/async-invoke"), "bedrock.async_invoke"),
    (re.compile(r".*/model-invocation-jobs?"), "bedrock.batches"),
    (re.compile(r".*/guardrail(?:/.+/apply|-checks/invoke)"), "bedrock.guardrail"),
    (re.compile(r".*/v1/images/variations"), "openai.images"),
    (re.compile(r".*/v1/audio/speech"), "openai.audio"),
)
"""Shapes of paths that name their API by themselves, whatever the host."""

_SOCKETS: Final = (
    (re.compile(r".*/(?:v1|openai)/realtime(?:/translations)?"), "openai.realtime"),
    (re.compile(r".*/v1/live/sessions/[^/]+/(?:attach|fork)"), "openai.live"),
    (re.compile(r".*/v1/responses"), "openai.responses"),
    (re.compile(r"/ws/google\..*\.BidiGenerateContent\w*"), "gemini.live"),
)
"""What is asked for with a `GET` that opens a web socket: all that passes through it is billed."""

_POLL: Final = re.compile(r".*/(?:v1|openai)/responses/[^/]+")
_SURE: Final = re.compile(
    r".*(?:/chat/completions|/deployments/[^/]+/\w+|/model/.+/(?:converse|invoke)[a-z-]*"
    r"|:(?:streamG|g)enerateContent|:(?:embedContent|batchEmbedContents))"
)
_URL_MODEL: Final = re.compile(r".*/(?:deployments|models?)/((?:[^/:]|:(?=\d))+)[:/].+")
_LEADING: Final = re.compile(r"v\d\w*|api|openai|inference|projects|accounts|beta|client|ai|anthropic|compatibility")
_COUNTING: Final = frozenset({"count_tokens", "input_tokens", "count-tokens"})
_COHERES: Final = "cohere.chat"
"""What is asked for at `/v2/chat` is a model, where one is named; at `/api/chat` it can be anybody's own back end."""

_BATCHES: Final = "batches"
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD: Final = re.compile(r"[^a-z0-9_]+")


class Route(Struct, frozen=True, kw_only=True):
    """What is to be done with the exchanges of one request line.

    Attributes:
        kind: read: a format reads it · perhaps: a format reads it, and only a usage proves that it is model traffic ·
            results: free, but it may bring what a batch used · unsupported: billed, but no format reads it ·
            unbilled: free · foreign: no model traffic.
        endpoint: The request line, taken apart.
        api: The API's name for `Call.api`; empty where foreign, or where that depends on what it brings.
        format: What reads it; also set for a poll, whose answer is read but not counted.
        model: The model (or deployment) that the URL names, if it does.
        sure: Whether host and path alone prove that it is model traffic. Where they do not, the bodies decide.
    """

    kind: Literal["read", "perhaps", "results", "unsupported", "unbilled", "foreign"]
    endpoint: Endpoint
    api: str = ""
    format: Format | None = None
    model: str | None = None
    sure: bool = True


def is_model_request(method: str, url: str) -> bool:
    """Whether a provider bills such a request, as far as its method and URL tell; whether or not we can read it."""
    return route_of(method, url).kind in {"read", "unsupported"}


@lru_cache(maxsize=1024)
def route_of(method: str, url: str) -> Route:
    """Decide on a request line; an agent's calls share a handful of them."""
    endpoint = endpoint_of(method, url)
    if not endpoint.host:
        return Route(kind="foreign", endpoint=endpoint)
    named = _URL_MODEL.fullmatch(endpoint.path)
    bedrock = bedrock_path(endpoint.path)
    model = bedrock.model if bedrock else unquote(named[1]) if named else None
    own = user_format_of(endpoint)
    if own is not None:
        return Route(kind="read", endpoint=endpoint, api=own.api, format=own, model=model)
    if endpoint.method != "POST":
        return _without_post(endpoint)
    if _is_free(endpoint):
        return Route(kind="unbilled", endpoint=endpoint, api=f"{endpoint.provider}.{_operation(endpoint.path)}")
    return _billed(endpoint, model)


def _is_free(endpoint: Endpoint) -> bool:
    path = endpoint.path
    if endpoint.provider == "mistral" and _BILLED_BY_MISTRAL.fullmatch(path):
        return False
    known = endpoint.known or path.endswith(("count_tokens", "input_tokens", "/count-tokens"))
    return known and _ends(_UNBILLED, path)


def _without_post(endpoint: Endpoint) -> Route:
    if endpoint.method == "GET" and _POLL.fullmatch(endpoint.path):
        return Route(kind="unbilled", endpoint=endpoint, api=responses_format.api, format=responses_format)
    for pattern, name in _SOCKETS:
        if endpoint.known and endpoint.method == "GET" and pattern.fullmatch(endpoint.path):
            return Route(kind="unsupported", endpoint=endpoint, api=name)
    api = f"{endpoint.provider}.{_operation(endpoint.path)}" if endpoint.known else ""
    results = results_format_of(endpoint)
    if results is not None:
        return Route(kind="results", endpoint=endpoint, api=api, format=results)
    return Route(kind="unbilled" if endpoint.known else "foreign", endpoint=endpoint, api=api)


def _billed(endpoint: Endpoint, model: str | None) -> Route:
    known = format_of(endpoint)
    if known is not None:
        sure = endpoint.known or _SURE.fullmatch(endpoint.path) is not None
        if sure or "/v1/" in endpoint.path:
            return Route(kind="read", endpoint=endpoint, api=known.api, format=known, model=model, sure=sure)
    for pattern, name in _BILLED_ANYWHERE:
        if pattern.fullmatch(endpoint.path):
            return Route(kind="unsupported", endpoint=endpoint, api=name, model=model)
    if endpoint.known:
        api = f"{endpoint.provider}.{_operation(endpoint.path)}"
        return Route(kind="unsupported", endpoint=endpoint, api=api, model=model)
    behind = format_elsewhere(endpoint)
    if behind is not None:
        kind: Literal["read", "perhaps"] = "read" if behind.api == _COHERES else "perhaps"
        return Route(kind=kind, endpoint=endpoint, api=behind.api, format=behind, sure=False)
    return Route(kind="foreign", endpoint=endpoint)


def _ends(pattern: re.Pattern[str], path: str) -> bool:
    return any(pattern.fullmatch(path, start) for start, letter in enumerate(path) if letter in "/:")


def _operation(path: str) -> str:
    """The word that says what a path does: `/v1/fine_tuning/jobs` is `fine_tuning`, `…/models/m:predict` `predict`."""
    _, colon, verb = path.rpartition(":")
    words = [word for word in path.split("/") if word and not _LEADING.fullmatch(word)]
    if words and words[-1] in _COUNTING:
        return "count_tokens"
    if _BATCHES in words:
        return _BATCHES
    name = verb if colon and verb.isalpha() else words[0] if words else "request"
    return _WORD.sub("_", _CAPITAL.sub("_", name).lower()).strip("_") or "request"
