"""A suite in which every client makes one call; `test_sdk_replay.py` copies it into a project and runs it.

Nothing in it knows of budgets: it is what a team has that records with pytest-recording.
"""

import http.client
import json
import os
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI

pytestmark = pytest.mark.vcr

GPT = os.environ["OPENAI_BASE_URL"]
CLAUDE = os.environ["ANTHROPIC_BASE_URL"]

CHAT: dict[str, Any] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Where is my order?"}]}
STREAMED = CHAT | {"stream": True, "stream_options": {"include_usage": True}}
TOOL = {"name": "lookup", "description": "Find an order.", "input_schema": {"type": "object", "properties": {}}}
MESSAGE: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 2048,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "system": [{"type": "text", "text": "You help.", "cache_control": {"type": "ephemeral"}}],
    "tools": [TOOL],
    "messages": CHAT["messages"],
}


def test_openai_chat() -> None:
    with OpenAI() as client:
        assert client.chat.completions.create(**CHAT).choices[0].message.content == "On its way."


def test_openai_chat_streamed() -> None:
    with OpenAI() as client:
        said = [chunk.choices[0].delta.content for chunk in client.chat.completions.create(**STREAMED) if chunk.choices]
    assert "".join(text or "" for text in said) == "On its way."


def test_openai_chat_streamed_without_usage() -> None:
    with OpenAI() as client:
        said = [chunk.choices[0].delta.content for chunk in client.chat.completions.create(**CHAT, stream=True)]
    assert "".join(text or "" for text in said) == "On its way."


def test_openai_responses() -> None:
    with OpenAI() as client:
        assert client.responses.create(model="gpt-5-mini", input="Where is it?").output_text == "On its way."


def test_openai_responses_streamed() -> None:
    with OpenAI() as client, client.responses.stream(model="gpt-5-mini", input="Where is it?") as stream:
        stream.until_done()
        assert stream.get_final_response().output_text == "On its way."


def test_openai_embeddings() -> None:
    with OpenAI() as client:
        assert client.embeddings.create(model="text-embedding-3-small", input=["a", "b"]).data[0].embedding


def test_openai_completions() -> None:
    with OpenAI() as client:
        assert client.completions.create(model="gpt-5-mini", prompt="Once").choices[0].text == " upon a time"


def test_openai_with_raw_response() -> None:
    with OpenAI() as client:
        assert client.chat.completions.with_raw_response.create(**CHAT).http_response.status_code == 200


@pytest.mark.asyncio
async def test_openai_chat_async() -> None:
    async with AsyncOpenAI() as client:
        assert (await client.chat.completions.create(**CHAT)).choices[0].message.content == "On its way."


@pytest.mark.asyncio
async def test_openai_chat_streamed_async() -> None:
    async with AsyncOpenAI() as client:
        stream = await client.chat.completions.create(**STREAMED)
        said = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
    assert "".join(text or "" for text in said) == "On its way."


@pytest.mark.asyncio
async def test_openai_responses_streamed_async() -> None:
    async with AsyncOpenAI() as client, client.responses.stream(model="gpt-5-mini", input="Where is it?") as stream:
        await stream.until_done()
        assert (await stream.get_final_response()).output_text == "On its way."


@pytest.mark.asyncio
async def test_openai_embeddings_async() -> None:
    async with AsyncOpenAI() as client:
        assert (await client.embeddings.create(model="text-embedding-3-small", input="a")).data


def test_anthropic_message() -> None:
    with Anthropic() as client:
        answer = client.messages.create(**MESSAGE)
    assert [block.type for block in answer.content] == ["thinking", "text", "tool_use"]


def test_anthropic_message_streamed() -> None:
    with Anthropic() as client, client.messages.stream(**MESSAGE) as stream:
        answer = stream.get_final_message()
    assert [block.type for block in answer.content] == ["thinking", "text", "tool_use"]


@pytest.mark.asyncio
async def test_anthropic_message_async() -> None:
    async with AsyncAnthropic() as client:
        assert (await client.messages.create(**MESSAGE)).stop_reason == "tool_use"


@pytest.mark.asyncio
async def test_anthropic_message_streamed_async() -> None:
    async with AsyncAnthropic() as client, client.messages.stream(**MESSAGE) as stream:
        assert (await stream.get_final_message()).stop_reason == "tool_use"


def test_anthropic_counts_tokens() -> None:
    with Anthropic() as client:
        assert client.messages.count_tokens(model="claude-sonnet-4-5", messages=CHAT["messages"]).input_tokens


