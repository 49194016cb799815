"""The user's own prices, found for a call.

They win over every list price. The most particular one counts: an exact model name before a pattern, then one that
names the host, then one that names the provider, then the first stated. It stands for itself: what it does not price
is unpriced, and is not filled up from a list.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.pricing.context import PriceContext, special_tier
from pytest_tokenbudget.pricing.rates import RateCard, Rates

__all__ = ["card_of", "host_matches", "matches", "override_for"]


def override_for(
    overrides: Iterable[PriceOverride], names: Sequence[str], host: str, provider: str, context: PriceContext
) -> PriceOverride | None:
    """The override that prices a call, if any.

    Args:
        overrides: In the order of their rank, the strongest source first.
        names: What its model is called, the name that counts most first.
        host: Its host.
        provider: Whose prices apply to it.
        context: What is not ordinary about it. An override covers one tier and nothing else out of the ordinary.
    """
    if context.items:
        return None
    wanted = [name.lower() for name in names]
    ranked = [
        (rank, override)
        for override in overrides
        if (rank := _rank(override, wanted, host, provider, context.tier)) is not None
    ]
    return min(ranked, key=lambda entry: entry[0])[1] if ranked else None


def card_of(override: PriceOverride) -> RateCard:
    """The override as a rate card."""
    return RateCard(
        entry=override.model,
        source=override.place,
        rates=Rates.per_million(override.rates),
        fees=override.fees,
    )


def host_matches(host: str, pattern: str) -> bool:
    """Whether a host is of a name or pattern; a pattern without a port takes every port."""
    return matches(host, pattern) or (":" in host and matches(host.rpartition(":")[0], pattern))


def matches(name: str, pattern: str) -> bool:
    """Whether a name is of a pattern, whatever the case of its letters; only `*` and `?` are wildcards."""
    return _compiled(pattern).fullmatch(name) is not None


def _rank(
    override: PriceOverride, names: list[str], host: str, provider: str, tier: str | None
) -> tuple[bool, bool, bool, int] | None:
    """How far down an override stands, `None` where it does not apply."""
    if special_tier(override.tier) != tier:
        return None
    if override.provider is not None and override.provider != provider:
        return None
    if override.host is not None and not host_matches(host, override.host):
        return None
    wanted = override.model.lower()
    exact = wanted in names
    matching = [name == wanted if exact else matches(name, wanted) for name in names]
    if not any(matching):
        return None
    return not exact, override.host is None, override.provider is None, matching.index(True)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    # only * and ? are wildcards: model names may hold the brackets that fnmatch reads as sets
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE | re.DOTALL)
