"""One model call, as read from an exchange and priced; or why an exchange is none."""

from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.model.drift import Drift
from pytest_tokenbudget.model.exchange import Obtained
from pytest_tokenbudget.model.money import ZERO
from pytest_tokenbudget.model.prompt import Segment
from pytest_tokenbudget.model.usage import NO_USAGE, Usage

__all__ = ["LONGEST_PROMPT", "SEVERAL_PROMPTS", "UNKNOWN_STATUSES", "Call", "Skipped", "Status"]

Status = Literal["exact", "partial", "missing", "unsupported", "unbilled", "error"]
"""exact: the provider's own final count · partial: a cut stream, a lower bound · missing: billed, but no usage given ·
unsupported: a billable endpoint that we cannot read · unbilled: counting tokens, polls · error: HTTP 400 and above."""

UNKNOWN_STATUSES: Final = frozenset({"partial", "missing", "unsupported"})
"""Calls that cost something unknown; never $0."""

SEVERAL_PROMPTS: Final = ("prompts", "several")
"""In `Call.price_context`: the usage adds up several prompts, so that no rate can be chosen by a prompt's length."""

LONGEST_PROMPT: Final = "longest_prompt"
"""In `Call.price_context`, beside `SEVERAL_PROMPTS`: how many tokens the longest of those prompts has, if known."""

_NOT_GENERATING: Final = frozenset(
    {"embeddings", "embed", "rerank", "images", "audio", "moderations", "batches", "cache", "ocr", "external"}
)
"""Operations (the last part of `Call.api`) that are billed but are no step of an agent; `external` is an API that is no
model's, with a fee that the user states."""


class Call(Struct, frozen=True, kw_only=True, gc=False):
    """One model request read from an exchange.

    Attributes:
        provider: Whose price list applies: `openai`, `anthropic`, …; for a host nobody knows, the host itself.
        api: The wire format, such as `openai.chat` or `anthropic.messages`.
        host: The request's host, with its port where it is not the scheme's own.
        model_asked: The model that the request named, if it did.
        model_served: The model that the response named, if it did.
        tier: The service tier as served, if told: `default`, `flex`, `priority`, `batch`, …
        price_context: Other facts that select a rate, such as `(("speed", "fast"),)`.
        stream: Whether the response was streamed.
        http_status: The response's HTTP status.
        status: How well its usage is known.
        usage: Disjoint token counts and fees; all zero unless the status is exact or partial.
        cost: US dollars; `None` where it is unknown or not yet priced.
        unpriced: The token classes and fees (or `model`, `price_table`, …) that lack a price; empty where there is a
            cost.
        reported_cost: US dollars as the provider itself reported them, if it did.
        prompt: The request's segments in order.
        tools: Names of the tools that the response asks for, in order.
        finish: Why the generation ended, in the provider's words.
        response_id: The provider's id of the response.
        started_at: When the request was sent, if known.
        seconds: How long it took, if it was sent just now.
        obtained: How we came by the response.
        drift: The estimate's band and reasons, where the response answered another request and could be estimated;
            `usage` and `cost` are then the estimate.
        source: The recording's path as given, if any.
        index: Its position in that recording, from 0.
        notes: What a reader should know, in short sentences.
    """

    provider: str
    api: str
    host: str
    model_asked: str | None = None
    model_served: str | None = None
    tier: str | None = None
    price_context: tuple[tuple[str, str], ...] = ()
    stream: bool = False
    http_status: int = 200
    status: Status
    usage: Usage = NO_USAGE
    cost: Decimal | None = None
    unpriced: tuple[str, ...] = ()
    reported_cost: Decimal | None = None
    prompt: tuple[Segment, ...] = ()
    tools: tuple[str, ...] = ()
    finish: str | None = None
    response_id: str | None = None
    started_at: datetime | None = None
    seconds: float | None = None
    obtained: Obtained
    drift: Drift | None = None
    source: str | None = None
    index: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> str | None:
        """The model that is billed: the one served, else the one asked for."""
        return self.model_served or self.model_asked

    @property
    def sent(self) -> bool:
        """Whether a request left this machine for it."""
        return self.obtained in {"live", "recorded"}

    @property
    def incurred(self) -> Decimal | None:
        """US dollars that this run really paid for it: $0 when replayed, `None` when unknown."""
        return self.cost if self.sent else ZERO

    @property
    def is_step(self) -> bool:
        """Whether it is a billed generating call: no embedding, no token count, no error."""
        return self.status not in {"unbilled", "error"} and self.api.rpartition(".")[2] not in _NOT_GENERATING

    @property
    def band(self) -> tuple[Usage, Usage | None]:
        """The least and the most that `usage` can be: itself, unless the call drifted.

        Of a drifted call that nothing bounds, also the least is unknown, and none is claimed.
        """
        if self.obtained != "drifted":
            return self.usage, self.usage
        drift = self.drift
        return (NO_USAGE, None) if drift is None or drift.high is None else (drift.low, drift.high)

    @property
    def cost_band(self) -> tuple[Decimal, Decimal | None]:
        """The same in US dollars; of a call whose cost is unknown, what is known of it: nothing."""
        if self.obtained != "drifted":
            cost = self.cost or ZERO
            return cost, cost
        drift = self.drift
        if drift is None or drift.high is None or drift.cost_low is None or drift.cost_high is None:
            return ZERO, None
        return drift.cost_low, drift.cost_high

    def noted(self, *notes: str) -> "Call":
        """The same call with further notes."""
        return replace(self, notes=(*self.notes, *notes))


class Skipped(Struct, frozen=True, kw_only=True):
    """An exchange (or a whole file, with `index` None) that is no model call, with the reason."""

    reason: str
    source: str | None = None
    index: int | None = None
    url: str | None = None
