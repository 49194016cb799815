"""What an OpenAI chat, completion or embedding request lays before the model."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from pytest_tokenbudget.model.prompt import Part, SegmentKind
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json

__all__ = ["chat_parts", "content_parts", "minified", "plain_parts", "tool_parts"]

_encode = msgspec.json.Encoder().encode

_KINDS: Final[dict[object, SegmentKind]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool_result",
    "function": "tool_result",
}
_TEXTS: Final = ("text", "input_text", "output_text", "refusal")
_THOUGHTS: Final = frozenset({"thinking", "reasoning"})
_MEDIA: Final = {
    "image_url": "image",
    "image": "image",
    "image_file": "image",
    "computer_screenshot": "image",
    "input_image": "image",
    "input_audio": "audio",
    "audio_url": "audio",
    "video_url": "video",
    "input_video": "video",
    "document_url": "file",
    "file": "file",
    "input_file": "file",
}
_DROPS_THOUGHTS: Final = re.compile(r"deepseek|qwen|qwq|glm|\br1\b", re.IGNORECASE)
"""Models whose chat templates leave out of earlier answers what stands in `<think>`."""

_THINK: Final = "<think>"
_THOUGHT: Final = "</think>"


def chat_parts(request: Json) -> Iterator[Part]:
    """Yield schema, tools, then messages: the schema leads the prompt, and cached prefixes begin with the tools.

    Source: developers.openai.com, "Prompt caching" (2026): "The structured output schema serves as a prefix to the
    system message".
    """
    schema = mapping(request.get("response_format")).get("json_schema")
    if schema:
        yield Part("schema", text(mapping(schema).get("name")) or "", minified(schema))
    yield from tool_parts(request.get("tools") or request.get("functions"))
    parts: list[Part] = []
    names: dict[object, str] = {}
    drops_thoughts = _DROPS_THOUGHTS.search(text(request.get("model")) or "") is not None
    for entry in listed(request.get("messages")):
        if isinstance(entry, dict):
            _add_message(parts, entry, names, drops_thoughts)
    yield from parts


def _add_message(parts: list[Part], message: Json, names: dict[object, str], drops_thoughts: bool) -> None:  # noqa: FBT001
    """Add one message; a list to add to, for it is run for every message of every step."""
    role = message.get("role")
    name = role if isinstance(role, str) else ""
    kind = _KINDS.get(name, "user")
    if kind == "tool_result":
        name = names.get(text(message.get("tool_call_id"))) or text(message.get("name")) or ""
    if "reasoning_content" in message and (thought := text(message["reasoning_content"])):
        parts.append(Part("thinking", name, thought))
    content = message.get("content")
    if type(content) is not str:
        parts.extend(content_parts(content, kind, name))
    elif drops_thoughts and kind == "assistant" and content.startswith(_THINK):
        thought, end, said = content.partition(_THOUGHT)
        parts.append(Part("thinking", name, thought + end, opaque=True))
        parts.extend(content_parts(said.lstrip(), kind, name))
    elif content:
        parts.append(Part(kind, name, content))
    if "tool_calls" in message:
        parts.extend([_call_part(mapping(call), names) for call in listed(message["tool_calls"])])
    if message.get("function_call"):
        parts.append(_call_part({"function": message["function_call"]}, names))


def _call_part(call: Json, names: dict[object, str]) -> Part:
    asked = call.get("function") or call.get("custom")
    if not isinstance(asked, dict):
        return Part("tool_call", "", minified(call))
    name = text(asked.get("name")) or ""
    if known := text(call.get("id")):
        names[known] = name
    given = asked.get("arguments", asked.get("input"))
    return Part("tool_call", name, given if type(given) is str else minified(given))


def content_parts(content: object, kind: SegmentKind, name: str) -> Iterator[Part]:
    """Yield a message's content: text, or a list of text and media blocks; anything else as its JSON."""
    if isinstance(content, str):
        if content:
            yield Part(kind, name, content)
        return
    if content is None:
        return
    for entry in content if isinstance(content, list) else [content]:
        block = mapping(entry)
        said = entry if isinstance(entry, str) else next((block[key] for key in _TEXTS if text(block.get(key))), None)
        if said:
            yield Part(kind, name, said)
        elif (sort := text(block.get("type"))) in _MEDIA:
            yield Part("media", _MEDIA[sort], minified(entry), opaque=True)
        elif sort in _THOUGHTS and sort in block:  # Cohere and Mistral
            yield from content_parts(block[sort], "thinking", name)
        else:
            yield Part(kind, name, minified(entry))


def tool_parts(tools: object) -> Iterator[Part]:
    """Yield one part for each tool definition."""
    for entry in listed(tools):
        tool = mapping(entry)
        named = tool.get("function") or tool.get("custom")
        name = named.get("name") if isinstance(named, dict) else tool.get("name")
        if "cache_control" in tool:
            entry = {key: value for key, value in tool.items() if key != "cache_control"}  # noqa: PLW2901 - the same tool
        yield Part("tools", text(name) or text(tool.get("type")) or "", minified(entry))


def plain_parts(given: object) -> Iterator[Part]:
    """Yield texts; token numbers in place of a text are one part, not to be counted as text."""
    if isinstance(given, str):
        yield Part("user", "", given)
    elif isinstance(given, list) and given:
        if all(isinstance(entry, str) for entry in given):
            for entry in given:
                yield Part("user", "", entry)
        else:
            yield Part("user", "tokens", minified(given), opaque=True)


def minified(value: object) -> str:
    """The value as JSON without white space, keys in the order in which they came."""
    return _encode(value).decode()
