"""What counts the tokens of a text where money depends on it."""

from typing import Protocol

__all__ = ["TextCounter"]


class TextCounter(Protocol):
    """Counts the tokens of texts, as close to a provider's own count as can be had offline.

    Attributes:
        name: What it is called in runs, such as `o200k_base`.
        error: How far off a text's count is in the median, as a share: 0 where it is the provider's own tokenizer.
    """

    name: str
    error: float

    def count(self, text: str) -> int:
        """The tokens of a text; 0 for an empty one. Never raises."""
