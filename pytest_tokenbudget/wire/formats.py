"""The wire formats that are read: ours, and those that users register.

A user's format is an object or a class without arguments that implements `Format`, registered under the entry-point
group `tokenbudget.formats`. It is asked before ours, so that it can also mend one of ours for a host of its own.
"""

from functools import cache
from importlib.metadata import entry_points
from typing import Final

from pytest_tokenbudget.wire.anthropic_messages import AnthropicMessages
from pytest_tokenbudget.wire.batches import BATCH_RESULTS, BATCHES, BatchResults
from pytest_tokenbudget.wire.bedrock_converse import BedrockConverse
from pytest_tokenbudget.wire.bedrock_invoke import BEDROCK_INVOKE
from pytest_tokenbudget.wire.cohere import COHERE, Cohere
from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Format
from pytest_tokenbudget.wire.gemini_cache import GeminiCache
from pytest_tokenbudget.wire.gemini_embed import GeminiEmbed
from pytest_tokenbudget.wire.gemini_generate import GeminiGenerate
from pytest_tokenbudget.wire.gemini_interactions import GeminiInteractions
from pytest_tokenbudget.wire.mistral import MistralConversations, MistralOcr
from pytest_tokenbudget.wire.ollama import OLLAMA, Ollama
from pytest_tokenbudget.wire.openai_audio import OpenAIAudio
from pytest_tokenbudget.wire.openai_chat import OpenAIChat
from pytest_tokenbudget.wire.openai_completions import OpenAICompletions
from pytest_tokenbudget.wire.openai_embeddings import OpenAIEmbeddings
from pytest_tokenbudget.wire.openai_images import OpenAIImages
from pytest_tokenbudget.wire.openai_responses import OpenAIResponses
from pytest_tokenbudget.wire.rerank import RERANK
from pytest_tokenbudget.wire.voyage import VoyageEmbeddings

__all__ = [
    "GROUP",
    "format_elsewhere",
    "format_of",
    "format_problems",
    "registered_formats",
    "responses_format",
    "results_format_of",
    "user_format_of",
]

GROUP: Final = "tokenbudget.formats"

responses_format: Final = OpenAIResponses()
_FORMATS: Final[tuple[Format, ...]] = (
    OpenAIChat(),
    responses_format,
    AnthropicMessages(),
    VoyageEmbeddings(),  # before those whose path it shares, like Ollama's
    *OLLAMA,
    OpenAIEmbeddings(),
    OpenAICompletions(),
    BedrockConverse(),
    *BEDROCK_INVOKE,
    GeminiGenerate(),
    GeminiEmbed(),
    GeminiCache(),
    GeminiInteractions(),
    MistralConversations(),
    MistralOcr(),
    OpenAIAudio(),
    OpenAIImages(),
    *COHERE,
    *RERANK,
    *BATCHES,
)
_PARTS: Final = ("matches", "read_body", "read_stream", "prompt")


def format_of(endpoint: Endpoint) -> Format | None:
    """The format of ours that requests to an endpoint speak, or `None`."""
    return next((known for known in _FORMATS if known.matches(endpoint)), None)


def format_elsewhere(endpoint: Endpoint) -> Format | None:
    """The format that a proxy at a host nobody knows may speak under a path that others use too, or `None`."""
    proxied: tuple[Cohere | Ollama, ...] = (*COHERE, *OLLAMA)
    return next((known for known in proxied if known.matches_elsewhere(endpoint)), None)


def results_format_of(endpoint: Endpoint) -> BatchResults | None:
    """What reads the results of a batch that requests to an endpoint may bring, or `None`."""
    return next((known for known in BATCH_RESULTS if known.matches(endpoint)), None)


def user_format_of(endpoint: Endpoint) -> Format | None:
    """The registered format that requests to an endpoint speak, or `None`; one that raises is passed over."""
    for found in registered_formats()[0]:
        try:
            if found.matches(endpoint):
                return found
        except Exception:  # noqa: BLE001, S112 - a user's format must not break the reading of other traffic
            continue
    return None


def format_problems() -> tuple[str, ...]:
    """Sentences on registered formats that could not be loaded, for a printer to show once."""
    return registered_formats()[1]


@cache
def registered_formats() -> tuple[tuple[Format, ...], tuple[str, ...]]:
    """Load what is registered, once and only when the first request is looked at: it walks every distribution."""
    found: list[Format] = []
    problems: list[str] = []
    for entry in entry_points(group=GROUP):
        try:
            loaded = entry.load()
            made = loaded() if isinstance(loaded, type) else loaded
        except Exception as error:  # noqa: BLE001 - a broken plugin of the user's must not break the user's tests
            problems.append(
                f"the format {entry.name!r} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}"
            )
            continue
        lacking = [part for part in _PARTS if not callable(getattr(made, part, None))]
        if not isinstance(getattr(made, "api", None), str):
            lacking.insert(0, "api")
        if lacking:
            problems.append(f"the format {entry.name!r} ({entry.value}) lacks {', '.join(lacking)}")
        else:
            found.append(made)
    return tuple(found), tuple(problems)
