"""Files of settings as plain values that remember their lines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from pytest_tokenbudget.config.place import refuse
from pytest_tokenbudget.errors import ConfigError

__all__ = ["Document", "read_pyproject", "read_yaml"]

Keys = tuple[str, ...]


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
        ConfigError: It cannot be read, is not YAML, repeats a key, or holds something other than a mapping.
    """
    import yaml  # costs 20 ms; only projects that have such a file pay

    loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=loader)
        values = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader, with or without libyaml
    except OSError as error:
        raise refuse(path.name, f"cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise refuse(path.name, f"is not UTF-8 text ({error.reason} at byte {error.start}).") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise refuse(where, f"is not YAML: {getattr(error, 'problem', None) or error}.") from error
    if values is None:
        return Document(name=path.name, values={}, lines={})
    if not isinstance(values, dict):
        raise refuse(path.name, f"holds {type(values).__name__}, not settings such as `tolerance: 20%`.")
    lines: dict[Keys, int] = {}
    _collect_lines(node, (), lines, path.name)
    return Document(name=path.name, values=values, lines=lines)


def _collect_lines(node: Any, keys: Keys, lines: dict[Keys, int], name: str) -> None:  # noqa: ANN401 - PyYAML's nodes are untyped
    if node.id != "mapping":
        return
    for key, value in node.value:
        here = (*keys, str(key.value))
        line = key.start_mark.line + 1
        if here in lines:
            where = f"{name}:{line}"
            raise refuse(where, f"`{'.'.join(here)}` is stated twice, first on line {lines[here]}.")
        lines[here] = line
        _collect_lines(value, here, lines, name)


def read_pyproject(path: Path) -> Document | None:
    """Read `[tool.tokenbudget]` of a `pyproject.toml`, or `None` where it has no such table.

    A file that is not TOML is left to the tools that own it: only a broken table of ours is an error.
    """
    import tomllib  # only when something is measured

    try:
        text = path.read_text(encoding="utf-8")
        if "tool.tokenbudget" not in text:
            return None
        table = tomllib.loads(text).get("tool", {}).get("tokenbudget")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path.name}: cannot be read: {error}."
        raise ConfigError(message) from error
    if table is None:
        return None
    return Document(name=path.name, values=table, lines={}, prefix="tool.tokenbudget.")
