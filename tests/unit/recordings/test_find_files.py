import gzip
import os
from pathlib import Path

import pytest

from pytest_tokenbudget.recordings.files import find_files

CASSETTE = "interactions:\n- request: {}\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("test_agent", CASSETTE),
        ("test_agent[gpt-4.1]", CASSETTE),
        ("test_agent[gpt-4.1-mini-False]", "---\nversion: 1\ninteractions: []\n"),
        ("ruby", "---\nhttp_interactions:\n- request:\n"),
        ("json", '{"version": 1, "interactions": []}'),
        ("indented", '{\n  "interactions": [\n'),
        ("archive", '{"log": {"entries": []}}'),
        ("nock", '[\n {\n  "scope": "https://a.test",'),
        ("marked", "\ufeff# recorded\n" + CASSETTE),
        ("a.yaml", ""),
        ("A.YML", ""),
        ("a.json", ""),
        ("a.har", ""),
    ],
)
def test_a_directory_stands_for_what_is_a_recording_by_name_or_content(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert find_files([tmp_path]) == [os.path.join(tmp_path, name)]  # noqa: PTH118 - a source as text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("LICENSE", "MIT\n"),
        ("Makefile", "interactions := 1\n"),
        ("notes.txt", CASSETTE),
        ("test_agent.py", CASSETTE),
        (".hidden", CASSETTE),
        ("empty", ""),
        ("binary", "\0\0\0\0"),
        ("version.1", "version: 1\n"),
    ],
)
def test_and_not_for_what_is_none(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert find_files([tmp_path]) == []


@pytest.mark.parametrize("suffix", [".yaml.gz", ".yml.gz", ".json.gz", ".har.gz"])
def test_packed_recordings_are_found(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(gzip.compress(b""))
    assert find_files([tmp_path]) == [str(tmp_path / f"a{suffix}")]


def test_pipes_and_dangling_links_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    assert find_files([tmp_path]) == []


def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    assert find_files([tmp_path / "notes.txt"]) == [str(tmp_path / "notes.txt")]
