"""The recordings that are ours to keep, replayed and made: those of marked tests that open no cassette themselves.

A request is decided upon once, when vcrpy first asks for it: it is answered from the recording, let out, or it stops
the agent. What is let out is journalled before it is sent, and its answer before the client is handed it. The cassette
is written at the end, whole, if the test got to its end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any, Final
from weakref import WeakKeyDictionary, ref

from vcr import matchers
from vcr.record_mode import RecordMode as VcrMode
from vcr.request import Request

from pytest_tokenbudget.errors import Stop
from pytest_tokenbudget.model.task import Opened, Stray
from pytest_tokenbudget.traffic.approval import if_unsent
from pytest_tokenbudget.traffic.asking import asks_a_model
from pytest_tokenbudget.traffic.cassette import MeteredCassette
from pytest_tokenbudget.traffic.contents import Contents
from pytest_tokenbudget.traffic.exchanges import request_line
from pytest_tokenbudget.traffic.index import Claim
from pytest_tokenbudget.traffic.intake import attached
from pytest_tokenbudget.traffic.journal import Kept, read_journal
from pytest_tokenbudget.traffic.miss import missed
from pytest_tokenbudget.traffic.outgoing import Outgoing
from pytest_tokenbudget.traffic.plans import Plan, Plans
from pytest_tokenbudget.traffic.recording import Recording
from pytest_tokenbudget.traffic.stored import as_stored, clean_request, clean_response, correct_headers

__all__ = ["OwnCassette", "opened"]

_SAME_LINE: Final = (
    matchers.method,
    matchers.scheme,
    matchers.host,
    matchers.port,
    matchers.path,
    matchers.query,
)
_CUT_OFF: Final = "the recording was interrupted before its answer was seen"
_NO_ANSWER: Final = "no answer came: cancelled, timed out, or the connection failed"


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
        self._contents = Contents(recording.path, self.data)
        self._plans = Plans(self._contents, self._cleaned, self._tokenbudget.volatile)
        self._outgoing = Outgoing(recording)
        self._kept: Kept | None = None
        self._clean: WeakKeyDictionary[Any, Request] = WeakKeyDictionary()
        self._answering = local()

    # opening

    def _load(self) -> None:
        try:
            self._begin()
        except BaseException:
            self._outgoing.give_lock_back()
            raise
        meter = attached()
        if meter is not None and self._contents.from_file:
            meter.opened(Opened(source=self._recording.shown, interactions=self._contents.from_file, own=True))

    def _begin(self) -> None:
        recording = self._recording
        self.rewound = True
        complete = recording.path.exists() and not recording.journal.exists()
        if recording.record == "all" or (recording.record == "once" and not complete):
            self._outgoing.take_lock()
        replaces = recording.drift == "record"
        self._kept = read_journal(recording.journal) if recording.record != "none" or replaces else None
        # decided now: another process may have completed it while we waited for the lock
        if not complete and recording.record == "once" and recording.path.exists():
            self._drop_what_is_worth_nothing()
        records = recording.record in {"new", "all"} or (
            recording.record == "once" and (self._kept is not None or not recording.path.exists())
        )
        if records:
            # the guard goes by it: what drifted is let out from here, and nothing past here
            self.record_mode = VcrMode.NEW_EPISODES
        if not records:
            self._outgoing.give_lock_back()
        anew = recording.record == "all" or (
            recording.record == "once" and (self._kept.anew if self._kept else records)
        )
        self._outgoing.begin(anew=anew, last=self._kept.last if self._kept else 0)
        if not anew:
            self._contents.read()
        self._go_on()
        self._plans = Plans(
            self._contents, self._cleaned, self._tokenbudget.volatile, records=records, replaces=replaces
        )

    def _drop_what_is_worth_nothing(self) -> None:
        """Let the recording count, and not the journal of an attempt that was answered nothing; under the lock."""
        if self._kept is None or self._kept.is_worth_keeping:
            return
        for line in self._kept.unanswered:
            _stray(line, _CUT_OFF)
        self._kept = None
        try:
            self._outgoing.begin_again()
        except OSError:
            return  # it is met again the next time, and is worth as little then

    def _go_on(self) -> None:
        """Go on where a recording was interrupted."""
        if self._kept is None:
            return
        for line in self._kept.unanswered:
            _stray(line, _CUT_OFF)
        if self._recording.record == "all":
            self._kept = None
            self._outgoing.begin_again()
        else:
            self._contents.go_on_with(self._kept.answers)

    # deciding

    def can_play_response_for(self, request: Any) -> Any:
        """Whether a recording answers; if none does, the request is let out next, or the agent is stopped here."""
        with self._tokenbudget.lock:
            plan = self._plans.known(request)
            if plan is None:
                plan = self._decide(request)
                self._plans.keep(request, plan)
        # asked again when it was played already, it must still not be sent
        if plan.kind == "play":
            return True
        found = super().can_play_response_for(request)
        if plan.kind == "send":
            # weakly: what keeps a request that nobody waits for any more keeps the place that its answer would take
            line, sent = request_line(self._cleaned(request)), ref(request)
            if_unsent(lambda: self._outgoing.never_left(sent(), line))
        return found

    def _decide(self, request: Any) -> Plan:
        plan = self._plans.decide(request)
        if plan.kind == "play":
            return plan  # found, as often as not as it is: no need to take secrets out of it
        clean = self._cleaned(request)
        meter = attached()
        try:
            if plan.kind == "miss":
                step = 1 if meter is None else meter.next_step
                raise missed(self._recording, self._contents, clean, step=step)
            if plan.kind == "send":
                plan = self._decide_again(request, plan)
            if plan.kind == "send":
                self._outgoing.let_out(request, request_line(clean))
        except Stop as stop:
            if meter is not None:
                meter.latch(stop)
            raise
        return plan

    def _decide_again(self, request: Any, plan: Plan) -> Plan:
        """Decide once nobody else makes the recording: another process may have paid for this very answer meanwhile."""
        if not self._outgoing.make_sure_of_lock() or not self._contents.take_in_others():
            return plan
        if plan.place is not None:
            self._plans.free(plan.place)
        return self._plans.decide(request)

    def _responses(self, request: Any) -> Iterator[tuple[int, Any]]:
        plan = self._plans.known(request)
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
            plan = self._plans.known(request)
            replaces = plan.place if plan is not None else None
            if replaces is not None and not self._contents.replace(replaces, answer):
                self._plans.free(replaces)
            number = self._outgoing.number_of(request, request_line(clean))
        self._outgoing.answered(number, as_stored(clean, answer), replaces)

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
    def waits(self) -> bool:
        """Whether a request was sent whose answer has not come."""
        return self._outgoing.waits

    @property
    def unfinished(self) -> str:
        """What is kept if the recording ends here, unfinished, and what to type to go on; empty where nothing is."""
        count = self._contents.added
        if not count:
            return ""
        answers = "1 answer is" if count == 1 else f"{count} answers are"
        return (
            f"The recording of {self._recording.shown} was interrupted: {answers} kept in .tokenbudget/journal, and "
            f"will not be paid for twice. To go on, type: {self._recording.going_on}"
        )

    def finish(self, *, complete: bool) -> None:
        """End the recording.

        Args:
            complete: Whether the test got to its end, so that there is nothing to come. If it did not, the journal is
                kept.

        Raises:
            RecordingError: The cassette cannot be written. The file is as it was, and the journal is kept.
        """
        lines = self._outgoing.take_unanswered()
        for line in lines:
            _stray(line, _NO_ANSWER)
        # a journal of requests that were never sent says nothing
        finished = self._outgoing.has_written and not (lines or self._contents.added or self._kept)
        try:
            if complete and (self._contents.received or self._kept is not None):
                self._contents.write(anew=self._recording.record == "all")
                finished = True
        finally:
            self._outgoing.end(finished=finished)


def _stray(request: str, how: str) -> None:
    meter = attached()
    if meter is not None:
        meter.stray(Stray(kind="unanswered", request=request, how=how))


@contextmanager
def opened(recording: Recording) -> Iterator[OwnCassette]:
    """Answer model calls from a recording, or record them; `OwnCassette.finish` ends the recording.

    Raises:
        RecordingError: It is none that can be read, or somebody else makes it and does not end.
    """
    with OwnCassette.use(path=str(recording.path), recording=recording) as cassette:
        yield cassette
