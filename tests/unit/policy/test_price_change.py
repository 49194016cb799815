"""What a change of prices costs: head's usage, priced twice."""

from decimal import Decimal
from typing import Any

from builders import make_call, make_estimate, make_run, make_task
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_tokenbudget.config.discounts import Discount
from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.price_change import PriceChange, price_change
from pytest_tokenbudget.policy.snapshot import Snapshot, snapshot_of_run
from pytest_tokenbudget.pricing import PriceTable

SEARCH = Fee(tool="search", usd=Decimal("0.01"), place="tokenbudget.yml:1: fees[0]")


def own(model: str, rate: int, **stated: str) -> PriceOverride:
    rates = {name: Decimal(rate) for name in ("input", "output")}
    return PriceOverride(model=model, rates=rates, place="tokenbudget.yml:1", **stated)  # type: ignore[arg-type]


def head(*calls: Call, table: PriceTable | None = None) -> Snapshot:
    charged = [(table or PriceTable()).charge(call) for call in calls]
    task = replace(make_task("t.py::test_a", *charged), portions=portions(charged, lambda _: 0))
    return snapshot_of_run(make_run(task), "run.json")


def call(model: str, **fields: Any) -> Call:
    return make_call(None, model_served=model, input=1_000_000, output=0, **fields)


def change(of: Snapshot, old: PriceTable, new: PriceTable) -> PriceChange:
    return price_change(of, old.cost_of, new.cost_of, ["prices"])


def told(found: PriceChange) -> list[tuple[str, bool, str, str]]:
    return [(each.model, each.discounted, str(each.base), str(each.head)) for each in found.models]


def amounts(found: PriceChange) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    assert found.total is not None
    return found.total.base, found.total.head, found.total.change


def test_each_model_whose_price_changed_is_told_the_largest_change_first() -> None:
    old = PriceTable(overrides=(own("a", 1), own("b", 5), own("c", 1)))
    new = PriceTable(overrides=(own("a", 2), own("b", 2), own("c", 1)))
    found = change(head(call("a"), call("b"), call("c"), call("a")), old, new)
    assert told(found) == [("b", False, "5.000000", "2.000000"), ("a", False, "2.000000", "4.000000")]
    assert amounts(found) == (8, 7, -1)
    assert found.differs == ("prices",)


def test_equal_prices_are_no_change_whatever_else_the_settings_say() -> None:
    old = PriceTable(overrides=(own("a", 1),))
    new = PriceTable(overrides=(own("unused", 9), own("a*", 1)), discounts=())
    assert change(head(call("a")), old, new) == PriceChange()


def test_a_model_that_had_no_price_has_an_unknown_one_and_no_zero() -> None:
    new = PriceTable(overrides=(own("mine", 1),))
    found = change(head(call("mine"), call("claude-sonnet-5")), PriceTable(), new)
    assert told(found) == [("mine", False, "None", "1.000000")]
    assert amounts(found)[2] is None
    nobody = head(call("nobody"), call("a"))
    assert amounts(change(nobody, PriceTable(overrides=(own("a", 1),)), PriceTable(overrides=(own("a", 2),)))) == (
        1,
        2,
        1,
    )


def test_a_contract_is_told_beside_list_prices() -> None:
    def table(percent: int, rate: int | None = None) -> PriceTable:
        discount = Discount(provider="anthropic", percent=Decimal(percent), place="")
        return PriceTable(discounts=(discount,), overrides=() if rate is None else (own("a", rate),))

    of = head(call("claude-sonnet-5"))
    found = change(of, table(10), table(20))
    assert told(found) == [("claude-sonnet-5", True, "1.800000000", "1.600000000")]
    assert amounts(found)[2] == Decimal("-0.2")
    assert found.total is not None
    assert found.total.discounted
    both = change(head(call("claude-sonnet-5"), call("a")), table(10, 1), table(20, 4))
    assert [each[:2] for each in told(both)] == [("a", False), ("claude-sonnet-5", True)]
    assert amounts(both)[2] == 3


def test_what_had_no_fee_was_not_counted_on_base() -> None:
    new = PriceTable(fees=(SEARCH,))
    of = head(call("claude-sonnet-5", tools=("search", "search")), table=new)
    assert amounts(change(of, PriceTable(), new)) == (2, Decimal("2.02"), Decimal("0.02"))
    external = make_call(None, api="tavily.external", host="api.tavily.com", model_served=None, model_asked="tavily")
    asked = head(replace(external, usage=Usage(fees={"tavily": 3})))
    fee = Fee(host="api.tavily.com", name="tavily", usd=Decimal("0.008"), place="")
    assert amounts(change(asked, PriceTable(), PriceTable(fees=(fee,)))) == (0, Decimal("0.024"), Decimal("0.024"))
    other = PriceTable(fees=(replace(SEARCH, usd=Decimal(1)),))
    assert amounts(change(of, other, new))[2] == Decimal("-1.98")


def test_estimates_are_marked() -> None:
    of = head(make_estimate("1", "1", "1", model_served="a"), call("b"))
    old, new = (PriceTable(overrides=(own("a", rate), own("b", rate))) for rate in (1, 2))
    found = change(of, old, new)
    assert {each.model: each.is_estimate for each in found.models} == {"a": True, "b": False}
    assert found.total is not None
    assert found.total.is_estimate


rates = st.dictionaries(st.sampled_from("abc"), st.integers(0, 4))


@given(st.lists(st.sampled_from("abc"), max_size=4), rates, rates)
def test_the_models_add_up_to_the_change_and_turn_with_the_sides(
    models: list[str], before: dict[str, int], after: dict[str, int]
) -> None:
    of = head(*map(call, models))
    old, new = (PriceTable(overrides=tuple(own(m, r) for m, r in each.items())) for each in (before, after))
    there, back = change(of, old, new), change(of, new, old)
    assert {(each.model, each.base, each.head) for each in there.models} == {
        (each.model, each.head, each.base) for each in back.models
    }
    assert change(of, old, old) == PriceChange()
    if there.total is not None and there.total.change is not None:
        assert sum(each.change or 0 for each in there.models) == there.total.change