def _by_httpx(body: dict[str, Any]) -> bytes:
    return httpx.post(f"{GPT}/chat/completions", json=body).content


def _by_httpx_in_pieces(body: dict[str, Any]) -> bytes:
    with httpx.stream("POST", f"{GPT}/chat/completions", json=body) as answer:
        return b"".join(answer.iter_bytes())


def _by_httpx_from_an_iterator(body: dict[str, Any]) -> bytes:
    text = json.dumps(body).encode()
    return httpx.post(
        f"{GPT}/chat/completions",
        content=iter([text[:20], text[20:]]),
        headers={"content-type": "application/json", "content-length": str(len(text))},
    ).content


def _by_httpx2(body: dict[str, Any]) -> bytes:
    return httpx2.post(f"{GPT}/chat/completions", json=body).content


def _by_requests(body: dict[str, Any]) -> bytes:
    return requests.post(f"{GPT}/chat/completions", json=body, timeout=5).content


def _by_requests_in_pieces(body: dict[str, Any]) -> bytes:
    with requests.post(f"{GPT}/chat/completions", json=body, timeout=5, stream=True) as answer:
        return b"".join(answer.iter_content(16))


def _by_urllib3(body: dict[str, Any]) -> bytes:
    with urllib3.PoolManager() as pool:
        return pool.request("POST", f"{GPT}/chat/completions", json=body).data


def _by_the_standard_library(body: dict[str, Any]) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - http, to loopback
        f"{GPT}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
        return bytes(answer.read())


def _by_http_client(body: dict[str, Any]) -> bytes:
    host, _, path = GPT.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.request(
        "POST", f"/{path}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        return connection.getresponse().read()
    finally:
        connection.close()


CLIENTS = (
    _by_httpx,
    _by_httpx_in_pieces,
    _by_httpx_from_an_iterator,
    _by_httpx2,
    _by_requests,
    _by_requests_in_pieces,
    _by_urllib3,
    _by_the_standard_library,
    _by_http_client,
)


def _named(clients: Iterable[Callable[..., object]]) -> list[Any]:
    return [pytest.param(client, id=client.__name__.removeprefix("_by_")) for client in clients]


@pytest.mark.parametrize("post", _named(CLIENTS))
def test_plain(post: Callable[[dict[str, Any]], bytes]) -> None:
    assert json.loads(post(CHAT))["usage"]["prompt_tokens"] == 1200


@pytest.mark.parametrize("post", _named(CLIENTS))
def test_plain_streamed(post: Callable[[dict[str, Any]], bytes]) -> None:
    assert post(STREAMED).endswith(b"data: [DONE]\n\n")


async def _by_httpx_async(body: dict[str, Any]) -> bytes:
    async with httpx.AsyncClient() as client:
        return (await client.post(f"{GPT}/chat/completions", json=body)).content


async def _by_httpx2_async(body: dict[str, Any]) -> bytes:
    async with httpx2.AsyncClient() as client:
        return (await client.post(f"{GPT}/chat/completions", json=body)).content


async def _by_aiohttp(body: dict[str, Any]) -> bytes:
    async with aiohttp.ClientSession() as client, client.post(f"{GPT}/chat/completions", json=body) as answer:
        return await answer.read()


async def _by_aiohttp_in_pieces(body: dict[str, Any]) -> bytes:
    async with aiohttp.ClientSession() as client, client.post(f"{GPT}/chat/completions", json=body) as answer:
        return b"".join([piece async for piece in answer.content.iter_any()])


async def _by_aiohttp_from_bytes(body: dict[str, Any]) -> bytes:
    headers = {"content-type": "application/json"}
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{GPT}/chat/completions", data=json.dumps(body).encode(), headers=headers) as answer,
    ):
        return await answer.read()


ASYNC_CLIENTS = (_by_httpx_async, _by_httpx2_async, _by_aiohttp, _by_aiohttp_in_pieces, _by_aiohttp_from_bytes)


@pytest.mark.asyncio
@pytest.mark.parametrize("post", _named(ASYNC_CLIENTS))
async def test_plain_async(post: Callable[[dict[str, Any]], Any]) -> None:
    assert json.loads(await post(CHAT))["usage"]["prompt_tokens"] == 1200


@pytest.mark.asyncio
@pytest.mark.parametrize("post", _named(ASYNC_CLIENTS))
async def test_plain_streamed_async(post: Callable[[dict[str, Any]], Any]) -> None:
    assert (await post(STREAMED)).endswith(b"data: [DONE]\n\n")
