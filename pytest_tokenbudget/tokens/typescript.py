"""OpenAI's function tools as the model reads them: a namespace of TypeScript types.

Source: openai/harmony (2025), how it renders a conversation's tools: titles, descriptions, examples and defaults are
comments. Chat models of before count the same; see docs/decisions/0010-estimating-drift.md.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

__all__ = ["declaration"]

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

_DEEPEST: Final = 24
"""A schema nested deeper than this is cut: nobody writes one, and a rendering may not run out of stack."""

_PLAIN: Final = {"string": "string", "boolean": "boolean", "null": "null", "number": "number", "integer": "number"}
_UNIONS: Final = ("anyOf", "oneOf")


def declaration(tool: str) -> str | None:
    """A function tool's definition as TypeScript.

    Args:
        tool: The definition as JSON, as chat completions (`{"type": "function", "function": …}`) or Responses
            (`{"type": "function", "name": …}`) take it.

    Returns:
        The rendering; `None` where it defines no function, such as a tool that the provider runs.
    """
    try:
        given = _decode(tool)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):  # a lone surrogate is no JSON text
        return None
    if not isinstance(given, dict) or given.get("type", "function") != "function":
        return None
    function = given.get("function", given)
    if not isinstance(function, dict) or not isinstance(name := function.get("name"), str):
        return None
    lines = [*_comment(function.get("description")), _function(name, function.get("parameters"))]
    return "\n".join(lines) + "\n\n"


def _function(name: str, parameters: object) -> str:
    schema = parameters if isinstance(parameters, dict) else {}
    if not isinstance(schema.get("properties"), dict) or not schema["properties"]:
        return f"type {name} = () => any;"
    roots = schema.get("$defs") or schema.get("definitions")
    types = _Types(roots if isinstance(roots, dict) else {})
    return f"type {name} = (_: {types.members(schema, 0)}) => any;"


class _Types:
    """Renders JSON schemas, references resolved."""

    def __init__(self, definitions: Mapping[str, object]) -> None:
        self._definitions = definitions

    def members(self, schema: Mapping[str, object], depth: int) -> str:
        properties = schema.get("properties")
        if not isinstance(properties, dict) or not properties:
            return "object"
        required = schema.get("required")
        needed = required if isinstance(required, list) else []
        lines = ["{"]
        for name, entry in properties.items():
            found = self._resolved(entry)
            optional = "" if name in needed else "?"
            default = f", // default: {_default(found)}" if "default" in found else ","
            lines += _title(found.get("title"))
            lines += _comment(found.get("description"))
            lines += _examples(found.get("examples"))
            lines.append(f"{name}{optional}: {self.kind(found, depth + 1)}{default}")
        lines.append("}")
        return "\n".join(lines)

    def kind(self, schema: Mapping[str, object], depth: int) -> str:
        if depth > _DEEPEST:
            return "any"
        choices = schema.get("enum")
        if isinstance(choices, list) and choices:
            return " | ".join(_literal(choice) for choice in choices)
        for key in _UNIONS:
            variants = schema.get(key)
            if isinstance(variants, list) and variants:
                return " | ".join(self.kind(self._resolved(variant), depth + 1) for variant in variants)
        sort = schema.get("type")
        if isinstance(sort, list):
            return " | ".join(self.kind({**schema, "type": one}, depth + 1) for one in sort)
        if sort == "array":
            items = self.kind(self._resolved(schema.get("items")), depth + 1)
            return f"{items}[]" if " | " not in items else f"Array<{items}>"
        if sort == "object" or "properties" in schema:
            return self.members(schema, depth + 1)
        return _PLAIN.get(sort, "any") if isinstance(sort, str) else "any"

    def _resolved(self, entry: object) -> Mapping[str, object]:
        schema = entry if isinstance(entry, dict) else {}
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        target = self._definitions.get(reference.rpartition("/")[2])
        return {**target, **schema, "$ref": None} if isinstance(target, dict) else schema


def _title(title: object) -> Iterator[str]:
    if isinstance(title, str) and title:
        yield f"// {title}"
        yield "//"


def _comment(description: object) -> Iterator[str]:
    if isinstance(description, str) and description:
        yield from (f"// {line}" for line in description.split("\n"))


def _examples(examples: object) -> Iterator[str]:
    said = [example for example in examples if isinstance(example, str)] if isinstance(examples, list) else []
    if said:
        yield "// Examples:"
        yield from (f'// - "{example}"' for example in said)


def _default(schema: Mapping[str, object]) -> str:
    """The default as written: one of an enumeration without its quotes."""
    default = schema["default"]
    return default if isinstance(default, str) and schema.get("enum") else _literal(default)


def _literal(value: object) -> str:
    return _encode(value).decode() if not isinstance(value, str) else f'"{value}"'
