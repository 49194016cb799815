import pytest
from wire_exchanges import call, chat, message, skipped

from pytest_tokenbudget.wire import is_model_request
from pytest_tokenbudget.wire.endpoint import endpoint_of

GEMINI = "https://generativelanguage.googleapis.com/v1beta"
LIVE = "wss://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta"
VERTEX = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com"
USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://api.openai.com/v1/x", "openai"),
        ("https://API.OpenAI.com:443/v1/x", "openai"),
        ("https://api.openai.com./v1/x", "openai"),
        ("https://eu.api.openai.com/v1/x", "openai"),
        ("https://jp.api.openai.com/v1/x", "openai"),
        ("https://api.anthropic.com/v1/messages", "anthropic"),
        ("https://myteam.openai.azure.com/openai/deployments/d/chat/completions", "azure"),
        ("https://myteam.cognitiveservices.azure.com/openai/deployments/d/chat/completions", "azure"),
        ("https://generativelanguage.googleapis.com/v1beta/models/m:generateContent", "google"),
        ("https://europe-west4-aiplatform.googleapis.com/v1/x", "google"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse", "aws"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/model/m/converse", "aws"),
        ("https://bedrock-mantle.us-east-1.api.aws/v1/chat/completions", "aws"),
        ("https://vpce-1-a.bedrock-runtime.us-east-1.vpce.amazonaws.com/model/m/converse", "aws"),
        ("https://router.huggingface.co/together/v1/chat/completions", "huggingface_together"),
        ("https://router.huggingface.co/v1/chat/completions", "huggingface"),
        ("https://api.x.ai/v1/chat/completions", "x-ai"),
        ("https://api.voyageai.com/v1/embeddings", "voyageai"),
        ("https://adb-1.4.azuredatabricks.net/serving-endpoints/m/invocations", "databricks"),
        ("https://api.cloudflare.com/client/v4/accounts/a/ai/run/m", "cloudflare"),
        ("http://localhost:11434/api/chat", "ollama"),
    ],
)
def test_a_known_host_names_its_provider(url: str, provider: str) -> None:
    found = endpoint_of("post", url)
    assert (found.provider, found.known, found.method) == (provider, True, "POST")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.openai.com.evil.test/v1/chat/completions", "api.openai.com.evil.test"),
        ("https://evil-api.openai.com/v1/chat/completions", "evil-api.openai.com"),
        ("https://xopenai.azure.com/v1/chat/completions", "xopenai.azure.com"),
        (f"{BEDROCK}.evil.test/model/m/converse", "bedrock-runtime.us-east-1.amazonaws.com.evil.test"),
        ("https://team.cognitiveservices.azure.com/vision/v3/analyze", "team.cognitiveservices.azure.com"),
        ("http://localhost:8000/v1/chat/completions", "localhost:8000"),
        ("http://[::1]:8000/v1/chat/completions", "::1:8000"),
        ("https://user:secret@gateway.test/v1/chat/completions", "gateway.test"),
    ],
)
def test_an_unknown_host_is_its_own_provider(url: str, host: str) -> None:
    found = endpoint_of("POST", url)
    assert (found.host, found.provider, found.known) == (host, host, False)


def test_any_host_may_speak_a_format() -> None:
    found = call("http://localhost:8000/v1/chat/completions", chat(USAGE))
    assert (found.api, found.provider, found.status) == ("openai.chat", "localhost:8000", "exact")
    found = call("https://api.openai.com.evil.test/v1/chat/completions", chat(USAGE))
    assert (found.api, found.provider) == ("openai.chat", "api.openai.com.evil.test")


