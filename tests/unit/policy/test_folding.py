from pytest_tokenbudget.policy.folding import folded

CUT = "The prompt changes early: {} of those tokens are taken as not cached. If it was sent before, they are."


def test_sentences_that_differ_in_a_number_are_one_with_its_range_and_how_many_calls() -> None:
    (said,) = folded([CUT.format("544"), CUT.format("1,270"), CUT.format("98"), CUT.format("544")])
    assert said == f"In 4 calls, t{CUT.format('98 to 1,270')[1:]}"


def test_equal_sentences_are_said_once_as_they_are_in_the_order_in_which_they_came() -> None:
    off = "Texts are counted by o200k_base, which is about 3.0% off."
    assert list(folded([off, CUT.format("1"), off])) == [off, CUT.format("1")]
    assert list(folded([])) == []


def test_numbers_in_names_tell_sentences_apart() -> None:
    unknown = "How {} counts tokens was not measured."
    said = [unknown.format(name) for name in ("gpt-4.1-mini", "gpt-5-mini", "claude-3-5", "o3", "llama-3.1:8b")]
    assert list(folded(said)) == said


def test_every_number_that_differs_has_a_range() -> None:
    assert list(folded(["A picture of 3 by 4.5 is off by 10%.", "A picture of 2 by 4.5 is off by 10%."])) == [
        "In 2 calls, a picture of 2 to 3 by 4.5 is off by 10%."
    ]
