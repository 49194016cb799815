"""One event for each request that leaves, however a client redirects, retries, keeps connections or uses a proxy."""

import asyncio
import http.client
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
import vcr
import vcr.patch
from guard_clients import BODY, CHAT, JSON
from loopback import Reply, in_order
from loopback.proxy import LoopbackProxy, Raw
from openai import AsyncOpenAI, OpenAI
from watched import watching

from pytest_tokenbudget.errors import EscapeRefused

PATH = "/v1/chat/completions"
THERE = Reply(status=307, headers={"location": PATH}, raw=b"moved")
BUSY = Reply(status=429, headers={"retry-after-ms": "1"}, text="busy")
HI = Reply(text="Hi.")


def httpx_follows(url: str) -> None:
    with httpx.Client(follow_redirects=True) as client:
        client.post(url + PATH, json=CHAT)


def httpx2_follows(url: str) -> None:
    with httpx2.Client(follow_redirects=True) as client:
        client.post(url + PATH, json=CHAT)


def requests_follows(url: str) -> None:
    requests.post(url + PATH, json=CHAT, timeout=5)


def urllib3_follows(url: str) -> None:
    with urllib3.PoolManager() as pool:
        pool.request("POST", url + PATH, json=CHAT)


async def _aiohttp(url: str, times: int = 1) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(times):
            async with session.post(url + PATH, json=CHAT) as answer:
                await answer.read()


def aiohttp_follows(url: str) -> None:
    asyncio.run(_aiohttp(url))


def openai_follows(url: str) -> None:
    with OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        client.chat.completions.create(**CHAT)


FOLLOWING = (httpx_follows, httpx2_follows, requests_follows, urllib3_follows, aiohttp_follows, openai_follows)


@pytest.mark.parametrize("follow", FOLLOWING)
@pytest.mark.parametrize("recorded", [False, True])
def test_a_redirect_is_two_requests(tmp_path: Path, follow: Callable[[str], None], *, recorded: bool) -> None:
    with watching(tmp_path, in_order(THERE, HI)) as watched:
        if recorded:
            with vcr.use_cassette(str(tmp_path / "all.yaml"), record_mode="all"):
                follow(watched.url)
        else:
            follow(watched.url)
        assert watched.arrived == 2
        assert (watched.seen, len(watched.exchanges)) == (([], 2) if recorded else (["escaped", "escaped"], 0))


def test_an_approval_of_aiohttps_ends_with_the_answer(tmp_path: Path) -> None:
    async def twice(url: str) -> None:
        await _aiohttp(url)
        past = vcr.patch._AiohttpClientSessionRequest  # noqa: SLF001 - what the cassette stands in for
        with patch.object(aiohttp.ClientSession, "_request", past):
            await _aiohttp(url)  # in the same task

    with watching(tmp_path) as watched, vcr.use_cassette(str(tmp_path / "all.yaml"), record_mode="all"):
        asyncio.run(twice(watched.url))
        assert (watched.arrived, watched.seen, len(watched.exchanges)) == (2, ["escaped"], 1)


def test_an_approval_without_an_answer_is_no_leave_for_another_client(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with watching(tmp_path) as watched:
        with (
            vcr.use_cassette(str(tmp_path / "all.yaml"), record_mode="all"),
            pytest.raises(requests.exceptions.ConnectionError),
        ):
            requests.post(f"http://127.0.0.1:{port}{PATH}", json=CHAT, timeout=5)
        aiohttp_follows(watched.url)
        assert (watched.arrived, watched.seen) == (1, ["escaped"])


def openai_retries(url: str) -> None:
    with OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=1) as client:
        client.chat.completions.create(**CHAT)


def openai_async_retries(url: str) -> None:
    async def call() -> None:
        async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=1) as client:
            await client.chat.completions.create(**CHAT)

    asyncio.run(call())


def urllib3_retries(url: str) -> None:
    retries = urllib3.Retry(1, status_forcelist=[429], allowed_methods=None)
    with urllib3.PoolManager(retries=retries) as pool:
        pool.request("POST", url + PATH, json=CHAT)


@pytest.mark.parametrize("retry", [openai_retries, openai_async_retries, urllib3_retries])
@pytest.mark.parametrize("recorded", [False, True])
def test_a_retry_is_a_request_of_its_own(tmp_path: Path, retry: Callable[[str], None], *, recorded: bool) -> None:
    with watching(tmp_path, in_order(BUSY, HI)) as watched:
        if recorded:
            with vcr.use_cassette(str(tmp_path / "all.yaml"), record_mode="all"):
                retry(watched.url)
        else:
            retry(watched.url)
        assert watched.arrived == 2
        assert (watched.seen, len(watched.exchanges)) == (([], 2) if recorded else (["escaped", "escaped"], 0))


def httpx_keeps(url: str) -> None:
    with httpx.Client() as client:
        for _ in range(3):
            client.post(url + PATH, json=CHAT)


def requests_keeps(url: str) -> None:
    with requests.Session() as session:
        for _ in range(3):
            session.post(url + PATH, json=CHAT)


