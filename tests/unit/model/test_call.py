from decimal import Decimal

import pytest
from builders import make_call


def test_the_model_served_is_billed() -> None:
    assert make_call(model_asked="gpt-5", model_served="gpt-5-2026-01-01").model == "gpt-5-2026-01-01"
    assert make_call(model_asked="gpt-5", model_served=None).model == "gpt-5"
    assert make_call(model_served=None).model is None


@pytest.mark.parametrize(
    ("obtained", "sent", "incurred"),
    [("live", True, "0.10"), ("recorded", True, "0.10"), ("replayed", False, "0"), ("drifted", False, "0")],
)
def test_only_what_was_sent_was_paid(obtained: str, sent: bool, incurred: str) -> None:  # noqa: FBT001 - a column of the table
    call = make_call("0.10", obtained=obtained)
    assert (call.sent, call.incurred) == (sent, Decimal(incurred))


def test_an_unknown_cost_was_paid_only_if_it_was_sent() -> None:
    assert make_call(None, obtained="live").incurred is None
    assert make_call(None, obtained="replayed").incurred == 0


@pytest.mark.parametrize(
    ("api", "status", "step"),
    [
        ("anthropic.messages", "exact", True),
        ("anthropic.messages", "partial", True),
        ("anthropic.messages", "missing", True),
        ("acme.generate", "unsupported", True),
        ("openai.embeddings", "exact", False),
        ("cohere.rerank", "exact", False),
        ("openai.chat", "error", False),
        ("openai.responses", "unbilled", False),
    ],
)
def test_a_step_is_a_billed_generating_call(api: str, status: str, step: bool) -> None:  # noqa: FBT001 - a column of the table
    assert make_call(api=api, status=status).is_step is step


def test_notes_are_added_to_a_new_call() -> None:
    call = make_call(notes=("first",))
    assert call.noted("second", "third").notes == ("first", "second", "third")
    assert call.notes == ("first",)