@pytest.mark.parametrize(
    ("url", "api", "model"),
    [
        (f"{GEMINI}/models/e:asyncBatchEmbedContent", "gemini.batches", "e"),
        (f"{GEMINI}/models/g:batchGenerateContent", "gemini.batches", "g"),
        (f"{VERTEX}/models/imagen-4.0:predict", "google.predict", "imagen-4.0"),
        (
            f"{BEDROCK}/model/amazon.nova-sonic-v1%3A0/invoke-with-bidirectional-stream",
            "bedrock.speech",
            "amazon.nova-sonic-v1:0",
        ),
        (f"{BEDROCK}/async-invoke", "bedrock.async_invoke", None),
        (f"{BEDROCK}/guardrail/g/version/1/apply", "bedrock.guardrail", None),
        ("https://bedrock.us-east-1.amazonaws.com/model-invocation-job", "bedrock.batches", None),
        (
            "https://bedrock-agent-runtime.us-east-1.amazonaws.com/agents/A/agentAliases/B/sessions/C/text",
            "aws.agents",
            None,
        ),
        (
            "https://bedrock-agent-runtime.us-east-1.amazonaws.com/retrieveAndGenerate",
            "aws.retrieve_and_generate",
            None,
        ),
        ("https://api.cohere.com/v1/embed-jobs", "cohere.embed_jobs", None),
        ("http://127.0.0.1:11434/api/web_search", "ollama.web_search", None),
        ("https://api.openai.com/v1/images/variations", "openai.images", None),
        ("https://api.openai.com/v1/audio/speech", "openai.audio", None),
        ("https://api.openai.com/v1/threads/runs", "openai.threads", None),
        ("https://api.openai.com/v1/threads/thread_1/runs", "openai.threads", None),
        ("https://api.openai.com/v1/batches", "openai.batches", None),
        ("https://api.openai.com/v1/fine_tuning/jobs", "openai.fine_tuning", None),
        ("https://api.anthropic.com/v1/messages/batches", "anthropic.batches", None),
        ("https://api.mistral.ai/v1/moderations", "mistral.moderations", None),
        ("https://api.mistral.ai/v1/fim/batch", "mistral.fim", None),
        ("https://api.openai.com/v1/realtime/calls", "openai.realtime", None),
        ("https://api.openai.com/v1/realtime/calls/rtc_1/accept", "openai.realtime", None),
        ("https://api.openai.com/v1/live/sessions", "openai.live", None),
        ("https://api.openai.com/", "openai.request", None),
    ],
)
def test_a_billed_endpoint_that_cannot_be_read_is_still_a_call(url: str, api: str, model: str | None) -> None:
    found = call(url, {"answer": 1}, request={})
    assert (found.api, found.status, found.model, found.cost) == (api, "unsupported", model, None)
    assert found.notes == (f"{api} is billed, but cannot be read yet",)
    assert is_model_request("POST", url)
    assert call(url, {}, status=429).status == "error"


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("wss://api.openai.com/v1/realtime?model=gpt-realtime", "openai.realtime"),
        ("wss://t.openai.azure.com/openai/realtime?deployment=d", "openai.realtime"),
        ("wss://api.openai.com/v1/live/sessions/s/attach", "openai.live"),
        ("wss://api.openai.com/v1/responses", "openai.responses"),
        (
            f"{LIVE}.GenerativeService.BidiGenerateContent?key=k",
            "gemini.live",
        ),
        ("wss://api.elevenlabs.io/v1/text-to-speech/v/stream-input", "elevenlabs.text_to_speech"),
    ],
)
def test_what_passes_through_a_socket_is_billed_and_not_read(url: str, api: str) -> None:
    found = call(url, b"", method="GET", request=b"", status=101)
    assert (found.api, found.status, found.cost) == (api, "unsupported", None)
    assert found.notes == (f"{api} is billed, but cannot be read yet",)
    assert call(url, b"", method="GET", request=b"", status=401).status == "error"


def test_a_socket_is_known_without_its_status_where_its_path_tells() -> None:
    assert call("wss://api.openai.com/v1/realtime?model=m", b"", method="GET", request=b"").status == "unsupported"
    assert skipped("https://transit.example.test/v1/realtime", b"{}", method="GET", request=b"")


