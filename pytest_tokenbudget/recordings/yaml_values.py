"""YAML as a stream of plain values, built from the parser's events.

No PyYAML loader is involved, so there is nothing that a tag could construct or call: a `!!python/object` becomes the
plain value it was made from. Skipping PyYAML's nodes also takes a third of its time, and a list is handed out item by
item, so that a cassette is never in memory as a whole.
"""

from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import IO, Any, Final

import yaml
from yaml.constructor import SafeConstructor
from yaml.events import (
    CollectionStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from pytest_tokenbudget.recordings.python_tags import plain
from pytest_tokenbudget.recordings.unreadable import UnreadableError, broken_at

__all__ = ["YamlDocuments"]

_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Only as a parser of events. libyaml's is some twenty times faster, where PyYAML was built with it."""

_DEEPEST: Final = 100
_TOO_DEEP: Final = "nested too deep or too large: no recorder writes that"
_LIBYAMLS_LIMIT: Final = "nesting depth"
"""In what libyaml says of 1,000 levels (PyYAML 6.0.4). It reads ahead, and so can meet its own limit before ours."""

_MOST_VALUES: Final = 5_000_000
"""Values in one item once its aliases are followed; a few lines of nested aliases can stand for billions."""

_MERGE: Final = "<<"
_BINARY: Final = frozenset({"tag:yaml.org,2002:binary", "!binary", "tag:yaml.org,2002:python/bytes"})
_CONSTRUCTOR: Final = SafeConstructor()
_TYPES: Final = {
    "tag:yaml.org,2002:null": _CONSTRUCTOR.construct_yaml_null,
    "tag:yaml.org,2002:bool": _CONSTRUCTOR.construct_yaml_bool,
    "tag:yaml.org,2002:int": _CONSTRUCTOR.construct_yaml_int,
    "tag:yaml.org,2002:float": _CONSTRUCTOR.construct_yaml_float,
}


class YamlDocuments:
    """The documents of one YAML file.

    Attributes:
        rest: The documents that had no such list, or an empty one, once the items are through.
    """

    def __init__(self, stream: IO[bytes], lists: frozenset[str]) -> None:
        """Prepare to read.

        Args:
            stream: The file's bytes.
            lists: The top-level keys whose list is handed out item by item.
        """
        self._stream = stream
        self._lists = lists
        self._next: Callable[[], Any]
        self._anchors: dict[str | None, tuple[object, int]] = {}
        self._built = 0
        self._inside = False
        self.rest: list[object] = []

    def items(self) -> Iterator[object]:
        """Yield the items of the lists, in order.

        Raises:
            UnreadableError: The file is no YAML from somewhere on, nested too deep, or too large once expanded.
        """
        try:
            # even the constructor reads, and so may find that there is no text
            self._next = _PARSER(self._stream).get_event
            while not isinstance(event := self._next(), StreamEndEvent):
                if isinstance(event, MappingStartEvent):
                    yield from self._document()
                elif isinstance(event, (ScalarEvent, SequenceStartEvent)):
                    self.rest.append(self._value(event, 0))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"line {mark.line + 1}" if mark else "an unknown line"
            problem = error.problem or "no YAML"
            problem = _TOO_DEEP if _LIBYAMLS_LIMIT in problem else problem
            raise broken_at(place, problem, inside=self._inside) from error
        except yaml.reader.ReaderError as error:
            place = f"byte {error.position}"
            raise broken_at(place, error.reason, inside=self._inside, byte=error.position) from error

    def _document(self) -> Iterator[object]:
        rest: dict[object, object] = {}
        streamed = False
        while not isinstance(event := self._next(), MappingEndEvent):
            key = _key(self._value(event, 0))
            value = self._next()
            if key in self._lists and isinstance(value, SequenceStartEvent):
                rest[key] = []
                for item in self._items():
                    streamed = True
                    yield item
            else:
                rest[key] = self._value(value, 0)
        if not streamed:
            self.rest.append(rest)

    def _items(self) -> Iterator[object]:
        while not isinstance(event := self._next(), SequenceEndEvent):
            self._inside, self._built = True, 0
            value = self._value(event, 0)
            self._inside = False
            yield value

    def _value(self, event: NodeEvent, depth: int) -> object:
        self._built += 1
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, CollectionStartEvent):
            return self._collection(event, depth)
        if event.anchor not in self._anchors:
            raise self._broken(event, "an alias of nothing before it")
        value, size = self._anchors[event.anchor]
        self._built += size
        if self._built > _MOST_VALUES:
            raise self._broken(event, f"aliases that expand beyond {_MOST_VALUES:,} values")
        return value

    def _scalar(self, event: ScalarEvent) -> object:
        value: object = event.value
        if event.tag is not None:
            value = _tagged(event.tag, event.value)
        elif event.implicit[0]:
            value = _typed(event.value)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, 1
        return value

    def _collection(self, event: CollectionStartEvent, depth: int) -> object:
        if depth > _DEEPEST or self._built > _MOST_VALUES:
            raise self._broken(event, _TOO_DEEP)
        before = self._built
        found: object = self._sequence(depth) if isinstance(event, SequenceStartEvent) else self._mapping(depth)
        if event.tag is not None:
            found = plain(event.tag, found)
        if event.anchor is not None:
            self._anchors[event.anchor] = found, self._built - before + 1
        return found

    def _sequence(self, depth: int) -> list[object]:
        found = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            found.append(self._value(event, depth + 1))
        return found

    def _mapping(self, depth: int) -> dict[object, object]:
        found: dict[object, object] = {}
        merged: list[object] = []
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._value(event, depth + 1)
            value = self._value(self._next(), depth + 1)
            if key == _MERGE and isinstance(event, ScalarEvent) and event.implicit[0]:
                merged += value if isinstance(value, list) else [value]
            else:
                found[_key(key)] = value
        for more in merged:
            if isinstance(more, dict):
                found = {**more, **found}
        return found

    def _broken(self, event: Event, problem: str) -> UnreadableError:
        line = event.start_mark.line + 1 if event.start_mark else 0
        return broken_at(f"line {line}", problem, inside=self._inside)


def _key(value: object) -> object:
    return str(value) if isinstance(value, (list, dict)) else value


@lru_cache(maxsize=4096)
def _typed(text: str) -> object:
    """The value of a plain scalar by YAML's own rules; dates stay text, as JSON has none."""
    for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], ()):
        if tag in _TYPES and pattern.match(text):
            with suppress(ValueError):
                return _TYPES[tag](yaml.ScalarNode(tag, text))
    return text


def _tagged(tag: str, text: str) -> object:
    if tag in _BINARY:
        try:
            return b64decode(text)
        except ValueError:
            # half of a body, or none: what it says cannot be trusted in part
            return b""
    return _typed(text) if tag in _TYPES else text
