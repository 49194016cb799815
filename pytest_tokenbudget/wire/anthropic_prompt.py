"""What an Anthropic messages request lays before the model."""

from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Part, SegmentKind
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json
from pytest_tokenbudget.wire.openai_prompt import minified, tool_parts

__all__ = ["anthropic_parts", "block_parts"]

_MEDIA: Final = frozenset({"image", "document", "container_upload"})
_CALLS: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_HIDDEN: Final = frozenset(
    {"cache_control", "encrypted_content", "encrypted_index", "encrypted_stdout", "signature", "tool_use_id"}
)
"""Fields of blocks that the model does not read as this text."""


def anthropic_parts(request: Json) -> Iterator[Part]:
    """Yield tools, system, schema, then messages.

    Source: platform.claude.com, "Prompt caching" (2026): a prefix is "tools, system, then messages".
    """
    yield from tool_parts(request.get("tools"))
    yield from block_parts(request.get("system"), "system", "system", {})
    chosen = mapping(mapping(request.get("output_config")).get("format") or request.get("output_format"))
    if "schema" in chosen:
        yield Part("schema", "", minified(chosen))
    names: dict[object, str] = {}
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
    if isinstance(content, str):
        if content:
            yield Part(kind, name, content)
        return
    for entry in listed(content):
        block = mapping(entry)
        said = entry if isinstance(entry, str) else text(block.get("text"))
        if said:
            yield Part(kind, name, said)
            continue
        sort = text(block.get("type")) or ""
        if sort in _CALLS:
            called = text(block.get("name")) or ""
            if known := text(block.get("id")):
                names[known] = called
            yield Part("tool_call", called, minified(block.get("input")))
        elif sort.endswith("tool_result"):
            yield from _result(block, names)
        else:
            yield _other(entry, sort, kind, name)


def _result(block: Json, names: dict[object, str]) -> Iterator[Part]:
    """Yield a tool's result: its texts and media, or what a server's tool brought, as JSON."""
    name = names.get(text(block.get("tool_use_id"))) or ""
    content = block.get("content")
    if isinstance(content, (str, list)):
        yield from block_parts(content, "tool_result", name, names)
    elif content is not None:
        page = mapping(mapping(content).get("content"))
        fetched = page.get("type") == "document"
        shown = {key: value for key, value in content.items() if key != "content"} if fetched else content
        yield Part("tool_result", name, minified(_shown(shown)))
        if fetched:
            yield _other(page, "document", "tool_result", name)


def _other(entry: object, sort: str, kind: SegmentKind, name: str) -> Part:
    block = mapping(entry)
    if sort == "thinking":
        return Part("thinking", name, text(block.get("thinking")) or "")
    if sort == "redacted_thinking":
        return Part("thinking", "encrypted", text(block.get("data")) or "", opaque=True)
    if sort not in _MEDIA:
        return Part(kind, name, minified(_shown(entry)))
    source = mapping(block.get("source"))
    if source.get("type") == "text" and (written := text(source.get("data"))):
        return Part(kind, name, written)
    if source.get("type") == "content" and (held := source.get("content")):
        return Part(kind, name, held if isinstance(held, str) else minified(_shown(held)))
    return Part("media", text(source.get("media_type")) or sort, minified(source or entry), opaque=True)


def _shown(value: object) -> object:
    """A block without what the model does not read as text."""
    if isinstance(value, dict):
        return {key: _shown(inner) for key, inner in value.items() if key not in _HIDDEN}
    return [_shown(inner) for inner in value] if isinstance(value, list) else value
