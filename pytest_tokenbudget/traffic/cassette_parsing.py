"""Reading a cassette in our layout, which `cassette_layout` shows, and in no other.

What was edited by hand, or laid out anew by a tool, is left to a YAML parser.
"""

import json
import re
from base64 import b64decode
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

__all__ = ["OtherLayoutError", "parse"]

_OTHER_BREAKS: Final = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xef\xbb\xbf")
"""What YAML takes for the end of a line, or for nothing at all."""

_SCALAR: Final = rb'([A-Za-z][^\n"#]*|"(?:[^"\\\n]|\\.)*")'
_HEADERS: Final = rb"headers:(?: \{\}\n|\n((?:      [^\n]+\n)+))"
_REQUEST: Final = re.compile(
    rb"- request:\n    method: " + _SCALAR + rb"\n    uri: " + _SCALAR + rb"\n    " + _HEADERS + rb"    body: "
)
_RESPONSE: Final = re.compile(
    rb"  response:\n    status:\n      code: (\d+)\n      message: (?:null|"
    + _SCALAR
    + rb")\n    "
    + _HEADERS
    + rb"    body:\n      string: "
)
_NAME: Final = re.compile(rb"      " + _SCALAR + rb":")
_VALUE: Final = re.compile(rb"      - " + _SCALAR)
_BLOCK: Final = re.compile(rb"\|(2?)([-+]?)\n")
_UNINDENTED: Final = {
    IN_REQUEST: re.compile(rb"\n(?! {6}|\n|\Z)"),
    IN_RESPONSE: re.compile(rb"\n(?! {8}|\n|\Z)"),
}


class OtherLayoutError(ValueError):
    """A cassette is laid out otherwise than we do; it may be a good one."""


def parse(content: bytes) -> list[Interaction]:
    """Read a cassette in our layout.

    Raises:
        OtherLayoutError: It is in another, or no cassette at all.
        UnicodeDecodeError: It is no text.
    """
    if not content.startswith(HEAD) or b"\r" in content:
        raise OtherLayoutError
    if not content.isascii():
        content.decode()
        if any(mark in content for mark in _OTHER_BREAKS):
            raise OtherLayoutError
    position = len(HEAD)
    if content[position:] == NONE + TAIL:
        return []
    position += 1
    found = []
    while (asked := _REQUEST.match(content, position)) is not None:
        request_body, position = _parse_body(content, asked.end(), IN_REQUEST, b"\n  response:\n")
        answered = _RESPONSE.match(content, position)
        if answered is None:
            raise OtherLayoutError
        response_body, position = _parse_body(content, answered.end(), IN_RESPONSE, b"\n- request:\n")
        headers = _parse_headers(asked[3])
        found.append(
            Interaction(
                method=_parse_scalar(asked[1]),
                uri=_parse_scalar(asked[2]),
                request_headers={name: values[0] for name, values in headers.items()},
                request_body=request_body,
                status=int(answered[1]),
                message=None if answered[2] is None else _parse_scalar(answered[2]),
                response_headers=_parse_headers(answered[3]),
                response_body=response_body or b"",
            )
        )
    if content[position:] != TAIL or not found:
        raise OtherLayoutError
    return found


def _parse_scalar(text: bytes) -> str:
    if not text.startswith(b'"'):
        plain = text.decode()
        if is_plain(plain):
            return plain
        raise OtherLayoutError
    try:
        return str(json.loads(text))
    except ValueError as error:
        raise OtherLayoutError from error


def _parse_headers(lines: bytes | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    values: list[str] | None = None
    for line in lines.splitlines() if lines else ():
        if value := _VALUE.fullmatch(line):
            if values is None:
                raise OtherLayoutError
            values.append(_parse_scalar(value[1]))
        elif (name := _NAME.fullmatch(line)) and values != []:
            values = found.setdefault(_parse_scalar(name[1]), [])
        else:
            raise OtherLayoutError
    if values == []:
        raise OtherLayoutError
    return found


def _parse_body(content: bytes, start: int, indent: bytes, before: bytes) -> tuple[bytes | None, int]:
    """A body and where the next key begins, which stands on a line with a smaller indent than any of the body's."""
    if (block := _BLOCK.match(content, start)) is not None:
        end = _end(content, block.end(), before)
        lines = content[block.end() - 1 : end]
        if not block[1] and (not lines.startswith(b"\n" + indent) or lines[len(indent) + 1] in b" \t\n"):
            raise OtherLayoutError
        body = lines.replace(b"\n" + indent, b"\n")
        # counting is ten times as fast as looking for lines that are indented less
        indented = (len(lines) - len(body)) // len(indent)
        if indented != lines.count(b"\n") - 1 and _UNINDENTED[indent].search(lines, 0, len(lines) - 1):
            raise OtherLayoutError
        if block[2] == b"+":
            return body[1:], end
        kept = len(body.rstrip(b"\n"))
        return body[1:kept] if block[2] else body[1 : kept + 1], end
    if content.startswith(BINARY, start):
        end = _end(content, start + len(BINARY), before)
        lines = content[start + len(BINARY) : end]
        if _UNINDENTED[indent].search(b"\n" + lines[:-1]):
            raise OtherLayoutError
        try:
            return b64decode(lines.replace(b"\n", b"").replace(b" ", b""), validate=True), end
        except ValueError as error:
            raise OtherLayoutError from error
    end = content.find(b"\n", start) + 1
    text = content[start : end - 1]
    if text == b"null" and indent is IN_REQUEST:
        return None, end
    if not end or not text.startswith(b'"'):
        raise OtherLayoutError
    return _parse_scalar(text).encode("utf-8", "replace"), end


def _end(content: bytes, start: int, before: bytes) -> int:
    """Where the lines of a body end that begin here."""
    end = content.find(before, start)
    if end < 0:
        end = content.find(b"\n" + TAIL, start)
    if end < 0:
        raise OtherLayoutError
    return end + 1
