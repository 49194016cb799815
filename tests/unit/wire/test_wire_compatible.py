"""Hosts that speak OpenAI's chat, each with what is its own (bodies after their SDKs' types or recorded answers)."""

from decimal import Decimal

import pytest
from wire_exchanges import JSON_LABEL, SSE_LABEL, call, chat, chunk, sse

from pytest_tokenbudget.model.call import Call

GROQ = "https://api.groq.com/openai/v1/chat/completions"
XAI = "https://api.x.ai/v1/chat/completions"
DEEPSEEK = "https://api.deepseek.com/chat/completions"
OPENROUTER = "https://openrouter.ai/api/v1/chat/completions"
AZURE = "https://team.openai.azure.com/openai/deployments/our-gpt/chat/completions?api-version=2024-10-21"
ROUTER = "https://router.huggingface.co"
PLAIN = {"prompt_tokens": 48, "completion_tokens": 8, "total_tokens": 56}


def told(found: Call) -> tuple[str, str, dict[str, int]]:
    return found.provider, found.status, dict(found.usage.counts())


def test_groq() -> None:
    usage = {
        **PLAIN,
        "queue_time": 0.1007,
        "prompt_time": 0.0026,
        "completion_time": 0.029,
        "total_time": 0.0317,
        "prompt_tokens_details": {"cached_tokens": 32},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    own = {"id": "req_1", "usage": {"dram_cached_tokens": 16, "sram_cached_tokens": 16}}
    found = call(GROQ, chat(usage, service_tier="on_demand", x_groq=own, usage_breakdown=None))
    assert told(found) == ("groq", "exact", {"input": 16, "cache_read": 32, "output": 5, "thinking": 3})
    assert (found.tier, found.notes) == ("on_demand", ())


def test_groq_streams_usage_and_errors_under_its_own_key() -> None:
    last = {**chunk(finish="stop"), "x_groq": {"id": "req_1", "usage": PLAIN}}
    found = call(GROQ, sse(chunk(content="Hi"), last, done=True), headers=SSE_LABEL)
    assert told(found) == ("groq", "exact", {"input": 48, "output": 8})
    cached = {**chunk(PLAIN, finish="stop"), "x_groq": {"id": "r", "usage": {"dram_cached_tokens": 1}}}
    assert told(call(GROQ, sse(cached, done=True), headers=SSE_LABEL)) == ("groq", "exact", {"input": 48, "output": 8})
    broken = call(GROQ, sse({**chunk(), "x_groq": {"id": "r", "error": "over capacity"}}), headers=SSE_LABEL)
    assert (broken.status, broken.notes[0]) == ("missing", "the response reports an error")


@pytest.mark.parametrize("inside", [True, False])
def test_groq_streams_of_several_models_have_no_one_price(inside: bool) -> None:  # noqa: FBT001 - the two places
    breakdown = {"models": [{"model": "a", "usage": PLAIN}, {"model": "b", "usage": PLAIN}]}
    own: dict[str, object] = {"id": "r", "usage": PLAIN}
    last = {**chunk(finish="stop"), "x_groq": {**own, "usage_breakdown": breakdown} if inside else own}
    found = call(GROQ, sse(last if inside else {**last, "usage_breakdown": breakdown}, done=True), headers=SSE_LABEL)
    assert (found.status, found.usage.total) == ("partial", 56)
    assert found.notes[0].startswith("a compound system")


def test_xai_reasons_outside_and_tells_what_it_costs() -> None:
    usage = {
        "prompt_tokens": 10120,
        "completion_tokens": 1499,
        "total_tokens": 14428,
        "prompt_tokens_details": {"text_tokens": 10120, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 128},
        "completion_tokens_details": {"reasoning_tokens": 2809, "audio_tokens": 0},
        "num_sources_used": 3,
        "cost_in_usd_ticks": 232856000,
    }
    found = call(XAI, chat(usage, model="grok-4.20"))
    assert told(found) == ("x-ai", "exact", {"input": 9992, "cache_read": 128, "output": 1499, "thinking": 2809})
    assert (found.reported_cost, dict(found.usage.fees)) == (Decimal("0.0232856"), {"num_sources_used": 3})


def test_deepseek() -> None:
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 200,
        "total_tokens": 1200,
        "prompt_tokens_details": {"cached_tokens": 640},
        "prompt_cache_hit_tokens": 640,
        "prompt_cache_miss_tokens": 360,
        "completion_tokens_details": {"reasoning_tokens": 150},
    }
    found = call(DEEPSEEK, chat(usage, model="deepseek-reasoner"))
    assert told(found) == ("deepseek", "exact", {"input": 360, "cache_read": 640, "output": 50, "thinking": 150})


