"""The layout in which we write cassettes: YAML says the same of it as we read, whatever stands in it."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from vcr.serializers import yamlserializer

from pytest_tokenbudget.traffic.cassette_emitting import emit
from pytest_tokenbudget.traffic.cassette_layout import Interaction
from pytest_tokenbudget.traffic.cassette_parsing import OtherLayoutError, parse

LOADERS = [yamlserializer._CassetteLoader, yaml.SafeLoader]  # noqa: SLF001 - what plain vcrpy reads with


def interaction(**changes: Any) -> Interaction:
    return Interaction(
        **{
            "method": "POST",
            "uri": "https://api.openai.com/v1/chat/completions",
            "request_headers": {"content-type": "application/json"},
            "request_body": b'{\n  "model": "m"\n}',
            "status": 200,
            "message": "OK",
            "response_headers": {"content-type": ["application/json"], "x-two": ["1", "b"]},
            "response_body": b'{\n  "id": "1"\n}',
        }
        | changes
    )


def by_yaml(content: bytes, loader: Any) -> list[Interaction]:
    """What YAML says of a cassette."""
    data = yaml.load(content.decode(), loader)  # noqa: S506 - safe ones
    assert data["version"] == 1
    found = []
    for item in data["interactions"]:
        asked, answered = item["request"], item["response"]
        found.append(
            Interaction(
                asked["method"],
                asked["uri"],
                {name: value for name, (value,) in asked["headers"].items()},
                None if asked["body"] is None else as_bytes(asked["body"]),
                answered["status"]["code"],
                answered["status"]["message"],
                answered["headers"],
                as_bytes(answered["body"]["string"]),
            )
        )
    return found


def as_bytes(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode()


ODD = st.sampled_from(
    [
        *(
            "\n",
            " ",
            "  ",
            "\t",
            "\r\n",
            "- request:",
            "version: 1",
            "\n\n",
            "\x85",
            "\u2028",
            "\ufeff",
            "\x7f",
            "'",
            '"',
        ),
        *(
            "\\",
            "#",
            ": ",
            "é",
            "\U0001f600",
            "a",
            "data: x\n\n",
            "|",
            "null",
            "\n  response:\n",
            "\n- request:\n",
            "\0",
        ),
    ]
)
TEXTS = st.lists(ODD | st.text(max_size=4), max_size=8).map("".join)
BODIES = TEXTS.map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=200)
LINES = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())
INTERACTIONS = st.builds(
    Interaction,
    method=st.sampled_from(["POST", "GET", "yes"]),
    uri=LINES,
    request_headers=st.dictionaries(LINES, LINES, max_size=3),
    request_body=st.none() | BODIES,
    status=st.integers(100, 599),
    message=st.none() | LINES,
    response_headers=st.dictionaries(LINES, st.lists(LINES, min_size=1, max_size=3), max_size=3),
    response_body=BODIES,
)


@given(st.lists(INTERACTIONS, max_size=3))
@example(
    [interaction(request_body=body, response_body=body) for body in (b"\n", b" \n", b"a\n \n", b"a\n   ", b"\n\na")]
)
def test_what_is_written_is_read_alike_by_yaml_and_by_us(interactions: list[Interaction]) -> None:
    written = emit(interactions)
    assert parse(written) == interactions
    for loader in LOADERS:
        assert by_yaml(written, loader) == interactions


EDITS: list[Callable[[bytes, int, bytes], bytes]] = [
    lambda content, at, piece: content[:at] + piece + content[at:],
    lambda content, at, piece: content[:at] + content[at + len(piece) :],
    lambda content, at, piece: content[:at] + piece + content[at + len(piece) :],
]
PIECES = [
    "\n",
    " ",
    "  ",
    "\t",
    "#",
    "# a\n",
    ":",
    "-",
    '"',
    "'",
    "|",
    "+",
    "1",
    "x",
    "~",
    "null",
    "{}",
    "\\",
    "é",
    "\u2028",
]


@given(
    st.lists(INTERACTIONS, min_size=1, max_size=2),
    st.lists(st.tuples(st.sampled_from(EDITS), st.floats(0, 1), st.sampled_from(PIECES)), min_size=1, max_size=2),
)
def test_an_edited_file_is_read_as_yaml_reads_it_or_not_by_us(
    interactions: list[Interaction], edits: list[tuple[Callable[[bytes, int, bytes], bytes], float, str]]
) -> None:
    content = emit(interactions)
    for edit, where, piece in edits:
        content = edit(content, int(where * len(content)), piece.encode())
    try:
        found = parse(content)
    except (OtherLayoutError, UnicodeDecodeError):
        return
    assert by_yaml(content, LOADERS[0]) == found


def test_a_reviewer_can_read_it() -> None:
    stream = b'data: {"a": 1}\n\ndata: [DONE]\n\n'
    written = emit(
        [interaction(), interaction(request_body=None, response_body=stream), interaction(response_body=b"\xff" * 60)]
    )
    assert (
        written.decode()
        == """\
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
        "model": "m"
      }
  response:
    status:
      code: 200
      message: OK
    headers:
      content-type:
      - application/json
      x-two:
      - "1"
      - b
    body:
      string: |-
        {
          "id": "1"
        }
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    headers:
      content-type:
      - application/json
    body: null
  response:
    status:
      code: 200
      message: OK
    headers:
      content-type:
      - application/json
      x-two:
      - "1"
      - b
    body:
      string: |+
        data: {"a": 1}

        data: [DONE]

- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    headers:
      content-type:
      - application/json
    body: |-
      {
        "model": "m"
      }
  response:
    status:
      code: 200
      message: OK
    headers:
      content-type:
      - application/json
      x-two:
      - "1"
      - b
    body:
      string: !!binary |
        ////////////////////////////////////////////////////////////////////////////
        ////
version: 1
"""
    )


@pytest.mark.parametrize("content", [b"", b"interactions: []\nversion: 1\n", b"\xff", b"{}"])
def test_another_layout_is_left_to_others(content: bytes) -> None:
    with pytest.raises(OtherLayoutError):
        parse(content)
