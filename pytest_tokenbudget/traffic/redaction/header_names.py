"""Which headers a recording keeps, and which are known to carry secrets.

Kept is what replay, the reading of usage and a reviewer need; whatever else a provider or a proxy adds one day is
left out. Ids of requests are kept: they open nothing, SDKs show them, and Bedrock tells a response's id nowhere else.
`content-length` is left out, as a body without its secrets has another one (botocore refuses a stale one).
"""

import re
from typing import Final

__all__ = ["is_kept", "secret_header"]

_KEPT: Final = frozenset(
    {
        "accept",
        "apim-request-id",
        "content-disposition",
        "content-encoding",
        "content-type",
        "location",
        "openai-beta",
        "openai-model",
        "openai-poll-after-ms",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "transfer-encoding",
        "x-amz-target",
        "x-amzn-errortype",
        "x-amzn-requestid",
        "x-gemini-service-tier",
        "x-inference-provider",
        "x-ms-region",
        "x-request-id",
        "x-should-retry",
        "x-vertex-ai-llm-request-type",
        "x-vertex-ai-llm-shared-request-type",
    }
)
_KEPT_PREFIXES: Final = (
    "anthropic-beta",
    "anthropic-fast-",
    "anthropic-priority-",
    "anthropic-ratelimit-",
    "anthropic-version",
    "fireworks-",
    "x-amzn-bedrock-",
    "x-goog-upload-",
    "x-litellm-response-cost",
    "x-ratelimit-",
)

_SECRET: Final = re.compile(
    r"(?:proxy-)?authorization(?:-.+)?|(?:set-)?cookie2?|cf-access-.+|helicone-auth|ocp-apim-subscription-key"
    r"|(?:.*-)?(?:api-?key|api-?token|auth(?:orization)?-token|access-token|security-token|id-token|session-token"
    r"|virtual-key|secret(?:-key)?|password|signature)|x-amz-(?:credential|signature|security-token)|x-auth"
    r"|x-portkey-config|openai-(?:organization|project)|anthropic-organization-id|x-goog-user-project"
)
_KINDS: Final = (
    ("cookie", "cookie"),
    ("organization", "organization-id"),
    ("project", "project-id"),
    ("signature", "signature"),
    ("key", "api-key"),
    ("token", "token"),
    ("password", "password"),
    ("auth", "authorization"),
)


def is_kept(name: str) -> bool:
    """Whether a recording keeps a header of this name, in lower case."""
    return name in _KEPT or name.startswith(_KEPT_PREFIXES)


def secret_header(name: str) -> str | None:
    """The kind of secret that a header of this name, in lower case, carries."""
    if _SECRET.fullmatch(name) is None:
        return None
    return next((kind for sign, kind in _KINDS if sign in name), "secret")
