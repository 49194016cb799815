"""Values where a secret may be expected, and what they look like when they are none."""

import re
from typing import Final

from pytest_tokenbudget.traffic.redaction.findings import PLACEHOLDERS

__all__ = ["is_invented", "is_random", "is_stated"]

_STAND_IN: Final = 80

_KEY, _TOKEN, _PASSWORD, _SECRET = "api-key", "token", "password", "secret"
_ENDS: Final = {
    b"apikey": _KEY,
    b"api-key": _KEY,
    b"access-key": _KEY,
    b"access-key-id": _KEY,
    b"account-key": _KEY,
    b"master-key": _KEY,
    b"private-key": _KEY,
    b"secret-key": _KEY,
    b"secret-access-key": _KEY,
    b"service-key": _KEY,
    b"shared-access-key": _KEY,
    b"signing-key": _KEY,
    b"subscription-key": _KEY,
    b"virtual-key": _KEY,
    b"accesstoken": _TOKEN,
    b"access-token": _TOKEN,
    b"api-token": _TOKEN,
    b"auth-token": _TOKEN,
    b"authorization-token": _TOKEN,
    b"bearer-token": _TOKEN,
    b"bot-token": _TOKEN,
    b"csrf-token": _TOKEN,
    b"github-token": _TOKEN,
    b"gitlab-token": _TOKEN,
    b"hf-token": _TOKEN,
    b"id-token": _TOKEN,
    b"refresh-token": _TOKEN,
    b"secret-token": _TOKEN,
    b"security-token": _TOKEN,
    b"session-token": _TOKEN,
    b"slack-token": _TOKEN,
    b"passphrase": _PASSWORD,
    b"passwd": _PASSWORD,
    b"password": _PASSWORD,
    b"authorization": "authorization",
    b"client-secret": _SECRET,
    b"app-secret": _SECRET,
    b"api-secret": _SECRET,
    b"secret-value": _SECRET,
    b"shared-secret": _SECRET,
    b"webhook-secret": _SECRET,
    b"connection-string": _SECRET,
}
_ENDS_IF_RANDOM: Final = {
    b"secret": _SECRET,
    b"pwd": _PASSWORD,
    b"pass": _PASSWORD,
    b"cookie": "cookie",
    b"set-cookie": "cookie",
    b"credential": _SECRET,
    b"credentials": _SECRET,
}
"""Names that people also give to other things: only a value that looks drawn at random counts."""

_WHOLE_IF_RANDOM: Final = {b"token": _TOKEN, b"auth": "authorization", b"bearer": _TOKEN}
_PARAMETERS: Final = {
    b"key": _KEY,
    b"apikey": _KEY,
    b"auth": "authorization",
    b"token": _TOKEN,
    b"sig": "signature",
    b"signature": "signature",
    b"x-amz-signature": "aws-signature",
    b"x-amz-credential": "aws-key",
    b"x-amz-security-token": "aws-token",
    b"x-goog-signature": "signature",
    b"x-goog-credential": "google-key",
    b"upload_id": _TOKEN,
    b"upload-id": _TOKEN,
}
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
