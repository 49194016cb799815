"""What stops the reading of a file, in words for the person who has to mend it."""

from typing import Final

__all__ = ["COST_UNKNOWN", "UnreadableError", "broken_at"]

COST_UNKNOWN: Final = "what it cost is unknown"
"""Stands in each reason for skipping what may have been model traffic; a report must not count such as $0."""


class UnreadableError(Exception):
    """A file cannot be read, or not further; what was read before stands. The message is a reason for `Skipped`.

    Attributes:
        inside: Whether it happened inside an item that had begun, which is lost.
        byte: The offset of the byte that is no text, if that is what stopped it.
    """

    def __init__(self, reason: str, *, inside: bool = False, byte: int | None = None) -> None:
        super().__init__(reason)
        self.inside = inside
        self.byte = byte


def broken_at(place: str, problem: str, *, inside: bool = False, byte: int | None = None) -> UnreadableError:
    """The error for a file that is cut off or damaged.

    Args:
        place: Where, such as `line 12`.
        problem: What was found there, in the parser's words.
        inside: Whether an item had begun.
        byte: The offset of the byte that is no text, if that is the problem.
    """
    reason = f"cut off or damaged at {place} ({problem}): the rest is not read, and {COST_UNKNOWN}. Record it again"
    return UnreadableError(reason, inside=inside, byte=byte)
