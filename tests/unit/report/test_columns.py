import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.report.columns import columns, ended, left, opened, printable, right, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("test_a[x]", "test_a[x]"),
        ("größer 長い ✓", "größer 長い ✓"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("\u202edesrever", r"\u202edesrever"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\x9b2J", r"\x9b2J"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_moves_or_hides_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(("text", "size"), [("abc", 3), ("é", 1), ("e\u0301", 1), ("長い", 4), ("…", 1), ("ﾃｽﾄ", 3)])
def test_columns(text: str, size: int) -> None:
    assert columns(text) == size


@pytest.mark.parametrize(
    ("text", "most", "beginning", "end"),
    [
        ("abcdef", 6, "abcdef", "abcdef"),
        ("abcdef", 4, "abc…", "…def"),
        ("長長長", 5, "長長…", "…長長"),
        ("長長長", 4, "長…", "…長"),
        ("xe\u0301y", 2, "x…", "…y"),
        ("abe\u0301", 2, "a…", "…e\u0301"),
    ],
)
def test_what_does_not_fit_is_cut_at_its_beginning_or_end(text: str, most: int, beginning: str, end: str) -> None:
    assert (opened(text, most), ended(text, most)) == (beginning, end)


def test_cells_fill_their_column() -> None:
    assert (left("長い", 6), right("長い", 6)) == ("長い  ", "  長い")


def test_words_wrap_and_stay_whole() -> None:
    assert wrapped("one two three a-very-long-word end", 10, first="> ", further="   ") == [
        "> one two",
        "   three",
        "   a-very-long-word",
        "   end",
    ]
    assert wrapped("", 10, first=" ", further="") == [" "]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(2, 12))
def test_a_cut_text_fits(text: str, most: int) -> None:
    shown = printable(text)
    assert columns(opened(shown, most)) <= most
    assert columns(ended(shown, most)) <= most


@given(st.text())
def test_everything_can_be_printed(text: str) -> None:
    assert printable(text).isprintable()


@given(st.lists(st.text("ab長", min_size=1, max_size=9), max_size=20), st.integers(12, 40))
def test_wrapping_loses_no_word_and_keeps_to_the_width(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width, first=" ", further="   ")
    assert " ".join(lines).split() == words
    assert all(columns(line) <= width or len(line.split()) == 1 for line in lines)
