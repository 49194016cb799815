"""Headers as a recording may keep them."""

import re
from collections.abc import Iterable, Mapping
from re import Pattern
from typing import Final

from pytest_tokenbudget.traffic.redaction.findings import spliced
from pytest_tokenbudget.traffic.redaction.header_names import is_kept, secret_header
from pytest_tokenbudget.traffic.redaction.sightings import Sightings
from pytest_tokenbudget.traffic.redaction.stand_ins import is_invented, is_stated
from pytest_tokenbudget.traffic.redaction.text import clean_text, secrets_in, told_by_form

__all__ = ["clean_headers", "first_values"]

_SIGNED: Final = re.compile(rb"Credential=[A-Z0-9]{16,}/|Signature=[0-9a-f]{64}")


def clean_headers(headers: object, custom: tuple[Pattern[str], ...], seen: Sightings) -> dict[str, list[str]]:
    """The headers that are kept, with all their values as text.

    Args:
        headers: A mapping, or pairs; names and values as text or bytes, values also as lists of such.
        custom: The user's patterns.
        seen: Takes in what was found, also in headers that are left out.
    """
    kept: dict[str, list[str]] = {}
    for name, value in _pairs(headers):
        key = name.lower()
        told = clean_text(key.encode(), custom).decode()
        secret = secret_header(key)
        if secret is not None:
            forms = [span.kind for span in secrets_in(value, custom) if told_by_form(span.kind)]
            if forms or _is_told(value):
                seen.add(forms[0] if forms else secret, f"header {told}")
            continue
        spans = secrets_in(value, custom)
        for span in spans:
            seen.add(span.kind, f"header {told}")
        if is_kept(key):
            kept.setdefault(name, []).append(spliced(value, spans).decode("utf-8", "replace"))
    return kept


def _is_told(value: bytes) -> bool:
    """Whether a header that carries a secret holds one; recordings of others hold stand-ins of many kinds."""
    if value.startswith(b"AWS4-"):
        return _SIGNED.search(value) is not None
    if b"=" in value and b";" in value:
        return any(_is_told(part.partition(b"=")[2]) for part in value.split(b";") if b"=" in part)
    return is_stated(value) and not is_invented(value)


def first_values(headers: Mapping[str, list[str]]) -> dict[str, str]:
    """Names in lower case, each with its first value: as `wire` takes them."""
    return {name.lower(): values[0] for name, values in headers.items() if values}


def _pairs(headers: object) -> Iterable[tuple[str, bytes]]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for pair in pairs if isinstance(pairs, Iterable) and not isinstance(pairs, (str, bytes)) else ():
        try:
            name, value = pair
        except (TypeError, ValueError):
            continue
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if one is not None:
                yield _bytes(name).decode("latin-1").strip(), _bytes(one)


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray)) else str(value).encode("utf-8", "surrogatepass")
