"""An approval serves one request, in the context that it was given in."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_tokenbudget.traffic.approval import approve_request, take_approval, withdraw

URL = "https://api.openai.com/v1/chat/completions"


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    withdraw()
    yield
    withdraw()


def test_without_one_nothing_passes() -> None:
    assert not take_approval("POST", URL)


def test_it_serves_once() -> None:
    approve_request("POST", URL)
    assert [take_approval("POST", URL) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    "written",
    [
        "https://api.openai.com:443/v1/chat/completions",
        "https://API.openai.com/v1/chat/completions?timeout=1",
        "https://any:key@api.openai.com/v1/chat%2Fcompletions",
    ],
)
def test_clients_write_a_url_in_ways_of_their_own(written: str) -> None:
    approve_request("post", written)
    assert take_approval("POST", URL)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", URL),
        ("POST", "https://api.openai.com/v1/responses"),
        ("POST", "https://api.anthropic.com/v1/chat/completions"),
        ("POST", "https://api.openai.com:8443/v1/chat/completions"),
        ("POST", "https://api.openai.com:port/v1/chat/completions"),
    ],
)
def test_another_request_does_not_pass_and_leaves_it(method: str, url: str) -> None:
    approve_request("POST", URL)
    assert not take_approval(method, url)
    assert take_approval("POST", URL)


def test_one_that_was_not_used_can_be_withdrawn() -> None:
    approve_request("POST", URL)
    withdraw()
    assert not take_approval("POST", URL)


def test_redirects_below_a_cassette_pass_until_the_answer_is_there() -> None:
    approve_request("POST", URL)
    other = "https://eu.api.openai.com/v1/chat/completions"
    assert not take_approval("POST", other, follows_redirects=True)  # nothing was sent that could redirect
    assert take_approval("POST", URL, follows_redirects=True)
    assert take_approval("POST", other, follows_redirects=True)
    withdraw()
    assert not take_approval("POST", other, follows_redirects=True)


def test_another_thread_has_none() -> None:
    approve_request("POST", URL)
    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(take_approval, "POST", URL).result()


def test_tasks_that_inherit_one_share_it() -> None:
    async def take() -> bool:
        return take_approval("POST", URL)

    async def both() -> list[bool]:
        approve_request("POST", URL)
        return list(await asyncio.gather(take(), take()))

    assert sorted(asyncio.run(both())) == [False, True]


def test_what_another_client_used_is_nobodys_redirect() -> None:
    approve_request("POST", URL)
    assert take_approval("POST", URL)
    assert not take_approval("POST", f"{URL}/other", follows_redirects=True)
