"""What is said of a task whose requests changed."""

from builders import make_call, make_task

from pytest_tokenbudget.model.drift import Drift
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.report.drifting import drifting, estimate_text


def test_an_estimate_without_a_price_is_not_said_to_be_that_of_the_recording() -> None:
    known = Drift(recorded_usage=Usage(input=90), low=Usage(input=95), high=Usage(input=105))
    call = make_call(None, obtained="drifted", drift=known, unpriced=("model",), input=100)
    found = drifting(make_task("t.py::test_a", call))
    assert found is not None
    assert estimate_text(found) == "its tokens are estimated, but not all of it has a known price"


def test_without_an_estimate_it_is() -> None:
    found = drifting(make_task("t.py::test_a", make_call("0.01", obtained="drifted")))
    assert found is not None
    assert estimate_text(found) == "not estimated: the figures are those of the recording"
