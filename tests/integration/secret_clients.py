"""Every client, with secrets wherever it can carry one: in headers, URLs, bodies, refusals and streams."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

import aiohttp
import anyio
import boto3
import httpx
import pytest
import requests
import urllib3
from anthropic import Anthropic, AsyncAnthropic
from bedrock_frames import STREAM_LABEL, chunks, converse_stream
from botocore.config import Config
from canaries import FORMED, NAMED
from google import genai
from google.genai.types import HttpOptions
from loopback import LoopbackModel, Reply
from openai import AsyncOpenAI, AuthenticationError, OpenAI

__all__ = ["CLIENTS", "KEPT", "PLANTED", "SAID", "Servers"]

CLIENT_KEY, ORGANIZATION, ECHOED = FORMED["openai-project"], FORMED["organization"], FORMED["github"]
TYPED, PASSWORD, SESSION = FORMED["stripe"], NAMED["password"], NAMED["cohere"]
AWS_ID, AWS_SECRET, AWS_TOKEN = FORMED["aws-id"], NAMED["aws-secret"], FORMED["jwt"]
PLANTED: Final = (*FORMED.values(), PASSWORD, SESSION, AWS_SECRET)
LEAKY: Final = {"Set-Cookie": f"__cf_bm={SESSION}; Secure", "openai-organization": ORGANIZATION, "x-served-by": ECHOED}
SAID: Final = f"Here it is again: {ECHOED}. Keep it."
KEPT: Final = "Here it is again: REDACTED-github-token. Keep it."
PACKED: Final = b64encode(f"[default]\nkey = {TYPED}\n".encode()).decode()
LISTED: Final = "\n".join(FORMED.values())
ASKED: Final = f"Use {TYPED}\n" + json.dumps({"password": PASSWORD}) + f" and the file {PACKED}. All: {LISTED}"
CHAT: Final[dict[str, Any]] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": ASKED}]}
MESSAGE: Final[dict[str, Any]] = {"model": "claude-sonnet-5", "max_tokens": 64, "messages": CHAT["messages"]}
USAGE: Final = {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}
GEMINI: Final = {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12}


def candidate(text: str) -> dict[str, object]:
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"content": content, "index": 0}], "usageMetadata": GEMINI}


def answer_to(path: str) -> tuple[str, bytes]:
    """What Bedrock and Gemini answer, with its label."""
    parts = [SAID[:25], SAID[25:40], SAID[40:]]
    if "streamGenerateContent" in path:
        events = [b"data: " + json.dumps(candidate(part)).encode() + b"\r\n\r\n" for part in parts]
        return "text/event-stream", b"".join(events)
    if "generateContent" in path:
        return "application/json", json.dumps(candidate(SAID)).encode()
    if path.endswith("/converse-stream"):
        return STREAM_LABEL["content-type"], converse_stream(USAGE, *parts)
    if path.endswith("/invoke-with-response-stream"):
        deltas = [
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": part}} for part in parts
        ]
        metrics = {"inputTokenCount": 5, "outputTokenCount": 7}
        return STREAM_LABEL["content-type"], chunks(
            *deltas, {"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics}
        )
    content = {"role": "assistant", "content": [{"text": SAID}]}
    return "application/json", json.dumps(
        {"output": {"message": content}, "stopReason": "end_turn", "usage": USAGE}
    ).encode()


class _Others(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    wire: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"]))
        label, body = answer_to(self.path.partition("?")[0])
        self.wire += [("URL", self.path.encode()), ("headers", str(self.headers).encode()), ("body", asked)]
        self.wire += [("answer", body), ("answer's headers", str(LEAKY).encode())]
        self.send_response(200)
        for name, value in {"content-type": label, "content-length": str(len(body)), **LEAKY}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Keep the test's output clean."""


