"""A suite in which every provider's own SDK makes one call, or runs one batch.

`test_sdk_breadth.py` copies it into a project and runs it. Nothing in it knows of budgets: it is what a team has that
records with pytest-recording. The hosts are the real ones, by plain HTTP: a proxy on loopback answers for them.
"""

from io import BytesIO
from typing import Any

import cohere
import ollama
import pytest
import voyageai
from anthropic import Anthropic, AnthropicVertex
from google import genai
from google.genai.types import GenerateContentConfig, HttpOptions
from groq import AsyncGroq, Groq
from mistralai.client import Mistral
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI

pytestmark = pytest.mark.vcr

ASKED: list[Any] = [{"role": "user", "content": "Where is my order?"}]
SAID = "On its way."


def gemini() -> genai.Client:
    options = HttpOptions(base_url="http://generativelanguage.googleapis.com", api_version="v1beta")
    return genai.Client(api_key="key", http_options=options)


def vertex() -> genai.Client:
    options = HttpOptions(base_url="http://aiplatform.googleapis.com", api_version="v1beta1")
    return genai.Client(vertexai=True, api_key="key", http_options=options)


def test_gemini() -> None:
    config = GenerateContentConfig(system_instruction="You help.")
    with gemini() as client:
        answer = client.models.generate_content(model="gemini-2.5-flash", contents="Where?", config=config)
    assert answer.text == SAID


def test_gemini_streamed() -> None:
    with gemini() as client:
        chunks = list(client.models.generate_content_stream(model="gemini-2.5-flash", contents="Where?"))
    assert "".join(chunk.text or "" for chunk in chunks) == SAID


@pytest.mark.asyncio
async def test_gemini_async() -> None:
    async with gemini().aio as client:
        answer = await client.models.generate_content(model="gemini-2.5-flash", contents="Where?")
    assert answer.text == SAID


@pytest.mark.asyncio
async def test_gemini_streamed_async() -> None:
    async with gemini().aio as client:
        stream = await client.models.generate_content_stream(model="gemini-2.5-flash", contents="Where?")
        said = [chunk.text or "" async for chunk in stream]
    assert "".join(said) == SAID


def test_gemini_embeds() -> None:
    with gemini() as client:
        assert client.models.embed_content(model="gemini-embedding-001", contents="Where?").embeddings


def test_gemini_counts_tokens() -> None:
    with gemini() as client:
        assert client.models.count_tokens(model="gemini-2.5-flash", contents="Where?").total_tokens == 3


def test_vertex_gemini() -> None:
    with vertex() as client:
        assert client.models.generate_content(model="gemini-2.5-flash", contents="Where?").text == SAID


def test_vertex_claude() -> None:
    base = "http://aiplatform.googleapis.com/v1"
    with AnthropicVertex(region="global", project_id="p", access_token="t", base_url=base) as client:
        answer = client.messages.create(model="claude-sonnet-4-5@20250929", max_tokens=99, messages=ASKED)
    assert answer.content[0].type == "text"


def mistral() -> Mistral:
    return Mistral(api_key="key", server_url="http://api.mistral.ai")


def test_mistral() -> None:
    with mistral() as client:
        answer = client.chat.complete(model="mistral-large-2512", messages=ASKED)
    assert answer.choices[0].message.content == SAID


def test_mistral_streamed() -> None:
    with mistral() as client:
        events = list(client.chat.stream(model="mistral-large-2512", messages=ASKED))
    assert "".join(event.data.choices[0].delta.content for event in events) == SAID


@pytest.mark.asyncio
async def test_mistral_async() -> None:
    async with mistral() as client:
        answer = await client.chat.complete_async(model="mistral-large-2512", messages=ASKED)
    assert answer.choices[0].message.content == SAID


@pytest.mark.asyncio
async def test_mistral_streamed_async() -> None:
    async with mistral() as client:
        stream = await client.chat.stream_async(model="mistral-large-2512", messages=ASKED)
        said = [event.data.choices[0].delta.content async for event in stream]
    assert "".join(said) == SAID


