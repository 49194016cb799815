"""Cassettes as we write them: vcrpy's YAML in one fixed layout, so that it can also be read back fast.

    # Recorded by pytest-tokenbudget, in vcrpy's format.
    interactions:
    - request:
        method: POST
        uri: https://api.openai.com/v1/chat/completions
        headers:
          content-type:
          - application/json
        body: |-
          {
            "model": "gpt-5-mini", …
          }
      response:
        status:
          code: 200
          message: OK
        headers: {}
        body:
          string: |-
            {
              "id": "chatcmpl-1", …
            }
    version: 1

A text is a literal block, whatever it says, unless it has a character that YAML's blocks cannot hold: then it is a
quoted string, whose escapes are JSON's. What is no text is `!!binary`. `parse` reads exactly this layout, and says so
where a file has another: what was edited by hand, or laid out anew by a tool, is read by a YAML parser.
"""

import json
import re
from base64 import b64decode, encodebytes
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

__all__ = ["Interaction", "OtherLayoutError", "emit", "parse"]

_HEAD: Final = b"# Recorded by pytest-tokenbudget, in vcrpy's format.\ninteractions:"
_TAIL: Final = b"version: 1\n"
_NONE: Final = b" []\n"
_IN_REQUEST: Final = b" " * 6
_IN_RESPONSE: Final = b" " * 8

_PLAIN: Final = re.compile(r"[A-Za-z](?:[\w./:=&?+;,()~%@-]|(?<!:) (?=[\w./=&?+;,()~%@]))*(?<!:)", re.ASCII)
_RESERVED: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_UNFIT_FOR_BLOCKS: Final = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_UNFIT_FOR_FILES: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
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
    _IN_REQUEST: re.compile(rb"\n(?! {6}|\n|\Z)"),
    _IN_RESPONSE: re.compile(rb"\n(?! {8}|\n|\Z)"),
}
_BINARY: Final = b"!!binary |\n"


class OtherLayoutError(ValueError):
    """A cassette is laid out otherwise than we do; it may be a good one."""


class Interaction(NamedTuple):
    """One request and its response, as they are stored.

    Attributes:
        method: The HTTP method.
        uri: The whole URL.
        request_headers: Names and values.
        request_body: The body; `None` where there is none.
        status: The HTTP status.
        message: Its reason phrase; `None` where there was none.
        response_headers: Names, each with its values.
        response_body: The body.
    """

    method: str
    uri: str
    request_headers: Mapping[str, str]
    request_body: bytes | None
    status: int
    message: str | None
    response_headers: Mapping[str, Sequence[str]]
    response_body: bytes


def emit(interactions: Iterable[Interaction]) -> bytes:
    """Write a cassette: the same bytes for the same interactions."""
    parts = [_HEAD]
    for one in interactions:
        parts += [
            b"\n- request:\n    method: ",
            _scalar(one.method),
            b"\n    uri: ",
            _scalar(one.uri),
            b"\n    headers:",
        ]
        parts += _emit_headers({name: (value,) for name, value in one.request_headers.items()})
        parts += [b"    body: ", b"null\n" if one.request_body is None else _body(one.request_body, _IN_REQUEST)]
        message = b"null" if one.message is None else _scalar(one.message)
        parts += [b"  response:\n    status:\n      code: %d\n      message: " % one.status, message, b"\n    headers:"]
        parts += _emit_headers(one.response_headers)
        parts += [b"    body:\n      string: ", _body(one.response_body, _IN_RESPONSE)]
        # of the line break before `- request:`, the body's last line has its own already
        parts[-1] = parts[-1][:-1]
    parts.append(b"\n" if len(parts) > 1 else _NONE)
    return b"".join([*parts, _TAIL])


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
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
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
        return b"".join([_BINARY, indent, lines, b"\n"])
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


def parse(content: bytes) -> list[Interaction]:
    """Read a cassette in our layout.

    Raises:
        OtherLayoutError: It is in another, or no cassette at all.
        UnicodeDecodeError: It is no text.
    """
    if not content.startswith(_HEAD) or b"\r" in content:
        raise OtherLayoutError
    if not content.isascii():
        content.decode()
        if any(mark in content for mark in _OTHER_BREAKS):
            raise OtherLayoutError
    position = len(_HEAD)
    if content[position:] == _NONE + _TAIL:
        return []
    position += 1
    found = []
    while (asked := _REQUEST.match(content, position)) is not None:
        request_body, position = _parse_body(content, asked.end(), _IN_REQUEST, b"\n  response:\n")
        answered = _RESPONSE.match(content, position)
        if answered is None:
            raise OtherLayoutError
        response_body, position = _parse_body(content, answered.end(), _IN_RESPONSE, b"\n- request:\n")
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
    if content[position:] != _TAIL or not found:
        raise OtherLayoutError
    return found


def _parse_scalar(text: bytes) -> str:
    if not text.startswith(b'"'):
        plain = text.decode()
        if _PLAIN.fullmatch(plain) and plain.lower() not in _RESERVED:
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
    if content.startswith(_BINARY, start):
        end = _end(content, start + len(_BINARY), before)
        lines = content[start + len(_BINARY) : end]
        if _UNINDENTED[indent].search(b"\n" + lines[:-1]):
            raise OtherLayoutError
        try:
            return b64decode(lines.replace(b"\n", b"").replace(b" ", b""), validate=True), end
        except ValueError as error:
            raise OtherLayoutError from error
    end = content.find(b"\n", start) + 1
    text = content[start : end - 1]
    if text == b"null" and indent is _IN_REQUEST:
        return None, end
    if not end or not text.startswith(b'"'):
        raise OtherLayoutError
    return _parse_scalar(text).encode("utf-8", "replace"), end


def _end(content: bytes, start: int, before: bytes) -> int:
    """Where the lines of a body end that begin here."""
    end = content.find(before, start)
    if end < 0:
        end = content.find(b"\n" + _TAIL, start)
    if end < 0:
        raise OtherLayoutError
    return end + 1
