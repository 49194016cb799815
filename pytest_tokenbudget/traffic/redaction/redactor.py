"""The one way in: requests, responses and texts without their secrets."""

from collections.abc import Mapping, Sequence
from functools import partial

from msgspec import Struct

from pytest_tokenbudget.traffic.redaction.bodies import clean_body, clean_packed
from pytest_tokenbudget.traffic.redaction.headers import clean_headers
from pytest_tokenbudget.traffic.redaction.sightings import Finding, Sightings
from pytest_tokenbudget.traffic.redaction.text import clean_text, secrets_in, told_by_form, users
from pytest_tokenbudget.traffic.redaction.urls import clean_url

__all__ = ["CleanRequest", "CleanResponse", "Finding", "Redactor"]


class CleanRequest(Struct, frozen=True, kw_only=True):
    """A request that may be stored.

    Attributes:
        method: The method, as given.
        url: The URL.
        headers: Those that a recording keeps, each with all its values; names as given.
        body: The body. Where something was found in one that came encoded, it is decoded, and `content-encoding` gone.
        found: What was found, and where; never the secret itself.
    """

    method: str
    url: str
    headers: dict[str, list[str]]
    body: bytes
    found: tuple[Finding, ...] = ()


class CleanResponse(Struct, frozen=True, kw_only=True):
    """A response that may be stored; its attributes are those of `CleanRequest`."""

    status: int
    headers: dict[str, list[str]]
    body: bytes
    found: tuple[Finding, ...] = ()


class Redactor:
    """Takes secrets out of what is stored, journalled or printed.

    The contract that replay rests on: redaction is deterministic and idempotent, and equal secrets become equal
    placeholders (`REDACTED-anthropic-key`), in every session and on every machine. So a request that is sent is found
    again by redacting it with a redactor of the same patterns, and comparing what comes out with what is stored; it is
    never compared as it is.

    What holds no secret comes back byte for byte, and as the same object. Nothing here raises, whatever the bytes.
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        """Prepare.

        Args:
            patterns: Regular expressions of the user's own secrets (`Settings.redact`, checked there).
        """
        self._custom = users(patterns)
        self._packed = partial(clean_packed, custom=self._custom)

    def request(self, method: str, url: str, headers: Mapping[str, Sequence[str]], body: bytes) -> CleanRequest:
        """A request without its secrets.

        Args:
            method: The HTTP method.
            url: The whole URL.
            headers: Values by name, in any spelling; a single text or bytes for a list are taken as well.
            body: The body as sent, or decoded already.
        """
        seen = Sightings()
        kept = clean_headers(headers, self._custom, seen)
        cleaned = clean_url(url, self._custom, seen, self._packed)
        body, kept = clean_body(body, kept, self._custom, seen)
        return CleanRequest(method=method, url=cleaned, headers=kept, body=body, found=seen.all())

    def response(self, status: int, headers: Mapping[str, Sequence[str]], body: bytes) -> CleanResponse:
        """A response without its secrets; the arguments are those of `request`."""
        seen = Sightings()
        kept = clean_headers(headers, self._custom, seen)
        body, kept = clean_body(body, kept, self._custom, seen)
        return CleanResponse(status=status, headers=kept, body=body, found=seen.all())

    def found_in(self, data: bytes, *, thoroughly: bool = True) -> tuple[Finding, ...]:
        """The secrets in bytes of which nothing is known, such as a damaged recording; their place is a line, from 1.

        Args:
            data: The bytes.
            thoroughly: Whether what only a name beside it tells counts as well, and what is packed.
        """
        seen = Sightings()
        line, at = 1, 0
        for span in secrets_in(data, self._custom, self._packed if thoroughly else None):
            line, at = line + data.count(b"\n", at, span.start), span.start
            if thoroughly or told_by_form(span.kind):
                seen.add(span.kind, f"line {line}")
        return seen.all()

    def text(self, text: str) -> str:
        """A URL, a note or an error's message without its secrets."""
        data = text.encode("utf-8", "surrogatepass")
        return clean_text(data, self._custom, self._packed).decode("utf-8", "surrogatepass")
