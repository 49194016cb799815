"""What the processes of a session tell each other about a benchmark that is being paid for: one line for each sample.

A file beside the run file, which every process appends to and reads, removed once the run is written. So a worker knows
what the others measured, and stops where enough is known.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import msgspec

from pytest_tokenbudget.store.encoding import encode_json
from pytest_tokenbudget.store.folder import make_folder

__all__ = ["SampleBoard", "SampleLine"]

_FOLDER = "calls"


class SampleLine(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One sample as it ended.

    Attributes:
        benchmark: The benchmark's id.
        place: The sample's place in the draw, from 0.
        cost: US dollars; `None` where unknown.
        paid: US dollars that it really cost now, as far as they are known.
        success: Whether the task succeeded.
        measured: Whether it says anything of the benchmark; it was paid for either way.
    """

    benchmark: str
    place: int
    cost: Decimal | None
    paid: Decimal
    success: bool
    measured: bool = True


_decode = msgspec.json.Decoder(SampleLine).decode


class SampleBoard:
    """Where samples are posted; nothing is written before the first."""

    def __init__(self, out: Path, session: str) -> None:
        """Prepare.

        Args:
            out: The run file.
            session: The session's name, the same in every worker.
        """
        self._path = out.parent / _FOLDER / f"{session}.samples"
        self._read = 0

    def post(self, line: SampleLine) -> None:
        """Tell the others of a sample. Never raises: a full disk only lets a benchmark run longer."""
        with suppress(OSError):
            make_folder(self._path.parent)
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(file, encode_json(line) + b"\n")
            finally:
                os.close(file)

    def news(self) -> Iterator[SampleLine]:
        """Yield what was posted since the last time, this process's own lines among it."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except OSError:
            return
        whole = text.rfind(b"\n") + 1
        self._read += whole
        for line in text[:whole].splitlines():
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                yield _decode(line)
