"""Writing a cassette in our layout, which `cassette_layout` shows."""

import json
import re
from base64 import encodebytes
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pytest_tokenbudget.traffic.cassette_layout import (
    BINARY,
    HEAD,
    IN_REQUEST,
    IN_RESPONSE,
    NONE,
    TAIL,
    Interaction,
    is_plain,
)

__all__ = ["emit"]

_UNFIT_FOR_BLOCKS: Final = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_UNFIT_FOR_FILES: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def emit(interactions: Iterable[Interaction]) -> bytes:
    """Write a cassette: the same bytes for the same interactions."""
    parts = [HEAD]
    for one in interactions:
        parts += [
            b"\n- request:\n    method: ",
            _scalar(one.method),
            b"\n    uri: ",
            _scalar(one.uri),
            b"\n    headers:",
        ]
        parts += _emit_headers({name: (value,) for name, value in one.request_headers.items()})
        parts += [b"    body: ", b"null\n" if one.request_body is None else _body(one.request_body, IN_REQUEST)]
        message = b"null" if one.message is None else _scalar(one.message)
        parts += [b"  response:\n    status:\n      code: %d\n      message: " % one.status, message, b"\n    headers:"]
        parts += _emit_headers(one.response_headers)
        parts += [b"    body:\n      string: ", _body(one.response_body, IN_RESPONSE)]
        # of the line break before `- request:`, the body's last line has its own already
        parts[-1] = parts[-1][:-1]
    parts.append(b"\n" if len(parts) > 1 else NONE)
    return b"".join([*parts, TAIL])


def _emit_headers(headers: Mapping[str, Sequence[str]]) -> list[bytes]:
    filled = [(name, values) for name, values in headers.items() if values]
    if not filled:
        return [b" {}\n"]
    parts = [b"\n"]
    for name, values in filled:
        parts += [b"      ", _scalar(name), b":\n"]
        for value in values:
            parts += [b"      - ", _scalar(value), b"\n"]
    return parts


def _scalar(text: str) -> bytes:
    if is_plain(text):
        return text.encode()
    return _quoted(text)


def _quoted(text: str) -> bytes:
    quoted = json.dumps(text, ensure_ascii=False)
    if _UNFIT_FOR_FILES.search(quoted):
        quoted = _UNFIT_FOR_FILES.sub(_escaped, quoted)
    return quoted.encode()


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    # half of a surrogate pair is no character that YAML could name
    return "?" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"  # noqa: PLR2004 - the surrogates


def _body(body: bytes, indent: bytes) -> bytes:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        lines = encodebytes(body).rstrip(b"\n").replace(b"\n", b"\n" + indent)
        return b"".join([BINARY, indent, lines, b"\n"])
    if not body.strip(b"\n") or _UNFIT_FOR_BLOCKS.search(text):
        return _quoted(text) + b"\n"
    inner = body if body.endswith(b"\n") else body + b"\n"
    lines = indent + inner[:-1].replace(b"\n", b"\n" + indent)
    blank = b"\n" + indent + b"\n"
    while blank in lines:
        lines = lines.replace(blank, b"\n\n")
    lines = lines.removesuffix(indent) if lines.endswith(b"\n" + indent) else lines
    explicit = b"2" if body[:1] in {b" ", b"\n", b"\t"} else b""
    if explicit and body[:1] == b"\n":
        lines = lines.removeprefix(indent)
    chomping = b"-" if inner is not body else b"+" if body.endswith(b"\n\n") else b""
    return b"".join([b"|", explicit, chomping, b"\n", lines, b"\n"])
