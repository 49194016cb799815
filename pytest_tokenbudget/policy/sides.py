"""One side of a comparison: a task's calls on one rate card (or on several, pooled) as the quantities that are split.

Floats: what is exact is restored afterwards (see `causes`). Tokens of a family are its local count times the weight of
its model family; `rest` is what the provider billed beyond that, signed, and a family of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.portion import FamilyKind, Portion, RateKey
from pytest_tokenbudget.pricing.rates import FEE, RateCard, cost_of

__all__ = ["REST", "UNCACHED", "Amounts", "Costed", "Name", "Side", "Weight", "side"]

Name = tuple[str, str]
"""A family's kind and name."""

REST: Final[Name] = ("rest", "")

Weight = Callable[[RateKey, FamilyKind], float]
"""How many tokens of a model one locally counted token is worth, in a family of prompt parts."""

_OTHER_CLASSES: Final = ("input_audio", "input_image", "output_audio", "output_image")
UNCACHED: Final = ("input", "cache_write", "cache_write_1h")
_INPUT: Final = (*UNCACHED, "cache_read")
_PRICED: Final = (*_INPUT, "output", "thinking")


class Costed(Struct, frozen=True, kw_only=True):
    """A portion with the prices that apply to it.

    Attributes:
        portion: The calls.
        card: What they are billed at; its `rates` are those of the portion's prompts, long or not.
    """

    portion: Portion
    card: RateCard

    @property
    def usd(self) -> Decimal:
        """US dollars; what has no price counts as none, for such a task is not compared."""
        return cost_of(self.portion.usage, self.card) or Decimal(0)


class Amounts(Struct, kw_only=True):
    """A family's tokens on one side: different items, the largest, those sent for the first time, all that were."""

    items: float = 0.0
    largest: float = 0.0
    fresh: float = 0.0
    sent: float = 0.0


class Side(Struct, kw_only=True):
    """One side.

    Attributes:
        calls: How many calls.
        tokens: Tokens by class, of the classes that are split.
        rates: US dollars per token by class; where several cards are pooled, the mean weighted by tokens.
        families: Tokens by family, `rest` included.
        fresh: Tokens of every family that were sent for the first time.
        repeated: Tokens that had been sent before.
        hits: Cache reads of repeated tokens.
        warm: Cache reads beyond them: something had been cached before the task began.
        p_new: US dollars per token that was not read from a cache.
        p_rep: US dollars per repeated token; `None` where there are none.
        fees: US dollars of everything counted apart, by its cause's name.
    """

    calls: int
    tokens: Mapping[str, float]
    rates: Mapping[str, float]
    families: Mapping[Name, Amounts]
    fresh: float
    repeated: float
    hits: float
    warm: float
    p_new: float
    p_rep: float | None
    fees: Mapping[str, float]

    @property
    def uncached(self) -> float:
        """Input tokens that were not read from a cache."""
        return sum(self.tokens[name] for name in UNCACHED)

    @property
    def hit_share(self) -> float | None:
        """The share of repeated tokens that were read from a cache."""
        return self.hits / self.repeated if self.repeated > 0 else None


def side(costed: Sequence[Costed], weight: Weight) -> Side:
    """Sum portions, of which there is at least one."""
    tokens = {name: float(sum(getattr(each.portion.usage, name) for each in costed)) for name in _PRICED}
    rates = {name: _mean_rate(costed, name) for name in _PRICED}
    families = _families(costed, weight)
    calls = sum(each.portion.calls for each in costed)
    total_input = sum(tokens[name] for name in _INPUT)
    rest = total_input - sum(family.sent for family in families.values())
    mean_rest = rest / calls if calls else rest
    families[REST] = Amounts(items=1.0, largest=mean_rest, fresh=mean_rest, sent=rest)
    fresh = sum(family.fresh for family in families.values())
    repeated = total_input - fresh
    read = tokens["cache_read"]
    hits = min(read, max(repeated, 0.0))
    uncached = total_input - read
    p_new = sum(tokens[name] * rates[name] for name in UNCACHED) / uncached if uncached > 0 else rates["input"]
    # without repeated tokens nothing says what they cost; where `rest` makes them negative, they are plain ones
    p_rep = None if not repeated else (hits * rates["cache_read"] + (repeated - hits) * p_new) / repeated
    return Side(
        calls=calls,
        tokens=tokens,
        rates=rates,
        families=families,
        fresh=fresh,
        repeated=repeated,
        hits=hits,
        warm=read - hits,
        p_new=p_new,
        p_rep=p_rep,
        fees=_fees(costed),
    )


def _mean_rate(costed: Sequence[Costed], name: str) -> float:
    counts = [getattr(each.portion.usage, name) for each in costed]
    rates = [float(each.card.rates.of(name) or 0) for each in costed]
    total = sum(counts)
    if not total:
        return sum(rates) / len(rates)
    return float(sum(count * rate for count, rate in zip(counts, rates, strict=True)) / total)


def _families(costed: Sequence[Costed], weight: Weight) -> dict[Name, Amounts]:
    found: dict[Name, Amounts] = {}
    for each in costed:
        for family in each.portion.families:
            factor = weight(each.portion.key, family.kind)
            total = found.setdefault((family.kind, family.name), Amounts())
            total.items += family.items
            total.largest = max(total.largest, factor * family.largest)
            total.fresh += factor * family.fresh
            total.sent += factor * family.sent
    return found


def _fees(costed: Sequence[Costed]) -> dict[str, float]:
    """US dollars of what is no text: counted things, audio and images, and classes without a name of ours."""
    found: dict[str, float] = {}
    for each in costed:
        usage = each.portion.usage
        for name, count in usage.fees.items():
            found[FEE + name] = found.get(FEE + name, 0.0) + count * float(each.card.fees.get(name) or 0)
        for name in _OTHER_CLASSES:
            if count := getattr(usage, name):
                found[name] = found.get(name, 0.0) + count * float(each.card.rates.of(name) or 0)
        for name, count in usage.other.items():
            found[name] = found.get(name, 0.0) + count * float(each.card.rates.of(name) or 0)
    return found
