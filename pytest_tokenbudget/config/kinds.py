"""What a value may be: how it is read, and the same as JSON Schema.

Both stand side by side here, so that the published schema allows what the readers allow.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from pytest_tokenbudget.config.place import nearest
from pytest_tokenbudget.model.money import dollars

__all__ = [
    "DAY",
    "DOLLARS",
    "EXPRESSIONS",
    "FACTOR",
    "FIELD_NAMES",
    "FLAG",
    "FRACTION",
    "INSTANT",
    "LABEL",
    "NUMBER",
    "PATH",
    "PATTERNS",
    "PERCENT",
    "PROVIDERS",
    "SAMPLES",
    "SHARE",
    "WHOLE",
    "Kind",
    "choice",
]


class Kind(Struct, frozen=True):
    """A kind of value.

    Attributes:
        read: Reads a value as written; raises `ValueError` with a sentence without its full stop.
        schema: What it accepts, for editors: the plain ways of writing it.
    """

    read: Callable[[object], object]
    schema: Mapping[str, Any]


def choice(*allowed: str) -> Kind:
    """One of a few words."""

    def read(value: object) -> str:
        if value is False and "off" in allowed:  # YAML 1.1 reads a bare `off` as false
            return "off"
        if value not in allowed:
            message = f"{value!r} is not one of {', '.join(allowed)}{nearest(value, allowed)}"
            raise ValueError(message)
        return str(value)

    return Kind(read, {"enum": list(allowed)})


def _fraction(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        message = f"{value!r} is neither a fraction such as 0.2 nor a percentage such as 20%"
        raise ValueError(message)
    text = str(value).strip()
    try:
        number = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        message = f"{value!r} is neither a fraction such as 0.2 nor a percentage such as 20%"
        raise ValueError(message) from None
    if not number.is_finite() or number < 0:
        message = f"{value!r} is below zero or no number"
        raise ValueError(message)
    if text.endswith("%"):
        return dollars(number.scaleb(-2))
    if number > 1:
        message = f"{value!r} would be {number:%}: write {text}% if that is meant, or a fraction such as 0.2"
        raise ValueError(message)
    return dollars(number)


def _share(value: object) -> Decimal:
    share = _fraction(value)
    if share > 1:
        message = f"{value!r} is not a share from 0 to 1 (or 0% to 100%)"
        raise ValueError(message)
    return share


def _whole(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0 or value % 1:
        message = f"{value!r} is not a whole number of zero or more"
        raise ValueError(message)
    return dollars(int(value))


def _samples(value: object) -> int:
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and not value % 1
    if (not whole and not (isinstance(value, str) and _COUNT.fullmatch(value))) or int(value) < 1:  # type: ignore[call-overload]
        message = f"{value!r} is not a whole number of one or more"
        raise ValueError(message)
    return int(value)  # type: ignore[call-overload, no-any-return]  # it is one of the two


def _number(value: object) -> Decimal:
    try:
        return dollars(value)
    except ValueError:
        message = f"{value!r} is not a number of zero or more"
        raise ValueError(message) from None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        message = f"{value!r} is neither true nor false"
        raise ValueError(message)
    return value


def _label(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        message = f"{value!r} is not a name"
        raise ValueError(message)
    return value


def _instant(value: object) -> datetime:
    found: datetime | None = None
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day, tzinfo=UTC)
    elif isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            found = None
    if found is None:
        message = f"{value!r} is neither a date such as 2026-11-01 nor an instant such as 2026-11-01T12:00:00Z"
        raise ValueError(message)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _percent(value: object) -> Decimal:
    text = str(value).strip().removesuffix("%") if isinstance(value, str) else value
    try:
        number = dollars(text)
    except ValueError:
        number = Decimal(0)
    if not 0 < number <= _WHOLE_PERCENT:
        message = f"{value!r} is not a percentage above 0 and up to 100, such as 12"
        raise ValueError(message)
    return number


def _factor(value: object) -> Decimal:
    try:
        number = dollars(value)
    except ValueError:
        number = Decimal(0)
    if not number:
        message = f"{value!r} is not a factor above 0, such as 1.1"
        raise ValueError(message)
    return number


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        found = date.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        message = f"{value!r} is not a date such as 2026-11-01"
        raise ValueError(message)
    return found


def _path(value: object) -> Path:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        message = f"{value!r} is not the path of a file"
        raise ValueError(message)
    return Path(value)


def _texts(value: object, what: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
        message = f"{value!r} is not a list of {what}"
        raise ValueError(message)
    return tuple(items)


def _patterns(value: object) -> tuple[str, ...]:
    return _texts(value, "host names such as [localhost:8000, '*.internal']")


def _field_names(value: object) -> tuple[str, ...]:
    return _texts(value, "fields of request bodies such as [trace_id, metadata.session]")


def _expressions(value: object) -> tuple[str, ...]:
    found = _texts(value, "regular expressions such as ['ACME-[0-9a-f]{32}']")
    for text in found:
        try:
            expression = re.compile(text)
        except re.error as error:
            message = f"{text!r} is no regular expression ({error})"
            raise ValueError(message) from None
        if expression.search("") is not None:
            message = f"{text!r} matches an empty text, and so everything"
            raise ValueError(message)
    return found


def _providers(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) and text for text in (*value, *value.values())):
        message = f"{value!r} is not a mapping of hosts to providers such as {{'localhost:4000': openai}}"
        raise ValueError(message)
    return MappingProxyType(dict(value))


_COUNT: Final = re.compile(r"0*[1-9][0-9]{0,11}")
_WHOLE_PERCENT: Final = 100

_NUMERAL: Final = {"type": "string", "pattern": r"^[0-9]{1,20}(\.[0-9]{1,20})?$"}
_AMOUNT: Final = {"anyOf": [{"type": "number", "minimum": 0}, _NUMERAL]}
_PORTION: Final = {"type": "number", "minimum": 0, "maximum": 1}
_WORD: Final = {"type": "string", "pattern": r"\S"}
_TEXT: Final = {"type": "string", "minLength": 1}

DOLLARS: Final = Kind(dollars, _AMOUNT)
NUMBER: Final = Kind(_number, _AMOUNT)
WHOLE: Final = Kind(_whole, {"type": "integer", "minimum": 0})
SAMPLES: Final = Kind(
    _samples, {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^0*[1-9][0-9]{0,11}$"}]}
)
FRACTION: Final = Kind(
    _fraction,
    {"anyOf": [_PORTION, {"type": "string", "pattern": r"^([0-9]{1,9}(\.[0-9]{1,20})?%|0(\.[0-9]{1,20})?|1)$"}]},
)
SHARE: Final = Kind(
    _share,
    {"anyOf": [_PORTION, {"type": "string", "pattern": r"^([0-9]{1,2}(\.[0-9]{1,20})?%|100%|0(\.[0-9]{1,20})?|1)$"}]},
)
PERCENT: Final = Kind(
    _percent,
    {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
            {"type": "string", "pattern": r"^(?!0+(\.0+)?%?$)([0-9]{1,2}(\.[0-9]{1,20})?|100)%?$"},
        ]
    },
)
FACTOR: Final = Kind(
    _factor,
    {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": r"^(?!0+(\.0+)?$)[0-9]{1,20}(\.[0-9]{1,20})?$"},
        ]
    },
)
FLAG: Final = Kind(_flag, {"type": "boolean"})
LABEL: Final = Kind(_label, _WORD)
INSTANT: Final = Kind(
    _instant,
    {
        "type": "string",
        "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
        r"(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
    },
)
DAY: Final = Kind(_day, {"type": "string", "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"})
PATH: Final = Kind(_path, _WORD)
_TEXTS: Final = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
PATTERNS: Final = Kind(_patterns, _TEXTS)
FIELD_NAMES: Final = Kind(_field_names, _TEXTS)
EXPRESSIONS: Final = Kind(_expressions, _TEXTS)
PROVIDERS: Final = Kind(
    _providers, {"type": "object", "propertyNames": {"minLength": 1}, "additionalProperties": _TEXT}
)