def aiohttp_keeps(url: str) -> None:
    asyncio.run(_aiohttp(url, times=3))


def http_client_keeps(url: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port or 0)
    for _ in range(3):
        connection.request("POST", PATH, BODY, JSON)
        connection.getresponse().read()
    connection.close()


@pytest.mark.parametrize("keep", [httpx_keeps, requests_keeps, aiohttp_keeps, http_client_keeps])
def test_each_request_on_one_connection_counts(tmp_path: Path, keep: Callable[[str], None]) -> None:
    with watching(tmp_path) as watched:
        keep(watched.url)
        assert (watched.arrived, watched.seen) == (3, ["escaped"] * 3)


TARGET = f"http://api.openai.com{PATH}"


def httpx_by_proxy(proxy: str) -> None:
    with httpx.Client(proxy=proxy) as client:
        client.post(TARGET, json=CHAT)


def requests_by_proxy(proxy: str) -> None:
    requests.post(TARGET, json=CHAT, proxies={"http": proxy}, timeout=5)


def urllib3_by_proxy(proxy: str) -> None:
    with urllib3.ProxyManager(proxy) as pool:
        pool.request("POST", TARGET, json=CHAT)


def http_client_by_proxy(proxy: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(proxy).port or 0)
    connection.request("POST", TARGET, BODY, JSON)
    connection.getresponse().read()
    connection.close()


def aiohttp_by_proxy(proxy: str) -> None:
    async def call() -> None:
        async with aiohttp.ClientSession() as session, session.post(TARGET, json=CHAT, proxy=proxy) as answer:
            await answer.read()

    asyncio.run(call())


BY_PROXY = (httpx_by_proxy, requests_by_proxy, urllib3_by_proxy, http_client_by_proxy, aiohttp_by_proxy)


@pytest.mark.parametrize("call", BY_PROXY)
def test_a_call_by_a_proxy_is_one_request_named_by_its_own_host(tmp_path: Path, call: Callable[[str], None]) -> None:
    with watching(tmp_path) as watched, LoopbackProxy({f"api.openai.com{PATH}": Raw(json={})}) as proxy:
        address = proxy.environment["HTTP_PROXY"]
        call(address)
        assert (proxy.asked, watched.seen) == ([f"api.openai.com{PATH}"], ["escaped"])
        assert watched.task.strays[0].request == f"POST {TARGET}"
        watched.refused = "test_it replays"
        with pytest.raises(EscapeRefused):
            call(address)
        assert len(proxy.asked) == 1


@contextmanager
def without_proxies() -> Iterator[None]:
    with patch.dict(os.environ):
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            os.environ.pop(name, None)
        yield


def httpx_tunnels(proxy: str) -> None:
    with httpx.Client(proxy=proxy) as client:
        client.post(TARGET.replace("http:", "https:"), json=CHAT)


def aiohttp_tunnels(proxy: str) -> None:
    async def call() -> None:
        async with aiohttp.ClientSession() as session:
            await session.post(TARGET.replace("http:", "https:"), json=CHAT, proxy=proxy)

    asyncio.run(call())


@pytest.mark.parametrize("call", [httpx_tunnels, aiohttp_tunnels])
def test_a_tunnel_through_a_proxy_is_not_even_asked_for(tmp_path: Path, call: Callable[[str], None]) -> None:
    with without_proxies(), watching(tmp_path) as watched:
        watched.refused = "test_it replays"
        with pytest.raises(EscapeRefused):
            call(watched.url)
        assert (watched.arrived, watched.seen) == (0, ["refused"])


@pytest.mark.parametrize("call", [httpx_tunnels, aiohttp_tunnels])
def test_asking_for_a_tunnel_is_no_event_of_its_own(tmp_path: Path, call: Callable[[str], None]) -> None:
    with without_proxies(), watching(tmp_path) as watched:
        with suppress(Exception):  # nobody tunnels there
            call(watched.url)
        assert watched.seen == ["escaped"]


def test_a_connection_is_not_opened_for_what_is_refused(tmp_path: Path) -> None:
    nowhere = "https://127.0.0.1:9"
    with watching(tmp_path) as watched:
        watched.refused = "test_it replays"
        for call in (httpx_follows, requests_follows, urllib3_follows, aiohttp_follows):
            with pytest.raises(EscapeRefused):  # and not that nobody listens there
                call(nowhere)
        assert len(watched.seen) == 4


@pytest.mark.parametrize("url", [f"https://user:sesame@127.0.0.1:9{PATH}?key=sesame", f"{TARGET}?key=sesame"])
def test_no_secret_of_a_url_is_shown(tmp_path: Path, url: str) -> None:
    with watching(tmp_path) as watched:
        watched.refused = "test_it replays"
        for post in (httpx.post, requests.post):
            with pytest.raises(EscapeRefused) as refusal:
                post(url, json=CHAT)  # type: ignore[operator]
            assert "sesame" not in str(refusal.value)
        assert "sesame" not in repr(watched.task.strays)