def test_mistral_converses() -> None:
    with mistral() as client:
        answer = client.beta.conversations.start(model="mistral-medium-latest", inputs="Where?")
    assert answer.conversation_id == "conv_1"


def test_mistral_reads() -> None:
    with mistral() as client:
        document = {"type": "document_url", "document_url": "https://shop.test/a.pdf"}
        answer = client.ocr.process(model="mistral-ocr-2505", document=document)
    assert answer.usage_info.pages_processed == 3


def test_cohere() -> None:
    client = cohere.ClientV2(api_key="key", base_url="http://api.cohere.com")
    answer = client.chat(model="command-a-03-2025", messages=ASKED)
    assert answer.message.content[0].text == SAID


def test_cohere_streamed() -> None:
    client = cohere.ClientV2(api_key="key", base_url="http://api.cohere.com")
    events = list(client.chat_stream(model="command-a-03-2025", messages=ASKED))
    assert events[-1].type == "message-end"


@pytest.mark.asyncio
async def test_cohere_async() -> None:
    async with cohere.AsyncClientV2(api_key="key", base_url="http://api.cohere.com") as client:
        answer = await client.chat(model="command-a-03-2025", messages=ASKED)
    assert answer.message.content[0].text == SAID


@pytest.mark.asyncio
async def test_cohere_streamed_async() -> None:
    async with cohere.AsyncClientV2(api_key="key", base_url="http://api.cohere.com") as client:
        events = [event async for event in client.chat_stream(model="command-a-03-2025", messages=ASKED)]
    assert events[-1].type == "message-end"


def test_cohere_v1() -> None:
    client = cohere.Client(api_key="key", base_url="http://api.cohere.com")
    assert client.chat(model="command-r-08-2024", message="Where?").text == SAID


def test_cohere_v1_streamed() -> None:
    client = cohere.Client(api_key="key", base_url="http://api.cohere.com")
    events = list(client.chat_stream(model="command-r-08-2024", message="Where?"))
    assert events[-1].event_type == "stream-end"


def test_cohere_embeds() -> None:
    client = cohere.ClientV2(api_key="key", base_url="http://api.cohere.com")
    answer = client.embed(model="embed-v4.0", texts=["Where?"], input_type="search_query", embedding_types=["float"])
    assert answer.embeddings.float_


def test_cohere_ranks() -> None:
    client = cohere.ClientV2(api_key="key", base_url="http://api.cohere.com")
    assert client.rerank(model="rerank-v3.5", query="Where?", documents=["a", "b"]).results


CHAT: dict[str, Any] = {"model": "llama-3.3-70b-versatile", "messages": ASKED}


def test_groq() -> None:
    with Groq(api_key="key", base_url="http://api.groq.com") as client:
        assert client.chat.completions.create(**CHAT).choices[0].message.content == SAID


