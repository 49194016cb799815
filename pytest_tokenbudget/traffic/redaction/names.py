"""Names of fields and parameters whose value is a secret.

A name is taken apart into its words, and the last ones decide: `openaiApiKey` and `OPENAI_API_KEY` are keys, while
`max_tokens`, `token_count` and `next_page_token` are none. Never by a part of a word: that would destroy usage.
"""

import re
from functools import lru_cache
from typing import Final

from pytest_tokenbudget.traffic.redaction.stand_ins import is_random, is_stated

__all__ = ["secret_name", "secret_parameter"]

_WORDS: Final = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST_NAME: Final = 80

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


@lru_cache(maxsize=4096)
def _ends(name: bytes) -> tuple[str | None, bool]:
    """The kind that a name tells, and whether its value must look random as well."""
    if len(name) > _LONGEST_NAME or b"REDACTED-" in name:  # a placeholder ends like a name
        return None, False
    words = [word.lower() for word in _WORDS.findall(name)]
    for count in (3, 2, 1):
        if len(words) >= count:
            end = b"-".join(words[-count:])
            if end in _ENDS:
                return _ENDS[end], False
            if end in _ENDS_IF_RANDOM:
                return _ENDS_IF_RANDOM[end], True
    if len(words) == 1 and words[0] in _WHOLE_IF_RANDOM:
        return _WHOLE_IF_RANDOM[words[0]], True
    return None, False


def secret_name(name: bytes, value: bytes | None = None) -> str | None:
    """The kind of secret that a field of this name holds.

    Args:
        name: The field's name.
        value: Its value, where it is known already; without one, every name counts that may hold a secret.
    """
    kind, doubtful = _ends(name)
    if kind is None or value is None:
        return kind
    return kind if is_stated(value) and (not doubtful or is_random(value)) else None


def secret_parameter(name: bytes, value: bytes) -> str | None:
    """The kind of secret that a parameter of a URL holds."""
    return (
        _PARAMETERS.get(name.lower()) if is_stated(value) and name.lower() in _PARAMETERS else secret_name(name, value)
    )
