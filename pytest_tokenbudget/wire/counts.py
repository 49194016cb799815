"""Reading token counts out of bodies that may hold anything."""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["Counts", "mapping"]

_EMPTY: Final[Mapping[str, Any]] = {}


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else _EMPTY


class Counts:
    """A usage object, read by key; what is not a count is noted, never guessed.

    Attributes:
        notes: Sentences on values that are no counts or contradict each other.
        seen: Whether any count was there at all.
    """

    __slots__ = ("notes", "seen")

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.seen = False

    def take(self, source: Mapping[str, Any], key: str) -> int:
        """The count under a key; 0 where it is absent, null, or noted as no count."""
        value = source.get(key)
        if type(value) is int and value >= 0:
            self.seen = True
            return value
        if value is None:
            return 0
        if isinstance(value, float) and value >= 0 and value.is_integer():
            self.seen = True
            return int(value)
        self.notes.append(f"usage.{key} is {value!r:.40}, not a count")
        return 0

    def part(self, whole: int, part: int, what: str) -> int:
        """A part that its whole contains; a part larger than the whole is noted and cut to it."""
        if part <= whole:
            return part
        self.notes.append(f"usage contradicts itself: {part} {what} of {whole} in all")
        return whole
