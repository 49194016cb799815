"""Every client that agents call models with, in all its ways; each makes one call to a base URL."""

import asyncio
import http.client
import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import boto3
import httpcore
import httpcore2
import httpx
import httpx2
import requests
import urllib3
import urllib3.connection
from anthropic import Anthropic, AsyncAnthropic
from botocore.config import Config
from google import genai
from google.genai import types
from openai import AsyncOpenAI, OpenAI

__all__ = ["ASYNC", "CALLS", "CHAT", "MESSAGE"]

CHAT: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}
MESSAGE: dict[str, Any] = CHAT | {"max_tokens": 16}
BODY = json.dumps(MESSAGE).encode()
JSON = {"Content-Type": "application/json"}
# of a host that nobody knows, this path proves nothing: the body must be seen
PATH = "/v1/messages"


def openai_client(url: str) -> None:
    with OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        client.chat.completions.create(**CHAT)


def openai_streamed(url: str) -> None:
    with OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        list(client.chat.completions.create(**CHAT, stream=True))


def openai_embeddings(url: str) -> None:
    with OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        client.embeddings.create(model="tiny", input="Hello")


def openai_over_a_transport_of_ones_own(url: str) -> None:
    class Transport(httpx2.BaseTransport):
        def __init__(self) -> None:
            self.pool = httpcore2.ConnectionPool()

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            answer = self.pool.request(
                request.method, str(request.url), headers=request.headers.raw, content=request.read()
            )
            return httpx2.Response(answer.status, headers=answer.headers, content=answer.content)

        def close(self) -> None:
            self.pool.close()

    own = httpx2.Client(transport=Transport())
    with OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0, http_client=own) as client:
        client.chat.completions.create(**CHAT)


def anthropic_client(url: str) -> None:
    with Anthropic(base_url=url, api_key="any", max_retries=0) as client:
        client.messages.create(**MESSAGE)


def anthropic_streamed(url: str) -> None:
    with Anthropic(base_url=url, api_key="any", max_retries=0) as client, client.messages.stream(**MESSAGE) as stream:
        stream.get_final_message()


def gemini(url: str) -> genai.Client:
    return genai.Client(api_key="any", http_options=types.HttpOptions(base_url=url))


def genai_client(url: str) -> None:
    client = gemini(url)  # which closes its connections when nobody refers to it
    client.models.generate_content(model="tiny", contents="Hello")


def genai_streamed(url: str) -> None:
    client = gemini(url)
    list(client.models.generate_content_stream(model="tiny", contents="Hello"))


def bedrock(url: str) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return boto3.client("bedrock-runtime", endpoint_url=url, region_name="us-east-1", config=config, **keys)


def boto3_converse(url: str) -> None:
    bedrock(url).converse(modelId="tiny", messages=[{"role": "user", "content": [{"text": "Hello"}]}])


def boto3_converse_stream(url: str) -> None:
    bedrock(url).converse_stream(modelId="tiny", messages=[{"role": "user", "content": [{"text": "Hello"}]}])


def httpx_client(url: str) -> None:
    httpx.post(url + PATH, json=MESSAGE)


def httpx_from_a_generator(url: str) -> None:
    def body() -> Iterator[bytes]:
        yield BODY

    httpx.post(url + PATH, content=body(), headers=JSON)


def httpx2_client(url: str) -> None:
    httpx2.post(url + PATH, json=MESSAGE)


def httpx2_streamed(url: str) -> None:
    with httpx2.Client() as client, client.stream("POST", url + PATH, json=MESSAGE) as answer:
        answer.read()


def httpcore_pool(url: str) -> None:
    with httpcore.ConnectionPool() as pool:
        pool.request("POST", url + PATH, content=BODY)


def httpcore_connection(url: str) -> None:
    origin = httpcore.Origin(b"http", b"127.0.0.1", urlsplit(url).port or 0)
    with httpcore.HTTPConnection(origin) as connection:
        connection.request("POST", url + PATH, content=BODY)


def requests_client(url: str) -> None:
    requests.post(url + PATH, json=MESSAGE, timeout=5)


def requests_from_a_generator(url: str) -> None:
    requests.post(url + PATH, data=iter([BODY]), headers=JSON, timeout=5)


def requests_session_streamed(url: str) -> None:
    with requests.Session() as session, session.post(url + PATH, json=MESSAGE, stream=True, timeout=5) as answer:
        list(answer.iter_content())


def urllib3_client(url: str) -> None:
    with urllib3.PoolManager() as pool:
        pool.request("POST", url + PATH, json=MESSAGE)


def urllib3_connection(url: str) -> None:
    connection = urllib3.connection.HTTPConnection("127.0.0.1", urlsplit(url).port)
    connection.request("POST", PATH, body=BODY, headers=JSON)
    connection.getresponse().read()
    connection.close()