def test_openrouter_reports_its_cost_and_adds_ones_own_keys() -> None:
    usage = {
        "prompt_tokens": 2572,
        "completion_tokens": 63,
        "total_tokens": 2635,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 2569, "audio_tokens": 0, "video_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "image_tokens": 0, "audio_tokens": 0},
        "cost": 0.01058775,
        "is_byok": False,
        "cost_details": {"upstream_inference_cost": 0.01058775},
    }
    found = call(OPENROUTER, chat(usage, model="anthropic/claude-4.5-sonnet", provider="Anthropic"))
    assert told(found) == ("openrouter", "exact", {"input": 3, "cache_write": 2569, "output": 63})
    assert found.reported_cost == Decimal("0.01058775")
    own = {**usage, "cost": 0.0005, "is_byok": True}
    assert call(OPENROUTER, chat(own)).reported_cost == Decimal("0.01108775")


def test_a_gateway_leaves_the_cached_tokens_outside_or_out() -> None:
    usage = {"prompt_tokens": 686, "completion_tokens": 53, "total_tokens": 8253}
    gateway = "https://ai-gateway.vercel.sh/v1/chat/completions"
    found = call(gateway, chat({**usage, "prompt_tokens_details": {"cached_tokens": 7514}}))
    assert told(found) == (
        "ai-gateway.vercel.sh",
        "exact",
        {"input": 686, "cache_read": 7514, "output": 53},
    )
    # left out altogether: what is missing from the sum is a lower bound's reason, not a zero
    assert told(call(gateway, chat(usage)))[1:] == ("partial", {"input": 686, "output": 53})
    reported = call(gateway, chat({**PLAIN, "cost": "0.00045"}))
    assert reported.reported_cost == Decimal("0.00045")


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (AZURE, "our-gpt"),
        ("https://team.openai.azure.com/openai/v1/chat/completions", "m"),
        ("https://team.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview", "m"),
        ("https://team.cognitiveservices.azure.com/openai/deployments/our-gpt/chat/completions", "our-gpt"),
        ("https://apim.azure-api.net/openai/deployments/our-gpt/chat/completions?api-version=2024-10-21", "our-gpt"),
    ],
)
def test_azure(url: str, asked: str) -> None:
    filtered = {"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
    body = chat(PLAIN, model="gpt-4o-2024-08-06", **filtered)
    found = call(url, body, request={"messages": []} if asked == "our-gpt" else {"model": "m", "messages": []})
    assert told(found) == ("azure", "exact", {"input": 48, "output": 8})
    assert (found.api, found.model_asked, found.model_served) == ("openai.chat", asked, "gpt-4o-2024-08-06")


def test_azure_streams_its_filters_first() -> None:
    first = {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    events = [first, chunk(content="Hi"), chunk(finish="stop"), {**chunk(PLAIN), "choices": []}]
    found = call(AZURE, sse(*events, done=True), headers=SSE_LABEL, request={"messages": [], "stream": True})
    assert told(found) == ("azure", "exact", {"input": 48, "output": 8})
    assert found.model_served == "gpt-4o-2024-08-06"


@pytest.mark.parametrize(
    ("path", "headers", "provider"),
    [
        ("/together/v1/chat/completions", {}, "huggingface_together"),
        ("/fireworks-ai/inference/v1/chat/completions", {}, "huggingface_fireworks-ai"),
        ("/v1/chat/completions", {}, "huggingface"),
        ("/v1/chat/completions", {"x-inference-provider": "groq"}, "huggingface_groq"),
        ("/v1/chat/completions", {"x-inference-provider": "../openai"}, "huggingface"),
        ("/together/v1/chat/completions", {"x-inference-provider": "groq"}, "huggingface_together"),
    ],
)
def test_hugging_face_routes_to_whom_it_says(path: str, headers: dict[str, str], provider: str) -> None:
    found = call(f"{ROUTER}{path}", chat(PLAIN), headers={**JSON_LABEL, **headers})
    assert told(found) == (provider, "exact", {"input": 48, "output": 8})


def test_another_host_cannot_choose_a_price_list() -> None:
    headers = {**JSON_LABEL, "x-inference-provider": "groq"}
    assert call("https://gateway.test/v1/chat/completions", chat(PLAIN), headers=headers).provider == "gateway.test"


def test_text_generation_inference() -> None:
    url = "http://localhost:8080/v1/chat/completions"
    events = [chunk(content="Hi"), chunk(PLAIN, content="", finish="stop")]
    assert told(call(url, sse(*events, done=True), headers=SSE_LABEL))[1:] == ("exact", {"input": 48, "output": 8})
    embedded = {
        "object": "list",
        "model": "BAAI/bge-m3",
        "data": [],
        "usage": {"prompt_tokens": 512, "total_tokens": 512},
    }
    found = call("http://localhost:8080/v1/embeddings", embedded)
    assert (found.api, told(found)) == ("openai.embeddings", ("localhost:8080", "exact", {"input": 512}))
