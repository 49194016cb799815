"""Every client, asked in every way, against every kind of answer: recorded, and replayed with the server gone.

The same answers and the same usage come back from our replay, and the same answers from plain vcrpy's.
"""

import asyncio
import gzip
import json
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import aiohttp
import boto3
import pytest
import requests
import vcr
from anthropic import Anthropic, AsyncAnthropic
from anthropic import APIStatusError as AnthropicError
from bedrock_frames import converse_stream
from botocore.config import Config
from botocore.exceptions import ClientError
from google import genai
from google.genai.errors import APIError as GoogleError
from openai import APIStatusError as OpenAIError
from openai import AsyncOpenAI, OpenAI
from studio import Studio

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.wire import read

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # Google's

KINDS = ("plain", "gzip", "429", "500")
KEY = "loopback"


def sse(*events: Any, end: str = "\n\n", named: bool = False, done: bool = False) -> bytes:
    lines = [
        (f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event, ensure_ascii=False)}{end}"
        for event in events
    ]
    return "".join([*lines, f"data: [DONE]{end}" if done else ""]).encode()


CHAT = {
    "id": "c-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Größe: 1.50 €"}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
}
CHUNK = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5-mini", "choices": []}
PIECE = CHUNK | {"choices": [{"index": 0, "delta": {"content": "Größe"}, "finish_reason": None}]}
MESSAGE = {
    "id": "m-1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5",
    "content": [{"type": "text", "text": "Größe"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 5},
}
GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Größe"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17},
    "modelVersion": "gemini-3-flash",
}
CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Größe"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 12, "outputTokens": 5, "totalTokens": 17},
    "metrics": {"latencyMs": 7},
}
CLAUDE_EVENTS = (
    {"type": "message_start", "message": MESSAGE | {"content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Größe"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 5},
    },
    {"type": "message_stop"},
)
EVENTS, FRAMES = "text/event-stream; charset=utf-8", "application/vnd.amazon.eventstream"


def answer(path: str, asked: dict[str, Any]) -> tuple[str, bytes]:
    """What the model says, as content type and body."""
    if path.endswith("/chat/completions"):
        if asked.get("stream"):
            return EVENTS, sse(PIECE, CHUNK | {"usage": CHAT["usage"]}, done=True)
        return "application/json", json.dumps(CHAT).encode()
    if path.endswith("/messages"):
        if asked.get("stream"):
            return EVENTS, sse(*CLAUDE_EVENTS, named=True)
        return "application/json", json.dumps(MESSAGE).encode()
    if ":streamGenerateContent" in path:
        return EVENTS, sse(GEMINI, end="\r\n\r\n")
    if ":generateContent" in path:
        return "application/json", json.dumps(GEMINI, indent=1).encode()
    if path.endswith("/converse-stream"):
        return FRAMES, converse_stream(CONVERSE["usage"], "Größe")
    if path.endswith("/invoke"):
        return "application/json", json.dumps(MESSAGE).encode()
    return "application/json", json.dumps(CONVERSE).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind, _, path = self.path.partition("?")[0][1:].partition("/")
        label, said = answer(f"/{path}", json.loads(body))
        status, extra = 200, {}
        if kind in {"429", "500"}:
            status, label = int(kind), "application/json"
            said = json.dumps({"error": {"code": status, "message": "too much"}, "message": "too much"}).encode()
        elif kind == "gzip":
            said, extra = gzip.compress(said), {"content-encoding": "gzip"}
        self.send_response(status)
        headers = {"content-type": label, "content-length": str(len(said)), "set-cookie": "session=secret", **extra}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Keep the output clean."""


@pytest.fixture(scope="module", autouse=True)
def certificates() -> Iterator[None]:
    """Read the certificates once: nobody speaks TLS here, and each client would take most of its time to read them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@contextmanager
def serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ASKED: list[Any] = [{"role": "user", "content": "Wie groß?"}]
FOR_CHAT: dict[str, Any] = {"model": "gpt-5-mini", "messages": ASKED}
FOR_CLAUDE: dict[str, Any] = {"model": "claude-sonnet-5", "max_tokens": 99, "messages": ASKED}
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
FOR_BEDROCK: dict[str, Any] = {
    "modelId": "anthropic.claude-sonnet-5-v1:0",
    "messages": [{"role": "user", "content": [{"text": "Wie groß?"}]}],
}


def openai(url: str) -> Any:
    with OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        return client.chat.completions.create(**FOR_CHAT).model_dump()


def openai_streamed(url: str) -> Any:
    with OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        return [chunk.model_dump() for chunk in client.chat.completions.create(**FOR_CHAT, **STREAMED)]


async def openai_async(url: str) -> Any:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        return (await client.chat.completions.create(**FOR_CHAT)).model_dump()


async def openai_async_streamed(url: str) -> Any:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        return [chunk.model_dump() async for chunk in await client.chat.completions.create(**FOR_CHAT, **STREAMED)]


def anthropic(url: str) -> Any:
    with Anthropic(base_url=url, api_key=KEY, max_retries=0) as client:
        return client.messages.create(**FOR_CLAUDE).model_dump()


def anthropic_streamed(url: str) -> Any:
    with (
        Anthropic(base_url=url, api_key=KEY, max_retries=0) as client,
        client.messages.stream(**FOR_CLAUDE) as stream,
    ):
        return stream.get_final_message().model_dump()


async def anthropic_async(url: str) -> Any:
    async with AsyncAnthropic(base_url=url, api_key=KEY, max_retries=0) as client:
        return (await client.messages.create(**FOR_CLAUDE)).model_dump()


