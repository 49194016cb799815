import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.tokens import COUNTER, count
from pytest_tokenbudget.tokens.counter import count as count_here


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),  # 5/32, but a text is never nothing
        ("hello world", 2),  # 49/32
        ("lookup_order", 2),  # 71/32
        ("A-1042", 4),  # 16 + 26 + 4 * 25 = 142/32
        ('{"usd": 0.30}', 5),  # 6 for braces, 20 quotes, 11 letters, 3, 6, 75 digits, 43 stop = 164/32
        ("\n\n", 3),  # 82/32
        ("\t", 1),
        ("\x00", 1),
        ("é", 1),  # 37/32
        ("Привет", 2),  # 6 * 10/32
        ("退款", 2),  # 2 * 28/32
        ("かな", 1),  # 2 * 21/32
        ("🎉🎉", 4),  # 112/32 = 3.5, rounded up
        ("\ud800", 1),  # a lone surrogate, as JSON may carry it
    ],
)
def test_counts(text: str, tokens: int) -> None:
    assert count(text) == tokens


def test_weights_add_up_beyond_what_one_checksum_holds() -> None:
    # 100,000 line breaks weigh 4,100,000 thirty-seconds: 62 times what Adler-32 can hold at once
    assert count("\n" * 100_000) == 128_125


def test_a_text_is_the_sum_of_its_parts_wherever_they_are_cut() -> None:
    sentence = "Refund policy: 30 days, unopened. Größe, 退款, 🎉!\n"
    alone = count(sentence * 32)
    assert [count(sentence * 32 * n) for n in (10, 100, 1000)] == pytest.approx(
        [alone * 10, alone * 100, alone * 1000], rel=0.001
    )


@given(st.text(), st.text())
def test_is_additive_up_to_rounding(left: str, right: str) -> None:
    assert abs(count(left + right) - count(left) - count(right)) <= 2


@given(st.text(min_size=1))
def test_growing_a_text_never_lowers_its_count(text: str) -> None:
    assert 1 <= count(text) <= count(text + "x")


def test_the_name_stands_for_these_weights() -> None:
    # Counts are committed in locks. Other weights need another name: change both, never one.
    every_character = "".join(map(chr, (*range(0xD800), *range(0xE000, sys.maxunicode + 1))))
    assert (COUNTER, count(every_character)) == ("tb1", 1_883_113)


def test_the_room_gives_the_same_function() -> None:
    assert count is count_here
