"""Builders of samples: a test states only what matters to it."""

import random
from collections.abc import Iterator
from decimal import Decimal
from math import exp, log, sqrt
from typing import Any

from pytest_tokenbudget.policy.sampling import Sample


def make_sample(cost: Decimal | str | None = "1", name: str = "t", *, success: bool = True, **stated: Any) -> Sample:
    return Sample(id=name, cost=None if cost is None else Decimal(cost), success=success, **stated)


def make_samples(*costs: str | None, failures: int = 0) -> list[Sample]:
    """Samples with these costs, the last ones of which failed."""
    last = len(costs) - failures
    return [make_sample(cost, f"t{index:04}", success=index < last) for index, cost in enumerate(costs)]


def lognormal(mean: float, cv: float, generator: random.Random) -> Iterator[float]:
    """Costs in US dollars without end."""
    scale = sqrt(log(1 + cv * cv))
    while True:
        yield mean * exp(scale * generator.gauss(0, 1) - scale * scale / 2)


def cascade(mean: float, generator: random.Random) -> Iterator[float]:
    """Costs of an agent that goes on to a model of thirty times the price for one task in twenty."""
    cheap, dear = lognormal(1, 0.3, generator), lognormal(30, 0.5, generator)
    whole = 0.95 + 0.05 * 30
    while True:
        yield mean * next(dear if generator.random() < 0.05 else cheap) / whole