def test_the_request_names_the_model_where_the_url_does_not() -> None:
    assert call("https://api.cohere.com/v2/chat", {}, request={"model": "command-r"}).model == "command-r"
    azure = "https://t.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    assert call(azure, chat(USAGE), request={"messages": []}).model_asked == "my-gpt"


@pytest.mark.parametrize(
    ("method", "url", "api"),
    [
        ("POST", "https://api.anthropic.com/v1/messages/count_tokens?beta=true", "anthropic.count_tokens"),
        ("POST", "https://api.openai.com/v1/responses/input_tokens", "openai.count_tokens"),
        ("POST", "https://generativelanguage.googleapis.com/v1beta/models/m:countTokens", "google.count_tokens"),
        ("POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/count-tokens", "aws.count_tokens"),
        ("POST", "http://gateway.test/v1/messages/count_tokens", "gateway.test.count_tokens"),
        ("POST", "https://api.openai.com/v1/moderations", "openai.moderations"),
        ("POST", "https://api.openai.com/v1/files", "openai.files"),
        ("POST", "https://api.openai.com/v1/traces/ingest", "openai.traces"),
        ("POST", "https://api.openai.com/v1/realtime/client_secrets", "openai.realtime"),
        ("POST", "https://api.openai.com/v1/realtime/translations/client_secrets", "openai.realtime"),
        ("POST", "https://api.openai.com/v1/realtime/calls/rtc_1/hangup", "openai.realtime"),
        ("POST", "https://api.openai.com/v1/responses/resp_1/cancel", "openai.responses"),
        ("POST", "https://api.anthropic.com/v1/messages/batches/b/cancel", "anthropic.batches"),
        ("GET", "https://api.openai.com/v1/models", "openai.models"),
        ("GET", "https://api.anthropic.com/v1/messages/batches/b/results", "anthropic.batches"),
        ("GET", "https://api.openai.com/v1/responses/resp_1", "openai.responses"),
        ("DELETE", "https://api.openai.com/v1/files/file-1", "openai.files"),
    ],
)
def test_what_no_provider_bills(method: str, url: str, api: str) -> None:
    found = call(url, {"input_tokens": 19}, method=method)
    assert (found.status, found.api, found.usage.total) == ("unbilled", api, 0)
    assert not is_model_request(method, url)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "https://telemetry.example.test/v1/traces"),
        ("POST", "http://localhost:3000/api/responses"),
        ("POST", "http://localhost:3000/completions"),
        ("GET", "https://example.test/v1/models"),
        ("GET", "https://example.test/v1/chat/completions"),
        ("POST", "not a url"),
        ("POST", "http://[broken/v1/chat/completions"),
        ("POST", "http://host:port/v1/chat/completions"),
        ("POST", ""),
    ],
)
def test_other_traffic_is_skipped(method: str, url: str) -> None:
    found = skipped(url, b"{}", method=method)
    assert (found.reason, found.url, found.source, found.index) == ("not model traffic", url, "cassette.yaml", 3)
    assert not is_model_request(method, url)


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/embeddings", "/v1/responses", "/v1/completions"])
def test_a_path_that_others_use_too_is_believed_with_a_model_or_a_usage(path: str) -> None:
    url = f"https://sms.example.test{path}"
    assert skipped(url, {"sid": "SM1"}, request={"to": "+1"}).reason.startswith("not model traffic: the path could be")
    assert skipped(url, {"sid": "SM1"}, request={"to": "+1"}, status=400)
    assert call(url, {"sid": "SM1"}, request={"model": "m"}).status == "missing"
    assert call(url, message({"input_tokens": 3, "output_tokens": 4}), request={"to": "+1"}).status == "exact"


def test_a_redirect_generates_nothing() -> None:
    found = call(response=b"", status=307)
    assert (found.status, found.notes) == ("unbilled", ("HTTP 307 leads elsewhere: nothing was generated",))


def test_a_skipped_url_keeps_no_secret() -> None:
    found = skipped("https://user:pw@example.test/v1/traces?key=abc", b"{}")
    assert found.url == "https://example.test/v1/traces"
