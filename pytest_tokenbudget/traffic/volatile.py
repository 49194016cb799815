"""What a request's body holds that says nothing about what is asked: labels, and ids that a client draws at random."""

from collections.abc import Iterable
from math import isfinite
from typing import Any, Final

import msgspec
from msgspec import Raw

__all__ = ["NOTHING_MORE", "Volatile", "decode", "take_ids"]

_LABELS: Final = frozenset(
    {
        "metadata",  # OpenAI, Anthropic, Mistral
        "user",  # OpenAI, OpenRouter
        "safety_identifier",  # OpenAI
        "prompt_cache_key",  # OpenAI: where to look for a cached prefix, not what is in it
        "requestMetadata",  # Bedrock
        "labels",  # Vertex AI
        "clientRequestToken",  # Bedrock
        "idempotency_key",
        "idempotencyKey",
    }
)
"""Top-level fields that no model sees. What changes the answer or its price is none, such as `store` or `service_tier`;
nor is an id of something that a provider keeps, such as `previous_response_id`: it comes out of a recorded answer."""

_ANTHROPIC: Final = {"tool_use": "id", "tool_result": "tool_use_id"}

_WHOLE: Final = 2**53


def _number(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    # some clients write 1.0 where others write 1
    return int(value) if abs(value) < _WHOLE and value.is_integer() else value


decode: Final = msgspec.json.Decoder(float_hook=_number).decode
"""Decodes JSON, numbers by their value and not by their spelling."""

_fields: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Volatile:
    """The fields to leave out of a body: those known to be labels, and the user's own."""

    def __init__(self, fields: Iterable[str] = ()) -> None:
        """Prepare to leave out fields.

        Args:
            fields: Names of fields anywhere in a body, or dotted paths from its top, which lead through lists.
        """
        fields = tuple(fields)
        self._names = frozenset(field for field in fields if "." not in field)
        self._paths = tuple(tuple(field.split(".")) for field in fields if "." in field)

    def take(self, body: bytes) -> tuple[dict[str, Raw], list[Any]]:
        """Take a body apart into its fields, without those to leave out.

        Returns:
            The fields, and what the others held.

        Raises:
            msgspec.DecodeError: The body is no JSON object.
        """
        taken: list[Any] = []
        if self._names or self._paths:
            value = decode(body)
            _take_named(value, self._names, taken)
            for path in self._paths:
                _take_at(value, path, taken)
            body = _encode(value)
        fields = _fields(body)
        taken.extend((name, _encode(decode(fields.pop(name)))) for name in sorted(_LABELS & fields.keys()))
        return fields, taken

    def names(self, field: str) -> bool:
        """Whether a field of a form is to be left out."""
        return field in self._names or field in _LABELS


NOTHING_MORE: Final = Volatile()
"""The fields that are known to be labels, and no others."""


def _take_named(value: object, names: frozenset[str], taken: list[Any]) -> None:
    if isinstance(value, dict):
        taken.extend((name, _encode(value.pop(name))) for name in sorted(names & value.keys()))
        for name in sorted(value):
            _take_named(value[name], names, taken)
    elif isinstance(value, list):
        for inner in value:
            _take_named(inner, names, taken)


def _take_at(value: object, path: tuple[str, ...], taken: list[Any]) -> None:
    if isinstance(value, list):
        for inner in value:
            _take_at(inner, path, taken)
    elif isinstance(value, dict) and path[0] in value:
        if len(path) > 1:
            _take_at(value[path[0]], path[1:], taken)
        else:
            taken.append((path, _encode(value.pop(path[0]))))


def take_ids(message: dict[str, Any], ids: list[Any]) -> None:
    """Blank the ids by which a message's tool calls and results refer to each other, and add them to a list.

    Frameworks draw them where a provider gives none. A conversation stays the same under other ids as long as the same
    calls and results belong together.
    """
    for name in ("tool_call_id", "call_id"):  # OpenAI chat, Cohere; OpenAI Responses
        if name in message:
            _take(message, name, ids)
            if name == "call_id":
                _take(message, "id", ids)
    if "tool_calls" in message:
        for call in _dicts(message["tool_calls"]):
            _take(call, "id", ids)
    for block in _dicts(message.get("content")):
        _take_of_block(block, ids)
    if "parts" in message:
        for part in _dicts(message["parts"]):
            for name in ("functionCall", "functionResponse", "function_call", "function_response"):  # Gemini
                _take(part.get(name), "id", ids)


def _take_of_block(block: dict[str, Any], ids: list[Any]) -> None:
    kind = block.get("type")
    if isinstance(kind, str) and kind in _ANTHROPIC:
        _take(block, _ANTHROPIC[kind], ids)
    else:
        for name in ("toolUse", "toolResult"):  # Bedrock
            _take(block.get(name), "toolUseId", ids)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [inner for inner in value if isinstance(inner, dict)] if isinstance(value, list) else []


def _take(holder: object, name: str, ids: list[Any]) -> None:
    if isinstance(holder, dict) and isinstance(holder.get(name), str):
        ids.append(holder[name])
        holder[name] = ""
