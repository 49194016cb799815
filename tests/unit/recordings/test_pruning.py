"""Answers are taken out of a recording, and the rest of it stays as it is."""

import json
from pathlib import Path

import pytest
import vcr

from pytest_tokenbudget.errors import RecordingError
from pytest_tokenbudget.recordings.pruning import remove_file, remove_interactions

ITEM = """\
- request:
    body: "asked {0}"   # kept as a person wrote it
    headers: {{}}
    method: POST
    uri: https://api.openai.com/v1/chat/completions
  response:
    body:
      string: |-
        - answer {0}

        of two paragraphs
    headers: {{}}
    status: {{code: 200, message: OK}}
"""
HEAD = "# by hand\ninteractions:\n"
TAIL = "version: 1\n"


def recording(*numbers: int) -> str:
    return HEAD + "".join(ITEM.format(number) for number in numbers) + TAIL


@pytest.mark.parametrize(
    ("unused", "left"), [((1,), (0, 2, 3)), ((0,), (1, 2, 3)), ((3,), (0, 1, 2)), ((0, 2, 3), (1,)), ((), (0, 1, 2, 3))]
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_rest_stays_byte_for_byte(
    tmp_path: Path, unused: tuple[int, ...], left: tuple[int, ...], ending: str
) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(recording(0, 1, 2, 3).replace("\n", ending).encode())
    file.chmod(0o640)
    remove_interactions(file, unused, 4)
    assert file.read_bytes() == recording(*left).replace("\n", ending).encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


def test_interactions_may_stand_last_and_indented(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("version: 1\ninteractions:\n  - {request: 1}\n  - {request: 2}\n")
    remove_interactions(file, [1], 2)
    assert file.read_text() == "version: 1\ninteractions:\n  - {request: 1}\n"


@pytest.mark.parametrize("serializer", ["yaml", "json"])
def test_what_vcrpy_wrote_it_reads_afterwards(tmp_path: Path, serializer: str) -> None:
    file = tmp_path / f"a.{serializer}"
    with vcr.use_cassette(str(file), serializer=serializer, record_mode="all") as cassette:
        for number in range(4):
            request = vcr.request.Request("POST", f"https://h/{number}", '{"text": "größer"}', {"Accept": "*/*"})
            cassette.append(
                request,
                {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": b"\xff\x00 binary"}}
                if serializer == "yaml"
                else {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "größer"}},
            )
    remove_interactions(file, [0, 2], 4)
    with vcr.use_cassette(str(file), serializer=serializer, record_mode="none") as cassette:
        assert [request.uri for request in cassette.requests] == ["https://h/1", "https://h/3"]


def test_a_recording_of_which_nothing_is_left_is_removed(tmp_path: Path) -> None:
    for name, text in (("a.yaml", recording(0, 1)), ("b.json", json.dumps({"interactions": [1, 2], "version": 1}))):
        (tmp_path / name).write_text(text)
        remove_interactions(tmp_path / name, [0, 1], 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", recording(0, 1), "it holds 2 answers, and the run saw 3: run pytest again"),
        ("a.json", '{"interactions": [1]}', "it holds 1 answers, and the run saw 3: run pytest again"),
        ("a.json", "[]", "it has no list of interactions"),
        ("a.yaml", "", "it has no list of interactions"),
        ("a.yaml", "[1, 2]", "it has no list of interactions"),
        ("a.yaml", "interactions: [{a: 1}, {a: 2}, {a: 3}]\n", "its interactions are not on lines of their own"),
        ("a.yaml", "interactions:\n- {a: &x 1}\n- {a: *x}\n- {a: 3}\n", "it cannot be changed"),
        ("a.yaml", "interactions: [", "it cannot be changed"),
        ("a.json", "{", "it cannot be changed"),
        ("a.yaml", "interactions:\n- \xff", "it cannot be changed"),
    ],
)
def test_what_cannot_be_changed_safely_is_left_alone(tmp_path: Path, name: str, text: str, said: str) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecordingError) as raised:
        remove_interactions(file, [0], 3)
    assert str(raised.value).startswith(f"{file}: {said}")
    assert "Nothing of it was removed." in str(raised.value)
    assert file.read_bytes() == text.encode("latin-1")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="it cannot be changed"):
        remove_interactions(tmp_path / "a.yaml", [0], 1)
    with pytest.raises(RecordingError, match="it cannot be removed: No such file"):
        remove_file(tmp_path / "a.yaml")
