"""Many answers of one batch as one reading: the usage is their sum, the longest prompt is kept."""

from decimal import Decimal
from typing import Final

from pytest_tokenbudget.model.call import LONGEST_PROMPT, SEVERAL_PROMPTS, Status
from pytest_tokenbudget.model.usage import NO_USAGE, Usage
from pytest_tokenbudget.wire.anthropic_messages import AnthropicMessages
from pytest_tokenbudget.wire.format import Format, Json, Reading
from pytest_tokenbudget.wire.gemini_embed import GeminiEmbed
from pytest_tokenbudget.wire.gemini_generate import GeminiGenerate
from pytest_tokenbudget.wire.mistral import MistralOcr
from pytest_tokenbudget.wire.openai_chat import OpenAIChat
from pytest_tokenbudget.wire.openai_embeddings import OpenAIEmbeddings
from pytest_tokenbudget.wire.openai_images import OpenAIImages
from pytest_tokenbudget.wire.openai_responses import OpenAIResponses

__all__ = ["Answers", "summed"]

_TIER: Final = "batch"
_MIXED: Final = ("batch", "mixed")
"""In `Call.price_context`: the answers differ in what selects a rate, so that no rate is that of their sum."""

_MOST_NOTES: Final = 5
_BY_OBJECT: Final[dict[object, Format]] = {
    "chat.completion": OpenAIChat(),
    "text_completion": OpenAIChat(),
    "response": OpenAIResponses(),
    "list": OpenAIEmbeddings(),
}
_BY_KEY: Final[tuple[tuple[str, Format], ...]] = (
    ("usage_info", MistralOcr()),
    ("candidates", GeminiGenerate()),
    ("promptFeedback", GeminiGenerate()),
    ("embedding", GeminiEmbed()),
    ("usageMetadata", GeminiGenerate()),
    ("data", OpenAIImages()),
)
_MESSAGE: Final = AnthropicMessages()
_CHAT: Final = OpenAIChat()


class Answers:
    """The answers of a batch as they are read.

    Attributes:
        readings: Those that were given.
        failed: How many requests were not answered.
        broken: How many results could not be read.
        told_as_one: Whether one reading stands for all answers: a poll tells their sum.
    """

    __slots__ = ("broken", "failed", "readings", "told_as_one")

    def __init__(
        self, *, readings: list[Reading] | None = None, failed: int = 0, broken: int = 0, told_as_one: bool = False
    ) -> None:
        self.readings = readings or []
        self.failed = failed
        self.broken = broken
        self.told_as_one = told_as_one

    def take(self, body: object) -> None:
        """Take in the body that answers one request; `None` where it failed."""
        if body is None:
            self.failed += 1
        elif isinstance(body, dict):
            self.readings.append(_format_of(body).read_body(body))
        else:
            self.broken += 1


def _format_of(body: Json) -> Format:
    """How an answer is to be read, which a file of results does not say."""
    kind = body.get("object")
    known = _BY_OBJECT.get(kind) if isinstance(kind, str) else None
    if known is not None:
        return known
    if body.get("type") == "message":
        return _MESSAGE
    return next((found for key, found in _BY_KEY if key in body), _CHAT)


def summed(answers: Answers, name: str) -> Reading:
    """One reading of all answers.

    Args:
        answers: The answers.
        name: The id of the batch, or of the file that holds them.
    """
    readings = [reading for reading in answers.readings if reading.status != "unbilled"]
    number = len(answers.readings)
    notes = [] if answers.told_as_one else [f"a batch: {number} answered, {answers.failed} not; the usage is their sum"]
    if not readings and not answers.broken:
        return Reading(status="unbilled", response_id=name, notes=("a batch: no request was answered",))
    status = _status(answers, readings, notes)
    model = readings[0].model if readings else None
    told = list(dict.fromkeys(note for reading in readings for note in reading.notes))
    notes += told[:_MOST_NOTES]
    if len(told) > _MOST_NOTES:
        notes.append(f"and {len(told) - _MOST_NOTES} more notes on single answers")
    costs = [reading.reported_cost for reading in readings]
    return Reading(
        status=status,
        usage=sum((reading.usage for reading in readings), Usage()) if status != "missing" else NO_USAGE,
        model=model,
        tier=_TIER,
        price_context=_context(answers, readings, notes),
        reported_cost=_total(costs),
        tools=tuple(tool for reading in readings for tool in reading.tools),
        response_id=name,
        notes=tuple(notes),
    )


def _total(costs: list[Decimal | None]) -> Decimal | None:
    """What the provider says that all of them cost; `None` where it leaves one out."""
    told = [cost for cost in costs if cost is not None]
    return sum(told, Decimal(0)) if told and len(told) == len(costs) else None


def _status(answers: Answers, readings: list[Reading], notes: list[str]) -> Status:
    unknown = sum(reading.status not in {"exact", "unbilled"} for reading in readings)
    if answers.broken:
        notes.append(f"{answers.broken} of its results cannot be read")
    if unknown:
        notes.append(f"{unknown} of its answers do not tell their whole usage")
    if not (unknown or answers.broken):
        return "exact"
    known = any(reading.status in {"exact", "partial"} for reading in readings)
    return "partial" if known else "missing"


def _context(answers: Answers, readings: list[Reading], notes: list[str]) -> tuple[tuple[str, str], ...]:
    """What selects the rate of all answers, and how long their prompts were."""
    contexts = {tuple(item for item in reading.price_context if item != SEVERAL_PROMPTS) for reading in readings}
    models = {reading.model for reading in readings}
    found = [SEVERAL_PROMPTS]
    if len(contexts) > 1 or len(models) > 1:
        notes.append("its answers differ in model or rate, and their sum has no one price")
        found.append(_MIXED)
    found.extend(min(contexts, default=()))
    if not answers.told_as_one and not any(SEVERAL_PROMPTS in reading.price_context for reading in readings):
        longest = max((reading.usage.total_input for reading in readings), default=0)
        found.append((LONGEST_PROMPT, str(longest)))
    return tuple(found)