async def anthropic_async_streamed(url: str) -> Any:
    async with (
        AsyncAnthropic(base_url=url, api_key=KEY, max_retries=0) as client,
        client.messages.stream(**FOR_CLAUDE) as stream,
    ):
        return (await stream.get_final_message()).model_dump()


def _gemini(url: str) -> Any:
    return genai.Client(api_key=KEY, http_options={"base_url": url})


def _without_transport(answer: Any) -> Any:
    return answer.model_dump(exclude={"sdk_http_response", "create_time"})


def google(url: str) -> Any:
    with _gemini(url) as client:
        return _without_transport(client.models.generate_content(model="gemini-3-flash", contents="Wie groß?"))


def google_streamed(url: str) -> Any:
    with _gemini(url) as client:
        stream = client.models.generate_content_stream(model="gemini-3-flash", contents="Wie groß?")
        return [_without_transport(piece) for piece in stream]


async def google_async(url: str) -> Any:
    async with _gemini(url).aio as client:
        return _without_transport(await client.models.generate_content(model="gemini-3-flash", contents="Wie groß?"))


async def google_async_streamed(url: str) -> Any:
    async with _gemini(url).aio as client:
        stream = await client.models.generate_content_stream(model="gemini-3-flash", contents="Wie groß?")
        return [_without_transport(piece) async for piece in stream]


def _bedrock(url: str) -> Any:
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
        config=Config(retries={"total_max_attempts": 1}),
    )


def bedrock(url: str) -> Any:
    said = _bedrock(url).converse(**FOR_BEDROCK)
    return {name: value for name, value in said.items() if name != "ResponseMetadata"}


def bedrock_invoked(url: str) -> Any:
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": ASKED})
    said = _bedrock(url).invoke_model(modelId="anthropic.claude-sonnet-5-v1:0", body=body)
    return json.loads(said["body"].read())


def bedrock_streamed(url: str) -> Any:
    return list(_bedrock(url).converse_stream(**FOR_BEDROCK)["stream"])


def by_requests(url: str) -> Any:
    said = requests.post(f"{url}/v1/chat/completions", json=FOR_CHAT, timeout=5)
    said.raise_for_status()
    return said.json()


def by_requests_streamed(url: str) -> Any:
    with requests.post(f"{url}/v1/chat/completions", json=FOR_CHAT | STREAMED, timeout=5, stream=True) as said:
        said.raise_for_status()
        return [line.decode() for line in said.iter_lines() if line]


async def by_aiohttp(url: str) -> Any:
    async with (
        aiohttp.ClientSession(raise_for_status=True) as client,
        client.post(f"{url}/v1/chat/completions", json=FOR_CHAT) as said,
    ):
        return await said.json()


async def by_aiohttp_streamed(url: str) -> Any:
    async with (
        aiohttp.ClientSession(raise_for_status=True) as client,
        client.post(f"{url}/v1/chat/completions", json=FOR_CHAT | STREAMED) as said,
    ):
        return [line.decode() async for line in said.content if line.strip()]


Ask = Callable[[str], Any] | Callable[[str], Coroutine[Any, Any, Any]]
CLIENTS: tuple[Ask, ...] = (
    openai,
    openai_streamed,
    openai_async,
    openai_async_streamed,
    anthropic,
    anthropic_streamed,
    anthropic_async,
    anthropic_async_streamed,
    google,
    google_streamed,
    google_async,
    google_async_streamed,
    bedrock,
    bedrock_invoked,
    bedrock_streamed,
    by_requests,
    by_requests_streamed,
    by_aiohttp,
    by_aiohttp_streamed,
)
ERRORS = (OpenAIError, AnthropicError, GoogleError, ClientError, requests.HTTPError, aiohttp.ClientResponseError)


def asked(ask: Ask, url: str) -> Any:
    """The answer as the client gives it, or the kind of its error and the status."""
    try:
        found = ask(url)
        return asyncio.run(found) if asyncio.iscoroutine(found) else found
    except ERRORS as error:
        response = getattr(error, "response", None)
        if isinstance(error, ClientError):
            return type(error).__name__, error.response["ResponseMetadata"]["HTTPStatusCode"]
        status = error.code if isinstance(error, GoogleError) else getattr(error, "status", None)
        return type(error).__name__, status or getattr(response, "status_code", None)


def measured(studio: Studio) -> list[Any]:
    calls = [read(exchange, count) for exchange in studio.seen]
    studio.seen.clear()
    return [(call.status, call.model, call.usage) for call in calls if isinstance(call, Call)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ask", CLIENTS, ids=lambda ask: ask.__name__)
def test_what_was_recorded_is_what_is_replayed(ask: Ask, kind: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    with serving() as server:
        url = f"{server}/{kind}"
        with studio.open("once"):
            said = asked(ask, url)
        assert said[1] == int(kind) if kind in {"429", "500"} else "Größe" in str(said)
    paid = measured(studio)
    if kind in {"plain", "gzip"}:
        ((status, _, usage),) = paid
        assert (status, usage.input, usage.output) == ("exact", 12, 5)
    with studio.open():
        assert asked(ask, url) == said
    assert measured(studio) == paid
    with vcr.use_cassette(str(studio.path), record_mode="none", allow_playback_repeats=True):
        assert asked(ask, url) == said
    assert b"secret" not in studio.path.read_bytes()
    assert b"content-encoding" not in studio.path.read_bytes()
    assert (b"!!binary" in studio.path.read_bytes()) == (ask is bedrock_streamed and kind in {"plain", "gzip"})