def test_groq_streamed() -> None:
    with Groq(api_key="key", base_url="http://api.groq.com") as client:
        chunks = list(client.chat.completions.create(**CHAT, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == SAID


@pytest.mark.asyncio
async def test_groq_async() -> None:
    async with AsyncGroq(api_key="key", base_url="http://api.groq.com") as client:
        assert (await client.chat.completions.create(**CHAT)).choices[0].message.content == SAID


@pytest.mark.asyncio
async def test_groq_streamed_async() -> None:
    async with AsyncGroq(api_key="key", base_url="http://api.groq.com") as client:
        stream = await client.chat.completions.create(**CHAT, stream=True)
        said = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(said) == SAID


LOCAL = "http://models.test:11434"


def test_ollama() -> None:
    assert ollama.Client(host=LOCAL).chat(model="gemma3:1b", messages=ASKED).message.content == SAID


def test_ollama_streamed() -> None:
    lines = ollama.Client(host=LOCAL).chat(model="gemma3:1b", messages=ASKED, stream=True)
    assert "".join(line.message.content for line in lines) == SAID


@pytest.mark.asyncio
async def test_ollama_async() -> None:
    answer = await ollama.AsyncClient(host=LOCAL).generate(model="gemma3:1b", prompt="Where?")
    assert answer.response == SAID


@pytest.mark.asyncio
async def test_ollama_streamed_async() -> None:
    lines = await ollama.AsyncClient(host=LOCAL).chat(model="gemma3:1b", messages=ASKED, stream=True)
    assert "".join([line.message.content async for line in lines]) == SAID


def test_ollama_embeds() -> None:
    assert ollama.Client(host=LOCAL).embed(model="nomic-embed-text", input="Where?").embeddings


AZURE = {
    "azure_endpoint": "http://team.openai.azure.com",
    "azure_deployment": "our-gpt",
    "api_key": "key",
    "api_version": "2024-10-21",
}
ASKS: dict[str, Any] = {"model": "our-gpt", "messages": ASKED}
STREAMED = ASKS | {"stream": True, "stream_options": {"include_usage": True}}


def test_azure() -> None:
    with AzureOpenAI(**AZURE) as client:
        assert client.chat.completions.create(**ASKS).choices[0].message.content == SAID


def test_azure_streamed() -> None:
    with AzureOpenAI(**AZURE) as client:
        chunks = [chunk for chunk in client.chat.completions.create(**STREAMED) if chunk.choices]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == SAID


@pytest.mark.asyncio
async def test_azure_async() -> None:
    async with AsyncAzureOpenAI(**AZURE) as client:
        assert (await client.chat.completions.create(**ASKS)).choices[0].message.content == SAID


@pytest.mark.asyncio
async def test_azure_streamed_async() -> None:
    async with AsyncAzureOpenAI(**AZURE) as client:
        stream = await client.chat.completions.create(**STREAMED)
        said = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(said) == SAID


def test_voyage_embeds() -> None:
    client = voyageai.Client(api_key="key", base_url="http://api.voyageai.com/v1")
    assert client.embed(["Where?"], model="voyage-4").total_tokens == 3


def test_voyage_ranks() -> None:
    client = voyageai.Client(api_key="key", base_url="http://api.voyageai.com/v1")
    assert client.rerank("Where?", ["a", "b"], model="rerank-2.5").total_tokens == 26


def test_openai_draws() -> None:
    with OpenAI(api_key="key", base_url="http://api.openai.com/v1") as client:
        assert client.images.generate(model="gpt-image-1", prompt="A parcel").data


def test_openai_hears() -> None:
    heard = BytesIO(b"RIFF")
    heard.name = "a.wav"
    with OpenAI(api_key="key", base_url="http://api.openai.com/v1") as client:
        assert client.audio.transcriptions.create(model="gpt-4o-transcribe", file=heard).text == SAID


def test_openai_batch() -> None:
    with OpenAI(api_key="key", base_url="http://api.openai.com/v1") as client:
        handed_in = client.files.create(file=("requests.jsonl", b"{}\n"), purpose="batch")
        started = client.batches.create(
            completion_window="24h", endpoint="/v1/chat/completions", input_file_id=handed_in.id
        )
        ended = client.batches.retrieve(started.id)
        for _ in range(2):  # looked at, then kept
            results = client.files.content(ended.output_file_id or "").text
    assert results.count(SAID) == 2


def test_anthropic_batch() -> None:
    asked: Any = {"model": "claude-sonnet-4-5-20250929", "max_tokens": 99, "messages": ASKED}
    with Anthropic(api_key="key", base_url="http://api.anthropic.com") as client:
        started = client.messages.batches.create(requests=[{"custom_id": name, "params": asked} for name in "abc"])
        results = list(client.messages.batches.results(started.id))
    assert [result.result.type for result in results] == ["succeeded", "succeeded", "errored"]


def test_gemini_batch() -> None:
    with gemini() as client:
        started = client.batches.create(model="gemini-2.5-flash", src=[{"contents": "Where?"}, {"contents": "When?"}])
        ended = client.batches.get(name=started.name or "")
    assert ended.dest is not None
    assert ended.dest.inlined_responses is not None
    assert len(ended.dest.inlined_responses) == 2


def test_mistral_batch() -> None:
    with Mistral(api_key="key", server_url="http://api.mistral.ai") as client:
        ended = client.batch.jobs.get(job_id="job-1")
        results = client.files.download(file_id=ended.output_file or "").read()
    assert results.count(SAID.encode()) == 1
