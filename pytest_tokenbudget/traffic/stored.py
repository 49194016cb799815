"""What a recording keeps of a request and its response: decoded, without secrets, and laid out for a reviewer.

Bodies are stored decoded, and `content-encoding` goes with the encoding: clients differ in what they hand to a recorder
(httpx the packed bytes, urllib3 the unpacked ones under a header that says otherwise), and all of them must be able to
replay it. Lengths go too: they would not be true of what is stored (botocore refuses an untrue one).
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from vcr.request import Request

from pytest_tokenbudget.traffic.cassette_layout import Interaction
from pytest_tokenbudget.traffic.exchanges import body_bytes
from pytest_tokenbudget.wire.framing import DecodeError, unpacked

if TYPE_CHECKING:
    from pytest_tokenbudget.traffic.redaction import Redactor

__all__ = ["as_played", "as_stored", "clean_request", "clean_response", "correct_headers"]

_ENCODING: Final = "content-encoding"
_ENCODINGS: Final = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "identity"})
_UNTRUE: Final = frozenset({"content-length", "transfer-encoding"})
_INDENT: Final = 2


def clean_request(request: Any, redactor: "Redactor") -> Request:
    """The request as it is compared and stored; the client's own is left as it is."""
    given = request.body
    body = b"" if given is None else body_bytes(given)
    headers = _values(request.headers)
    body, headers = _decoded(body, headers)
    # the method as given: google-genai's asynchronous client says `post`, and plain vcrpy compares letter by letter
    clean = redactor.request(str(request.method), str(request.uri), headers, body)
    kept = {name: values[0] for name, values in _sorted(clean.headers).items()}
    return Request(clean.method, clean.url, None if given is None else clean.body, kept)


def clean_response(response: Any, redactor: "Redactor") -> dict[str, Any]:
    """The response as it is stored and replayed."""
    answer = response if isinstance(response, Mapping) else {}
    status = answer.get("status")
    code, message = (status.get("code"), status.get("message")) if isinstance(status, Mapping) else (status, None)
    given = answer.get("body")
    body = body_bytes(given.get("string") if isinstance(given, Mapping) else given)
    body, headers = _decoded(body, _values(answer.get("headers")))
    clean = redactor.response(_number(code), headers, body)
    return {
        "status": {"code": clean.status, "message": None if message is None else redactor.text(str(message))},
        "headers": _sorted(clean.headers),
        "body": {"string": clean.body},
    }


def correct_headers(response: Any) -> None:
    """Let a response's headers say what its body is, where a client unpacked it before it came here.

    vcrpy's stub of urllib3 makes the client's answer from this very dictionary: with headers that are untrue, botocore
    could not read what it is handed.
    """
    headers = response.get("headers") if isinstance(response, dict) else None
    body = response.get("body") if isinstance(response, dict) else None
    if not isinstance(headers, dict) or not isinstance(body, dict) or not isinstance(body.get("string"), bytes):
        return
    values = _values(headers)
    if not values.get(_ENCODING):
        return
    decoded, _ = _decoded(body["string"], values)
    if decoded != body["string"]:
        return
    for name in [name for name in headers if str(name).lower() in {_ENCODING, *_UNTRUE}]:
        del headers[name]


def as_stored(request: Any, response: Mapping[str, Any]) -> Interaction:
    """A clean request and response for a file, its JSON indented and its event streams with plain line breaks."""
    status = response["status"]
    return Interaction(
        method=request.method,
        uri=request.uri,
        request_headers=dict(request.headers.items()),
        request_body=None if request.body is None else _laid_out(body_bytes(request.body)),
        status=_number(status["code"]),
        message=status.get("message"),
        response_headers=response["headers"],
        response_body=_laid_out(body_bytes(response["body"].get("string")), response["headers"]),
    )


def as_played(one: Interaction) -> tuple[Request, dict[str, Any]]:
    """What vcrpy plays, from what a file says; JSON without its indentation, as clients and providers send it.

    So equal requests have equal bytes, and clients are handed the bytes that they were handed (1 ms for 1.3 MB).
    """
    request = Request(one.method, one.uri, one.request_body and _compact(one.request_body), dict(one.request_headers))
    response = {
        "status": {"code": one.status, "message": one.message},
        "headers": {name: list(values) for name, values in one.response_headers.items()},
        "body": {"string": _compact(one.response_body)},
    }
    return request, response


def _compact(body: bytes) -> bytes:
    if body[:1] not in {b"{", b"["}:
        return body
    try:
        return msgspec.json.format(body, indent=-1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body


def _laid_out(body: bytes, headers: Mapping[str, Any] | None = None) -> bytes:
    if body[:1] in {b"{", b"["}:
        try:
            return msgspec.json.format(body, indent=_INDENT)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return body
    if b"\r" in body and "event-stream" in str((headers or {}).get("content-type")):
        plain = body.replace(b"\r\n", b"\n")
        # both end a line in a stream of events, and only one of them can stand in a block of text
        return body if b"\r" in plain else plain
    return body


def _decoded(body: bytes, headers: dict[str, list[str]]) -> tuple[bytes, dict[str, list[str]]]:
    kept = {name: values for name, values in headers.items() if name not in _UNTRUE}
    encoding = kept.get(_ENCODING)
    if not encoding:
        return body, kept
    name = encoding[0].strip().lower()
    if name not in _ENCODINGS:
        return body, kept
    try:
        decoded = unpacked(body, {_ENCODING: name})
    except DecodeError:  # or nothing here can: replayed as it came, to the client that can
        return body, kept
    del kept[_ENCODING]
    return decoded, kept


def _values(headers: Any) -> dict[str, list[str]]:
    """Header names in lower case, each with its values as text."""
    found: dict[str, list[str]] = {}
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for pair in pairs if isinstance(pairs, Iterable) and not isinstance(pairs, (str, bytes)) else ():
        try:
            name, values = pair
        except (TypeError, ValueError):
            continue
        given = values if isinstance(values, (list, tuple)) else [values]
        texts = [_text(value) for value in given if value is not None]
        if texts:
            found.setdefault(_text(name).lower(), []).extend(texts)
    return found


def _sorted(headers: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: list(headers[name]) for name in sorted(headers)}


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _number(code: object) -> int:
    try:
        return int(code)  # type: ignore[call-overload, no-any-return]  # whatever a stub passes
    except (TypeError, ValueError):
        return 0
