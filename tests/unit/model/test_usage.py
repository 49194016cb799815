from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.model.usage import CLASSES, NO_USAGE, Usage

EVERY_CLASS = Usage(
    input=1,
    cache_read=2,
    cache_write=4,
    cache_write_1h=8,
    output=16,
    thinking=32,
    input_audio=64,
    output_audio=128,
    input_image=256,
    output_image=512,
    fees={"web_search": 3},
    other={"reranking": 1024},
)

counted = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(1, 9)).map(MappingProxyType)
usages = st.builds(Usage, **dict.fromkeys(CLASSES, st.integers(0, 10**9)), fees=counted, other=counted)


def test_every_class_is_counted_once() -> None:
    assert EVERY_CLASS.total_input == 1 + 2 + 4 + 8 + 64 + 256
    assert EVERY_CLASS.total_output == 16 + 32 + 128 + 512
    assert EVERY_CLASS.total == 2047


def test_only_reads_are_hits() -> None:
    assert EVERY_CLASS.cache_hit_rate == 2 / 335
    assert Usage(output=5).cache_hit_rate is None


def test_counts_come_in_a_fixed_order_without_zeros() -> None:
    usage = Usage(output=2, input=1, other={"z": 3, "a": 4, "none": 0})
    assert list(usage.counts()) == [("input", 1), ("output", 2), ("a", 4), ("z", 3)]


def test_addition_keeps_fees_and_nameless_classes() -> None:
    assert Usage(fees={"search": 1}, other={"x": 1}) + Usage(fees={"search": 2, "image": 1}, other={"y": 5}) == Usage(
        fees={"search": 3, "image": 1}, other={"x": 1, "y": 5}
    )


def test_only_usage_adds_to_usage() -> None:
    with pytest.raises(TypeError):
        EVERY_CLASS + 1  # type: ignore[operator]  # that is the point


@given(usages, usages, usages)
def test_addition_is_associative(one: Usage, two: Usage, three: Usage) -> None:
    assert (one + two) + three == one + (two + three)


@given(usages, usages)
def test_addition_is_commutative_and_conserves_tokens(one: Usage, two: Usage) -> None:
    assert one + two == two + one
    assert (one + two).total == one.total + two.total
    assert sum(count for _, count in (one + two).counts()) == one.total + two.total


@given(usages)
def test_nothing_adds_nothing(usage: Usage) -> None:
    assert usage + NO_USAGE == usage == NO_USAGE + usage == sum([usage])
