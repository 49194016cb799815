from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_tokenbudget.traffic.shown import base_of_paths, shown_path


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    before = base_of_paths(tmp_path)
    yield tmp_path
    base_of_paths(before)


def test_a_recording_is_named_from_the_base(base: Path) -> None:
    assert shown_path(base / "cassettes" / "a.yaml") == "cassettes/a.yaml"
    assert shown_path(str(base / "cassettes" / "a.yaml")) == "cassettes/a.yaml"
    assert shown_path("cassettes/a.yaml") == "cassettes/a.yaml"
    assert shown_path(base / "x" / ".." / "a.yaml") == "a.yaml"


def test_one_outside_is_named_by_the_way_to_it(base: Path) -> None:
    assert shown_path(base.parent / "other" / "a.yaml") == "../other/a.yaml"
    assert shown_path(base.parent / f"{base.name}er" / "a.yaml") == f"../{base.name}er/a.yaml"


def test_a_test_may_change_the_working_folder(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (base / "inner").mkdir()
    monkeypatch.chdir(base / "inner")
    assert shown_path("a.yaml") == "inner/a.yaml"
    assert shown_path(base / "a.yaml") == "a.yaml"


def test_without_a_base_the_working_folder_counts(base: Path) -> None:
    assert base_of_paths(None) == str(base)
    assert shown_path(base / "a.yaml") == "a.yaml"
    assert base_of_paths(base) is None


@pytest.mark.parametrize(("path", "shown"), [(None, "None"), (("bucket", 7), "('bucket', 7)"), (b"a.yaml", "a.yaml")])
def test_a_persister_may_name_recordings_by_anything(base: Path, path: object, shown: str) -> None:
    del base
    assert shown_path(path) == shown
