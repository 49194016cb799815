"""What a task used of one rate card: the line of a lock, and all that a comparison needs."""

from typing import Literal

from msgspec import Struct

from pytest_tokenbudget.model.usage import Usage

__all__ = ["Family", "FamilyKind", "Portion", "RateKey"]

FamilyKind = Literal["system", "tools", "schema", "user", "history", "result", "media"]
"""system, tools, schema: sent whole with every call · user, history, result, media: come in one by one and are then
carried along. `history` is what the model itself said, its tool calls and its thinking included."""


class RateKey(Struct, frozen=True, kw_only=True, order=True, gc=False):
    """What decides which prices apply; never a price.

    Attributes:
        provider: As in `Call.provider`.
        api: As in `Call.api`.
        host: As in `Call.host`.
        served: The model that answered, or empty.
        asked: The model that was asked for; where that is not known, the one that answered.
        tier: The service tier, or empty.
        context: As in `Call.price_context`.
        above: The threshold of prompt tokens that the calls' prompts exceed, where a model has long-prompt rates;
            otherwise 0.
    """

    provider: str
    api: str = ""
    host: str = ""
    served: str = ""
    asked: str = ""
    tier: str = ""
    context: tuple[tuple[str, str], ...] = ()
    above: int = 0

    @property
    def model(self) -> str:
        """The model that is billed, for people."""
        return self.served or self.asked


class Family(Struct, frozen=True, kw_only=True, gc=False):
    """The parts of prompts that belong together, by the local count of their tokens.

    Attributes:
        kind: What they are.
        name: The tool whose results they are; otherwise empty.
        items: How many different ones.
        largest: Tokens of the largest.
        fresh: Tokens that the task sent for the first time.
        sent: Tokens that it sent in all.
    """

    kind: FamilyKind
    name: str = ""
    items: int
    largest: int
    fresh: int
    sent: int


class Portion(Struct, frozen=True, kw_only=True, gc=False):
    """A task's calls on one rate card.

    Attributes:
        key: The rate card.
        calls: How many calls with a known usage.
        usage: The sum of theirs.
        families: What their prompts were made of, sorted by kind and name.
        tools: The tools whose definitions were sent, by name, with the tokens of each.
        drifted: How many of the calls are estimates.
    """

    key: RateKey
    calls: int
    usage: Usage
    families: tuple[Family, ...] = ()
    tools: tuple[tuple[str, int], ...] = ()
    drifted: int = 0
