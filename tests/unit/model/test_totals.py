from decimal import Decimal, localcontext

from builders import make_call, make_estimate, make_run, make_task, numbered
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.task import Attempt, Totals
from pytest_tokenbudget.model.usage import Usage

calls = st.lists(
    st.sampled_from(
        [
            make_call("0.10", input=10),
            make_call("0.003", cache_read=7, output=3, obtained="drifted"),
            make_estimate("0.28", "0.27", "0.30", input=1000, cache_read=100),
            make_estimate("0.28", "0.27", None),
            make_call("0.5", obtained="live", seconds=0.25),
            make_call(None, obtained="recorded", status="partial", output=2, seconds=1.5),
            make_call(None, status="missing", input=0),
            make_call("0.01", api="openai.embeddings", input=9),
            make_call("0", status="error", http_status=429, input=0),
        ]
    ),
    max_size=8,
)


def test_every_figure_of_a_sum() -> None:
    known = make_call("0.10", obtained="live", seconds=0.25, input=10, cache_read=2, output=3)
    unknown = make_call(None, obtained="recorded", status="partial", output=2, seconds=1.5)
    unpriced = make_call(None, unpriced=("model",), input=1)
    drifted = make_call("0.003", obtained="drifted", thinking=4)
    assert Totals.of(numbered((known, unknown, unpriced, drifted))) == Totals(
        usage=Usage(input=11, cache_read=2, output=5, thinking=4),
        low=Usage(input=11, cache_read=2, output=5),
        high=None,
        known=Decimal("0.103"),
        known_low=Decimal("0.10"),
        known_high=None,
        incurred=Decimal("0.10"),
        calls=4,
        steps=4,
        sent=2,
        drifted=1,
        unknown=2,
        unknown_usage=1,
        unknown_sent=1,
        seconds=1.75,
    )


def test_an_estimate_adds_its_least_and_its_most() -> None:
    estimate = make_estimate("0.28", "0.14", "0.56", input=100, output=10)
    totals = Totals.of(numbered((make_call("0.02", input=5), estimate)))
    assert (totals.low, totals.usage, totals.high) == (
        Usage(input=55, output=5),
        Usage(input=105, output=10),
        Usage(input=205, output=20),
    )
    assert (totals.known_low, totals.known, totals.known_high) == (Decimal("0.16"), Decimal("0.30"), Decimal("0.58"))
    assert (totals.drifted, totals.estimated, totals.stale) == (1, 1, 0)


def test_of_an_estimate_without_an_end_nothing_is_claimed() -> None:
    totals = Totals.of(numbered((make_call("0.02", input=5), make_estimate("0.28", "0.14", None))))
    assert (totals.low, totals.high) == (Usage(input=5), None)
    assert (totals.known_low, totals.known_high) == (Decimal("0.02"), None)
    assert (totals.drifted, totals.estimated, totals.stale) == (1, 0, 1)


def test_a_cost_with_an_unknown_part_is_unknown() -> None:
    assert Totals.of(numbered((make_call("0.1"), make_call(None)))).cost is None
    assert Totals.of(numbered((make_call("0.1"), make_call("0.2")))).cost == Decimal("0.3")
    assert Totals().cost == 0


@given(calls, st.integers(0, 8))
def test_the_parts_of_a_task_add_up_to_it(found: list[Call], at: int) -> None:
    entries = numbered(tuple(found))
    assert Totals.of(entries[:at]) + Totals.of(entries[at:]) == Totals.of(entries)


def test_seconds_do_not_depend_on_their_order() -> None:
    lasting = [make_call(obtained="live", seconds=seconds) for seconds in (0.1, 0.2, 0.3)]
    assert Totals.of(numbered(tuple(lasting))).seconds == Totals.of(numbered(tuple(lasting[::-1]))).seconds == 0.6


def test_a_run_counts_every_attempt_of_every_task_and_fixture() -> None:
    first = Attempt(outcome="rerun", calls=numbered((make_call("0.10"),)))
    task = make_task("t", make_call("0.20"), earlier=(first,))
    fixture = make_task("f", make_call("0.40"), outcome="fixture")
    assert task.totals.known == Decimal("0.20")
    assert task.all_attempts.known == Decimal("0.30")
    assert make_run(task, fixtures=(fixture,)).totals.known == Decimal("0.70")


def test_sums_are_exact_whatever_decimal_context_a_test_left_behind() -> None:
    with localcontext(prec=2):
        totals = Totals.of(numbered((make_call("1.001", obtained="live"),) * 3))
        assert totals.known == totals.incurred == Decimal("3.003")
