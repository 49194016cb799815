"""How many of a model's tokens a locally counted one is worth, by the family of prompt parts that it stands in."""

from functools import lru_cache

from pytest_tokenbudget.model.portion import FamilyKind, RateKey
from pytest_tokenbudget.tokens.families import family_of

__all__ = ["worth"]

_MINIFIED = 0.77
"""The local count is of a tool's JSON; where the model reads TypeScript instead, that is so much shorter."""


def worth(key: RateKey, kind: FamilyKind) -> float:
    """The weight of a family of prompt parts on a rate card (docs/decisions/0010-estimating-drift.md)."""
    return _worth(key.provider, key.model, kind)


@lru_cache(maxsize=1024)
def _worth(provider: str, model: str, kind: FamilyKind) -> float:
    family = family_of(provider, model)
    weights = family.weights
    match kind:
        case "tools":
            return weights.tools * (_MINIFIED if family.typescript else 1.0)
        case "schema":
            return weights.schema
        case "result":
            return weights.tool
        case _:
            return weights.text
