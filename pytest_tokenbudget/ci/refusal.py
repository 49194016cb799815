"""What a forge answers when it does not do what it is asked, in our words."""

from collections.abc import Mapping
from typing import Final

from pytest_tokenbudget.errors import ForgeError

__all__ = ["RefusedError", "shortened", "waiting_time"]

_LONGEST: Final = 300


class RefusedError(ForgeError):
    """A forge did not do what it was asked.

    Args:
        text: What happened and what to do, as sentences.
        status: The HTTP status, if there was an answer.
        passes: Whether asking again may help.
        wait: After how many seconds, where the forge says so.
        is_moot: Whether there is nothing to do any more: a newer commit is judged by a run of its own.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        passes: bool = False,
        wait: float | None = None,
        is_moot: bool = False,
    ) -> None:
        super().__init__(text)
        self.status, self.passes, self.wait, self.is_moot = status, passes, wait, is_moot

    def but(self, text: str) -> "RefusedError":
        """The same, with a sentence more, and for good."""
        return RefusedError(f"{self} {text}", status=self.status)


def waiting_time(headers: Mapping[str, str], now: float) -> float | None:
    """How many seconds a forge's headers ask to wait; `None` where they do not say.

    Args:
        headers: Of its answer; in any case of letters.
        now: Seconds since 1970.
    """
    named = {name.lower(): value for name, value in headers.items()}
    if (after := _number(named.get("retry-after"))) is not None:
        return after
    remaining = named.get("x-ratelimit-remaining", named.get("ratelimit-remaining"))
    reset = _number(named.get("x-ratelimit-reset", named.get("ratelimit-reset")))
    if remaining == "0" and reset is not None:
        return max(reset - now, 0.0) + 1  # its seconds are whole
    return None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def shortened(text: object) -> str:
    """A server's own words, on one line and short."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)[: 4 * _LONGEST]).split())
    return f"{line[: _LONGEST - 1]}…" if len(line) > _LONGEST else line
