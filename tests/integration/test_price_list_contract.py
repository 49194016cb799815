"""The price list as we read it is the list that genai-prices itself reads, entry by entry and name by name."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data import providers as theirs
from genai_prices.types import ModelPrice, TieredPrices

from pytest_tokenbudget.pricing import bundled
from pytest_tokenbudget.pricing.bundled import bundled_providers

OURS: Any = {provider.id: provider for provider in bundled_providers()}
THEIRS: Any = {provider.id: provider for provider in theirs}
INSTANTS = [
    datetime(2025, 1, 1, tzinfo=UTC),
    datetime(2026, 2, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))),
    *(datetime(2026, 11, 1, hour, tzinfo=UTC) for hour in range(24)),
]


def plain(prices: Any) -> dict[str, object]:
    """A price as text, whoever's class holds it."""
    return {
        key: price if isinstance(price, Decimal) else (price.base, [(tier.start, tier.price) for tier in price.tiers])
        for key, price in vars(prices).items()
        if price is not None
    }


def in_force(constraint: Any) -> list[bool] | None:
    return None if constraint is None else [constraint.active(instant) for instant in INSTANTS]


def entry(model: Any) -> dict[str, object]:
    """A model with all that its price depends on."""
    conditional = model.prices if isinstance(model.prices, list) else []
    return {
        "id": model.id,
        "price": None if isinstance(model.prices, list) else plain(model.prices),
        "prices": [(plain(one.prices), in_force(one.constraint)) for one in conditional],
        "variants": [
            (dict(one.when), plain(one.prices), in_force(one.constraint)) for one in model.price_variants or ()
        ],
    }


def test_it_is_our_own_reading_that_is_tested() -> None:
    assert type(OURS["openai"]).__module__ == bundled.__name__


def test_providers_and_whom_they_fall_back_to() -> None:
    assert [(one.id, list(one.fallback_model_providers or ())) for one in OURS.values()] == [
        (one.id, list(one.fallback_model_providers or ())) for one in THEIRS.values()
    ]


@pytest.mark.parametrize("provider", THEIRS)
def test_models_and_their_prices(provider: str) -> None:
    assert [entry(model) for model in OURS[provider].models] == [entry(model) for model in THEIRS[provider].models]


def names(provider: str) -> Iterator[str]:
    """Names that a request to a provider may bear."""
    ids = [model.id for model in THEIRS[provider].models]
    ids += [model.id for other in ("openai", "anthropic") for model in THEIRS[other].models[::3]]
    yield from ids
    for model in ids[:: len(ids) // 60 + 1]:
        yield from (model.upper(), f"{model}-20251211", f"{model}-20251399", f"x/{model}", f"{model}:free")
        yield model.replace("-2025-", "-2025").replace("-2026-", "-2026")
    yield from ("", "-", "no-such-model", "gpt", "claude-20260230")


@pytest.mark.parametrize("provider", THEIRS)
def test_a_name_finds_the_entry_that_it_finds_there(provider: str) -> None:
    all_ours, all_theirs = list(OURS.values()), list(THEIRS.values())
    for name in names(provider):
        ours = OURS[provider].find_model(name, all_providers=all_ours)
        found = THEIRS[provider].find_model(name, all_providers=all_theirs)
        assert (ours and entry(ours)) == (found and entry(found)), f"{provider} {name}"


def test_tiers_stand_in_rising_order() -> None:
    tiers = bundled._constructors.TieredPrices(  # noqa: SLF001 - as the list calls it
        base=Decimal(1),
        tiers=[bundled._constructors.Tier(start=start, price=Decimal(2)) for start in (9, 3)],  # noqa: SLF001 - as above
    )
    assert [tier.start for tier in tiers.tiers] == [3, 9]
    assert plain(ModelPrice(input_mtok=TieredPrices(base=Decimal(1), tiers=[])))  # the comparison sees tiers


PROGRAM = """
import sys
from pytest_tokenbudget.pricing.bundled import bundled_providers
assert len(bundled_providers()) > 40
print(*sorted({"genai_prices", "httpx2", "pydantic"} & sys.modules.keys()))
"""


def test_the_library_around_the_list_is_not_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_list_that_we_do_not_know_how_to_run_is_read_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    names = tuple(name for name in bundled._constructors.__all__ if name != "ClauseOr")  # noqa: SLF001 - a newer release
    monkeypatch.setattr(bundled._constructors, "__all__", names)  # noqa: SLF001 - as above
    assert bundled_providers() is theirs
