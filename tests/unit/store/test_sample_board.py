"""What processes tell each other of samples: whole lines alone, each read once, from several writers at a time."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_tokenbudget.store.sampled import SampleBoard, SampleLine


def line(place: int, cost: str | None = "0.01", **fields: object) -> SampleLine:
    values = {"benchmark": "b\n🙂", "paid": Decimal(0), "success": True, **fields}
    return SampleLine(place=place, cost=None if cost is None else Decimal(cost), **values)  # type: ignore[arg-type]


def file_of(folder: Path) -> Path:
    (found,) = (folder / "calls").glob("*")
    return found


def test_lines_are_read_once_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    board, other = (SampleBoard(tmp_path / "run.json", "s") for _ in range(2))
    lines = [line(0), line(1, None, measured=False), line(2, "1E-30")]
    assert list(board.news()) == []
    for each in lines[:2]:
        other.post(each)
    assert list(board.news()) == lines[:2]
    board.post(lines[2])
    assert list(board.news()) == lines[2:]
    assert list(board.news()) == []
    assert list(other.news()) == lines


def test_nothing_is_written_before_the_first_and_sessions_are_apart(tmp_path: Path) -> None:
    one, two = (SampleBoard(tmp_path / "run.json", name) for name in ("one", "two"))
    assert list(tmp_path.iterdir()) == []
    one.post(line(0))
    assert list(two.news()) == []


def test_a_line_that_is_not_whole_yet_waits(tmp_path: Path) -> None:
    board = SampleBoard(tmp_path / "run.json", "s")
    board.post(line(0))
    whole = file_of(tmp_path).read_bytes()
    with file_of(tmp_path).open("ab") as file:
        file.write(whole[:9])
        file.flush()
        assert list(board.news()) == [line(0)]
        file.write(whole[9:])
        file.flush()
        assert list(board.news()) == [line(0)]


@pytest.mark.parametrize(
    "broken", [b"\xff\n", b"{}\n", b"[1]\n", b"\n", b'["b",0,"NaN"\n', b'["b","0","1","1",true]\n']
)
def test_a_line_that_is_broken_is_passed_over(tmp_path: Path, broken: bytes) -> None:
    board = SampleBoard(tmp_path / "run.json", "s")
    board.post(line(0))
    with file_of(tmp_path).open("ab") as file:
        file.write(broken)
    board.post(line(1))
    assert list(board.news()) == [line(0), line(1)]


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "calls").write_text("a file where the folder would be")
    board = SampleBoard(tmp_path / "run.json", "s")
    board.post(line(0))
    assert list(board.news()) == []


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    source = dedent("""
        import sys
        from decimal import Decimal
        from pathlib import Path
        from pytest_tokenbudget.store.sampled import SampleBoard, SampleLine
        board = SampleBoard(Path(sys.argv[1]), "s")
        for place in range(int(sys.argv[2]), 400, 2):
            paid = Decimal(place)
            board.post(SampleLine(benchmark="b" * 500, place=place, cost=paid, paid=paid, success=True))
    """)
    writers = [subprocess.Popen([sys.executable, "-c", source, tmp_path / "run.json", start]) for start in "01"]
    board, found = SampleBoard(tmp_path / "run.json", "s"), []
    while any(writer.poll() is None for writer in writers):
        found += list(board.news())
    found += list(board.news())
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(each.place for each in found) == list(range(400))
    assert all(each.cost == each.paid == each.place for each in found)
