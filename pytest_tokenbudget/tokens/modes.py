"""What a provider adds to a prompt because of how the model is to answer: tools, forced or not, a schema, thinking.

As long as the mode stays the same it cancels; when it changes, what it adds has to be known.
"""

import re
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.tokens.families import Family

__all__ = ["Shift", "shift"]


class Shift(Struct, frozen=True, kw_only=True, gc=False):
    """What changing the mode adds to the input.

    Attributes:
        tokens: The change, in the provider's tokens.
        error: How far off that may be.
        reasons: Why, in sentences.
    """

    tokens: float = 0
    error: float = 0
    reasons: tuple[str, ...] = ()


class _Constants(Struct, frozen=True, gc=False):
    """What each mode adds, in tokens, and how far off that is.

    Attributes:
        auto: Tools that the model may use.
        forced: Tools of which it must use one.
        schema: An output schema, beside its text.
        thinking: Being asked to think.
        error: How far off each of them may be.
        measured: Whether they were measured for this model.
    """

    auto: float
    forced: float
    schema: float
    thinking: float
    error: float
    measured: bool = True


_CONSTANTS: Final = (
    ("Claude", re.compile(r"claude-sonnet-4[.-][56]|claude-4[.-][56]-sonnet"), _Constants(495, 591, 183, 28, 30)),
    ("Claude", re.compile(r"claude-(?:sonnet-4|4-sonnet)(?![.-]\d(?!\d))"), _Constants(310, 310, 183, 28, 60)),
    ("Claude", re.compile(r"claude-3[.-]5-haiku"), _Constants(262, 368, 183, 28, 40)),
    ("Claude", re.compile(""), _Constants(400, 450, 183, 28, 250, measured=False)),
    ("OpenAI", re.compile(""), _Constants(10, 24, 5, 0, 12)),
    ("OpenAI reasoning", re.compile(""), _Constants(95, 109, 5, 0, 60, measured=False)),
    ("Gemini", re.compile(""), _Constants(0, 0, 0, 0, 30, measured=False)),
)
"""By family and model, the first that fits; measured on public recordings."""

_UNKNOWN: Final = _Constants(100, 100, 0, 0, 400, measured=False)


def shift(before: Prompt, now: Prompt, family: Family, model: str) -> Shift:
    """What the change from one prompt's mode to another's adds."""
    was, then = _mode(before), _mode(now)
    if was == then:
        return Shift()
    known = next(
        (found for name, models, found in _CONSTANTS if name == family.name and models.search(model.lower())), _UNKNOWN
    )
    tools, schema, thinking = (then[place] != was[place] for place in range(3))
    error = known.error * (tools + schema)
    reasons = []
    if tools:
        reasons.append(_told(was[0], then[0]))
    if schema:
        reasons.append(f"the output schema was {'added' if then[1] else 'taken away'}")
    if thinking:
        reasons.append(f"thinking was switched {'on' if then[2] else 'off'}")
    how = (
        "by measured constants"
        if known.measured
        else f"by a guess, for nothing was measured for {model or 'this model'}"
    )
    sentence = f"{'; '.join(reasons).capitalize()}: what the provider adds for that is estimated {how}."
    return Shift(tokens=_added(known, then) - _added(known, was), error=error + 3 * thinking, reasons=(sentence,))


def _mode(prompt: Prompt) -> tuple[str, bool, bool]:
    kinds = {part.kind for part in prompt.parts}
    choice = prompt.tool_choice if "tools" in kinds else ""
    tools = "forced" if choice == "forced" else "none" if choice == "none" else "auto" if "tools" in kinds else ""
    return tools, "schema" in kinds, prompt.thinking


def _added(known: _Constants, mode: tuple[str, bool, bool]) -> float:
    tools, schema, thinking = mode
    # tools that may not be used are laid before the model all the same
    constant = known.forced if tools == "forced" else known.auto if tools else 0
    return constant + schema * known.schema + thinking * known.thinking


def _told(was: str, then: str) -> str:
    if not was or not then:
        return f"tools were {'added' if then else 'taken away'}"
    return f"the tool choice went from {was} to {then}"
