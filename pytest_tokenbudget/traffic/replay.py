"""The recordings that are ours to keep, replayed and made: those of marked tests that open no cassette themselves.

A request is decided upon once, when vcrpy first asks for it: it is answered from the recording, let out, or it stops
the agent. What is let out is journalled before it is sent, and its answer before the client is handed it. The cassette
is written at the end, whole, if the test got to its end.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import local
from typing import Any, Final, Literal, NamedTuple, NoReturn
from weakref import WeakKeyDictionary

from msgspec import Struct
from vcr import matchers
from vcr.record_mode import RecordMode as VcrMode
from vcr.request import Request

from pytest_tokenbudget.config.settings import DriftMode, RecordMode
from pytest_tokenbudget.errors import CannotRecord, RecordingError, RecordingMiss, Stop
from pytest_tokenbudget.model.task import Opened, Stray
from pytest_tokenbudget.traffic.asking import asks_a_model
from pytest_tokenbudget.traffic.cassette import MeteredCassette, attached
from pytest_tokenbudget.traffic.cassette_file import load_cassette, save_cassette
from pytest_tokenbudget.traffic.cassette_text import Interaction
from pytest_tokenbudget.traffic.exchanges import request_line
from pytest_tokenbudget.traffic.index import Claim, RecordingIndex
from pytest_tokenbudget.traffic.journal import Journal, Kept, journal_name, read_journal
from pytest_tokenbudget.traffic.lock import RecordingLock
from pytest_tokenbudget.traffic.matching import Matching, same_endpoint
from pytest_tokenbudget.traffic.redaction import Redactor
from pytest_tokenbudget.traffic.shown import shown_path
from pytest_tokenbudget.traffic.stored import as_played, as_stored, clean_request, clean_response, correct_headers

__all__ = ["OwnCassette", "Recording", "opened"]

_SAME_LINE: Final = (
    matchers.method,
    matchers.scheme,
    matchers.host,
    matchers.port,
    matchers.path,
    matchers.query,
)
_HTTP_ERROR: Final = 400
_CUT_OFF: Final = "the recording was interrupted before its answer was seen"
_NO_ANSWER: Final = "no answer came: cancelled, timed out, or the connection failed"


class Recording(Struct, frozen=True, kw_only=True):
    """A recording that is ours to keep.

    Attributes:
        path: Its file.
        test: The node id of the test that it is for, or by which its fixture is run.
        journals: The folder of journals.
        redactor: Takes secrets out of what is stored.
        record: Whether model calls are sent.
        drift: What happens to a request that changed since it was recorded.
        worker: Who records, for the messages of others.
    """

    path: Path
    test: str
    journals: Path
    redactor: Redactor
    record: RecordMode = "none"
    drift: DriftMode = "estimate"
    worker: str = "main"

    @property
    def shown(self) -> str:
        """Its file, as messages name it."""
        return shown_path(self.path)

    def command(self, record: RecordMode) -> str:
        """What to type to have this test recorded."""
        return f"pytest {shlex.quote(self.test)} --tokenbudget-record={record}"


class _Plan(NamedTuple):
    """What is to become of one request.

    Attributes:
        kind: pass: it is no model call, and the test's own affair.
        place: The position of the recording that answers it, or whose place its answer takes.
        exact: Whether that is a recording of this very request.
    """

    kind: Literal["play", "send", "pass"]
    place: int | None = None
    exact: bool = False


class OwnCassette(MeteredCassette):
    """Answers model calls from its recordings, records them, or stops the agent; other traffic passes unrecorded."""

    def __init__(self, path: str, recording: Recording) -> None:
        super().__init__(
            path=path,
            record_mode=VcrMode.NONE,
            match_on=_SAME_LINE,
            before_record_request=self._cleaned,
            before_record_response=self._clean_answer,
        )
        self._recording = recording
        self._lock: RecordingLock | None = None
        self._journal = Journal(recording.journals / f"{journal_name(recording.shown)}.jsonl", {})
        self._kept: Kept | None = None
        self._plans: WeakKeyDictionary[Any, _Plan] = WeakKeyDictionary()
        self._clean: WeakKeyDictionary[Any, Request] = WeakKeyDictionary()
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._sending: dict[int, str] = {}
        self._answering = local()
        self._replaced: dict[int, int] = {}
        self._taken: dict[int, int] = {}
        self._index: RecordingIndex | None = None
        self._loaded = 0
        self._from_journal = 0
        self._stamp: tuple[int, ...] | None = None
        self._unjournalled: OSError | None = None
        self._records = False
        self._journal_replaces: dict[int, int] = {}

    # opening

    def _load(self) -> None:
        try:
            self._begin()
        except BaseException:
            self._give_back()
            raise
        meter = attached()
        if meter is not None and self._from_journal:
            meter.opened(Opened(source=self._recording.shown, interactions=self._from_journal, own=True))

    def _begin(self) -> None:
        recording = self._recording
        name = journal_name(recording.shown)
        journal = recording.journals / f"{name}.jsonl"
        self.rewound = True
        if recording.record == "all" or (recording.record == "once" and not self._is_complete(journal)):
            self._take_lock(name)
        may_send = recording.record != "none" or recording.drift == "record"
        self._kept = read_journal(journal) if may_send else None
        # decided now: another process may have completed it while we waited for the lock
        self._records = recording.record in {"new", "all"} or (
            recording.record == "once" and (self._kept is not None or not recording.path.exists())
        )
        if self._records or recording.drift == "record":
            self.record_mode = VcrMode.NEW_EPISODES  # the guard goes by it
        if not self._records:
            self._give_back()
        anew = recording.record == "all" or (
            recording.record == "once" and (self._kept.anew if self._kept else self._records)
        )
        header = {"test": recording.test, "cassette": recording.shown, "anew": anew}
        self._journal = Journal(journal, header, self._kept.last if self._kept else 0)
        if not anew:
            self.data += [as_played(one) for one in self._read_file()]
        self._from_journal = len(self.data)
        if self._kept is not None:
            self._continue(self._kept)
        self._loaded = len(self.data)

    def _continue(self, kept: Kept) -> None:
        for request in kept.unanswered:
            _stray(request, _CUT_OFF)
        if self._recording.record == "all":
            self._kept = None
            self._journal.begin_again()
            return
        for answer in kept.answers:
            # errors cost nothing, and would only be met again
            if answer.interaction.status < _HTTP_ERROR:
                if answer.replaces is not None and answer.replaces < self._from_journal:
                    self._journal_replaces[len(self.data)] = answer.replaces
                self.data.append(as_played(answer.interaction))

    def _is_complete(self, journal: Path) -> bool:
        return self._recording.path.exists() and not journal.exists()

    def _take_lock(self, name: str) -> None:
        recording = self._recording
        who = recording.test if recording.worker == "main" else f"{recording.test}, in worker {recording.worker}"
        lock = RecordingLock(recording.journals / f"{name}.lock", recording.shown, who)
        lock.take()
        self._lock = lock

    def _read_file(self) -> list[Interaction]:
        self._stamp = _stamp(self._recording.path)
        try:
            return load_cassette(self._recording.path)
        except FileNotFoundError:
            return []

    # deciding

    def can_play_response_for(self, request: Any) -> Any:
        """Whether a recording answers; if none does, the request is let out next, or the agent is stopped here."""
        with self._tokenbudget.lock:
            plan = self._plans.get(request)
            if plan is None:
                self._plans[request] = plan = self._decide(request)
                if plan.kind != "play":
                    # vcrpy goes on with what its filter made of the request
                    self._plans[self._cleaned(request)] = plan
        # asked again when it was played already, it must still not be sent
        return True if plan.kind == "play" else super().can_play_response_for(request)

    def _decide(self, request: Any) -> _Plan:
        index, exact = self._claim(request)
        asks = asks_a_model(request)
        records = self._records and asks
        replaces = asks and self._recording.drift == "record" and not exact
        if index is not None and (exact or not (records or replaces)):
            self._taken[index] = 1
            if index in self._journal_replaces:
                self._taken[self._journal_replaces[index]] = 1
                self._replaced[self._journal_replaces[index]] = index
            return _Plan("play", index, exact)
        if not asks:
            return _Plan("pass")
        if not records and not (replaces and index is not None):
            self._stop(RecordingMiss(self._explain(request)))
        place = index if replaces else None
        if place is not None:
            self._taken[place] = 1
        self._let_out(request)
        return _Plan("send", place)

    def _claim(self, request: Any) -> tuple[int | None, bool]:
        """The recording that answers a request, and whether it is that of this very request."""
        if self._index is None:
            volatile = self._tokenbudget.volatile
            self._index = RecordingIndex(
                self.data, self._taken, Matching((same_endpoint,)), volatile=volatile, prepare=self._cleaned
            )
        for received in range(self._loaded, len(self.data)):
            self._taken[received] = 1  # what this test was answered just now answers no other request of it
        try:
            found = self._index.find(request)
        except Exception:  # noqa: BLE001 - a request of no known kind has no recording
            found = None
        # what an interrupted recording holds answers what was asked, and nothing else
        if found is None or (not found.exact and found.index >= self._from_journal):
            return None, False
        return found.index, found.exact

    def _let_out(self, request: Any) -> None:
        """Journal that a request is about to be sent: the one place through which all of them leave."""
        recording = self._recording
        try:
            if self._lock is None:
                self._take_lock(journal_name(recording.shown))
        except RecordingError as error:
            self._stop(CannotRecord(f"[{CannotRecord.slug}] {error}"))
        line = request_line(self._cleaned(request))
        try:
            if self._unjournalled is not None:
                raise self._unjournalled
            number = self._journal.sending(line)
        except OSError as error:
            self._stop(
                CannotRecord(
                    f"[{CannotRecord.slug}] {line} was not sent, as its answer could be lost: the journal of "
                    f"{recording.shown} cannot be written ({error.strerror or error}). What was recorded is kept. To "
                    f"go on, type: {recording.command('once')}"
                )
            )
        self._numbers[request] = number
        self._sending[number] = line

    def _stop(self, stop: Stop) -> NoReturn:
        meter = attached()
        if meter is not None:
            meter.latch(stop)
        raise stop

    def _responses(self, request: Any) -> Iterator[tuple[int, Any]]:
        plan = self._plans.get(request)
        if plan is None:
            yield from super()._responses(request)
        elif plan.kind == "play" and plan.place is not None:
            asking = self._tokenbudget.asking
            # what drifted is compared as it would be stored
            asking.filtered = request if plan.exact else self._cleaned(request)
            asking.claim = Claim(plan.place, plan.exact)
            yield plan.place, self.data[plan.place][1]

    @property
    def write_protected(self) -> bool:
        """Never: what may be sent is decided here."""
        # vcrpy would refuse every other request too; those are the test's own affair
        return False

    # receiving

    def append(self, request: Any, response: Any) -> Any:
        """Keep an answer that was just received, in the journal first."""
        asks = asks_a_model(request)
        if asks:
            correct_headers(response)
        self._answering.kept = None
        self._answering.keeps = asks
        try:
            return super().append(request, response)
        finally:
            if self._answering.kept is not None:
                self._keep(request, self._answering.kept)

    def _keep(self, request: Any, answer: dict[str, Any]) -> None:
        clean = self._cleaned(request)
        with self._tokenbudget.lock:
            plan = self._plans.get(request)
            replaces = plan.place if plan is not None else None
            if replaces is not None:
                # another thread may have stored one behind it
                self._replaced[replaces] = next(
                    index for index in range(len(self.data) - 1, -1, -1) if self.data[index][1] is answer
                )
            number = self._number_of(request, request_line(clean))
        try:
            self._journal.answered(number, as_stored(clean, answer), replaces)
        except OSError as error:
            # it was paid for, and the client shall have it; but no further one is paid for
            self._unjournalled = error

    def _number_of(self, request: Any, line: str) -> int:
        number = self._numbers.pop(request, None)
        if number is None:  # aiohttp followed a redirect, and makes up the requests of which it tells
            number = next((sending for sending, sent in self._sending.items() if sent == line), 0)
        self._sending.pop(number, None)
        return number

    def _keeps(self, request: Any) -> bool:
        return asks_a_model(request)

    def _cleaned(self, request: Any) -> Request:
        found = self._clean.get(request)
        if found is None:
            found = clean_request(request, self._recording.redactor)
            self._clean[request] = self._clean[found] = found
        return found

    def _clean_answer(self, response: Any) -> dict[str, Any] | None:
        if not getattr(self._answering, "keeps", True):
            return None
        clean = clean_response(response, self._recording.redactor)
        self._answering.kept = clean
        return clean

    # closing

    def _save(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - vcrpy's signature
        """Nothing: vcrpy asks for it however the test ended; see `finish`."""

    @property
    def unfinished(self) -> str:
        """What is kept if the recording ends here, unfinished, and what to type to go on; empty where nothing is."""
        count = len(self.data) - self._from_journal
        if not count:
            return ""
        answers = "1 answer is" if count == 1 else f"{count} answers are"
        return (
            f"The recording of {self._recording.shown} was interrupted: {answers} kept in .tokenbudget/journal, and "
            f"will not be paid for twice. To go on, type: {self._recording.command('once')}"
        )

    def finish(self, *, complete: bool) -> None:
        """End the recording.

        Args:
            complete: Whether the test got to its end, so that there is nothing to come. If it did not, the journal is
                kept.

        Raises:
            RecordingError: The cassette cannot be written. The file is as it was, and the journal is kept.
        """
        for line in self._sending.values():
            _stray(line, _NO_ANSWER)
        self._sending.clear()
        finished = False
        try:
            if complete and (len(self.data) > self._loaded or self._kept is not None):
                self._write()
                finished = True
        finally:
            self._journal.close(remove=finished)
            self._give_back()

    def _write(self) -> None:
        recording = self._recording
        # of an interrupted recording, what was not asked for again is no part of the test any more
        left_out = {index for index in range(self._from_journal, self._loaded) if index not in self._taken}
        left_out |= set(self._replaced.values())
        found = [
            as_stored(*self.data[self._replaced.get(index, index)])
            for index in range(len(self.data))
            if index not in left_out
        ]
        if recording.record != "all" and self._stamp is not None and self._stamp != _stamp(recording.path):
            # written by another process since we read it: what that added stays
            with suppress(FileNotFoundError, RecordingError):
                found = [one for one in load_cassette(recording.path) if one not in found] + found
        save_cassette(recording.path.with_suffix(".yaml"), found)

    def _give_back(self) -> None:
        if self._lock is not None:
            self._lock.give_back()
            self._lock = None

    def _explain(self, request: Any) -> str:
        recording = self._recording
        have = self._loaded
        advice = f"To record it, type: {recording.command('once')}"
        if have:
            known = f"no answer in {recording.shown} ({have} recorded) is left for it"
            advice = (
                f"To send it and add it, type: {recording.command('new')} "
                "(--tokenbudget-record=all records all of the test anew)."
            )
        elif recording.path.exists():
            known = f"{recording.shown} holds no recording"
            advice = f"To record it, type: {recording.command('all')}"
        else:
            known = f"there is no {recording.shown}"
            kept = read_journal(recording.journals / f"{journal_name(recording.shown)}.jsonl")
            if kept is not None and kept.answers:
                advice = f"Its recording was interrupted after {len(kept.answers)}. To go on, type: " + (
                    recording.command("once")
                )
        line = request_line(self._cleaned(request))
        return f"[{RecordingMiss.slug}] {line} was not sent: this test replays, and {known}. {advice}"


def _stray(request: str, how: str) -> None:
    meter = attached()
    if meter is not None:
        meter.stray(Stray(kind="unanswered", request=request, how=how))


def _stamp(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@contextmanager
def opened(recording: Recording) -> Iterator[OwnCassette]:
    """Answer model calls from a recording, or record them; `OwnCassette.finish` ends the recording.

    Raises:
        RecordingError: It is none that can be read, or somebody else makes it and does not end.
    """
    with OwnCassette.use(path=str(recording.path), recording=recording) as cassette:
        yield cassette
