"""Which recording is ours to keep, and how it is to be used: all that traffic is told about it."""

import shlex
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from pytest_tokenbudget.config.settings import DriftMode, RecordMode
from pytest_tokenbudget.traffic.journal import journal_name, read_journal
from pytest_tokenbudget.traffic.shown import shown_path

if TYPE_CHECKING:
    from pytest_tokenbudget.traffic.redaction import Redactor

__all__ = ["Recording"]


class Recording(Struct, frozen=True, kw_only=True):
    """A recording that is ours to keep.

    Attributes:
        path: Its file.
        test: The node id of the test that it is for, or by which its fixture is run.
        journals: The folder of journals.
        redact: Regular expressions of the user's own secrets.
        record: Whether model calls are sent.
        drift: What happens to a request that changed since it was recorded.
        worker: Who records, for the messages of others.
    """

    path: Path
    test: str
    journals: Path
    redact: tuple[str, ...] = ()
    record: RecordMode = "none"
    drift: DriftMode = "estimate"
    worker: str = "main"

    @property
    def redactor(self) -> "Redactor":
        """Takes secrets out of what is stored; what replays as it was recorded needs none."""
        return _redactor(self.redact)

    @property
    def shown(self) -> str:
        """Its file, as messages name it."""
        return shown_path(self.path)

    @property
    def journal(self) -> Path:
        """The file of its journal."""
        return self.journals / f"{journal_name(self.shown)}.jsonl"

    @property
    def lock(self) -> Path:
        """The file of its lock."""
        return self.journals / f"{journal_name(self.shown)}.lock"

    @property
    def pays(self) -> bool:
        """Whether model calls will be sent that are not recorded."""
        if self.record != "once" or not self.path.exists():
            return self.record != "none"
        kept = read_journal(self.journal)
        return kept is not None and kept.is_worth_keeping

    @property
    def who(self) -> str:
        """Who records it."""
        return self.test if self.worker == "main" else f"{self.test}, in worker {self.worker}"

    @property
    def going_on(self) -> str:
        """What to type to go on where its recording was interrupted."""
        if self.record == "none" and self.drift == "record":
            return f"pytest {shlex.quote(self.test)} --tokenbudget-drift=record"
        return self.command("once")

    def command(self, record: RecordMode) -> str:
        """What to type to have this test recorded."""
        return f"pytest {shlex.quote(self.test)} --tokenbudget-record={record}"


@lru_cache(maxsize=4)
def _redactor(patterns: tuple[str, ...]) -> "Redactor":
    from pytest_tokenbudget.traffic.redaction import Redactor

    return Redactor(patterns)
