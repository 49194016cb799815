"""What a Gemini request asks beside its texts, to `generateContent` and to the Interactions API."""

import re
from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.wire.asked import distinct, present, sealed, thinks, tool_choice
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json
from pytest_tokenbudget.wire.gemini_prompt import gemini_parts, said_in

__all__ = ["gemini_prompt", "interaction_prompt"]

_OURS: Final = frozenset({"function_declarations", "computer_use", "function", ""})
_SEALED: Final = frozenset({"thoughtSignature", "thought_signature", "signature"})
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def gemini_prompt(request: Json) -> Prompt:
    """A request to generate, or to fill a cache, with all that decides its tokens."""
    given = request.get("contents")
    contents = given if isinstance(given, list) else [given] if given else []
    config = mapping(said_in(request, "generationConfig"))
    calling = mapping(said_in(mapping(said_in(request, "toolConfig")), "functionCallingConfig"))
    return Prompt(
        parts=tuple(gemini_parts(request)),
        messages=len(contents),
        tool_choice=tool_choice(calling.get("mode")),
        thinking=_thinks(mapping(said_in(config, "thinkingConfig"))),
        server_tools=distinct(_server_tools(request)),
        state=("cachedContent",) if said_in(request, "cachedContent") else (),
        encrypted=sealed(contents, _SEALED),
    )


def _thinks(config: Json) -> bool:
    """Whether a level or a budget is set: 0 is none, and -1 leaves it to the model."""
    budget = said_in(config, "thinkingBudget")
    level = said_in(config, "thinkingLevel")
    if budget is None and level is None:
        return said_in(config, "includeThoughts") is True
    return thinks(level) or thinks(budget)


def _server_tools(request: Json) -> Iterator[str]:
    for entry in listed(request.get("tools")):
        for key in mapping(entry):
            name = _CAPITAL.sub("_", key).lower()
            if name not in _OURS:
                yield name


def interaction_prompt(request: Json, parts: Iterator[Part]) -> Prompt:
    """A request to the Interactions API with all that decides its tokens."""
    given = request.get("input")
    config = mapping(request.get("generation_config"))
    tools = (text(mapping(entry).get("type")) or "" for entry in listed(request.get("tools")))
    return Prompt(
        parts=tuple(parts),
        messages=len(given) if isinstance(given, list) else int(bool(given)),
        tool_choice=tool_choice(config.get("tool_choice") or request.get("tool_choice")),
        thinking=thinks(config.get("thinking_level")),
        server_tools=distinct(tool for tool in tools if tool not in _OURS),
        state=present(request, "previous_interaction_id", "cached_content", "agent"),
        encrypted=sealed(given, _SEALED),
    )
