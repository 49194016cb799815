"""Which counter serves a model's texts: tiktoken's encodings from our own data, or, without them, our fast counter."""

import re
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from pytest_tokenbudget.tokens.counter import COUNTER, count
from pytest_tokenbudget.tokens.ranks import encoding
from pytest_tokenbudget.tokens.text_counter import TextCounter

if TYPE_CHECKING:
    from tiktoken import Encoding

__all__ = ["EncodingCounter", "FastCounter", "counter_for", "pieces"]

_OLDER: Final = re.compile(r"(?:.*[/.:])?(?:gpt-(?:3\.5|35)|gpt-4(?![.\do])|text-embedding-(?:ada|3)).*", re.IGNORECASE)
"""OpenAI's models with the encoding before the present one."""

_OPENAI: Final = re.compile(r"(?:.*[/.:])?(?:gpt-|chatgpt-|o[1-9]\b|codex|text-embedding-).*", re.IGNORECASE)
_BORROWED: Final = 0.03
"""How far off a change of a prompt is, in the median, where a provider's own encoding is not public: 1.1% to 3.2% for
Claude, Gemini and Mistral with a weight for each (measured on public recordings, 2026)."""

_APART: Final = 0.06
"""How far off our fast counter is from `o200k_base` on parts of real requests, in the median
(docs/decisions/0004-segment-token-counter.md)."""

_RUN: Final = 1024
_WORD: Final = r"[^\s\d!-/:-@\[-`{-~\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]"
_MARKS: Final = r"[!-/:-@\[-`{-~]"
_LONG_RUNS: Final = re.compile(rf"(?<!\s)\s{{{_RUN},}}|(?<!{_WORD}){_WORD}{{{_RUN},}}|(?<!{_MARKS}){_MARKS}{{{_RUN},}}")
"""What an encoding takes for one piece, longer than any that people write."""

_SPACES: Final = re.compile(rf"(?<!\s)\s{{{_RUN}}}")
_REMEMBERED: Final = 1 << 16


class EncodingCounter:
    """Counts with one of tiktoken's encodings, each text once.

    Attributes:
        name: tiktoken's name of the encoding.
        error: See `TextCounter`.
    """

    def __init__(self, encoding: "Encoding", error: float) -> None:
        """Count with an encoding that is loaded."""
        self.name = encoding.name
        self.error = error
        self._encode = encoding.encode_ordinary
        # by hash, so that no text is kept
        self._known: dict[bytes, int] = {}

    def count(self, text: str) -> int:
        """The tokens of a text; 0 for an empty one. Never raises."""
        if not text:
            return 0
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._counted(text)
        return found

    def _counted(self, text: str) -> int:
        try:
            return sum([len(self._encode(piece)) for piece in pieces(text)])
        except Exception:  # noqa: BLE001 - a text that tiktoken cannot take is still counted
            return count(text)


class FastCounter:
    """Stands in where tiktoken or its ranks cannot be had: our own counter, which is no provider's.

    Attributes:
        name: The fast counter's name.
        error: See `TextCounter`.
    """

    name = COUNTER
    error = _APART

    def count(self, text: str) -> int:
        """The tokens of a text; 0 for an empty one. Never raises."""
        return count(text)


@cache
def counter_for(model: str) -> TextCounter:
    """The counter for a model's texts, by the name that it is asked for or billed by.

    OpenAI's models have their own encoding. Nobody else publishes theirs: they borrow `o200k_base`, whose counts an
    estimate weights by the family. The first call loads an encoding, which takes a third of a second.
    """
    loaded = encoding("cl100k_base" if _OLDER.fullmatch(model) else "o200k_base")
    if loaded is None:
        return FastCounter()
    return EncodingCounter(loaded, 0.0 if _OPENAI.fullmatch(model) else _BORROWED)


def pieces(text: str) -> list[str]:
    """The text, cut only within runs of one kind of character so long that older tiktokens take minutes for one.

    tiktoken 0.12 takes a time quadratic in the length of a piece, 70 s for 100,000 Chinese characters without a stop.
    Each cut may cost a token.
    """
    if len(text) < _RUN or not (max(map(len, text.split()), default=0) >= _RUN or _SPACES.search(text)):
        return [text]
    cuts = [at for run in _LONG_RUNS.finditer(text) for at in range(run.start() + _RUN, run.end(), _RUN)]
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
