"""The layout of the cassettes that we write: vcrpy's YAML, fixed to the byte, so that it can also be read back fast.

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
quoted string, whose escapes are JSON's. What is no text is `!!binary`. `cassette_emitting` writes this layout, and
`cassette_parsing` reads exactly it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

__all__ = ["BINARY", "HEAD", "IN_REQUEST", "IN_RESPONSE", "NONE", "TAIL", "Interaction", "is_plain"]

HEAD: Final = b"# Recorded by pytest-tokenbudget, in vcrpy's format.\ninteractions:"
TAIL: Final = b"version: 1\n"
NONE: Final = b" []\n"
IN_REQUEST: Final = b" " * 6
IN_RESPONSE: Final = b" " * 8
BINARY: Final = b"!!binary |\n"

_PLAIN: Final = re.compile(r"[A-Za-z](?:[\w./:=&?+;,()~%@-]|(?<!:) (?=[\w./=&?+;,()~%@]))*(?<!:)", re.ASCII)
_RESERVED: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


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


def is_plain(text: str) -> bool:
    """Whether a text stands without quotes."""
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _RESERVED
