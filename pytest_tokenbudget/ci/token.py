"""A forge's token, kept out of everything that is printed."""

from typing import Final

__all__ = ["Token"]

_SHORTEST: Final = 4


class Token:
    """A secret that shows itself only where it is asked to.

    Args:
        text: The token; empty where there is none.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text.strip()

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Token(***)" if self._text else "Token()"

    def __reduce__(self) -> tuple[type["Token"], tuple[str]]:
        message = "a token is not to be pickled"
        raise TypeError(message)

    def reveal(self) -> str:
        """The token itself, for the client that sends it."""
        return self._text

    def scrubbed(self, text: str) -> str:
        """A text without the token, wherever a server or a library repeated it."""
        return text.replace(self._text, "***") if len(self._text) >= _SHORTEST else text
