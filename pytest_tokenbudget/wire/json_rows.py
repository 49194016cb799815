"""JSON objects in a row: one to a line (NDJSON), or as the elements of one array.

Ollama and Cohere's first API stream lines; Vertex streams one array, which has no end where the connection was cut.
"""

import json
from collections.abc import Mapping
from typing import Final

from pytest_tokenbudget.wire.events import Events
from pytest_tokenbudget.wire.framing import DecodeError, decode_json

__all__ = ["is_labelled_rows", "rows_of_array", "rows_of_text"]

_LABELS: Final = ("ndjson", "stream+json", "jsonl", "json-seq")
_LEAST: Final = 2
_scan: Final = json.JSONDecoder().raw_decode


def is_labelled_rows(headers: Mapping[str, str]) -> bool:
    """Whether the content type says that each line is an object of its own."""
    label = headers.get("content-type", "")
    return any(name in label for name in _LABELS)


def rows_of_array(value: object) -> Events | None:
    """The objects of a decoded array, where it holds nothing else and is not empty."""
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        return Events(events=[("", entry) for entry in value], done=True)
    return None


def rows_of_text(body: bytes, *, labelled: bool) -> Events | None:
    """The objects in a body that is no JSON as a whole.

    Args:
        body: The body.
        labelled: Whether its content type says that each line is an object; where it does not, two lines must be.

    Returns:
        The objects in order; `None` where the body holds no such row.
    """
    start = body.lstrip()
    return _cut_array(start) if start.startswith(b"[") else _lines(start, 1 if labelled else _LEAST)


def _lines(body: bytes, least: int) -> Events | None:
    found = Events(events=[])
    for line in body.splitlines():
        if not line.strip():
            continue
        try:
            value = decode_json(line)
        except DecodeError:
            value = None
        if isinstance(value, dict):
            found.events.append(("", value))
        else:
            found.broken += 1
            if not found.events:  # a body whose first line is no object is something else
                return None
    return found if len(found.events) >= least else None


def _cut_array(body: bytes) -> Events | None:
    """The whole objects of an array that breaks off; what follows a broken one cannot be told apart."""
    text = body.decode("utf-8", "replace")
    found = Events(events=[])
    at = 1
    while True:
        while text[at : at + 1] in {" ", ",", "\n", "\r", "\t"}:
            at += 1
        try:
            value, at = _scan(text, at)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict):
            break
        found.events.append(("", value))
    found.broken = int(bool(text[at:].strip()))
    return found if found.events else None
