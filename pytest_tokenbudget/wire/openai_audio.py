"""Transcriptions and translations of speech: billed by the token or by the second, as the usage says.

What tells neither is billed all the same (openai SDK 3.54, `Transcription.usage`; 2026). Mistral's have a usage as its
chat has it; older models and formats such as plain text have none.
"""

import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Final

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire.counts import Counts, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_prompt import minified, plain_parts
from pytest_tokenbudget.wire.openai_usage import openai_usage

__all__ = ["OpenAIAudio"]

_PATH: Final = re.compile(r".*/audio/(?:transcriptions|translations)")


class OpenAIAudio:
    """`POST …/audio/transcriptions` and `…/audio/translations`."""

    api = "openai.audio"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and _PATH.fullmatch(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        return _reading(body, cut=False)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response: its last event has the usage."""
        last: Json = {}
        for name, event in events:
            if (text(event.get("type")) or name) in {"transcript.text.done", "transcription.done"}:
                last = event
        return _reading(last, cut=not last)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the hint, then the recording."""
        yield from plain_parts(request.get("prompt"))
        for key in ("file", "file_url", "file_id"):
            if request.get(key):
                yield Part("media", "audio", minified(request[key]), opaque=True)


def _reading(body: Json, *, cut: bool) -> Reading:
    counts = Counts()
    told = mapping(body.get("usage"))
    if told.get("type") == "duration" or (told and "seconds" in told and "input_tokens" not in told):
        counts.known = "seconds" in told
        seconds = told.get("seconds")
        # the price page says of Whisper: "rounded to the nearest second" (openai.com, "API pricing", 2026)
        whole = round(seconds) if isinstance(seconds, float) and 0 <= seconds < float("inf") else seconds
        counts.fee("audio_seconds", counts.number(whole, "seconds") or 0)
        usage = Usage(fees=MappingProxyType(counts.fees))
    else:
        details = told.get("input_token_details")
        usage = openai_usage({**told, "input_tokens_details": details} if details else told, counts)
    missing = "the stream was cut before its usage" if cut else "no usage in the response"
    status, usage = counts.status(usage, cut=cut, missing=missing, by_the_piece=True)
    return Reading(status=status, usage=usage, model=text(body.get("model")), notes=tuple(counts.notes))
