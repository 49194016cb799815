"""Generated and edited images: billed by the token, of text and of images, read and drawn.

Models without tokens (`dall-e-3`) tell no usage: what they bill depends on size and quality (openai SDK 3.54,
`ImagesResponse`; 2026).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pytest_tokenbudget.model.call import Status
from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire.counts import Counts, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_chat import error_note
from pytest_tokenbudget.wire.openai_prompt import minified, plain_parts
from pytest_tokenbudget.wire.openai_usage import openai_usage

__all__ = ["OpenAIImages"]

_PATH: Final = re.compile(r".*/images/(?:generations|edits)")
_DONE: Final = frozenset({"image_generation.completed", "image_edit.completed"})
_DRAWING: Final = ("input_tokens", "output_tokens", "reasoning_tokens")


class OpenAIImages:
    """`POST …/images/generations` and `…/images/edits`."""

    api = "openai.images"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and _PATH.fullmatch(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        return _reading(body, [], cut=False)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response: each finished image has its own usage."""
        finished: list[Json] = []
        notes: list[str] = []
        for name, event in events:
            kind = text(event.get("type")) or name
            if kind in _DONE:
                finished.append(event)
            elif kind == "error":
                notes.append(error_note(event.get("error")))
        return _sum(finished, notes)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the text, then the images to work on."""
        yield from plain_parts(request.get("prompt"))
        for key in ("image", "images", "mask"):
            given = request.get(key)
            for entry in given if isinstance(given, list) else [given] if given else []:
                yield Part("media", "image", minified(entry), opaque=True)


def _sum(finished: list[Json], notes: list[str]) -> Reading:
    """Several images of one stream; a stream cut before the first of them is missing."""
    parts = [_reading(event, [], cut=False) for event in finished]
    if not parts:
        return _reading({}, notes, cut=True)
    usage = sum((part.usage for part in parts), Usage())
    status: Status = "exact" if all(part.status == "exact" for part in parts) else "partial"
    return Reading(
        status=status if usage.total else "missing",
        usage=usage,
        notes=(*notes, *(note for part in parts for note in part.notes)),
    )


def _reading(body: Json, notes: list[str], *, cut: bool) -> Reading:
    counts = Counts()
    counts.notes = notes
    told: dict[str, Any] = dict(mapping(body.get("usage")))
    if told and not told.get("output_tokens_details"):
        told["output_tokens_details"] = {"image_tokens": told.get("output_tokens")}  # all of them draw
    drawing = mapping(body.get("svg_usage"))
    for name in _DRAWING if drawing else ():
        if count := counts.take(drawing, name):
            counts.other[f"svg.{name}"] = count  # another model's, which it names
    if body.get("error"):
        notes.append(error_note(body["error"]))
    usage = openai_usage(told, counts)
    missing = "the stream was cut before its usage" if cut else "no usage in the response"
    status, usage = counts.status(usage, cut=cut, missing=missing)
    return Reading(status=status, usage=usage, model=text(body.get("model")), notes=tuple(notes))
