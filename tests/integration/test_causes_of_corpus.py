"""On recordings of one test before and after a change: text that did not change gets next to none of the dollars."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.policy.causes import Cause, causes
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.sides import Costed
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.recordings import read_recordings
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.tokens.worth import worth
from pytest_tokenbudget.wire import read

TABLE = PriceTable(unknown_model="free")
TEXT = {"system", "tools", "schema", "user", "result", "media"}
KINDS = {"tool_result": "result"}


def calls_of(path: Path) -> list[Call]:
    found = [read(exchange, count) for exchange in read_recordings([path]) if isinstance(exchange, Exchange)]
    return [call for call in found if isinstance(call, Call)]


def costed(calls: Sequence[Call]) -> list[Costed]:
    carded = [(portion, TABLE.card_of(portion)) for portion in portions(calls, TABLE.above)]
    return [Costed(portion=portion, card=card) for portion, card in carded if card is not None]


def texts_of(calls: Sequence[Call], cause: Cause) -> set[tuple[str, str]]:
    """The texts that a cause is about, and the model that each was sent to."""
    return {
        (call.model or "", segment.digest)
        for call in calls
        for segment in call.prompt
        if KINDS.get(segment.kind, segment.kind) == cause.kind and cause.name in ("", segment.name)
    }


def pairs(corpus: Path) -> Iterator[tuple[list[Call], list[Call]]]:
    for before in sorted(path for path in (corpus / "pairs").glob("*/*/before/**/*") if path.is_file()):
        after = Path(*("after" if part == "before" else part for part in before.parts))
        if after.is_file():
            yield calls_of(before), calls_of(after)


def test_text_that_did_not_change_is_not_blamed(shared: Path) -> None:
    gross = blamed = Decimal(0)
    compared = 0
    for before, after in pairs(shared / "corpus"):
        base, head = costed(before), costed(after)
        found = causes(base, head, worth)
        total = sum((each.usd for each in head), Decimal(0)) - sum((each.usd for each in base), Decimal(0))
        assert abs(sum((cause.usd for cause in found), Decimal(0)) - total) <= Decimal("1e-11")
        compared += bool(found)
        for cause in found:
            gross += abs(cause.usd)
            if cause.kind in TEXT and texts_of(before, cause) == texts_of(after, cause):
                blamed += abs(cause.usd)
    print(f"{compared} changed recordings: {blamed / gross:.3%} of the dollars on text that did not change")  # noqa: T201
    assert compared >= 5
    assert blamed <= gross * Decimal("0.001")
