"""What a request to Bedrock asks beside its texts."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.wire.anthropic_facts import anthropic_prompt, anthropic_server_tools
from pytest_tokenbudget.wire.asked import distinct, lifetime, marks, sealed, thinks, tool_choice
from pytest_tokenbudget.wire.bedrock_prompt import block_parts, converse_parts, is_converse, native_parts
from pytest_tokenbudget.wire.chat_facts import chat_prompt
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json

__all__ = ["converse_prompt", "native_prompt"]

_SEALED: Final = frozenset({"redactedContent"})
_THOUGHTS: Final = ("thinking", "reasoning_config", "reasoningConfig", "reasoning_effort")
"""Under which names models take their thinking beside Converse's own fields: Claude's, Nova's, OpenAI's."""


def converse_prompt(request: Json) -> Prompt:
    """A Converse request with all that decides its tokens."""
    tools = mapping(request.get("toolConfig"))
    more = mapping(request.get("additionalModelRequestFields"))
    messages = listed(request.get("messages"))
    return Prompt(
        parts=tuple(converse_parts(request)),
        messages=len(messages),
        tool_choice=tool_choice(tools.get("toolChoice") or more.get("tool_choice")),
        thinking=any(thinks(more.get(name)) for name in _THOUGHTS),
        breakpoints=marks(_breakpoints(request)),
        server_tools=distinct([*_system_tools(tools), *anthropic_server_tools(more)]),
        state=("promptVariables",) if request.get("promptVariables") else (),
        encrypted=sealed(messages, _SEALED) + sum(map(_sealed_thoughts, messages)),
    )


def native_prompt(request: Json) -> Prompt:
    """A vendor's own request under InvokeModel with all that decides its tokens."""
    parts = tuple(native_parts(request))
    if "anthropic_version" in request:
        return anthropic_prompt(request)
    if "messages" in request:
        return converse_prompt(request) if is_converse(request) else replace(chat_prompt(request), parts=parts)
    turns = len(listed(request.get("chat_history")))
    return Prompt(parts=parts, messages=turns + 1 if "message" in request else 0)


def _system_tools(tools: Json) -> Iterator[str]:
    for entry in listed(tools.get("tools")):
        if named := text(mapping(mapping(entry).get("systemTool")).get("name")):
            yield named


def _sealed_thoughts(message: object) -> int:
    """The signatures of thoughts whose text is left out."""
    total = 0
    for entry in listed(mapping(message).get("content")):
        thought = mapping(mapping(mapping(entry).get("reasoningContent")).get("reasoningText"))
        if not thought.get("text"):
            total += len(text(thought.get("signature")) or "")
    return total


def _breakpoints(request: Json) -> Iterator[tuple[int, int]]:
    config = mapping(request.get("toolConfig"))
    at = len(tuple(converse_parts({"outputConfig": request.get("outputConfig")})))
    for entry in listed(config.get("tools")):
        at += len(tuple(converse_parts({"toolConfig": {"tools": [entry]}})))
        if marker := mapping(entry).get("cachePoint"):
            yield at, lifetime(marker)
    at = len(tuple(converse_parts({**request, "system": None, "messages": None})))
    said = [mapping(entry).get("content") for entry in listed(request.get("messages"))]
    for content in (request.get("system"), *said):
        if isinstance(content, str):
            at += len(tuple(block_parts(content, "user", "", {})))
        for entry in listed(content):
            at += len(tuple(block_parts([entry], "user", "", {})))
            if marker := mapping(entry).get("cachePoint"):
                yield at, lifetime(marker)
