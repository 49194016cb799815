"""Values where a secret may be expected, and what they look like when they are none."""

import re
from typing import Final

from pytest_tokenbudget.traffic.redaction.findings import PLACEHOLDERS

__all__ = ["is_invented", "is_random", "is_stated"]

_UNSAID: Final = frozenset(
    b"string str null none true false bool boolean number integer int object array list required optional password "
    b"secret token text any undefined empty your_api_key api_key".split()
)
_STAND_IN: Final = re.compile(
    PLACEHOLDERS.pattern + rb"|<[^<>]*>|\[[A-Za-z_ -]*\]|\*+|[xX]+|\.+|\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|\{\{?[^{}]*\}?\}"
    rb"|%[A-Za-z_]+%"
    rb"|(?i:(?:bearer |basic )?[a-z_<*-]*(?:redacted|filtered|scrubbed|dummy|placeholder|removed|sanitized)[a-z_>*-]*)"
)
_RANDOM: Final = re.compile(rb"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_.~+/=:|%-]{16,}")
_DIGIT: Final = re.compile(rb"[0-9]")
_SCHEME: Final = re.compile(rb"^(?i:bearer|basic|token|key)\s+")
_MADE_UP: Final = re.compile(rb"(?i)(?:^|[^a-z])(?:test|testing|fake|dummy|mock|example|sample|local)(?:$|[^a-z])")
_LONGEST_INVENTED: Final = 40
_LONGEST_STAND_IN: Final = 80


def is_stated(value: bytes) -> bool:
    """Whether a value says anything, rather than standing in for what was left out, or for a type."""
    if not value or value.lower() in _UNSAID:
        return False
    return len(value) > _LONGEST_STAND_IN or _STAND_IN.fullmatch(value) is None


def is_random(value: bytes) -> bool:
    """Whether a value looks drawn at random: long, in one piece, with letters and digits."""
    return _RANDOM.fullmatch(value) is not None


def is_invented(value: bytes) -> bool:
    """Whether a value is plainly no real secret: words without a digit, or one that says that it is made up.

    It decides only what is reported: what is stored goes without it all the same.
    """
    said = _SCHEME.sub(b"", value)
    words = (said.islower() or said.isupper()) and _DIGIT.search(said) is None
    return words or (len(said) <= _LONGEST_INVENTED and _MADE_UP.search(said) is not None)
