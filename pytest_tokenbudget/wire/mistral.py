"""Mistral's own APIs: conversations, whose agents run tools on the server, and reading documents (OCR).

Chat and embeddings speak OpenAI's formats (mistralai SDK 3.7, `ConversationUsageInfo`, `OCRUsageInfo`; 2026).
"""

import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Any, Final

from pytest_tokenbudget.model.call import SEVERAL_PROMPTS
from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_chat import error_note
from pytest_tokenbudget.wire.openai_prompt import minified
from pytest_tokenbudget.wire.openai_usage import openai_usage
from pytest_tokenbudget.wire.responses_facts import responses_prompt
from pytest_tokenbudget.wire.responses_prompt import responses_parts

__all__ = ["MistralConversations", "MistralOcr"]

_CONVERSATIONS: Final = re.compile(r".*/v1/conversations(?:/[^/]+(?:/restart)?)?")
_HANDED_ON: Final = "an agent handed on to another: one usage cannot price several models"


class MistralConversations:
    """`POST /v1/conversations`, `/v1/conversations/{id}` and `/v1/conversations/{id}/restart` at Mistral."""

    api = "mistral.conversations"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        if endpoint.method != "POST" or endpoint.provider != "mistral":
            return False
        return _CONVERSATIONS.fullmatch(endpoint.path) is not None

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        outputs = [mapping(entry) for entry in listed(body.get("outputs"))]
        return _reading(body, mapping(body.get("usage")), outputs, [], cut=False)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response."""
        head: dict[str, Any] = {}
        told: Json = {}
        outputs: dict[object, Json] = {}
        ended = False
        notes: list[str] = []
        for name, event in events:
            kind = text(event.get("type")) or name
            if kind == "conversation.response.started":
                head["conversation_id"] = event.get("conversation_id")
            elif kind == "conversation.response.done":
                told, ended = mapping(event.get("usage")), True
            elif kind == "conversation.response.error":
                notes.append(error_note(event))
            elif kind in {"function.call.delta", "message.output.delta", "agent.handoff.started"}:
                sort = {"function.call.delta": "function.call", "agent.handoff.started": "agent.handoff"}.get(kind, "")
                outputs.setdefault(event.get("id"), {**event, "type": sort})
        return _reading(head, told, outputs.values(), notes, cut=not ended)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        return responses_parts(_as_responses(request))

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        arguments = mapping(request.get("completion_args"))
        return responses_prompt({**_as_responses(request), "tool_choice": arguments.get("tool_choice")})


def _as_responses(request: Json) -> Json:
    """A conversation's request as OpenAI's Responses would put it."""
    inputs = request.get("inputs")
    if isinstance(inputs, list):
        kinds = {"function.call": "function_call", "function.result": "function_call_output"}
        inputs = [_renamed(mapping(entry), kinds) for entry in inputs]
    return {**request, "input": inputs}


def _renamed(entry: Json, kinds: dict[str, str]) -> Json:
    """An entry of a conversation as OpenAI's Responses name it."""
    sort = str(entry.get("type"))
    named = {"type": kinds.get(sort, "message"), "call_id": entry.get("tool_call_id"), "output": entry.get("result")}
    return {**entry, **named}


def _reading(head: Json, told: Json, outputs: Iterable[Json], notes: list[str], *, cut: bool) -> Reading:
    counts = Counts()
    counts.notes = notes
    connectors = counts.inside(told.get("connectors"), "connectors")
    for name in connectors:
        counts.fee(name, counts.take(connectors, name))
    brought = counts.take(told, "connector_tokens")
    usage = openai_usage(_with_connectors(told, brought), counts)
    entries = list(outputs)
    models = {model for entry in entries if (model := text(entry.get("model")))}
    if counts.known and (len(models) > 1 or any(entry.get("type") == "agent.handoff" for entry in entries)):
        counts.doubt(_HANDED_ON)
    missing = "the stream was cut before its usage" if cut else "no usage in the response"
    status, usage = counts.status(usage, cut=cut, missing=missing)
    return Reading(
        status=status,
        usage=usage,
        model=next(iter(sorted(models)), None),
        price_context=(SEVERAL_PROMPTS,) if brought or connectors else (),
        tools=tuple(_tools(entries)),
        response_id=text(head.get("conversation_id")),
        notes=tuple(notes),
    )


def _with_connectors(told: Json, brought: int) -> Json:
    """A usage whose prompt contains what connectors brought into it; the total tells whether it does already."""
    plain = {key: value for key, value in told.items() if key != "connector_tokens"}
    prompt, completion, total = (plain.get(f"{key}_tokens") for key in ("prompt", "completion", "total"))
    if brought and type(prompt) is int and type(completion) is int and total == prompt + completion + brought:
        plain["prompt_tokens"] = prompt + brought
    return plain


def _tools(entries: Iterable[Json]) -> Iterator[str]:
    for entry in entries:
        if entry.get("type") == "function.call" and (name := text(entry.get("name"))):
            yield name


class MistralOcr:
    """`POST /v1/ocr` at Mistral: billed by the page, and dearer where it annotates."""

    api = "mistral.ocr"

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and endpoint.provider == "mistral" and endpoint.path.endswith("/v1/ocr")

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        counts = Counts()
        told = mapping(body.get("usage_info"))
        counts.known = "pages_processed" in told
        pages = [mapping(page) for page in listed(body.get("pages"))]
        annotated = bool(body.get("document_annotation")) or any(
            mapping(image).get("image_annotation") for page in pages for image in listed(page.get("images"))
        )
        counts.fee("annotated_page" if annotated else "page", counts.take(told, "pages_processed"))
        usage = Usage(fees=MappingProxyType(counts.fees))
        status, usage = counts.status(usage, cut=False, missing="no usage in the response", by_the_piece=True)
        return Reading(status=status, usage=usage, model=text(body.get("model")), notes=tuple(counts.notes))

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - protocol
        """Read an event that carries a whole body; no provider streams it."""
        return self.read_body(next((event for _, event in events), {}))

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the document."""
        if request.get("document"):
            yield Part("media", "document", minified(request["document"]), opaque=True)
