"""What requests to Bedrock lay before a model: Converse's shape, and each vendor's own under InvokeModel."""

from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Part, SegmentKind
from pytest_tokenbudget.wire.anthropic_prompt import anthropic_parts
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json
from pytest_tokenbudget.wire.openai_prompt import chat_parts, minified, plain_parts, tool_parts

__all__ = ["block_parts", "converse_parts", "is_converse", "native_parts"]

_MEDIA: Final = ("image", "document", "video", "audio")
_TEXTS: Final = ("prompt", "inputText", "message", "texts", "query")
"""Where vendors put a plain prompt: Meta, Mistral, AI21; Titan; Cohere (chat, embeddings, rerank)."""


def converse_parts(request: Json) -> Iterator[Part]:
    """Yield schema, tools, system, then messages.

    Source: Amazon Bedrock user guide, "Prompt caching" (2026): prefixes are checked as tools, system, messages.
    """
    chosen = mapping(mapping(request.get("outputConfig")).get("textFormat")).get("structure")
    if chosen:
        yield Part("schema", "", minified(chosen))
    for entry in listed(mapping(request.get("toolConfig")).get("tools")):
        tool = mapping(entry)
        spec = mapping(tool.get("toolSpec") or tool.get("systemTool"))
        if spec:
            yield Part("tools", text(spec.get("name")) or "", minified(entry))
    yield from tool_parts(mapping(request.get("additionalModelRequestFields")).get("tools"))
    names: dict[object, str] = {}
    yield from block_parts(request.get("system"), "system", "system", names)
    for entry in listed(request.get("messages")):
        message = mapping(entry)
        role = text(message.get("role")) or ""
        kind: SegmentKind = "assistant" if role == "assistant" else "system" if role == "system" else "user"
        yield from block_parts(message.get("content"), kind, role, names)


def block_parts(content: object, kind: SegmentKind, name: str, names: dict[object, str]) -> Iterator[Part]:
    """Yield a content's parts.

    Args:
        content: A text, or a list of blocks.
        kind: What the text of it is.
        name: The role.
        names: The tools called so far, by the id of their call; added to.
    """
    if isinstance(content, str) and content:
        yield Part(kind, name, content)
    for entry in listed(content):
        block = mapping(entry)
        if said := text(block.get("text")):
            yield Part(kind, name, said)
        elif called := mapping(block.get("toolUse")):
            tool = text(called.get("name")) or ""
            names[text(called.get("toolUseId"))] = tool
            yield Part("tool_call", tool, minified(called.get("input")))
        elif result := mapping(block.get("toolResult")):
            tool = names.get(text(result.get("toolUseId"))) or ""
            yield from block_parts(result.get("content"), "tool_result", tool, names)
        elif thought := mapping(block.get("reasoningContent")):
            shown = text(mapping(thought.get("reasoningText")).get("text"))
            hidden = Part("thinking", "encrypted", minified(thought), opaque=True)
            yield Part("thinking", name, shown) if shown else hidden
        elif "cachePoint" not in block and block:
            yield _other(block, kind, name)


def _other(block: Json, kind: SegmentKind, name: str) -> Part:
    for sort in _MEDIA:
        if sort in block:
            form = text(mapping(block[sort]).get("format"))
            return Part("media", f"{sort}/{form}" if form else sort, minified(block[sort]), opaque=True)
    if "json" in block:
        return Part(kind, name, minified(block["json"]))
    return Part(kind, name, minified(block))


def native_parts(request: Json) -> Iterator[Part]:
    """Yield the parts of a vendor's own request."""
    if "anthropic_version" in request:
        yield from anthropic_parts(request)
    elif "messages" in request:
        yield from converse_parts(request) if is_converse(request) else chat_parts(request)
    else:
        for entry in listed(request.get("chat_history")):
            turn = mapping(entry)
            yield from block_parts(turn.get("message"), "user", text(turn.get("role")) or "", {})
        for key in _TEXTS:
            yield from plain_parts(request.get(key))


def is_converse(request: Json) -> bool:
    """Whether messages hold Converse's blocks, which have no type; OpenAI's have one, or are plain text."""
    if "schemaVersion" in request or "inferenceConfig" in request:
        return True
    contents = [mapping(entry).get("content") for entry in listed(request["messages"])]
    first = next((block for content in contents for block in listed(content)), None)
    return isinstance(first, dict) and "type" not in first
