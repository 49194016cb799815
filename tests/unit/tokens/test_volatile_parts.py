import pytest

from pytest_tokenbudget.model.prompt import Part
from pytest_tokenbudget.tokens.differences import compare
from pytest_tokenbudget.tokens.volatile import volatile_parts


def looks(before: str, now: str) -> tuple[str, ...]:
    return volatile_parts(compare([Part("system", "system", before)], [Part("system", "system", now)]))


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [
        ("Today is 2026-11-24.", "Today is 2026-11-25.", "a date"),
        ("Today is Nov 24, 2026.", "Today is Nov 25, 2026.", "a date"),
        ("Today is Tuesday, 24 November 2026.", "Today is Wednesday, 25 November 2026.", "a date"),
        ("It is Tuesday now.", "It is Wednesday now.", "a date"),
        ("It is 10:15:02.", "It is 11:47:33.", "a time"),
        ("now=1764028800", "now=1764028913", "a time"),
        ("id 9f1b2c3d-0000-4000-8000-0123456789ab", "id 1f1b2c3d-0000-4000-8000-0123456789ac", "an id"),
        ("trace 4bf92f3577b34da6", "trace a3ce929d0e0e4736", "an id"),
        ("after toolu_01A9xyzabc12", "after toolu_01B7qrsdef34", "an id"),
        ("Attempt 3 of 5", "Attempt 4 of 5", "a counter"),
        ("in /tmp/pytest-3/x.txt", "in /tmp/pytest-4/x.txt", "an address in memory or a path"),
        ("tags: red, green, blue", "tags: blue, red, green", "in another order"),
        ("red\ngreen\nblue", "blue\nred\ngreen", "in another order"),
    ],
)
def test_what_changes_at_every_run_is_named(before: str, now: str, kind: str) -> None:
    assert looks(before, now) == (f"system ({kind})",)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("Be brief.", "Be brief and kind."),
        ("Answer in 20 words.", "Answer in 30 words."),
        ("Today is 2026-11-24.", "Today is unknown."),
        ("You may help.", "You will help."),
        ("", "Today is 2026-11-24."),
    ],
)
def test_an_edit_is_not_taken_for_it(before: str, now: str) -> None:
    assert looks(before, now) == ()


@pytest.mark.parametrize("end", [" ", "\n"])
def test_it_is_found_beside_an_edit_and_in_a_long_text(end: str) -> None:
    rest = f"You help the customers of a shop.{end}" * 200
    before, now = f"Date: 2026-11-24\n{rest}\nBe brief.", f"Date: 2026-11-25\n{rest}\nBe kind."
    assert looks(before, now) == ("system (a date)",)


def test_tools_in_another_order_are_named() -> None:
    tools = [Part("tools", name, f"{name} it") for name in ("search", "buy", "sell")]
    assert volatile_parts(compare(tools, tools[::-1])) == ("tools (in another order)",)
