"""What a Gemini request lays before the model."""

from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Part, SegmentKind
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json
from pytest_tokenbudget.wire.openai_prompt import minified

__all__ = ["content_of", "gemini_parts", "said_in"]

_SIGNATURES: Final = ("thoughtSignature", "thought_signature")
_SCHEMAS: Final = ("responseSchema", "responseJsonSchema", "_responseJsonSchema")


def said_in(value: Json, camel: str) -> object:
    """A field under its name in JSON, or under its name in the protocol, which Google's servers take too."""
    found = value.get(camel)
    return value.get("".join(f"_{c.lower()}" if c.isupper() else c for c in camel)) if found is None else found


def gemini_parts(request: Json) -> Iterator[Part]:
    """Yield the system instruction, tools, schema, then the contents: the order in which a cache holds them.

    Source: ai.google.dev, "Context caching" (2026): a cache holds system instruction, tools and contents, and
    is "a prefix to the prompt".
    """
    if cache := text(said_in(request, "cachedContent")):
        yield Part("system", "cached", cache, opaque=True)
    yield from content_of(said_in(request, "systemInstruction"), "system")
    for entry in listed(request.get("tools")):
        yield from _tool(mapping(entry))
    config = mapping(said_in(request, "generationConfig"))
    schema = next((found for name in _SCHEMAS if (found := said_in(config, name)) is not None), None)
    if schema is not None:
        yield Part("schema", "", minified(schema))
    contents = request.get("contents")
    for content in contents if isinstance(contents, list) else [contents]:
        role = mapping(content).get("role")
        yield from content_of(content, "assistant" if role == "model" else "user")


def content_of(content: object, kind: SegmentKind) -> Iterator[Part]:
    """Yield the parts of one content, or of a content that is a bare text or part."""
    if isinstance(content, str):
        yield from [Part(kind, "", content)] if content else []
        return
    found = mapping(content)
    name = text(found.get("role")) or ("system" if kind == "system" else "")
    parts = found.get("parts")
    for entry in parts if isinstance(parts, list) else [found] if found and parts is None else [parts]:
        if entry is not None:
            part = _part(entry, kind, name)
            yield part
            if part.kind == "tool_result":
                yield from _attached(mapping(said_in(mapping(entry), "functionResponse")))


def _attached(answer: Json) -> Iterator[Part]:
    """Yield what a tool's result brings beside its JSON, such as images."""
    for inner in listed(answer.get("parts")):
        yield _part(inner, "tool_result", text(answer.get("name")) or "")


def _part(entry: object, kind: SegmentKind, name: str) -> Part:
    part = mapping(entry)
    said = entry if isinstance(entry, str) else text(part.get("text"))
    if said:
        return Part("thinking" if part.get("thought") is True else kind, name, said)
    if called := said_in(part, "functionCall"):
        call = mapping(called)
        return Part("tool_call", text(call.get("name")) or "", minified(call.get("args")))
    if came := said_in(part, "functionResponse"):
        answer = mapping(came)
        return Part("tool_result", text(answer.get("name")) or "", minified(answer.get("response")))
    media = mapping(said_in(part, "inlineData") or said_in(part, "fileData"))
    if media:
        return Part("media", text(said_in(media, "mimeType")) or "", minified(media), opaque=True)
    return _other(part, entry, kind, name)


def _other(part: Json, entry: object, kind: SegmentKind, name: str) -> Part:
    """A part of another sort, such as executed code; or a signature, alone or beside it, which is no text."""
    sealed = said_in(part, "thoughtSignature")
    if sealed is None:
        return Part(kind, name, minified(entry))
    shown = {key: value for key, value in part.items() if key not in _SIGNATURES}
    if not any(shown.values()) or shown == {"thought": True}:
        return Part("thinking", "encrypted", str(sealed), opaque=True)
    return Part(kind, name, minified(shown))


def _tool(tool: Json) -> Iterator[Part]:
    """Yield one part for each declared function, and one for each tool of the provider."""
    declared = said_in(tool, "functionDeclarations")
    for entry in listed(declared):
        yield Part("tools", text(mapping(entry).get("name")) or "", minified(entry))
    for name, given in tool.items():
        if given is not declared:
            yield Part("tools", name, minified({name: given}))
