import pytest
from builders import make_call, make_segment

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.prompt import Segment
from pytest_tokenbudget.report.largest import carried, largest_part

SYSTEM = make_segment("system", 1_000, digest="system")


def call(*parts: Segment) -> Call:
    return make_call(prompt=parts)


def result(tokens: int, digest: str, name: str = "search") -> Segment:
    return make_segment("tool_result", tokens, name=name, digest=digest)


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ((), ""),
        ((SYSTEM, result(9_400, "a")), "search 9.4K"),
        ((SYSTEM, result(3_000, "a"), result(2_000, "b")), "search 5K, system prompt 1K"),
        ((SYSTEM, make_segment("assistant", 600), make_segment("tool_call", 500)), "history 1.1K, system prompt 1K"),
        ((SYSTEM, make_segment("user", 170)), "system prompt 1K"),
        ((make_segment("user", 99),), ""),
        ((SYSTEM, result(1_000, "a", name="")), "system prompt 1K, tools 1K"),
        ((result(1_000, "a", name="x" * 40),), f"{'x' * 23}… 1K"),
        ((result(1_000, "a", name="history"), make_segment("assistant", 1_000)), "history 1K, history 1K"),
    ],
)
def test_what_a_call_carries(parts: tuple[Segment, ...], shown: str) -> None:
    assert carried(call(*parts)) == shown


def test_a_piece_that_is_sent_again_and_again() -> None:
    calls = [call(SYSTEM), *[call(SYSTEM, result(9_400, "a"))] * 8]
    assert largest_part(calls) == (
        "Largest part of the prompts: results of search, 75K of 84K tokens sent (89%, counted locally). "
        "The same 9.4K tokens went out with 8 of 9 calls."
    )


def test_the_heaviest_of_several_pieces() -> None:
    calls = [
        call(SYSTEM, result(9_000, "once")),
        call(SYSTEM, result(4_000, "often")),
        call(SYSTEM, result(4_000, "often")),
        call(SYSTEM, result(4_000, "often"), result(100, "small")),
    ]
    assert largest_part(calls) == (
        "Largest part of the prompts: results of search, 21K of 25K tokens sent (84%, counted locally). "
        "The heaviest piece, 4K tokens, went out with 3 of 4 calls."
    )


def test_pieces_that_are_sent_once() -> None:
    calls = [call(SYSTEM, result(9_000, f"page {number}")) for number in range(3)]
    assert largest_part(calls) == (
        "Largest part of the prompts: results of search, 27K of 30K tokens sent (90%, counted locally)."
    )


def test_a_piece_that_stands_twice_in_one_prompt_went_out_with_one_call() -> None:
    assert largest_part([call(SYSTEM, result(900, "a"), result(900, "a"))]) == (
        "Largest part of the prompts: results of search, 1.8K of 2.8K tokens sent (64%, counted locally)."
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("system", "the system prompt"),
        ("tools", "tool definitions"),
        ("schema", "the output schema"),
        ("assistant", "the model's own earlier turns"),
        ("thinking", "the model's own earlier turns"),
        ("user", "user messages"),
        ("media", "media"),
    ],
)
def test_each_kind_has_its_words(kind: str, words: str) -> None:
    found = largest_part([call(make_segment(kind, 900), result(100, "a"))])
    assert found == f"Largest part of the prompts: {words}, 900 of 1K tokens sent (90%, counted locally)."


def test_nothing_is_said_where_nothing_stands_out() -> None:
    even = [result(1_000, f"{number}", name=f"tool {number}") for number in range(4)]
    assert largest_part([call(*even)]) == ""
    assert largest_part([call(make_segment("user", 9_000))]) == ""
    assert largest_part([call(make_segment("user", 50), result(40, "a"))]) == ""
    assert largest_part([]) == ""
