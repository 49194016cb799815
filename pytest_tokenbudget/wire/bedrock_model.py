"""The model that a Bedrock URL names: the only place that tells it with its region, on which its price depends.

Bodies name a model without that (`claude-sonnet-4-5-20250929`), or not at all. Claude costs 10% more under a bare,
`us.` or `eu.` id than under `global.` (aws.amazon.com, "Amazon Bedrock pricing", 2026).
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

__all__ = ["BedrockPath", "bedrock_path", "model_name"]

_PATH: Final = re.compile(
    r"(?:.*/)?model/(?P<model>.+)/(?P<operation>"
    r"converse(?:-stream)?|invoke(?:-with-response-stream|-with-bidirectional-stream)?|count-tokens)"
)
_ARN: Final = re.compile(r"arn:aws[\w-]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(.+)")
_TIMES_QUOTED: Final = 3


class BedrockPath(Struct, frozen=True):
    """What the path of a request to a model says.

    Attributes:
        model: The model's id, such as `us.anthropic.claude-sonnet-4-5-20250929-v1:0`; see `model_name`.
        operation: `converse`, `converse-stream`, `invoke`, …
    """

    model: str
    operation: str


@lru_cache(maxsize=256)
def bedrock_path(path: str) -> BedrockPath | None:
    """Take the path of a request apart; `None` where it is no request to a model."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    model = found["model"]
    for _ in range(_TIMES_QUOTED):  # a signed path is quoted twice, and some recorders keep that one
        model = unquote(model)
    return BedrockPath(model_name(model), found["operation"])


def model_name(identifier: str) -> str:
    """The id that price lists know; what hides the model stays as it is.

    Args:
        identifier: A model's or an inference profile's id, or an ARN.

    Returns:
        The id within the ARN of a foundation model or of one of AWS's inference profiles. The ARN of an application's
        own profile, a provisioned, custom or imported model, a prompt or a router names no model, and is returned.
    """
    found = _ARN.fullmatch(identifier)
    return found[1] if found else identifier
