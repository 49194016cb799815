"""Bedrock's names for models: what an ARN is of, and which of them bill otherwise than by the token.

ARN formats: "Supported foundation models" and "Inference profiles", Amazon Bedrock user guide, read 2026-11.
"""

import re
from typing import Final

from pytest_tokenbudget.pricing.context import Unpriced

__all__ = ["bedrock_model"]

_ARN: Final = re.compile(r"arn:aws[\w-]*:bedrock:[\w-]*:\d*:([\w-]+)/(.+)")
_BY_TOKEN: Final = frozenset({"foundation-model", "inference-profile"})
_OPAQUE: Final = frozenset({"application-inference-profile", "prompt", "default-prompt-router", "prompt-router"})
_HOURLY: Final = "provisioned-model"
_GOVERNMENT: Final = "us-gov."


def bedrock_model(name: str) -> str | Unpriced:
    """The model id that a name given to Bedrock stands for, or why its calls have no price by the token.

    Args:
        name: A model id, an inference profile's id such as `eu.anthropic.claude-sonnet-5-v1:0`, or an ARN.
    """
    arn = _ARN.fullmatch(name)
    kind, model = (arn[1], arn[2]) if arn else ("foundation-model", name)
    if kind == _HOURLY:
        return Unpriced(("tier:provisioned_throughput",), f"{name} is provisioned throughput, billed by the hour")
    if kind in _OPAQUE:
        return Unpriced(("model",), f"{name} does not tell its model: name it under `deployments:` in tokenbudget.yml")
    if kind not in _BY_TOKEN:
        return Unpriced(("model",), f"a {kind} of Bedrock is not billed at a price list's rates")
    if model.startswith(_GOVERNMENT):
        return Unpriced(("region:us-gov",), f"what {model} costs in AWS GovCloud is on no price list that we have")
    return model
