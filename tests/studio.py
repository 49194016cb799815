"""A place to record and replay in, without a pytest around it: recordings of our own, and what was measured of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.traffic import cassette as seam
from pytest_tokenbudget.traffic import intake
from pytest_tokenbudget.traffic.recording import Recording
from pytest_tokenbudget.traffic.replay import OwnCassette, opened
from pytest_tokenbudget.wire import read

__all__ = ["Studio"]


@dataclass
class Studio:
    """A folder with one recording.

    Attributes:
        root: The folder.
        name: The recording's file.
        task: The task whose calls are measured.
        seen: Every exchange that was measured.
        left: What the last recording would have left for another time.
    """

    root: Path
    name: str = "cassettes/test_it/test_it.yaml"
    task: TaskMeter = field(default_factory=lambda: TaskMeter("test_it.py::test_it"))
    seen: list[Exchange] = field(default_factory=list)
    left: str = ""

    @property
    def path(self) -> Path:
        """The recording's file."""
        return self.root / self.name

    @property
    def text(self) -> str:
        """What it says."""
        return self.path.read_text()

    @property
    def journals(self) -> Path:
        """The folder of journals."""
        return self.root / ".tokenbudget" / "journal"

    @property
    def journal(self) -> bytes:
        """What the recording's journal says; nothing where there is none."""
        return b"".join(file.read_bytes() for file in sorted(self.journals.glob("*.jsonl")))

    @property
    def obtained(self) -> list[str]:
        """How each answer was obtained since the last time this was asked."""
        found = [exchange.obtained for exchange in self.seen]
        self.seen.clear()
        return found

    def recording(self, record: Any = "none", **changes: Any) -> Recording:
        """The recording, in a record mode."""
        return Recording(path=self.path, test=self.task.id, journals=self.journals, record=record, **changes)

    @contextmanager
    def open(self, record: Any = "none", *, complete: bool | None = None, **changes: Any) -> Iterator[OwnCassette]:
        """Replay or record; an error inside interrupts the recording, unless it is said to be complete."""
        seam.install()
        meter = Meter(self._take, lambda *_: None)
        meter.enter(self.task)
        detach = intake.attach(meter, self.root)
        cassette, whole = None, False
        try:
            with opened(self.recording(record, **changes)) as cassette:
                yield cassette
            whole = True
        finally:
            try:
                if cassette is not None:
                    self.left = cassette.unfinished
                    cassette.finish(complete=whole if complete is None else complete)
            finally:
                detach()

    def _take(self, exchange: Exchange) -> Call | Skipped:
        self.seen.append(exchange)
        return read(exchange, count)