def urllib_request(url: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(url + PATH, BODY, JSON), timeout=5) as answer:  # noqa: S310
        answer.read()


def http_client(url: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port or 0, timeout=5)
    connection.request("POST", PATH, BODY, JSON)
    connection.getresponse().read()
    connection.close()


def http_client_in_steps(url: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port or 0, timeout=5)
    connection.putrequest("POST", PATH)
    connection.putheader("Content-Length", str(len(BODY)))
    connection.endheaders()
    connection.send(BODY)
    connection.getresponse().read()
    connection.close()


async def openai_async(url: str) -> None:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        await client.chat.completions.create(**CHAT)


async def openai_async_streamed(url: str) -> None:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        [chunk async for chunk in await client.chat.completions.create(**CHAT, stream=True)]


async def anthropic_async(url: str) -> None:
    async with AsyncAnthropic(base_url=url, api_key="any", max_retries=0) as client:
        await client.messages.create(**MESSAGE)


async def anthropic_async_streamed(url: str) -> None:
    async with (
        AsyncAnthropic(base_url=url, api_key="any", max_retries=0) as client,
        client.messages.stream(**MESSAGE) as stream,
    ):
        await stream.get_final_message()


async def genai_async(url: str) -> None:
    client = gemini(url).aio
    try:
        await client.models.generate_content(model="tiny", contents="Hello")
    finally:
        await client.aclose()


async def httpx_async(url: str) -> None:
    async with httpx.AsyncClient() as client:
        await client.post(url + PATH, json=MESSAGE)


async def httpx_async_from_a_generator(url: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield BODY

    async with httpx.AsyncClient() as client:
        await client.post(url + PATH, content=body(), headers=JSON)


async def httpx2_async(url: str) -> None:
    async with httpx2.AsyncClient() as client:
        await client.post(url + PATH, json=MESSAGE)


async def httpcore_async_connection(url: str) -> None:
    origin = httpcore.Origin(b"http", b"127.0.0.1", urlsplit(url).port or 0)
    async with httpcore.AsyncHTTPConnection(origin) as connection:
        await connection.request("POST", url + PATH, content=BODY)


async def aiohttp_client(url: str) -> None:
    async with aiohttp.ClientSession() as session, session.post(url + PATH, json=MESSAGE) as answer:
        await answer.read()


async def aiohttp_from_a_generator(url: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield BODY

    async with aiohttp.ClientSession() as session, session.post(url + PATH, data=body(), headers=JSON) as answer:
        await answer.read()


async def aiohttp_over_a_connector_of_ones_own(url: str) -> None:
    class Connector(aiohttp.TCPConnector):
        async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:  # noqa: ASYNC109 - aiohttp's signature
            return await ORIGINAL_CONNECT(self, req, traces, timeout)

    async with (
        aiohttp.ClientSession(connector=Connector()) as session,
        session.post(url + PATH, json=MESSAGE) as answer,
    ):
        await answer.read()


async def httpx_in_a_thread(url: str) -> None:
    await asyncio.to_thread(httpx_client, url)


ORIGINAL_CONNECT = aiohttp.connector.BaseConnector.connect
"""Taken before anybody could put something in its place, as a copy of aiohttp's code in somebody's own would be."""

SYNC: tuple[Callable[[str], None], ...] = (
    openai_client,
    openai_streamed,
    openai_embeddings,
    openai_over_a_transport_of_ones_own,
    anthropic_client,
    anthropic_streamed,
    genai_client,
    genai_streamed,
    boto3_converse,
    boto3_converse_stream,
    httpx_client,
    httpx_from_a_generator,
    httpx2_client,
    httpx2_streamed,
    httpcore_pool,
    httpcore_connection,
    requests_client,
    requests_from_a_generator,
    requests_session_streamed,
    urllib3_client,
    urllib3_connection,
    urllib_request,
    http_client,
    http_client_in_steps,
)
ASYNC: tuple[Callable[[str], Awaitable[None]], ...] = (
    openai_async,
    openai_async_streamed,
    anthropic_async,
    anthropic_async_streamed,
    genai_async,
    httpx_async,
    httpx_async_from_a_generator,
    httpx2_async,
    httpcore_async_connection,
    aiohttp_client,
    aiohttp_from_a_generator,
    aiohttp_over_a_connector_of_ones_own,
    httpx_in_a_thread,
)


def _run(call: Callable[[str], Any]) -> Callable[[str], None]:
    return lambda url: asyncio.run(call(url))


CALLS: dict[str, Callable[[str], None]] = {call.__name__: call for call in SYNC} | {
    call.__name__: _run(call)  # type: ignore[attr-defined]  # they are functions
    for call in ASYNC
}
"""Every way by its name, as a plain function of the base URL."""
