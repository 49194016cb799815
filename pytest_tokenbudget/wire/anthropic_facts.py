"""What an Anthropic messages request asks beside its texts."""

import re
from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.wire.anthropic_prompt import anthropic_parts, block_parts
from pytest_tokenbudget.wire.asked import distinct, lifetime, marks, present, sealed, thinks, tool_choice
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json

__all__ = ["anthropic_prompt", "anthropic_server_tools"]

_OURS: Final = re.compile(r"(?:custom|(?:bash|text_editor|memory|(?:computer|browser)(?:_toolset)?)_\d+)?")
"""Tools that the caller carries out, though Anthropic may define them (anthropic SDK 2.14, `ToolUnionParam`; 2026)."""

_DATED: Final = re.compile(r"_\d{8}$")
_SEALED: Final = frozenset({"encrypted_content", "encrypted_stdout"})


def anthropic_prompt(request: Json) -> Prompt:
    """A messages request with all that decides its tokens; the system prompt is no message here."""
    messages = listed(request.get("messages"))
    parts = tuple(anthropic_parts(request))
    automatic = request.get("cache_control")
    found = [*_breakpoints(request), *([(len(parts), lifetime(automatic))] if automatic else [])]
    return Prompt(
        parts=parts,
        messages=len(messages),
        tool_choice=tool_choice(request.get("tool_choice")),
        thinking=thinks(request.get("thinking")),
        breakpoints=marks(found),
        server_tools=distinct(anthropic_server_tools(request)),
        state=present(request, "container", "thread"),
        encrypted=sum(map(_encrypted, messages)),
    )


def anthropic_server_tools(request: Json) -> Iterator[str]:
    """Yield the names of the tools that Anthropic runs."""
    for entry in listed(request.get("tools")):
        tool = mapping(entry)
        sort = text(tool.get("type")) or ""
        if _OURS.fullmatch(sort) is None:
            yield "mcp" if sort == "mcp_toolset" else text(tool.get("name")) or _DATED.sub("", sort)
    if request.get("mcp_servers"):
        yield "mcp"


def _encrypted(message: object) -> int:
    """What only Anthropic can read: redacted thoughts, those whose text is left out, and what its tools found."""
    total = 0
    for entry in listed(mapping(message).get("content")):
        block = mapping(entry)
        sort = block.get("type")
        if sort == "redacted_thinking":
            total += len(text(block.get("data")) or "")
        elif sort == "thinking" and not block.get("thinking"):
            total += len(text(block.get("signature")) or "")
        elif sort not in {"tool_use", "text"}:
            total += sealed(entry, _SEALED)
    return total


def _breakpoints(request: Json) -> Iterator[tuple[int, int]]:
    at = 0
    for tool in listed(request.get("tools")):
        at += 1
        if marker := mapping(tool).get("cache_control"):
            yield at, lifetime(marker)
    for place, seconds in _marked(request.get("system")):
        yield at + place, seconds
    # what stands before the messages besides: a schema
    at = len(tuple(anthropic_parts({**request, "messages": None})))
    for entry in listed(request.get("messages")):
        content = mapping(entry).get("content")
        for place, seconds in _marked(content):
            yield at + place, seconds
        at += len(tuple(block_parts(content, "user", "", {})))


def _marked(content: object) -> Iterator[tuple[int, int]]:
    """Yield the marks within a list of blocks, counted from its start; a tool's result holds blocks of its own."""
    at = 0
    for entry in listed(content):
        block = mapping(entry)
        inner = block.get("content")
        if isinstance(inner, list):
            for place, seconds in _marked(inner):
                yield at + place, seconds
        at += len(tuple(block_parts([entry], "user", "", {})))
        if marker := block.get("cache_control"):
            yield at, lifetime(marker)
