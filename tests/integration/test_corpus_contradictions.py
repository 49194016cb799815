"""Recordings of others contradict themselves only where somebody shortened them, and always once somebody did."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.policy.contradictions import contradictions
from pytest_tokenbudget.recordings import read_recordings
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.wire import read

SHORTENED: Final = "test_invoke_model_cache_tokens"
"""Its system prompt is "very very long system prompt", of which its usage says 18,131 tokens."""


@pytest.fixture(scope="module")
def calls(shared: Path) -> list[tuple[Exchange, Call]]:
    return list(_calls(shared / "corpus"))


def _calls(corpus: Path) -> Iterator[tuple[Exchange, Call]]:
    for item in read_recordings([corpus]):
        if isinstance(item, Exchange) and isinstance(call := read(item, count), Call) and call.status == "exact":
            yield item, call


def test_only_what_a_person_shortened_contradicts_itself(calls: list[tuple[Exchange, Call]]) -> None:
    wrong = {exchange.source for exchange, call in calls if any(contradictions(call, exchange))}
    assert len(calls) > 150
    assert [SHORTENED in str(source) for source in wrong] == [True]


def test_a_prompt_that_was_cut_out_is_found(calls: list[tuple[Exchange, Call]]) -> None:
    """Of every prompt that is long enough to tell, and refers to nothing outside of it."""
    cut = [
        (replace(exchange, request_body=b'{"messages": []}'), replace(call, prompt=()))
        for exchange, call in calls
        if call.is_step and call.usage.total_input > 2_500 and not call.usage.fees
    ]
    assert len(cut) > 15
    assert all(any(contradictions(call, exchange)) for exchange, call in cut)


def test_usage_that_was_made_small_is_found(calls: list[tuple[Exchange, Call]]) -> None:
    small = [
        (exchange, replace(call, usage=replace(call.usage, input=7, cache_read=0, cache_write=0, cache_write_1h=0)))
        for exchange, call in calls
        if call.is_step and sum(part.tokens for part in call.prompt if part.kind not in {"thinking", "media"}) >= 500
    ]
    assert len(small) > 30
    assert all(any(contradictions(call, exchange)) for exchange, call in small)


def test_an_answer_that_was_cut_out_is_found(calls: list[tuple[Exchange, Call]]) -> None:
    cut = [
        (replace(exchange, response_body=b'{"content": "cut"}', request_body=b'{"messages": []}'), call)
        for exchange, call in calls
        if call.is_step and call.usage.output >= 100
    ]
    assert len(cut) > 20
    assert all(any(contradictions(call, exchange)) for exchange, call in cut)
