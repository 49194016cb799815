"""What the gate holds a pull request against, beside the budgets of its tests."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.config.documents import Document
from pytest_tokenbudget.config.entries import read_entry
from pytest_tokenbudget.config.kinds import DOLLARS, FRACTION, NUMBER, Kind, choice
from pytest_tokenbudget.config.place import refuse

__all__ = ["FIELDS", "GateRules", "read_gate", "read_volumes"]

FIELDS: Final[Mapping[str, Kind]] = {
    "regression": FRACTION,
    "floor": DOLLARS,
    "base": choice("optional", "required"),
    "max_base_age": NUMBER,
}
_EXAMPLE: Final = "{regression: 20%, floor: 0.01}"


class GateRules(Struct, frozen=True, kw_only=True):
    """The keys under `gate:`.

    Attributes:
        regression: How much more than on base a task, or the suite, may cost: a percentage, or a fraction.
        floor: US dollars up to which a rise never blocks, whatever its share.
        base: Whether a run with nothing to compare with passes (`optional`) or not (`required`).
        max_base_age: Days after which what is compared with is too old to decide anything.
    """

    regression: Decimal = Decimal("0.20")
    floor: Decimal = Decimal("0.01")
    base: Literal["optional", "required"] = "optional"
    max_base_age: Decimal | None = None


def read_gate(document: Document) -> dict[str, object]:
    """The keys that a file states under `gate:`.

    Raises:
        ConfigError: It is no mapping, or has a key that is unknown or of the wrong kind.
    """
    section = document.values.get("gate")
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise refuse(document.place("gate"), f"{section!r:.80} is not a mapping such as {_EXAMPLE}.")
    return read_entry(section, FIELDS, document.place("gate"), "key")


def read_volumes(document: Document) -> Mapping[str, Decimal]:
    """How many tasks of each workflow run in a month, by workflow.

    Raises:
        ConfigError: It is no mapping of names to numbers.
    """
    section = document.values.get("volumes")
    if section is None:
        return MappingProxyType({})
    if not isinstance(section, dict) or not all(isinstance(name, str) for name in section):
        raise refuse(document.place("volumes"), f"{section!r:.80} is not a mapping such as {{triage: 40000}}.")
    return MappingProxyType({name: _volume(value, document.place("volumes", name)) for name, value in section.items()})


def _volume(value: object, place: str) -> Decimal:
    try:
        read = NUMBER.read(value)
    except ValueError as error:
        raise refuse(place, f"{error}.") from None
    return read if isinstance(read, Decimal) else Decimal(0)