class Servers:
    """Where the models are; gone once their block ends.

    Attributes:
        models: OpenAI and Anthropic.
        others: Google and Bedrock.
        wire: What was received and sent, by the part of a message that it is; whole once the block has ended.
    """

    def __init__(self, models: str, others: str, wire: list[tuple[str, bytes]] | None = None) -> None:
        self.models = models
        self.others = others
        self.wire = [] if wire is None else wire

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Servers"]:
        wire: list[tuple[str, bytes]] = []

        def script(request: dict[str, Any], _path: str) -> Reply:
            refused = request["model"] == "refused"
            said = f"Incorrect API key provided: {CLIENT_KEY}." if refused else SAID
            wire.extend(
                [("refusal" if refused else "answer", said.encode()), ("answer's headers", str(LEAKY).encode())]
            )
            return Reply(text=said, status=401 if refused else 200, headers=LEAKY)

        others = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Others,), {"wire": wire}))
        thread = Thread(target=others.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            with LoopbackModel(script) as model:
                yield cls(model.url, f"http://127.0.0.1:{others.server_port}", wire)
            for received in model.requests:
                wire += [("URL", received.path.encode()), ("headers", str(received.headers).encode())]
                wire.append(("body", received.body))
        finally:
            others.shutdown()
            thread.join()
            others.server_close()


def openai_whole(at: Servers) -> str:
    with OpenAI(base_url=f"{at.models}/v1", api_key=CLIENT_KEY, organization=ORGANIZATION) as client:
        return client.chat.completions.create(**CHAT).choices[0].message.content or ""


def openai_streamed(at: Servers) -> str:
    with OpenAI(base_url=f"{at.models}/v1", api_key=CLIENT_KEY) as client:
        stream = client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def openai_responses_streamed(at: Servers) -> str:
    with (
        OpenAI(base_url=f"{at.models}/v1", api_key=CLIENT_KEY) as client,
        client.responses.stream(model="gpt-5-mini", input=ASKED) as stream,
    ):
        return "".join(event.delta for event in stream if event.type == "response.output_text.delta")


def openai_async(at: Servers) -> str:
    async def ask() -> str:
        async with AsyncOpenAI(base_url=f"{at.models}/v1", api_key=CLIENT_KEY) as client:
            return (await client.chat.completions.create(**CHAT)).choices[0].message.content or ""

    return anyio.run(ask)


def openai_refused(at: Servers) -> str:
    with (
        OpenAI(base_url=f"{at.models}/v1", api_key=CLIENT_KEY) as client,
        pytest.raises(AuthenticationError, match="Incorrect API key provided") as caught,
    ):
        client.chat.completions.create(**CHAT | {"model": "refused"})
    assert (CLIENT_KEY in str(caught.value)) != ("REDACTED-openai-key" in str(caught.value))
    return SAID if CLIENT_KEY in str(caught.value) else KEPT


def anthropic_whole(at: Servers) -> str:
    with Anthropic(base_url=at.models, api_key=CLIENT_KEY) as client:
        return next(block.text for block in client.messages.create(**MESSAGE).content if block.type == "text")


def anthropic_streamed(at: Servers) -> str:
    with Anthropic(base_url=at.models, api_key=CLIENT_KEY) as client, client.messages.stream(**MESSAGE) as stream:
        return "".join(stream.text_stream)


def anthropic_async(at: Servers) -> str:
    async def ask() -> str:
        async with AsyncAnthropic(base_url=at.models, api_key=CLIENT_KEY) as client:
            return next(b.text for b in (await client.messages.create(**MESSAGE)).content if b.type == "text")

    return anyio.run(ask)


def _plain(at: Servers) -> tuple[str, dict[str, str]]:
    url = f"{at.models.replace('//', f'//me:{SESSION}@')}/v1/chat/completions?key={SESSION}"
    return url, {"authorization": f"Bearer {CLIENT_KEY}", "cookie": f"sid={SESSION}"}


def _content(body: Any) -> str:
    return str(body["choices"][0]["message"]["content"])


def by_httpx(at: Servers) -> str:
    url, headers = _plain(at)
    return _content(httpx.post(url, json=CHAT, headers=headers).json())


def by_requests(at: Servers) -> str:
    url, headers = _plain(at)
    return _content(requests.post(url, json=CHAT, headers=headers, timeout=5).json())


def by_urllib3(at: Servers) -> str:
    url, headers = _plain(at)
    with urllib3.PoolManager() as pool:
        return _content(pool.request("POST", url, json=CHAT, headers=headers).json())


def by_aiohttp(at: Servers) -> str:
    async def ask() -> str:
        url, headers = _plain(at)
        headers = {"api-key": headers.pop("authorization")} | headers  # aiohttp makes one of what the URL says
        async with aiohttp.ClientSession() as client, client.post(url, json=CHAT, headers=headers) as answer:
            return _content(await answer.json())

    return anyio.run(ask)


def _gemini(at: Servers) -> genai.Client:
    return genai.Client(api_key=CLIENT_KEY, http_options=HttpOptions(base_url=at.others, api_version="v1beta"))


def gemini_whole(at: Servers) -> str:
    with _gemini(at) as client:
        return client.models.generate_content(model="gemini-2.5-flash", contents=ASKED).text or ""


def gemini_streamed(at: Servers) -> str:
    with _gemini(at) as client:
        stream = client.models.generate_content_stream(model="gemini-2.5-flash", contents=ASKED)
        return "".join(chunk.text or "" for chunk in stream)


def _bedrock(at: Servers) -> Any:
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=at.others,
        region_name="us-east-1",
        aws_access_key_id=AWS_ID,
        aws_secret_access_key=AWS_SECRET,
        aws_session_token=AWS_TOKEN,
        config=Config(retries={"total_max_attempts": 1}),
    )


def converse(at: Servers) -> str:
    answer = _bedrock(at).converse(
        modelId="amazon.nova-lite-v1:0", messages=[{"role": "user", "content": [{"text": ASKED}]}]
    )
    return str(answer["output"]["message"]["content"][0]["text"])


def converse_streamed(at: Servers) -> str:
    messages = [{"role": "user", "content": [{"text": ASKED}]}]
    answer = _bedrock(at).converse_stream(modelId="amazon.nova-lite-v1:0", messages=messages)
    return "".join(
        event["contentBlockDelta"]["delta"]["text"] for event in answer["stream"] if "contentBlockDelta" in event
    )


def invoke_streamed(at: Servers) -> str:
    answer = _bedrock(at).invoke_model_with_response_stream(modelId="anthropic.claude-3", body=json.dumps(MESSAGE))
    events = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    return "".join(event["delta"]["text"] for event in events if "delta" in event)


CLIENTS: Final[tuple[Callable[[Servers], str], ...]] = (
    openai_whole,
    openai_streamed,
    openai_responses_streamed,
    openai_async,
    openai_refused,
    anthropic_whole,
    anthropic_streamed,
    anthropic_async,
    by_httpx,
    by_requests,
    by_urllib3,
    by_aiohttp,
    gemini_whole,
    gemini_streamed,
    converse,
    converse_streamed,
    invoke_streamed,
)
