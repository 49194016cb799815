"""What a request asks beside its texts that decides how many tokens it becomes; read only when something drifted."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pytest_tokenbudget.model.prompt import ToolChoice
from pytest_tokenbudget.wire.counts import mapping, text

__all__ = ["distinct", "lifetime", "marks", "present", "sealed", "thinks", "tool_choice"]

_CHOICES: Final[Mapping[str, ToolChoice]] = {
    "none": "none",
    "auto": "auto",
    "validated": "auto",  # Gemini: a call or an answer, and the call must fit
    "any": "forced",
    "required": "forced",
    "mode_unspecified": "",
}
_TTL: Final = re.compile(r"(\d{1,6})([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_FIVE_MINUTES: Final = 300
_NO_THOUGHT: Final = frozenset({"none", "disabled", "off", "false", ""})


def tool_choice(asked: object) -> ToolChoice:
    """How the tools may be used: a word, `{"type": …}`, `{"mode": …}`, or the name of a tool in an object."""
    if isinstance(asked, str):
        return _CHOICES.get(asked.lower(), "forced") if asked else ""
    given = mapping(asked)
    if not given:
        return ""
    allowed = given.get("allowed_tools")
    word = text(mapping(allowed).get("mode")) or text(given.get("mode")) or text(given.get("type"))
    if word is None and len(given) == 1:  # Bedrock: {"any": {}}
        word = next(iter(given))
    return _CHOICES.get((word or "").lower(), "forced")


def thinks(asked: object) -> bool:
    """Whether a setting asks the model to think: a flag, an effort, a budget, or an object that has one of them."""
    if isinstance(asked, str):
        return asked.lower() not in _NO_THOUGHT
    if isinstance(asked, (bool, int, float)):
        return bool(asked)
    given = mapping(asked)
    told = [given[key] for key in ("type", "enabled", "effort") if given.get(key) is not None]
    return all(map(thinks, told)) if told else bool(given)


def lifetime(marker: object, default: int = _FIVE_MINUTES) -> int:
    """The seconds that what a marker marks is cached, such as `{"type": "ephemeral", "ttl": "1h"}`."""
    found = _TTL.fullmatch(text(mapping(marker).get("ttl")) or "")
    return int(found[1]) * _SECONDS[found[2]] if found else default


def marks(found: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Breakpoints in order, one for each place; where two mark the same prefix, the one that lives longer."""
    return tuple(sorted({place: seconds for place, seconds in sorted(found) if place}.items()))


def present(request: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """Which of these fields say anything."""
    return tuple(name for name in names if request.get(name))


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Names in the order in which they first came."""
    return tuple(dict.fromkeys(names))


def sealed(value: object, keys: frozenset[str]) -> int:
    """The characters of all texts under these keys, however deep: what only the provider can read."""
    if isinstance(value, dict):
        return sum(
            len(inner) if key in keys and isinstance(inner, str) else sealed(inner, keys)
            for key, inner in value.items()
            if inner
        )
    return sum(sealed(inner, keys) for inner in value) if isinstance(value, list) else 0
