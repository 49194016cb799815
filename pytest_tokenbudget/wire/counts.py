"""Token counts out of bodies that may hold anything: what is no count is noted, never guessed."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pytest_tokenbudget.model.call import Status
from pytest_tokenbudget.model.money import dollars
from pytest_tokenbudget.model.usage import NO_USAGE, Usage

__all__ = ["Counts", "listed", "mapping", "said", "text"]

_EMPTY: Final[Mapping[str, Any]] = {}
_SHOWN: Final = 40
_NUMBER: Final = re.compile(r"[-+$]?[\d.,_]+(?:[eE][-+]?\d+)?")
_MOST: Final = 10**12
"""No prompt has more tokens, and no answer; a number beyond it was not counted by anybody."""


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else _EMPTY


def listed(value: object) -> list[Any] | tuple[()]:
    """The value where it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else ()


def text(value: object) -> str | None:
    """The value where it is text that is not empty."""
    return value if isinstance(value, str) and value else None


def said(value: object) -> str | None:
    """What selects a rate, as text; what is no text stands for itself, so that it is not taken for the ordinary."""
    if value is None or isinstance(value, str):
        return value or None
    return _shown(value)


class Counts:
    """What is said about one usage while it is read.

    Attributes:
        notes: Sentences on values that are no counts or contradict each other.
        known: Whether there were counts at all.
        doubtful: Whether the billed counts cannot be told for sure: the usage is then a lower bound.
        fees: Counted things that are billed by the piece.
        other: Token classes without a name of ours, under the provider's.
        cost: US dollars as the provider itself reports them.
    """

    __slots__ = ("cost", "doubtful", "fees", "known", "notes", "other")

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.known = False
        self.doubtful = False
        self.fees: dict[str, int] = {}
        self.other: dict[str, int] = {}
        self.cost: Decimal | None = None

    def doubt(self, note: str) -> None:
        """Note what keeps the billed counts from being known."""
        self.doubtful = True
        self.notes.append(note)

    def number(self, value: object, name: str) -> int | None:
        """The value where it is a count; `None` where it is null, or noted as no count."""
        if type(value) is int and 0 <= value <= _MOST:
            return value
        if value is None:
            return None
        if type(value) is float and 0 <= value <= _MOST and value.is_integer():
            return int(value)
        self.doubt(f"usage.{name} is {_shown(value)}, not a count")
        return None

    def take(self, source: Mapping[str, Any], key: str) -> int:
        """The count under a key; 0 where it is absent, null, or noted as no count."""
        value = source.get(key)
        if type(value) is int and 0 <= value <= _MOST:
            return value
        return self.number(value, key) or 0

    def inside(self, value: object, name: str) -> Mapping[str, Any]:
        """The object that takes a count apart, else an empty one; noted where it is neither absent nor empty."""
        if isinstance(value, dict):
            return value
        if value:
            self.doubt(f"usage.{name} is {_shown(value)}, not an object")
        return _EMPTY

    def each(self, value: object, name: str) -> list[Mapping[str, Any]]:
        """The objects of a list that takes a count apart; noted where there is something else, or in it."""
        if not isinstance(value, list):
            return [self.inside(value, name)] if value else []
        return [self.inside(entry, name) for entry in value]

    def tally(self, found: dict[str, int], source: Mapping[str, Any], slots: Mapping[str, str]) -> dict[str, int]:
        """Sort counts into slots by their key.

        Args:
            found: Counts by slot so far; added to. Two spellings of one slot that differ are noted.
            source: The object to read.
            slots: Keys to slots; an empty slot is known and of no interest.

        Returns:
            Token counts under keys that `slots` does not list.
        """
        unknown: dict[str, int] = {}
        for key, value in source.items():
            slot = slots.get(key)
            if slot is None:
                if type(value) is int and 0 < value <= _MOST and key.endswith("_tokens"):
                    unknown[key] = value
                continue
            if not slot or value is None:
                continue
            count = value if type(value) is int and 0 <= value <= _MOST else self.number(value, key)
            if count is None:
                continue
            before = found.get(slot)
            if before is None:
                found[slot] = count
            elif before != count:
                self.doubt(f"usage contradicts itself on the {slot} tokens: {before}, and {count} as {key}")
        return unknown

    def details(self, found: dict[str, int], source: Mapping[str, Any], slots: Mapping[str, str]) -> dict[str, int]:
        """Like `tally`, for parts of a whole, where 0 and absent are the same; most of them are 0."""
        told = {key: value for key, value in source.items() if value}
        return self.tally(found, told, slots) if told else told

    def part(self, whole: int, part: int, what: str) -> int:
        """A part that its whole contains; a part larger than the whole is noted and cut to it."""
        if part <= whole:
            return part
        self.doubt(f"usage contradicts itself: {part} {what} where {whole} are left to hold them")
        return whole

    def fee(self, name: str, count: int) -> None:
        """Add pieces of something that is billed by the piece."""
        if count:
            self.fees[name] = self.fees.get(name, 0) + count

    def reported(self, value: object, unit: Decimal | None = None) -> None:
        """Add an amount that the provider reports, in units of US dollars."""
        try:
            amount = dollars(value)
        except ValueError:
            self.notes.append(f"the reported cost is {_shown(value)}, not an amount")
            return
        if unit is not None:
            amount *= unit
        self.cost = amount if self.cost is None else self.cost + amount

    def status(self, usage: Usage, *, cut: bool, missing: str, by_the_piece: bool = False) -> tuple[Status, Usage]:
        """Settle how well the usage is known.

        Args:
            usage: What was read.
            cut: Whether the stream ended before its last word on the usage.
            missing: The note for a response without usage.
            by_the_piece: Whether the operation may be billed by the piece alone, without a token.
        """
        if not self.known:
            self.notes.append(missing)
            return "missing", NO_USAGE
        if not (usage.input or usage.output or usage.total or (by_the_piece and any(usage.fees.values()))):
            # Whoever answers has read a prompt: nothing but zeros is a placeholder.
            self.notes.append("every count in the usage is 0: a placeholder, not a measurement")
            return "missing", NO_USAGE
        return ("partial" if cut or self.doubtful else "exact"), usage


def _shown(value: object) -> str:
    # a text is shown only where it looks like a number: anything else could be anything, a key included
    plain = isinstance(value, (int, float, bool)) or (isinstance(value, str) and _NUMBER.fullmatch(value))
    shown = repr(value) if plain else f"a JSON {type(value).__name__}"
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
