"""Files of settings as plain values that remember their lines."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from pytest_tokenbudget.config.place import refuse

__all__ = ["Document", "pyproject_document", "read_pyproject", "read_yaml", "yaml_document"]

Keys = tuple[str, ...]

_DEEPEST: Final = 4
"""Levels of keys that have a meaning: `prices`, a model, `fees`, a fee. An alias may lead to itself further down."""

_MOST_NESTED: Final = 50
_LARGEST: Final = 1_000_000
_TOO_DEEP: Final = "is nested too deeply for a file of settings."
_KINDS: Final = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
    "timestamp": "a date",
}


class Document(Struct, frozen=True, kw_only=True):
    """A file of settings.

    Attributes:
        name: The file as messages name it.
        values: Its settings as plain values.
        lines: The line of each key, by the keys that lead to it; empty where the format's parser keeps none.
        prefix: What stands before a key in messages, such as `tool.tokenbudget.`.
    """

    name: str
    values: Mapping[str, Any]
    lines: Mapping[Keys, int]
    prefix: str = ""

    def place(self, *keys: str) -> str:
        """A key's place: `tokenbudget.yml:7: budgets.tests/…`."""
        line = self.lines.get(keys)
        where = f"{self.name}:{line}" if line else self.name
        return f"{where}: {self.prefix}{'.'.join(keys)}" if keys else where


def read_yaml(path: Path) -> Document:
    """Read `tokenbudget.yml`.

    Raises:
        ConfigError: It cannot be read, is not YAML, repeats a key, has a key that is no text, or holds something other
            than a mapping.
    """
    return yaml_document(_text(path), path.name)


def yaml_document(text: str, name: str) -> Document:
    """Read the text of a `tokenbudget.yml`, wherever it is from.

    Args:
        text: It.
        name: The file as messages name it.

    Raises:
        ConfigError: As of `read_yaml`.
    """
    import yaml  # costs 20 ms; only projects that have such a file pay

    try:
        safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        _check_depth(yaml.parse(text, Loader=safe), name)
        loader = safe(text)
        node = loader.get_single_node()
        _check_size(node, name)
        places = dict(_lines(node, (), name)) if node else {}
        values = loader.construct_document(node) if node else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        if mark is None:
            raise refuse(name, f"is not YAML: {what}.") from error
        lines = text.splitlines()
        at = min(mark.line, len(lines) - 1)  # the end of the text counts as a further line
        if lines[at][mark.column :].startswith("\t"):
            what = "a tab stands where only spaces may indent"
        place = f"{name}:{at + 1}"
        if "nesting depth" in str(what):  # libyaml's own limit, since PyYAML 6.0.4
            raise refuse(place, _TOO_DEEP) from error
        raise refuse(place, f"is not YAML: {what}.") from error
    except (ValueError, OverflowError, AttributeError) as error:  # PyYAML lets a thirteenth month through as it comes
        raise refuse(name, f"holds a value that YAML does not allow: {error}.") from error
    if values is None:
        return Document(name=name, values={}, lines={})
    if not isinstance(values, dict):
        raise refuse(name, f"holds {type(values).__name__}, not settings such as `tolerance: 20%`.")
    return Document(name=name, values=values, lines=places)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise refuse(path.name, f"cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise refuse(path.name, f"is not UTF-8 text ({error.reason} at byte {error.start}).") from error


def _check_depth(events: Iterable[Any], name: str) -> None:
    # composing recurses, in C without a limit: tens of thousands of brackets would end the process
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if depth > _MOST_NESTED:
            place = f"{name}:{event.start_mark.line + 1}"
            raise refuse(place, _TOO_DEEP)


def _check_size(node: Any, name: str) -> None:  # noqa: ANN401 - PyYAML's nodes are untyped
    """Refuse what aliases make endless: they are copied out where mappings are merged, and read wherever they are."""
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:  # noqa: ANN401 - as above
        known = sizes.get(id(node))
        if known is None:
            sizes[id(node)] = 1  # what leads to itself
            below = node.value if node.id != "scalar" else ()
            parts = (part for each in below for part in (each if node.id == "mapping" else (each,)))
            known = sizes[id(node)] = 1 + sum(map(size, parts))
        return known

    if node is not None and size(node) > _LARGEST:
        raise refuse(name, f"is too large for a file of settings: with its aliases, more than {_LARGEST:,} values.")


def _lines(node: Any, above: Keys, name: str) -> Iterator[tuple[Keys, int]]:  # noqa: ANN401 - PyYAML's nodes are untyped
    if node.id != "mapping" or len(above) == _DEEPEST:
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        place = f"{name}:{line}"
        kind = key.tag.rpartition(":")[2]
        if kind == "merge":
            continue
        if key.id != "scalar":
            raise refuse(place, "a key must be text.")
        here = (*above, key.value)
        if kind != "str":
            raise refuse(place, f"the key `{here[-1]}` means {_KINDS.get(kind, kind)} in YAML: put it in quotes.")
        if here[-1] in seen:
            raise refuse(place, f"`{'.'.join(here)}` is stated twice, first on line {seen[here[-1]]}.")
        seen[here[-1]] = line
        yield here, line
        yield from _lines(value, here, name)


def read_pyproject(path: Path) -> Document | None:
    """Read `[tool.tokenbudget]` of a `pyproject.toml`, or `None` where it has no such table.

    A file that does not name us is left to the tools that own it, broken or not.

    Raises:
        ConfigError: The file names us but is not TOML, or `tool.tokenbudget` is no table.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise refuse(path.name, f"cannot be read: {error.strerror or error}.") from error
    return pyproject_document(raw, path.name)


def pyproject_document(raw: bytes, name: str) -> Document | None:
    """Read the content of a `pyproject.toml`, wherever it is from; `None` where it has no table of ours.

    Args:
        raw: It.
        name: The file as messages name it.

    Raises:
        ConfigError: As of `read_pyproject`.
    """
    import tomllib  # only when something is measured

    if b"tokenbudget" not in raw:
        return None
    try:
        tools = tomllib.loads(raw.decode()).get("tool")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise refuse(name, f"is not TOML: {error}.") from error
    if not isinstance(tools, dict) or "tokenbudget" not in tools:
        return None
    table = tools["tokenbudget"]
    if not isinstance(table, dict):
        raise refuse(name, f"tool.tokenbudget: {table!r} is not a table such as [tool.tokenbudget].")
    return Document(name=name, values=table, lines={}, prefix="tool.tokenbudget.")
