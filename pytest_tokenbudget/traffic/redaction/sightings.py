"""What was found while messages were cleaned, and where; never the secrets themselves."""

from typing import NamedTuple

__all__ = ["Finding", "Sightings"]


class Finding(NamedTuple):
    """One secret that was found.

    Attributes:
        kind: What it is, such as `anthropic-key`.
        place: Where it stands: `url`, `header <name>`, `body`, or `body $.messages[0].content`.
    """

    kind: str
    place: str


class Sightings:
    """Findings as they come; those of one kind at one place count once."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}

    def add(self, kind: str, place: str) -> None:
        """Note a finding."""
        self._found[Finding(kind, place)] = None

    def all(self) -> tuple[Finding, ...]:
        """What was found so far, in the order in which it was."""
        return tuple(self._found)
