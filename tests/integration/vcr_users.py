"""A suite that uses vcrpy in every way that people do; `test_recording_suite.py` copies it into a project and runs it.

Nothing in it knows of budgets. Each test's calls, recorded and replayed, stand in that module.
"""
# ruff: noqa: S301, S310 - http to loopback alone, and a file that the test itself has written

import contextlib
import json
import os
import pickle
import threading
import unittest
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import vcr
from vcr.cassette import Cassette, CassetteContextDecorator
from vcr.errors import CannotOverwriteExistingCassetteException
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.record_mode import RecordMode
from vcr.unittest import VCRMixin

URL = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
KEPT = "cassettes/users"


def ask(text: str = "Hello", **more: object) -> str:
    body = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": text}], **more}).encode()
    request = urllib.request.Request(URL, body, {"Content-Type": "application/json", "Authorization": "Bearer secret"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return str(json.load(answer)["choices"][0]["message"]["content"])


def test_context_manager() -> None:
    with vcr.use_cassette(f"{KEPT}/context_manager.yaml") as cassette:
        assert ask() == "You said: Hello"
        assert ask("Again") == "You said: Again"
    assert len(cassette) == 2


@vcr.use_cassette(f"{KEPT}/decorator.yaml")
def test_decorator() -> None:
    assert ask() == "You said: Hello"


@vcr.use_cassette(f"{KEPT}/injected.yaml", inject_cassette=True)
def play(cassette: Cassette) -> None:
    played = len(cassette)
    ask()
    assert isinstance(cassette, Cassette)
    assert cassette.play_count == played
    assert str(cassette) == "<Cassette containing 1 recorded response(s)>"


def test_injected() -> None:
    play()


def test_decorated_in_conftest(asks_in_conftest: Callable[[], str]) -> None:
    assert asks_in_conftest() == "You said: conftest"


@pytest.fixture
@vcr.use_cassette(f"{KEPT}/generator.yaml")
def generated() -> Iterator[str]:
    yield ask("setup")
    ask("teardown")


def test_generator(generated: str) -> None:
    assert generated == "You said: setup"


@pytest.mark.asyncio
@vcr.use_cassette(f"{KEPT}/coroutine.yaml")
async def test_coroutine() -> None:
    assert ask() == "You said: Hello"


def test_own_instance_with_json() -> None:
    mine = vcr.VCR(serializer="json", cassette_library_dir=KEPT, match_on=["method", "path", "body"])
    with mine.use_cassette("own_instance.json"):
        assert ask("b") == "You said: b"
        assert ask("a") == "You said: a"


class Reversed:
    """A serializer that nobody else reads."""

    def serialize(self, cassette: Any) -> str:
        return json.dumps(cassette)[::-1]

    def deserialize(self, text: str) -> Any:
        return json.loads(text[::-1])


def test_own_serializer() -> None:
    mine = vcr.VCR(serializer="reversed")
    mine.register_serializer("reversed", Reversed())
    with mine.use_cassette(f"{KEPT}/own_serializer"):
        assert ask() == "You said: Hello"


class Pickled:
    """A persister that stores vcrpy's own objects."""

    @staticmethod
    def load_cassette(path: str, serializer: object) -> Any:
        del serializer
        try:
            return pickle.loads(Path(path).read_bytes())
        except FileNotFoundError as error:
            raise CassetteNotFoundError from error

    @staticmethod
    def save_cassette(path: str, cassette: Any, serializer: object) -> None:
        del serializer
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(pickle.dumps((cassette["requests"], cassette["responses"])))


def test_own_persister() -> None:
    mine = vcr.VCR()
    mine.register_persister(Pickled)
    with mine.use_cassette(f"{KEPT}/own_persister.pickle"):
        assert ask() == "You said: Hello"


def test_class_of_vcrpy() -> None:
    with Cassette.use(path=f"{KEPT}/class_of_vcrpy.yaml") as cassette:
        assert ask() == "You said: Hello"
    assert type(cassette).__mro__[-2] is Cassette


class Own(Cassette):
    """A cassette of somebody's own, which counts, and leaves vcrpy's constructor out of the chain of `super`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Cassette.__init__(self, *args, **kwargs)
        self.asked: list[str] = []

    def can_play_response_for(self, request: Any) -> Any:
        self.asked.append(request.method)
        return super().can_play_response_for(request)


def test_own_class() -> None:
    with Own.use(path=f"{KEPT}/own_class.yaml") as cassette:
        assert ask() == "You said: Hello"
    assert isinstance(cassette, Own)
    assert cassette.asked[0] == "POST"


class Finds(Cassette):
    """A cassette that finds its recordings in a way of its own."""

    def _responses(self, request: Any) -> Iterator[Any]:
        for index, (stored, response) in enumerate(self.data):
            if stored.method == request.method:
                yield index, response


def test_own_finding() -> None:
    with CassetteContextDecorator.from_args(Finds, path=f"{KEPT}/own_finding.yaml"):
        assert ask() == "You said: Hello"


def test_nested() -> None:
    with vcr.use_cassette(f"{KEPT}/nested_outer.yaml"):
        ask("outer")
        with vcr.use_cassette(f"{KEPT}/nested_inner.yaml"):
            ask("inner")
        ask("outer again")


def test_mode_new_episodes() -> None:
    with vcr.use_cassette(f"{KEPT}/new_episodes.yaml", record_mode=RecordMode.NEW_EPISODES):
        ask("first")
    with vcr.use_cassette(f"{KEPT}/new_episodes.yaml", record_mode=RecordMode.NEW_EPISODES):
        ask("first")
        if not os.environ.get("REPLAY"):
            ask("second")


def test_mode_all() -> None:
    with vcr.use_cassette(f"{KEPT}/all.yaml", record_mode=RecordMode.ALL):
        ask()


def test_mode_none_without_recording() -> None:
    with (
        vcr.use_cassette(f"{KEPT}/missing.yaml", record_mode="none"),
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        ask()


def test_mode_once_is_closed_after_recording() -> None:
    with vcr.use_cassette(f"{KEPT}/once.yaml"):
        ask()
    with vcr.use_cassette(f"{KEPT}/once.yaml"):
        ask()
        with pytest.raises(CannotOverwriteExistingCassetteException):
            ask("more")


def test_repeats() -> None:
    with vcr.use_cassette(f"{KEPT}/repeats.yaml"):
        ask()
    with vcr.use_cassette(f"{KEPT}/repeats.yaml", allow_playback_repeats=True):
        assert [ask() for _ in range(3)] == ["You said: Hello"] * 3


def test_dropped_response() -> None:
    with vcr.use_cassette(f"{KEPT}/dropped_response.yaml", before_record_response=lambda _: None):
        ask()


def test_dropped_request() -> None:
    with vcr.use_cassette(f"{KEPT}/dropped_request.yaml", before_record_request=lambda _: None):
        ask()


def test_ignored_host() -> None:
    with vcr.use_cassette(f"{KEPT}/ignored_host.yaml", ignore_localhost=True):
        ask()


@pytest.mark.asyncio
async def test_ignored_host_with_aiohttp() -> None:
    import aiohttp

    body = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}
    with vcr.use_cassette(f"{KEPT}/ignored_host_aiohttp.yaml", ignore_localhost=True):
        async with aiohttp.ClientSession() as client, client.post(URL, json=body) as answer:
            assert await answer.json()


def test_filter_that_fails() -> None:
    def fail(_: object) -> None:
        raise LookupError

    with (
        vcr.use_cassette(f"{KEPT}/filter_that_fails.yaml", before_record_response=fail),
        contextlib.suppress(LookupError),
    ):
        ask()


def scrubbed(request: Any) -> Any:
    request.body = request.body.replace(b"Ann", b"XXX")
    return request


def test_scrubbed_request() -> None:
    with vcr.use_cassette(
        f"{KEPT}/scrubbed.yaml",
        before_record_request=scrubbed,
        filter_headers=["Authorization"],
        filter_post_data_parameters=["user"],
    ):
        ask("I am Ann", user="u-1")


def test_scrubbed_without_a_copy() -> None:
    with Cassette.use(path=f"{KEPT}/scrubbed_in_place.yaml", before_record_request=scrubbed):
        assert ask("I am Ann")


def test_counting_filter() -> None:
    seen = []
    with vcr.use_cassette(f"{KEPT}/counting.yaml", before_record_request=lambda r: seen.append(1) or r):
        ask()
    Path("cassettes/counted.txt").write_text(str(len(seen)))


def test_not_saved_on_exception() -> None:
    with (
        contextlib.suppress(KeyError),
        vcr.use_cassette(f"{KEPT}/exception.yaml", record_on_exception=False),
    ):
        ask()
        raise KeyError


def ask_by_httpx(text: str) -> str:
    import httpx

    body = {"model": "tiny", "messages": [{"role": "user", "content": text}]}
    return str(httpx.post(URL, json=body).json()["choices"][0]["message"]["content"])


def test_threads() -> None:
    # not by the standard library's client: with it vcrpy itself lets threads slip past its recording
    with (
        vcr.use_cassette(f"{KEPT}/threads.yaml", match_on=["method", "body"]),
        ThreadPoolExecutor(4 if os.environ.get("REPLAY") else 1) as pool,
    ):
        said = list(pool.map(ask_by_httpx, [f"thread {number}" for number in range(12)]))
    assert said == [f"You said: thread {number}" for number in range(12)]


def test_a_thread_of_its_own() -> None:
    with vcr.use_cassette(f"{KEPT}/thread.yaml"):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()


def test_other_traffic() -> None:
    with vcr.use_cassette(f"{KEPT}/other.yaml"), contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(URL.replace("/v1/chat/completions", "/health"), timeout=5)


def test_without_a_cassette() -> None:
    assert ask() == "You said: Hello"


class TestMixed(VCRMixin, unittest.TestCase):
    def test_unittest(self) -> None:
        assert ask() == "You said: Hello"


@pytest.mark.vcr
def test_marked() -> None:
    assert ask() == "You said: Hello"


@pytest.mark.vcr
@pytest.mark.default_cassette("named.yaml")
def test_named_cassette() -> None:
    assert ask() == "You said: Hello"


@pytest.mark.vcr("extra.yaml")
def test_extra_cassette() -> None:
    ask("own")


@pytest.mark.vcr(record_mode="new_episodes", match_on=["method", "body"])
@pytest.mark.parametrize("text", ["a/b", "c"])
def test_marked_with_mode(text: str) -> None:
    assert ask(text) == f"You said: {text}"


@pytest.mark.vcr
class TestMarked:
    @pytest.fixture
    def vcr_config(self) -> dict[str, Any]:
        return {"serializer": "json", "filter_headers": ["Authorization"]}

    def test_configured(self) -> None:
        assert ask() == "You said: Hello"
