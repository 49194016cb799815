"""The strings of a JSON text with their places, found without building its values: what is not touched stays."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

__all__ = ["Leaf", "decoded", "encoded", "strings"]

_DEEPEST: Final = 64
"""Places are told no deeper; what is nested deeper is looked at all the same."""

# a string that nobody closes reaches to the end: every letter is looked at once
_TOKEN: Final = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\\?\Z)|[{}\[\],:]', re.DOTALL)


class Leaf:
    """One string in a JSON text.

    Attributes:
        start: Where its content begins, behind the quote.
        end: Where its content ends.
        key: Whether it is the key of an object.
        name: The nearest key above it; lists have that of what they belong to.
        steps: The keys and positions that lead to it.
    """

    __slots__ = ("end", "key", "name", "start", "steps")

    def __init__(self, start: int, end: int, name: bytes, steps: tuple[bytes | int, ...], *, key: bool) -> None:
        self.start = start
        self.end = end
        self.name = name
        self.steps = steps
        self.key = key

    def path(self, clean: Callable[[bytes], bytes]) -> str:
        """Where it stands, such as `$.messages[0].content`.

        Args:
            clean: Takes the secrets out of a key; keys can be some.
        """
        steps = (step if isinstance(step, int) else clean(step).decode("utf-8", "replace") for step in self.steps)
        return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def strings(text: bytes) -> Iterator[Leaf]:
    """Yield the strings of a JSON text; of a damaged one as many as can be told."""
    steps: list[bytes | int] = []
    before_colon = False
    for token in _TOKEN.finditer(text):
        sign = text[token.start() : token.start() + 1]
        if sign == b'"':
            if before_colon:
                steps[-1] = token[1]
                yield Leaf(*token.span(1), b"", tuple(steps[:_DEEPEST]), key=True)
            else:
                near = islice(reversed(steps), _DEEPEST)
                name = next((step for step in near if isinstance(step, bytes)), b"")
                yield Leaf(*token.span(1), name, tuple(steps[:_DEEPEST]), key=False)
        elif sign == b":":
            before_colon = False
        elif sign == b",":
            if steps and isinstance(steps[-1], int):
                steps[-1] += 1
            else:
                before_colon = bool(steps)
        elif sign in {b"{", b"["}:
            steps.append(b"" if sign == b"{" else 0)
            before_colon = sign == b"{"
        elif steps:
            steps.pop()
            before_colon = False


def decoded(content: bytes) -> bytes | None:
    """What a string says; `None` where its escapes are none."""
    if b"\\" not in content:
        return content
    try:
        text: str = json.loads(b'"%s"' % content, strict=False)
    except ValueError:
        return None
    return text.encode("utf-8", "surrogatepass")


def encoded(said: bytes, like: bytes) -> bytes:
    """What a string says, as the content of a JSON string.

    Args:
        said: The text.
        like: What stood there before: without escapes in it, none are needed for other letters.
    """
    if b"\\" not in like:
        return said
    ascii_only = b"\\u" in like
    text = json.dumps(said.decode("utf-8", "surrogatepass"), ensure_ascii=ascii_only)
    return text[1:-1].encode("utf-8", "surrogatepass")
