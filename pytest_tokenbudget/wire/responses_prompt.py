"""What an OpenAI Responses request lays before the model."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.model.prompt import Part, SegmentKind
from pytest_tokenbudget.wire.counts import listed, mapping, text
from pytest_tokenbudget.wire.format import Json
from pytest_tokenbudget.wire.openai_prompt import content_parts, minified, tool_parts

__all__ = ["responses_parts"]

_HIDDEN: Final = frozenset({"id", "call_id", "status", "result", "output", "encrypted_content", "fingerprint"})
_KINDS: Final[dict[object, SegmentKind]] = {"system": "system", "developer": "system", "assistant": "assistant"}


def responses_parts(request: Json) -> Iterator[Part]:
    """Yield schema, tools, instructions, then the input items."""
    schema = mapping(mapping(request.get("text")).get("format"))
    if "schema" in schema:
        yield Part("schema", text(schema.get("name")) or "", minified(schema))
    yield from tool_parts(request.get("tools"))
    instructions = request.get("instructions")
    if isinstance(instructions, str):
        yield from content_parts(instructions, "system", "instructions")
    else:
        yield from _items(instructions)
    given = request.get("input")
    if isinstance(given, str):
        yield from content_parts(given, "user", "user")
    else:
        yield from _items(given)


def _items(items: object) -> Iterator[Part]:
    names: dict[object, str] = {}
    for entry in listed(items):
        item = mapping(entry)
        kind = text(item.get("type")) or "message"
        if kind == "message":
            role = text(item.get("role")) or ""
            yield from content_parts(item.get("content"), _KINDS.get(role, "user"), role)
        elif kind.endswith("_call"):
            name = text(item.get("name")) or kind.removesuffix("_call")
            if known := text(item.get("call_id")):
                names[known] = name
            given = item.get("arguments", item.get("input"))
            yield Part("tool_call", name, given if isinstance(given, str) else minified(_shown(item)))
            if isinstance(drawn := item.get("result"), str):  # an image
                yield Part("media", "image", drawn, opaque=True)
            elif item.get("output"):  # of a server's tool, which has no item of its own
                yield from content_parts(item["output"], "tool_result", name)
        elif kind.endswith("_output"):
            name = names.get(text(item.get("call_id"))) or ""
            yield from content_parts(item.get("output", item.get("result")), "tool_result", name)
        elif kind == "reasoning":
            yield from _reasoning(item)
        else:
            sealed = "encrypted_content" in item or kind == "item_reference"
            yield Part("user", kind, minified(entry), opaque=sealed)


def _reasoning(item: Json) -> Iterator[Part]:
    """Yield what was reasoned: its text where it is given, else its cipher, which no counter can count.

    A summary is for people: the model reads its own words again, from the cipher, or as stored under the item's id.
    """
    kept = bool(item.get("encrypted_content") or item.get("id"))
    summary = [replace(part, opaque=kept) for part in content_parts(item.get("summary"), "thinking", "")]
    said = [*summary, *content_parts(item.get("content"), "thinking", "")]
    yield from said
    if not said and (sealed := text(item.get("encrypted_content"))):
        yield Part("thinking", "encrypted", sealed, opaque=True)
    elif not said and text(item.get("id")):
        yield Part("thinking", "stored", "", opaque=True)


def _shown(item: Json) -> Json:
    """An item without what only the API reads."""
    return {key: value for key, value in item.items() if key not in _HIDDEN}
