"""Costs that providers reported themselves, in real recordings, beside ours."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
import pytest

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.recordings import read_recordings
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.wire import read

TOLERANCE: Final = Decimal("0.005")

EXPLAINED: Final = {
    # OpenRouter passed OpenAI's price on, 25% above today's until OpenAI cut it on 2026-08-21. The price data knows
    # OpenAI's past, but has another price for OpenRouter's before 2026-10-19.
    ("openai/gpt-5.6-sol", Decimal("0.025265")): "openai's own before 2026-08-21 make it $0.025265",
    ("openai/gpt-5.6-sol", Decimal("0.002196")): "openai's own before 2026-08-21 make it $0.002196",
}


def reported(shared: Path) -> list[tuple[Exchange, Call]]:
    found = []
    for exchange in read_recordings([shared / "corpus" / "cassettes"]):
        if isinstance(exchange, Exchange):
            call = read(exchange, count)
            if isinstance(call, Call) and call.reported_cost is not None:
                found.append((exchange, call))
    return found


def recorded_at(exchange: Exchange) -> datetime | None:
    """When the provider says that it answered."""
    try:
        body = msgspec.json.decode(exchange.response_body)
    except msgspec.DecodeError:
        return None
    stamp = body.get("created_at") or body.get("created") if isinstance(body, dict) else None
    return datetime.fromtimestamp(stamp, tz=UTC) if isinstance(stamp, int | float) else None


def close(ours: Decimal | None, theirs: Decimal) -> bool:
    return ours is not None and abs(ours - theirs) <= theirs * TOLERANCE


def test_ours_is_the_reported_cost_at_the_recordings_date_or_the_note_says_why(shared: Path) -> None:
    found = reported(shared)
    unexplained = []
    explained = set()
    for exchange, call in found:
        assert call.reported_cost is not None
        dates = [date for date in (recorded_at(exchange),) if date]
        then = [PriceTable(as_of=date).charge(call) for date in dates]
        now = PriceTable().charge(call)
        if any(close(charged.cost, call.reported_cost) for charged in then or [now]):
            continue
        key = (call.model or "", call.reported_cost)
        if key in EXPLAINED and any(note.endswith(EXPLAINED[key]) for note in now.notes):
            explained.add(key)
        else:
            unexplained.append((call.source, call.index, call.model, now.cost, call.reported_cost))

    assert not unexplained
    assert explained == set(EXPLAINED)
    assert len(found) >= 5


def test_what_openrouter_reported_is_openais_price_of_that_day(shared: Path) -> None:
    sol = [(exchange, call) for exchange, call in reported(shared) if call.model == "openai/gpt-5.6-sol"]
    assert len(sol) == 2
    for exchange, call in sol:
        day = recorded_at(exchange)
        assert day is not None
        assert day.date().isoformat() == "2026-07-17"
        direct = msgspec.structs.replace(call, provider="openai", model_served="gpt-5.6-sol")
        assert PriceTable(as_of=day).charge(direct).cost == call.reported_cost


@pytest.mark.parametrize("share", ["1.0051", "0.9949"])
def test_a_disagreement_is_noted_on_the_call(shared: Path, share: str) -> None:
    call = next(call for _, call in reported(shared) if call.model == "anthropic/claude-4.6-sonnet-20260217")
    assert call.reported_cost is not None
    assert PriceTable().charge(call).notes == call.notes

    off = msgspec.structs.replace(call, reported_cost=call.reported_cost * Decimal(share))
    assert PriceTable().charge(off).notes[-1].startswith("the provider reports $0.0")
