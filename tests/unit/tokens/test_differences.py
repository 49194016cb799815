import pytest

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.tokens.differences import Revision, compare, same_bytes, shared


def parts(letters: str) -> list[Part]:
    return [Part("user", "user", letter) for letter in letters]


def told(before: str, now: str) -> list[tuple[int, str, str]]:
    return [
        (revision.position, revision.before.text if revision.before else "", revision.now.text if revision.now else "")
        for revision in compare(parts(before), parts(now)).revisions
    ]


@pytest.mark.parametrize(
    ("before", "now", "revisions"),
    [
        ("abc", "abc", []),
        ("abc", "abxc", [(2, "", "x")]),
        ("abxc", "abc", [(2, "x", "")]),
        ("abc", "axc", [(1, "b", "x")]),
        ("", "ab", [(0, "", "a"), (1, "", "b")]),
        ("ab", "", [(0, "a", ""), (1, "b", "")]),
        ("abcdef", "xbcdefy", [(0, "a", "x"), (6, "", "y")]),
        ("aab", "ab", [(1, "a", "")]),
        ("abc", "axyc", [(1, "b", "x"), (2, "", "y")]),
    ],
)
def test_what_stays_is_not_told(before: str, now: str, revisions: list[tuple[int, str, str]]) -> None:
    assert told(before, now) == revisions


def test_what_moved_is_where_they_first_differ_and_no_revision() -> None:
    found = compare(parts("abcd"), parts("bcad"))
    assert found.revisions == ()
    assert found.first is not None
    assert found.first.position == 0


def test_a_part_is_paired_with_its_like() -> None:
    before = [Part("tools", "search", "1"), Part("tools", "buy", "2"), Part("user", "user", "3")]
    now = [Part("tools", "buy", "2b"), Part("tools", "search", "1b"), Part("user", "user", "3")]
    assert compare(before, now).revisions == (
        Revision(0, before[1], now[0]),
        Revision(1, before[0], now[1]),
    )


def test_a_renamed_tool_is_one_change() -> None:
    before, now = Part("tools", "search", "find it"), Part("tools", "lookup", "find it")
    assert compare([before], [now]).revisions == (Revision(0, before, now),)


def test_many_parts_are_paired_without_taking_their_square() -> None:
    before = [Part("user", "user", f"{number} before") for number in range(5_000)]
    now = [Part("user", "user", f"{number} now") for number in range(5_000)]
    assert len(compare(before, now).revisions) == 5_000


@pytest.mark.parametrize(
    ("left", "right", "start", "end"),
    [("", "", 0, 0), ("abc", "abc", 3, 0), ("abXcd", "abYYcd", 2, 2), ("aa", "aaa", 2, 0), ("abc", "", 0, 0)],
)
def test_what_two_texts_share(left: str, right: str, start: int, end: int) -> None:
    assert shared(left, right) == (start, end)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [("abc", "abd", 2), ("é", "è", 1), ("日本", "日中", 3), ("abc", "abc", 3), ("\ud800a", "\ud800b", 3)],
)
def test_the_first_byte_that_differs_is_counted_in_utf_8(left: str, right: str, expected: int) -> None:
    # é is C3 A9, è is C3 A8; 本 is E6 9C AC, 中 E4 B8 AD
    assert same_bytes(left, right) == expected
