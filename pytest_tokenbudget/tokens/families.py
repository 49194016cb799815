"""How many of a provider's tokens a counted token is worth, by family of models.

The weights were measured on differences between recorded requests, on two or three thousand public recordings; how far
off they are stands in docs/decisions/0010-estimating-drift.md. They turn a difference into tokens, never a whole
prompt: what a provider adds around a prompt is in the recorded count, and cancels.
"""

import re
from typing import Final

from msgspec import Struct

__all__ = ["Family", "Weights", "family_of"]


class Weights(Struct, frozen=True, kw_only=True, gc=False):
    """A provider's tokens for each counted token, and for each message and block.

    Attributes:
        text: For each token of plain text.
        tool: For each token of a tool's call or result.
        tools: For each token of a tool's definition as `Family.typescript` says that it is counted.
        schema: For each token of an output schema.
        message: For each message.
        call: For each tool call.
        result: For each tool result.
    """

    text: float
    tool: float
    tools: float
    schema: float
    message: float
    call: float
    result: float


class Family(Struct, frozen=True, kw_only=True, gc=False):
    """Models whose prompts become tokens by the same rules.

    Attributes:
        name: What it is called in reasons.
        weights: Its starting weights.
        error: How far off a text's weight may be, as a share of the difference; nine in ten lie within.
        tools_error: The same for tool definitions and schemas.
        tools_edit: How much of each changed token of tool definitions may be off, whatever they add up to.
        block_error: How far off each added or removed call or result may be, in tokens.
        fixed: Whether the weights are the provider's own, so that no recording should bend them.
        typescript: Whether tool definitions become TypeScript and tool arguments minified JSON.
        names: Whether a tool's name is repeated with its calls and its results.
        forgets: Whether what stands between `<think>` and `</think>` is taken out of past answers.
    """

    name: str
    weights: Weights
    error: float
    tools_error: float
    tools_edit: float
    block_error: float
    fixed: bool = False
    typescript: bool = False
    names: bool = False
    forgets: bool = False


_CHAT: Final = Weights(text=1, tool=1, tools=1, schema=0.85, message=4, call=3, result=2.5)
_OPENAI: Final = Family(
    name="OpenAI",
    weights=_CHAT,
    error=0.005,
    tools_error=0.06,
    tools_edit=0.02,
    block_error=2,
    fixed=True,
    typescript=True,
    names=True,
)
_HARMONY: Final = Family(
    name="OpenAI reasoning",
    weights=Weights(text=1, tool=1, tools=1, schema=0.85, message=4, call=5.5, result=5.5),
    error=0.005,
    tools_error=0.06,
    tools_edit=0.02,
    block_error=3,
    fixed=True,
    typescript=True,
    names=True,
)
_CLAUDE: Final = Family(
    name="Claude",
    weights=Weights(text=1.15, tool=1.1, tools=1.7, schema=1.7, message=0, call=30, result=30),
    error=0.12,
    tools_error=0.25,
    tools_edit=0.08,
    block_error=7,
)
_CLAUDE_4_7: Final = Family(
    name="Claude 4.7 and later",
    weights=Weights(text=1.45, tool=1.4, tools=2.1, schema=2.1, message=0, call=35, result=35),
    error=0.18,
    tools_error=0.4,
    tools_edit=0.15,
    block_error=8,
)
_GEMINI: Final = Family(
    name="Gemini",
    weights=Weights(text=1, tool=1, tools=1, schema=0, message=0, call=7, result=7),
    error=0.1,
    tools_error=0.35,
    tools_edit=0.35,
    block_error=7,
)
_MISTRAL: Final = Family(
    name="Mistral",
    weights=Weights(text=1.37, tool=1.37, tools=1.5, schema=1.37, message=3, call=12, result=12),
    error=0.2,
    tools_error=0.4,
    tools_edit=0.2,
    block_error=8,
)
_OTHER: Final = Family(
    name="other",
    weights=Weights(text=1, tool=1, tools=1, schema=1, message=4, call=8, result=8),
    error=0.3,
    tools_error=0.5,
    tools_edit=0.3,
    block_error=10,
)
_FORGETFUL: Final = Family(
    name="other, thinking aloud",
    weights=_OTHER.weights,
    error=0.3,
    tools_error=0.5,
    tools_edit=0.3,
    block_error=10,
    forgets=True,
)

_HARMONY_MODEL: Final = re.compile(r"gpt-(?:[5-9]|\d\d)|gpt-oss|\bo\d(?:-|$)|codex")
_OPENAI_MODEL: Final = re.compile(
    r"gpt|\bo\d(?:-|$)|codex|davinci|babbage|text-embedding-(?:3|ada)|computer-use-preview"
)
_CLAUDE_VERSION: Final = re.compile(r"claude(?:-[a-z]+)*-(\d{1,2})(?!\d)(?:[.-](\d{1,2})(?!\d))?")
_NEWER: Final = (4, 7)
_NAMED: Final = (
    (re.compile("gemini|gemma"), _GEMINI),
    (re.compile(r"(?:mi|mini|code|dev|magi|vox)str[ao]l|mixtral|pixtral"), _MISTRAL),
    (re.compile(r"deepseek|\br1\b|glm|qwen|qwq|minimax|kimi.*thinking"), _FORGETFUL),
)
_BY_PROVIDER: Final = {
    "openai": _OPENAI,
    "azure": _OPENAI,
    "anthropic": _CLAUDE_4_7,
    "google": _GEMINI,
    "mistral": _MISTRAL,
}
"""Where the model's name says nothing. A Claude of unknown number is a new one."""


def family_of(provider: str, model: str) -> Family:
    """The family of a model.

    Args:
        provider: Whose price list applies, as in `Call.provider`; asked where the model's name says nothing.
        model: Its name as any provider spells it: `us.anthropic.claude-sonnet-4-6`, `openai/gpt-4o`.
    """
    name = model.lower()
    if "claude" in name:
        return _CLAUDE_4_7 if _claude_version(name) >= _NEWER else _CLAUDE
    for pattern, family in _NAMED:
        if pattern.search(name):
            return family
    if _OPENAI_MODEL.search(name):
        return _HARMONY if _HARMONY_MODEL.search(name) else _OPENAI
    return _BY_PROVIDER.get(provider.partition("_")[0], _OTHER)


def _claude_version(name: str) -> tuple[int, int]:
    """Claude's number, on either side of its name: `claude-3-5-haiku`, `claude-sonnet-4.5`, `claude-4.6-sonnet`."""
    found = _CLAUDE_VERSION.search(name)
    if not found:
        return _NEWER if "instant" not in name and "-v" not in name else (2, 0)
    return int(found[1]), int(found[2] or 0)
