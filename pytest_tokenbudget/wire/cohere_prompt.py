"""What a Cohere request lays before the model."""

from collections.abc import Iterator

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json
from pytest_tokenbudget.wire.openai_prompt import chat_parts, content_parts, minified

__all__ = ["cohere_parts", "ranked_parts"]

_ROLES = {"SYSTEM": "system", "CHATBOT": "assistant", "USER": "user", "TOOL": "tool"}


def cohere_parts(request: Json) -> Iterator[Part]:
    """Yield what v2 (messages), v1 (preamble, history, message) and the other operations send.

    Source: docs.cohere.com, "Chat API" (2026): preamble, then tools and documents, then the messages.
    """
    if text(request.get("preamble")):
        yield Part("system", "preamble", str(request["preamble"]))
    yield from chat_parts({**request, "messages": request.get("messages") or _history(request)})
    for entry in listed(request.get("documents")) if "query" not in request else ():
        yield Part("user", "document", entry if isinstance(entry, str) else minified(entry))
    for result in listed(request.get("tool_results")):
        name = text(mapping(mapping(result).get("call")).get("name")) or ""
        yield Part("tool_result", name, minified(result))
    for key in ("message", "prompt", "text"):
        yield from content_parts(request.get(key), "user", "user")
    for key in ("texts", "inputs", "images"):
        for entry in listed(request.get(key)):
            content = mapping(entry).get("content", entry)
            if key == "images":
                yield Part("media", "image", minified(entry), opaque=True)
            else:
                yield from content_parts(content, "user", "user")
    yield from ranked_parts(request)


def ranked_parts(request: Json) -> Iterator[Part]:
    """Yield the query and the documents of a rerank request."""
    if "query" in request:
        yield from content_parts(request["query"], "user", "query")
        for entry in listed(request.get("documents")):
            yield Part("user", "document", entry if isinstance(entry, str) else minified(entry))


def _history(request: Json) -> list[dict[str, object]]:
    """The messages of v1, in v2's shape."""
    found: list[dict[str, object]] = []
    for entry in listed(request.get("chat_history")):
        turn = mapping(entry)
        role = _ROLES.get(str(turn.get("role")).upper(), "user")
        content = turn.get("message") if "message" in turn else turn.get("tool_results")
        calls = [{"function": call} for call in listed(turn.get("tool_calls"))]
        found.append({"role": role, "content": content, **({"tool_calls": calls} if calls else {})})
    return found
