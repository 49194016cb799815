import json
from typing import Any

import pytest

from pytest_tokenbudget.tokens.typescript import declaration


def function(parameters: Any = None, **fields: Any) -> str:
    return json.dumps({"type": "function", "function": {"name": "book", "parameters": parameters, **fields}})


def test_a_function_becomes_a_type() -> None:
    properties = {
        "city": {"type": "string", "description": "Where to.\nA city."},
        "nights": {"type": "integer", "default": 2},
        "board": {"enum": ["none", "half"], "title": "Board", "default": "half"},
        "name": {"type": "string", "examples": ["Ada", 1], "default": "Bob"},
        "guests": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "mixed": {"type": "array", "items": {"type": ["string", "number"]}},
    }
    assert (
        declaration(function({"properties": properties, "required": ["city"]}, description="Books a room."))
        == """\
// Books a room.
type book = (_: {
// Where to.
// A city.
city: string,
nights?: number, // default: 2
// Board
//
board?: "none" | "half", // default: half
// Examples:
// - "Ada"
name?: string, // default: "Bob"
guests?: {
name?: string,
}[],
note?: string | null,
mixed?: Array<string | number>,
}) => any;

"""
    )


def test_the_shape_of_responses_is_the_same_function() -> None:
    flat = json.dumps({"type": "function", "name": "book", "parameters": None, "strict": True})
    assert declaration(flat) == declaration(function()) == "type book = () => any;\n\n"


def test_a_reference_is_looked_up() -> None:
    schema = {
        "$defs": {"Room": {"type": "object", "properties": {"beds": {"type": "number"}}}},
        "properties": {"room": {"$ref": "#/$defs/Room"}},
    }
    assert "room?: {\nbeds?: number,\n}," in (declaration(function(schema)) or "")


def test_a_schema_that_holds_itself_ends() -> None:
    schema = {
        "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
        "properties": {"node": {"$ref": "#/$defs/Node"}},
    }
    assert "next?: any" in (declaration(function(schema)) or "")


@pytest.mark.parametrize(
    "tool",
    [
        "",
        "[]",
        "{}",
        "not JSON",
        '{"type": "web_search"}',
        '{"type": "function", "function": 1}',
        '{"type": "function", "function": {"name": 2}}',
        "\ud800",
        "[" * 5_000,
    ],
)
def test_what_is_no_function_has_no_rendering(tool: str) -> None:
    assert declaration(tool) is None


@pytest.mark.parametrize(
    "parameters", [[], "text", {"properties": []}, {"properties": {"a": 1}}, {"properties": {"a": {"type": 3}}}]
)
def test_a_schema_that_is_none_renders_all_the_same(parameters: Any) -> None:
    assert (declaration(function(parameters)) or "").startswith("type book = ")
