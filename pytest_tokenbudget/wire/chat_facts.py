"""What a chat request asks beside its texts: OpenAI's, and of others that speak its format, with words of their own."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.wire.asked import distinct, lifetime, marks, present, sealed, thinks, tool_choice
from pytest_tokenbudget.wire.cohere_prompt import cohere_parts
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json
from pytest_tokenbudget.wire.openai_prompt import chat_parts, content_parts

__all__ = ["chat_prompt", "cohere_prompt", "ollama_prompt", "openai_lifetime"]

_OURS: Final = frozenset({"function", "custom", ""})
_SEARCHES: Final = {
    "web_search_options": "web_search",
    "search_parameters": "web_search",
    "data_sources": "data_sources",
}
"""Fields that let a provider search, and what it searches: OpenAI's, xAI's, Azure's."""

_SEARCHERS: Final = re.compile(r".*-search-(?:preview|api)\b.*|(?:.*/)?(?:sonar|compound)\b.*|.+:online")
"""Models that search by themselves: OpenAI's, Perplexity's, Groq's, and whichever one OpenRouter lets search."""

_STATE: Final = ("agent_id", "conversation_id", "conversation", "previous_response_id")
_SEALED: Final = frozenset({"thought_signature", "encrypted_content"})
_HALF_AN_HOUR: Final = 1800


def chat_prompt(request: Json) -> Prompt:
    """A chat request with all that decides its tokens."""
    parts = tuple(chat_parts(request))
    messages = [entry for entry in listed(request.get("messages")) if isinstance(entry, dict)]
    spoken = any(mapping(message.get("audio")).get("id") for message in messages)
    return Prompt(
        parts=parts,
        messages=len(messages),
        tool_choice=tool_choice(request.get("tool_choice") or request.get("function_call")),
        thinking=_thinks(request),
        breakpoints=marks(_breakpoints(request, parts)),
        server_tools=distinct(_server_tools(request)),
        state=(*present(request, *_STATE), *(("audio",) if spoken else ())),
        encrypted=sum(sealed(message, _SEALED) + _hidden_details(message) for message in messages),
    )


def cohere_prompt(request: Json) -> Prompt:
    """A request to Cohere, of either version, with all that decides its tokens."""
    told = chat_prompt(request)
    older = len(listed(request.get("chat_history"))) + len(present(request, "preamble", "message"))
    return replace(told, parts=tuple(cohere_parts(request)), messages=told.messages or older)


def ollama_prompt(request: Json, parts: tuple[Part, ...]) -> Prompt:
    """A request to Ollama with all that decides its tokens; `context` is a conversation as token numbers."""
    told = chat_prompt(request)
    plain = len(present(request, "system", "prompt"))
    state = (*told.state, *present(request, "context"))
    return replace(told, parts=parts, messages=told.messages or plain, state=state)


def openai_lifetime(request: Json) -> int:
    """The seconds that a prefix stays cached which a request to OpenAI marks.

    Source: openai SDK 3.57, `PromptCacheOptions` (2026): "The `ttl` defaults to `30m`".
    """
    return lifetime(request.get("prompt_cache_options"), _HALF_AN_HOUR)


def _thinks(request: Json) -> bool:
    template = mapping(request.get("chat_template_kwargs"))
    asked = (
        request.get("reasoning_effort"),
        request.get("reasoning"),  # OpenRouter
        request.get("thinking"),  # DeepSeek, GLM, Cohere
        request.get("think"),  # Ollama
        request.get("enable_thinking", template.get("enable_thinking")),  # Qwen
        request.get("prompt_mode"),  # Mistral
    )
    return any(map(thinks, asked))


def _server_tools(request: Json) -> Iterator[str]:
    for entry in listed(request.get("tools")):
        sort = text(mapping(entry).get("type")) or ""
        if sort not in _OURS:
            yield sort.removeprefix("openrouter:")
    for field in ("plugins", "connectors"):  # OpenRouter, Cohere
        for entry in listed(request.get(field)):
            if named := text(mapping(entry).get("id")):
                yield named
    if _SEARCHERS.fullmatch(text(request.get("model")) or ""):
        yield "web_search"
    # an empty object is enough to switch it on
    yield from (name for field, name in _SEARCHES.items() if request.get(field) is not None)


def _hidden_details(message: Json) -> int:
    """Reasoning that OpenRouter hands on as it came, encrypted."""
    details = (mapping(entry) for entry in listed(message.get("reasoning_details")))
    return sum(len(text(entry.get("data")) or "") for entry in details if entry.get("type") == "reasoning.encrypted")


def _breakpoints(request: Json, parts: tuple[Part, ...]) -> Iterator[tuple[int, int]]:
    """Yield where the request marks a prefix: as OpenAI does, or as Anthropic does where a gateway stands between."""
    ours = openai_lifetime(request)
    at = sum(part.kind == "schema" for part in parts)
    for entry in listed(request.get("tools")):
        tool = mapping(entry)
        at += 1
        if marker := tool.get("cache_control") or mapping(tool.get("function")).get("cache_control"):
            yield at, lifetime(marker)
    if not listed(request.get("tools")):
        at += len(listed(request.get("functions")))
    for entry in listed(request.get("messages")):
        message = mapping(entry)
        alone = len(tuple(chat_parts({"messages": [entry], "model": request.get("model")})))
        end = at + alone
        at += bool(text(message.get("reasoning_content")))
        for block in listed(message.get("content")):
            at += len(tuple(content_parts([block], "user", "")))
            if marker := mapping(block).get("cache_control"):
                yield at, lifetime(marker)
            elif mapping(block).get("prompt_cache_breakpoint"):
                yield at, ours
        at = end
        if marker := message.get("cache_control"):
            yield at, lifetime(marker)
