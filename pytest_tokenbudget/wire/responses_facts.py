"""What a Responses request asks beside its texts."""

from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.wire.asked import distinct, marks, present, sealed, thinks, tool_choice
from pytest_tokenbudget.wire.chat_facts import openai_lifetime
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json
from pytest_tokenbudget.wire.openai_prompt import content_parts
from pytest_tokenbudget.wire.responses_prompt import responses_parts

__all__ = ["responses_prompt"]

_OURS: Final = frozenset(
    {"function", "custom", "namespace", "computer", "computer_use_preview", "local_shell", "apply_patch", ""}
)
"""Tools that the caller carries out; so are a shell and a search for tools, unless the request says otherwise."""

_STATE: Final = ("previous_response_id", "conversation", "prompt", "agent_id")
_SEALED: Final = frozenset({"encrypted_content"})


def responses_prompt(request: Json) -> Prompt:
    """A Responses request with all that decides its tokens; instructions count as a message."""
    given = request.get("input")
    items = [mapping(entry) for entry in listed(given)]
    tools = [mapping(entry) for entry in listed(request.get("tools"))]
    stored = any(item.get("type") == "item_reference" for item in items)
    contained = any(isinstance(tool.get("container"), str) or _kept(tool) for tool in tools)
    return Prompt(
        parts=tuple(responses_parts(request)),
        messages=_messages(request.get("instructions")) + _messages(given),
        tool_choice=tool_choice(request.get("tool_choice")),
        thinking=thinks(mapping(request.get("reasoning")).get("effort")),
        breakpoints=marks(_breakpoints(request)),
        server_tools=distinct(_server_tools(tools)),
        state=(
            *present(request, *_STATE),
            *(("item_reference",) if stored else ()),
            *(("container",) if contained else ()),
        ),
        encrypted=sealed(items, _SEALED),
    )


def _messages(given: object) -> int:
    return 1 if text(given) else len(listed(given))


def _kept(tool: Json) -> bool:
    """Whether a shell runs in a container that exists already."""
    return mapping(tool.get("environment")).get("type") == "container_reference"


def _server_tools(tools: list[Json]) -> Iterator[str]:
    for tool in tools:
        sort = text(tool.get("type")) or ""
        if sort == "shell":
            if (text(mapping(tool.get("environment")).get("type")) or "local") != "local":
                yield sort
        elif sort == "tool_search":
            if tool.get("execution") != "client":
                yield sort
        elif sort not in _OURS:
            yield sort


def _breakpoints(request: Json) -> Iterator[tuple[int, int]]:
    seconds = openai_lifetime(request)
    head = {**request, "input": None}
    at = len(tuple(responses_parts(head)))
    for entry in listed(request.get("input")):
        end = at + len(tuple(responses_parts({"input": [entry]})))
        item = mapping(entry)
        blocks = item.get("content") if "role" in item else item.get("output")
        for block in listed(blocks):
            at += len(tuple(content_parts([block], "user", "")))
            if mapping(block).get("prompt_cache_breakpoint"):
                yield at, seconds
        at = end
