"""Which errors say for certain that a request was never sent, and whose."""

from collections.abc import Iterator

import pytest

from pytest_tokenbudget.traffic.approval import approve_request, forget_unsent, if_unsent, take_approval, withdraw
from pytest_tokenbudget.traffic.unsent import is_refused, telling

URL = "http://127.0.0.1:9/v1/messages"
REFUSED = ConnectionRefusedError(111, "refused")


@pytest.fixture
def told() -> Iterator[list[str]]:
    found: list[str] = []
    approve_request("POST", URL)
    if_unsent(lambda: found.append("unsent"))
    yield found
    withdraw()


def caused(error: Exception, by: BaseException) -> Exception:
    error.__cause__ = by
    return error


def in_the_midst_of(error: Exception, other: BaseException) -> Exception:
    error.__context__ = other
    return error


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (REFUSED, True),
        (caused(OSError("All connection attempts failed"), REFUSED), True),
        (caused(OSError(), ExceptionGroup("each", [REFUSED, ConnectionRefusedError()])), True),
        (caused(OSError(), ExceptionGroup("each", [REFUSED, TimeoutError()])), False),
        (in_the_midst_of(TimeoutError(), REFUSED), False),
        (ConnectionResetError(), False),
    ],
)
def test_what_says_that_nothing_was_sent(error: Exception, *, refused: bool) -> None:
    assert is_refused(error) is refused


def fails(error: Exception) -> None:
    raise error


def test_the_one_that_let_it_out_is_told(told: list[str]) -> None:
    assert take_approval("POST", URL)
    with pytest.raises(ConnectionRefusedError):
        telling(fails)(REFUSED)
    assert told == ["unsent"]


def test_nobody_is_told_of_another_failure(told: list[str]) -> None:
    assert take_approval("POST", URL)
    with pytest.raises(TimeoutError):
        telling(fails)(TimeoutError())
    assert told == []


def test_what_did_not_get_to_leave_is_not_told_of(told: list[str]) -> None:
    with pytest.raises(ConnectionRefusedError):
        telling(fails)(REFUSED)
    assert told == []


def test_a_redirect_that_is_refused_was_sent_before(told: list[str]) -> None:
    assert take_approval("POST", URL, follows_redirects=True)
    assert take_approval("GET", "http://127.0.0.1:9/other", follows_redirects=True)
    with pytest.raises(ConnectionRefusedError):
        telling(fails)(REFUSED)
    assert told == []


def test_another_request_that_is_refused_says_nothing_of_the_one_before(told: list[str]) -> None:
    assert take_approval("POST", URL)
    forget_unsent()  # the guard, of what is no model call
    with pytest.raises(ConnectionRefusedError):
        telling(fails)(REFUSED)
    assert told == []
