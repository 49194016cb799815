"""OpenAI Responses: bodies, streams, polls of background responses, and compaction.

Usage stands in the response, which a stream carries whole in its last event (openai SDK 3.54, `Response`). Hosted
tools report apart: `tool_usage`, "separate from base model usage"; where it is absent, the items of the output tell.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from pytest_tokenbudget.model.call import SEVERAL_PROMPTS
from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.wire.counts import Counts, listed, mapping, said, text
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Json, Reading
from pytest_tokenbudget.wire.openai_chat import error_note
from pytest_tokenbudget.wire.openai_usage import openai_usage
from pytest_tokenbudget.wire.responses_facts import responses_prompt
from pytest_tokenbudget.wire.responses_prompt import responses_parts

__all__ = ["OpenAIResponses"]

_LAST: Final = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_RUNNING: Final = frozenset({"queued", "in_progress"})
_NO_SEARCH: Final = frozenset({"open_page", "find_in_page", "find"})
_OURS: Final = ("computer_call", "local_shell_call", "shell_call", "apply_patch_call")
"""Built-in tools that the caller has to carry out."""

_PLAIN: Final = ("message", "function_call", "reasoning")
_PREVIEW: Final = "web_search_preview"
"""The older search tool, which models that do not reason pay more for ("Pricing", OpenAI, 2026)."""

_LOOPED: Final = frozenset({"web_search_call", "file_search_call", "code_interpreter_call", "mcp_call"})
"""Tools that the provider runs inside the response: the model is asked again with what they found."""

_IMAGE_COUNTS: Final = ("input_tokens", "output_tokens")


class OpenAIResponses:
    """`POST …/responses` and `…/responses/compact`."""

    api = "openai.responses"
    telling = (b"response.created", *sorted(kind.encode() for kind in _LAST), b"error")

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""
        return endpoint.method == "POST" and endpoint.path.endswith(("/responses", "/responses/compact"))

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response."""
        return _reading(body, [], cut=False)

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:  # noqa: ARG002 - no [DONE]
        """Read a streamed response: its last event holds the response as a body would."""
        response: Json = {}
        ended = False
        notes: list[str] = []
        for name, event in events:
            kind = text(event.get("type")) or name
            found = event.get("response")
            if isinstance(found, dict) and not ended:
                response, ended = found, kind in _LAST
            elif kind == "error":
                notes.append(error_note(event.get("error") or {"code": event.get("code")}))
        return _reading(response, notes, cut=not ended)

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
        return responses_parts(request)

    def whole_prompt(self, request: Json) -> Prompt:
        """Read the prompt with all that decides its tokens."""
        return responses_prompt(request)


def _reading(body: Json, notes: list[str], *, cut: bool) -> Reading:
    counts = Counts()
    counts.notes = notes
    state = text(body.get("status"))
    items = [item for item in listed(body.get("output")) if isinstance(item, dict)]
    if "tool_usage" in body or any(item.get("type") not in _PLAIN for item in items):
        _hosted(body, items, counts)
    usage = openai_usage(mapping(body.get("usage")), counts)
    if body.get("error"):
        notes.append(error_note(body["error"]))
    if cut:
        missing = "the stream was cut before its usage"
    elif state in _RUNNING:
        missing = f"the response is {state}: its usage comes with a later poll, and none was seen"
    else:
        missing = "no usage in the response"
    status, usage = counts.status(usage, cut=cut, missing=missing)
    return Reading(
        status=status,
        usage=usage,
        model=text(body.get("model")),
        tier=said(body.get("service_tier")),
        price_context=(SEVERAL_PROMPTS,) if any(text(item.get("type")) in _LOOPED for item in items) else (),
        reported_cost=counts.cost,
        tools=tuple(_asked(items)),
        finish=text(mapping(body.get("incomplete_details")).get("reason")) or state,
        response_id=text(body.get("id")),
        notes=tuple(notes),
    )


def _asked(items: Iterable[Json]) -> Iterator[str]:
    """The tools that the caller has to run."""
    for item in items:
        kind = text(item.get("type"))
        if kind in {"function_call", "custom_tool_call"}:
            if name := text(item.get("name")):
                yield name
        elif kind in _OURS and not _container(item):
            yield str(kind).removesuffix("_call")


def _hosted(body: Json, items: Iterable[Json], counts: Counts) -> None:
    """What the provider's own tools cost."""
    used = Counter(text(item.get("type")) for item in items)
    used["web_search_call"] -= sum(text(mapping(item.get("action")).get("type")) in _NO_SEARCH for item in items)
    containers = {container for item in items if (container := _container(item))}
    told = counts.inside(body.get("tool_usage"), "tool_usage")
    if (search := counts.inside(told.get("web_search"), "web_search")).get("num_requests") is not None:
        used["web_search_call"] = counts.take(search, "num_requests")
    image = counts.inside(told.get("image_gen"), "image_gen")
    for name in _IMAGE_COUNTS if image else ():
        if count := counts.take(image, name):
            counts.other[f"image_gen.{name}"] = count
    kinds = [text(mapping(tool).get("type")) or "" for tool in listed(body.get("tools"))]
    searches = [kind for kind in kinds if kind.startswith("web_search")]
    preview = bool(searches) and all(kind.startswith(_PREVIEW) for kind in searches)
    counts.fee(_PREVIEW if preview else "web_search", used["web_search_call"])
    counts.fee("file_search", used["file_search_call"])
    counts.fee("code_interpreter_container", len(containers))
    # "calls with missing or incomplete usage records may be skipped" (openai SDK 3.54, `ToolUsage`)
    drawn = any(name.startswith("image_gen.") for name in counts.other)
    counts.fee("image_generation", 0 if drawn else used["image_generation_call"])


def _container(item: Json) -> str | None:
    """The provider's container that a tool ran in, if it did."""
    if item.get("type") == "code_interpreter_call":
        return text(item.get("container_id")) or "unnamed"
    environment = mapping(item.get("environment"))
    if item.get("type") == "shell_call" and environment.get("type") == "container_reference":
        return text(environment.get("container_id")) or "unnamed"
    return None
