"""Whose host it is. Provider ids are those of genai-prices where it has one.

Hosts match by their exact name or by a suffix that starts at a dot: a pattern searched for in the URL would also take
`api.openai.com.evil.test`, and send its cost to OpenAI's price list.
"""

import re
from typing import Final

__all__ = ["provider_of"]

_EXACT: Final = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "google",
    "aiplatform.googleapis.com": "google",
    "aiplatform.us.rep.googleapis.com": "google",
    "aiplatform.eu.rep.googleapis.com": "google",
    "openrouter.ai": "openrouter",
    "api.openrouter.ai": "openrouter",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "codestral.mistral.ai": "mistral",
    "api.x.ai": "x-ai",
    "us-east-1.api.x.ai": "x-ai",
    "eu-west-1.api.x.ai": "x-ai",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.fireworks.ai": "fireworks",
    "api.perplexity.ai": "perplexity",
    "api.cerebras.ai": "cerebras",
    "api.voyageai.com": "voyageai",
    "ai.mongodb.com": "voyageai",
    "api.jina.ai": "jina",
    "deepsearch.jina.ai": "jina",
    "api.moonshot.ai": "moonshotai",
    "api.moonshot.cn": "moonshotai",
    "api.minimax.io": "minimax",
    "api.minimaxi.com": "minimax",
    "api.minimax.chat": "minimax",
    "api.z.ai": "zai",
    "open.bigmodel.cn": "zhipuai",
    "api.novita.ai": "novita",
    "api.avian.io": "avian",
    "api.arcee.ai": "arcee",
    "api.doubleword.ai": "doubleword",
    "inference.baseten.co": "baseten",
    "api.githubcopilot.com": "github-copilot",
    "oai.endpoints.kepler.ai.cloud.ovh.net": "ovhcloud",
    "api.elevenlabs.io": "elevenlabs",
    "ollama.com": "ollama",
}

_SUFFIXES: Final = (
    (".api.openai.com", "openai", ""),  # one for each region of data residency
    (".openai.azure.com", "azure", ""),
    (".services.ai.azure.com", "azure", ""),
    (".models.ai.azure.com", "azure", ""),
    (".inference.ai.azure.com", "azure", ""),
    # These two domains serve much that is no model: only below this path.
    (".cognitiveservices.azure.com", "azure", "/openai/"),
    (".azure-api.net", "azure", "/openai/"),
    ("-aiplatform.googleapis.com", "google", ""),
    (".cloud.databricks.com", "databricks", "/serving-endpoints/"),
    (".azuredatabricks.net", "databricks", "/serving-endpoints/"),
    (".gcp.databricks.com", "databricks", "/serving-endpoints/"),
)
"""(end of the name, provider, what the path must contain)."""

_BEDROCK: Final = re.compile(
    r"bedrock-(?:runtime|mantle|agent-runtime)(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"
    r"|[a-z0-9-]+\.bedrock-runtime(?:-fips)?\.[a-z0-9-]+\.vpce\.amazonaws\.com"
)
_HUGGINGFACE: Final = "router.huggingface.co"
_CLOUDFLARE: Final = "api.cloudflare.com"
_OLLAMA_PORT: Final = 11434


def provider_of(name: str, port: int | None, path: str) -> str | None:
    """The provider behind a host, or `None` where we know none.

    Args:
        name: The host's name, lower case, without a port.
        port: The port, where the URL gives one.
        path: The URL's path: Hugging Face's router puts the provider there.
    """
    exact = _EXACT.get(name)
    if exact is not None:
        return exact
    if port == _OLLAMA_PORT:
        return "ollama"
    if name == _HUGGINGFACE:
        first = path.split("/")[1] if path.count("/") > 1 else ""
        return f"huggingface_{first}" if first and first != "v1" else "huggingface"
    if _BEDROCK.fullmatch(name):
        return "aws"
    if name == _CLOUDFLARE and "/ai/" in path:
        return "cloudflare"
    for suffix, provider, inside in _SUFFIXES:
        if name.endswith(suffix) and inside in path:
            return provider
    return None
