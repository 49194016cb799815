"""Estimates of real requests that were changed, beside what the provider then counted."""

from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest
from drift_pairs import Pair, pairs_of

from pytest_tokenbudget.tokens.counting import counter_for
from pytest_tokenbudget.tokens.estimate import estimate
from pytest_tokenbudget.tokens.sample import Estimate


class Measured(NamedTuple):
    """A pair with its estimate."""

    pair: Pair
    found: Estimate

    @property
    def truth(self) -> int:
        return self.pair.after.usage.total_input

    @property
    def error(self) -> float:
        return abs(self.found.usage.total_input - self.truth) / self.truth

    @property
    def held(self) -> bool:
        low, high = self.found.drift.low, self.found.drift.high
        return low.total_input <= self.truth and (high is None or self.truth <= high.total_input)

    @property
    def only_text(self) -> bool:
        """Whether nothing but texts changed, and all of them can be counted."""
        definitions = (
            {part for part in sample.prompt.parts if part.kind in {"tools", "schema"}}
            for sample in (self.pair.before, self.pair.after)
        )
        return self.pair.same_mode and self.found.drift.high is not None and next(definitions) == next(definitions)


@pytest.fixture(scope="module")
def measured(shared: Path) -> list[Measured]:
    pairs = [pair for pair in pairs_of(shared / "corpus") if pair.before.prompt != pair.after.prompt]
    return [
        Measured(pair, estimate(pair.before, pair.after.prompt, counter_for(pair.after.model), known=pair.known))
        for pair in pairs
    ]


def p90(values: list[float]) -> float:
    return sorted(values)[int(0.9 * len(values))]


@pytest.mark.parametrize("kind", ["edit", "extend"])
def test_edits_of_text_are_estimated_closely(measured: list[Measured], kind: str) -> None:
    errors = [one.error for one in measured if one.only_text and one.pair.kind == kind]
    assert len(errors) >= 35
    assert median(errors) <= 0.01
    assert p90(errors) <= 0.04


def test_the_pairs_across_commits_are_estimated_closely(measured: list[Measured]) -> None:
    errors = [one.error for one in measured if one.only_text and "/before/" in one.pair.source]
    assert len(errors) >= 20
    assert median(errors) <= 0.01
    assert p90(errors) <= 0.04


def test_the_truth_lies_in_the_band_nine_times_in_ten(measured: list[Measured]) -> None:
    bounded = [one for one in measured if one.found.drift.high is not None]
    assert len(bounded) >= 200
    assert sum(one.held for one in bounded) >= 0.95 * len(bounded)
    for maker in ("gpt", "claude", "gemini"):
        theirs = [one for one in bounded if maker in one.pair.after.model]
        assert sum(one.held for one in theirs) >= 0.9 * len(theirs), maker


def test_a_band_is_no_wider_than_what_changed(measured: list[Measured]) -> None:
    shares = []
    for one in measured:
        low, high = one.found.drift.low, one.found.drift.high
        change = abs(one.truth - one.pair.before.usage.total_input)
        if one.only_text and high is not None and change >= 20:
            shares.append((high.total_input - low.total_input) / change)
    assert median(shares) <= 0.25
    assert p90(shares) <= 0.6


def test_where_nothing_bounds_an_estimate_it_says_why(measured: list[Measured]) -> None:
    unbounded = [one for one in measured if one.found.drift.high is None]
    assert unbounded
    for one in unbounded:
        assert one.found.drift.reasons
        assert one.found.drift.low.total_input <= one.truth
