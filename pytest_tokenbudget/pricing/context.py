"""What selects a rate besides the model: the service tier, the speed, the place of inference.

A context that no price is known for is unpriced; it is never taken for the standard one.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.call import LONGEST_PROMPT, SEVERAL_PROMPTS, Call

__all__ = ["PriceContext", "Unpriced", "context_of", "special_tier"]

_STANDARD_TIERS: Final = frozenset({"default", "standard", "auto", "on_demand"})
"""`default` and `auto` (OpenAI; `auto` stands in answers that were billed as default), `standard` (Anthropic, Google),
`on_demand` (Groq)."""

_OTHER_NAMES: Final = {"on_demand_flex": "flex", "on_demand_priority": "priority"}
"""Vertex AI's traffic types for tiers that have a name of their own (google-genai 3.4, `TrafficType`)."""

_STANDARD_ITEMS: Final[Mapping[str, frozenset[str]]] = {
    "speed": frozenset({"standard"}),
    "inference_geo": frozenset({"global", "not_available"}),
    SEVERAL_PROMPTS[0]: frozenset({SEVERAL_PROMPTS[1]}),
}
"""The values that change no price by themselves: of Anthropic's `Usage` (SDK 2.12), and that of several prompts, which
matters only where rates differ by a prompt's length."""

_NO_RATES: Final = frozenset({LONGEST_PROMPT})
"""Items that select among the rates of one card, and no card."""


class PriceContext(Struct, frozen=True, kw_only=True):
    """What differs from an ordinary call; empty for an ordinary one.

    Attributes:
        tier: The service tier as served, `None` for the standard one.
        items: Other facts, sorted.
    """

    tier: str | None = None
    items: tuple[tuple[str, str], ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """How the parts are named where they have no price: `tier:flex`, `speed:fast`."""
        tier = () if self.tier is None else (f"tier:{self.tier}",)
        return (*tier, *(f"{key}:{value}" for key, value in self.items))


class Unpriced(Struct, frozen=True):
    """Why there is no rate card.

    Attributes:
        what: As in `Call.unpriced`: `model`, or the parts of the context.
        note: A sentence for the call's notes.
    """

    what: tuple[str, ...]
    note: str


def context_of(call: Call) -> PriceContext:
    """What is not ordinary about a call. The tier is the one served, whatever was asked for."""
    return _context(call.tier, call.price_context)


@lru_cache(maxsize=256)
def _context(tier: str | None, items: tuple[tuple[str, str], ...]) -> PriceContext:
    return PriceContext(
        tier=special_tier(tier),
        items=tuple(
            sorted(
                (key, value)
                for key, value in items
                if key not in _NO_RATES and value not in _STANDARD_ITEMS.get(key, ())
            )
        ),
    )


def special_tier(tier: str | None) -> str | None:
    """A tier that is not the standard one, by the name that price lists give it; else `None`."""
    name = tier.lower() if tier else None
    return None if name is None or name in _STANDARD_TIERS else _OTHER_NAMES.get(name, name)
