"""Taking answers out of a recording: the rest of the file stays as it is, byte for byte where it is YAML."""

import json
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml

from pytest_tokenbudget.errors import RecordingError

__all__ = ["remove_file", "remove_interactions"]

_INTERACTIONS: Final = "interactions"
_Composer: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def remove_interactions(file: Path, unused: Collection[int], expected: int) -> None:
    """Remove some answers of a recording of vcrpy's; a reader sees the file of before or of after, never half of it.

    A file of which no answer would be left is removed.

    Args:
        file: The recording.
        unused: Positions, from 0.
        expected: How many answers it must hold; otherwise it is another file than the one that was judged.

    Raises:
        RecordingError: It cannot be changed safely; the message says why, and it is as it was.
    """
    try:
        content = file.read_bytes()
        text = content.decode()
        kept = _of_json(text, unused, expected) if file.suffix == ".json" else _of_yaml(text, unused, expected)
        if len(frozenset(unused)) < expected:
            _replace(file, kept.encode())
        else:
            file.unlink()
    except _UnfitError as error:
        message = f"{file}: {error}. Nothing of it was removed."
        raise RecordingError(message) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        message = f"{file}: it cannot be changed: {error!r:.200}. Nothing of it was removed."
        raise RecordingError(message) from error


def remove_file(file: Path) -> None:
    """Remove a whole recording.

    Raises:
        RecordingError: It cannot be removed.
    """
    try:
        file.unlink()
    except OSError as error:
        message = f"{file}: it cannot be removed: {error.strerror or error}."
        raise RecordingError(message) from error


class _UnfitError(Exception):
    """Why a file is not changed."""


def _of_json(text: str, unused: Collection[int], expected: int) -> str:
    document = json.loads(text)
    items = document.get(_INTERACTIONS) if isinstance(document, dict) else None
    if not isinstance(items, list):
        problem = "it has no list of interactions"
        raise _UnfitError(problem)
    _check(len(items), expected)
    document[_INTERACTIONS] = [item for index, item in enumerate(items) if index not in unused]
    # as vcrpy writes it
    return json.dumps(document, indent=4) + ("\n" if text.endswith("\n") else "")


def _of_yaml(text: str, unused: Collection[int], expected: int) -> str:
    root = yaml.compose(text, Loader=_Composer)
    items = _node_of(root)
    _check(len(items.value), expected)
    lines = text.splitlines(keepends=True)
    starts = [item.start_mark.line for item in items.value]
    end = _end_line(root, items, len(lines))
    if items.flow_style or len(set(starts)) != len(starts) or any(not _opens(lines[start]) for start in starts):
        problem = "its interactions are not on lines of their own"
        raise _UnfitError(problem)
    ends = [*starts[1:], end]
    gone = {line for index in unused for line in range(starts[index], ends[index])}
    kept = "".join(line for number, line in enumerate(lines) if number not in gone)
    if len(gone) < end - starts[0]:
        _compare(text, kept, unused)
    return kept


def _node_of(root: yaml.Node | None) -> yaml.SequenceNode:
    for key, value in _pairs(root):
        if key.value == _INTERACTIONS and isinstance(value, yaml.SequenceNode):
            return value
    problem = "it has no list of interactions"
    raise _UnfitError(problem)


def _pairs(root: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return root.value if isinstance(root, yaml.MappingNode) else []


def _end_line(root: yaml.Node | None, items: yaml.SequenceNode, last: int) -> int:
    """The line after the last interaction: where the next key of the file stands, or the file's end."""
    after = [key.start_mark.line for key, _ in _pairs(root) if key.start_mark.line > items.start_mark.line]
    return min(after, default=last)


def _opens(line: str) -> bool:
    return line.lstrip().startswith("- ")


def _check(found: int, expected: int) -> None:
    if found != expected:
        problem = f"it holds {found} answers, and the run saw {expected}: run pytest again"
        raise _UnfitError(problem)


def _compare(before: str, after: str, unused: Collection[int]) -> None:
    """Hold the rest against what it was, node by node; a defect of ours must cost nobody a recording."""
    old, new = yaml.compose(before, Loader=_Composer), yaml.compose(after, Loader=_Composer)
    expected = [_plain(item) for index, item in enumerate(_node_of(old).value) if index not in unused]
    if [_plain(item) for item in _node_of(new).value] != expected or _others(old) != _others(new):
        problem = "what is left would not be what it was"
        raise _UnfitError(problem)


def _others(root: yaml.Node | None) -> list[object]:
    return [(key.value, _plain(value)) for key, value in _pairs(root) if key.value != _INTERACTIONS]


def _plain(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return node.tag, [(_plain(key), _plain(value)) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return node.tag, [_plain(item) for item in node.value]
    return node.tag, node.value


def _replace(file: Path, content: bytes) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.chmod(file.stat().st_mode)
        temporary.replace(file)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
