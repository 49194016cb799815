"""URLs as a recording may keep them: path and parameters, without the keys that some providers take there."""

from re import Pattern
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pytest_tokenbudget.traffic.redaction.findings import placeholder, spliced
from pytest_tokenbudget.traffic.redaction.names import secret_parameter
from pytest_tokenbudget.traffic.redaction.sightings import Sightings
from pytest_tokenbudget.traffic.redaction.stand_ins import is_stated
from pytest_tokenbudget.traffic.redaction.text import Nested, secrets_in

__all__ = ["clean_pairs", "clean_url"]

_MOST_ROUNDS: Final = 4
_IN_A_PATH: Final = "/:@!$&'()*+,;=~"


def clean_url(url: str, custom: tuple[Pattern[str], ...], seen: Sightings, nested: Nested | None = None) -> str:
    """A URL without its secrets; every other letter of it stays. Cleaned until nothing is found.

    Args:
        url: The whole URL.
        custom: The user's patterns.
        seen: Takes in what was found.
        nested: What cleans packed texts.
    """
    data = url.encode("utf-8", "surrogatepass")
    for _ in range(_MOST_ROUNDS):
        cleaned = _cleaned(data, custom, seen, nested)
        if cleaned == data:
            break
        data = cleaned
    return data.decode("utf-8", "surrogatepass")


def _cleaned(data: bytes, custom: tuple[Pattern[str], ...], seen: Sightings, nested: Nested | None) -> bytes:
    data, sharp, fragment = data.partition(b"#")
    data, mark, query = data.partition(b"?")
    scheme, slashes, rest = data.partition(b"://")
    if not slashes:
        scheme, rest = b"", data
    host, slash, path = rest.partition(b"/")
    user, at, host_alone = host.rpartition(b"@")
    if at and is_stated(user):
        name, _, password = user.partition(b":")
        said = password or name
        if is_stated(said):
            seen.add("password", "url")
            host = placeholder("password") + at + host_alone
    path = b"/".join(_quoted(part, custom, seen, nested) for part in path.split(b"/"))
    query, fragment = (clean_pairs(part, custom, seen, "url", nested) for part in (query, fragment))
    cleaned = b"".join([scheme, slashes, host, slash, path, mark, query, sharp, fragment])
    # what reaches over the parts, as a pattern of the user's may
    spans = secrets_in(cleaned, custom)
    for span in spans:
        seen.add(span.kind, "url")
    return spliced(cleaned, spans)


def clean_pairs(
    text: bytes, custom: tuple[Pattern[str], ...], seen: Sightings, place: str, nested: Nested | None = None
) -> bytes:
    """Pairs of `name=value` with `&` between them, as in queries and forms, without the secrets among the values."""
    return b"&".join(_pair(pair, custom, seen, place, nested) for pair in text.split(b"&")) if text else text


def _pair(pair: bytes, custom: tuple[Pattern[str], ...], seen: Sightings, place: str, nested: Nested | None) -> bytes:
    name, equals, value = pair.partition(b"=")
    if not equals:
        return _quoted(pair, custom, seen, nested, place)
    said = unquote_to_bytes(value.replace(b"+", b" "))
    kind = secret_parameter(unquote_to_bytes(name), said)
    if kind is not None:
        spans = secrets_in(said, custom)
        whole = len(spans) == 1 and spans[0][:2] == (0, len(said))
        kind = spans[0].kind if whole else kind
        seen.add(kind, place)
        return name + equals + placeholder(kind)
    return name + equals + _quoted(value, custom, seen, nested, place)


def _quoted(
    part: bytes, custom: tuple[Pattern[str], ...], seen: Sightings, nested: Nested | None, place: str = "url"
) -> bytes:
    """A part of a URL, decoded, cleaned, and encoded again where something was found."""
    said = unquote_to_bytes(part.replace(b"+", b" ")) if place == "body" else unquote_to_bytes(part)
    spans = secrets_in(said, custom, nested)
    if not spans:
        return part
    for span in spans:
        seen.add(span.kind, place)
    return quote_from_bytes(spliced(said, spans), safe=_IN_A_PATH.replace("&", "").replace("+", "")).encode()
