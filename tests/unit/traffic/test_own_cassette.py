"""Record modes, the journal and the cassette of a recording of our own, as vcrpy's stubs drive it."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from studio import Studio
from vcr.request import Request

from pytest_tokenbudget.errors import CannotRecord, RecordingError, RecordingMiss
from pytest_tokenbudget.traffic import lock as locking
from pytest_tokenbudget.traffic import replay
from pytest_tokenbudget.traffic.replay import OwnCassette
from pytest_tokenbudget.traffic.stored import clean_request

CHAT = "https://api.openai.com/v1/chat/completions"
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


class Model:
    """What a stub does with a cassette, and a server that counts."""

    def __init__(self, cassette: OwnCassette) -> None:
        self.cassette = cassette
        self.sent: list[str] = []

    def ask(self, text: str, status: int = 200) -> str:
        """Ask, and be answered by the cassette or by the server."""
        request = self.send(text)
        if isinstance(request, str):
            return request
        return self.answer(request, text, status)

    def send(self, text: str) -> str | Request:
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
        request = Request("POST", CHAT, body, {"content-type": "application/json"})
        if self.cassette.can_play_response_for(request):
            return said(self.cassette.play_response(request))
        self.sent.append(text)
        return request

    def answer(self, request: Request, text: str, status: int = 200) -> str:
        answer = {"model": "m", "choices": [{"message": {"content": f"{text}!"}}], "usage": USAGE}
        response = {
            "status": {"code": status, "message": "OK"},
            "headers": {"Content-Type": ["application/json"]},
            "body": {"string": json.dumps(answer).encode()},
        }
        self.cassette.append(request, response)
        return said(response)


def said(response: Any) -> str:
    return str(json.loads(response["body"]["string"])["choices"][0]["message"]["content"])


def play(studio: Studio, *texts: str, record: str = "none", stop: bool = False, **changes: Any) -> list[str]:
    """Ask all of it, and give what had to be sent."""
    with studio.open(record, complete=not stop, **changes) as cassette:
        model = Model(cassette)
        for text in texts:
            assert model.ask(text) == f"{text}!" or changes.get("drift") != "record"
    return model.sent


def test_none_sends_nothing_and_says_what_to_type(studio: Studio) -> None:
    with pytest.raises(RecordingMiss) as missed:
        play(studio, "a")
    assert str(missed.value) == (
        f"[miss] POST {CHAT} was not sent: this test replays, and there is no {studio.name}. "
        "It is step 1, to m: “a”. "
        "To record it, type: pytest test_it.py::test_it --tokenbudget-record=once"
    )
    assert studio.task.stop is missed.value
    assert not studio.path.exists()
    assert not studio.journals.exists()


def test_once_records_what_has_no_recording_and_replays_it_from_then_on(studio: Studio) -> None:
    assert play(studio, "a", "b", record="once") == ["a", "b"]
    assert studio.obtained == ["recorded", "recorded"]
    written = studio.text
    assert play(studio, "a", "b", record="once") == []
    assert play(studio, "b", "a") == []
    assert studio.obtained == ["replayed"] * 4
    assert studio.text == written
    assert list(studio.journals.iterdir()) == []
    with pytest.raises(RecordingMiss, match=r"both answers in .* are used. It is step \d, to m: “c”. To .*=new"):
        play(studio, "a", "b", "c", record="once")


def test_new_sends_what_is_in_no_recording_and_adds_it(studio: Studio) -> None:
    play(studio, "a", record="once")
    assert play(studio, "c", "a", "b", record="new") == ["c", "b"]
    assert play(studio, "a", "b", "c") == []
    assert studio.text.count("- request:") == 3


def test_the_same_question_twice_is_sent_twice(studio: Studio) -> None:
    assert play(studio, "a", "a", record="new") == ["a", "a"]
    assert play(studio, "a", "a") == []


def test_all_sends_everything_and_writes_it_anew(studio: Studio) -> None:
    play(studio, "a", "b", record="once")
    assert play(studio, "b", "c", record="all") == ["b", "c"]
    assert studio.text.count("- request:") == 2
    assert play(studio, "b", "c") == []


def test_all_that_is_interrupted_leaves_the_recording_as_it_is(studio: Studio) -> None:
    play(studio, "a", record="once")
    before = studio.text
    assert play(studio, "x", "y", record="all", stop=True) == ["x", "y"]
    assert "2 answers are kept in .tokenbudget/journal" in studio.left
    assert studio.text == before
    assert play(studio, "a") == []
    # to go on with it pays only for the rest
    assert play(studio, "x", "y", "z", record="once") == ["z"]
    assert studio.text.count("- request:") == 3
    assert play(studio, "x", "y", "z") == []


def test_an_interrupted_recording_is_continued_and_pays_only_for_the_rest(studio: Studio) -> None:
    assert play(studio, "a", "b", record="once", stop=True) == ["a", "b"]
    assert studio.left == (
        f"The recording of {studio.name} was interrupted: 2 answers are kept in .tokenbudget/journal, and will not be "
        "paid for twice. To go on, type: pytest test_it.py::test_it --tokenbudget-record=once"
    )
    assert not studio.path.exists()
    with pytest.raises(RecordingMiss, match=r"Its recording was interrupted after 2. To go on, type: .*=once"):
        play(studio, "a")
    assert play(studio, "a", "b", "c", record="once", stop=True) == ["c"]
    assert play(studio, "a", "b", "c", "d", record="once") == ["d"]
    assert play(studio, "a", "b", "c", "d") == []
    assert studio.journal == b""


def pays(studio: Studio) -> bool:
    with studio.open():  # which knows where it is
        return studio.recording("once").pays


@pytest.mark.parametrize("record", ["once", "all"])
def test_a_recording_counts_more_than_an_attempt_that_was_answered_nothing(studio: Studio, record: str) -> None:
    play(studio, "a", record="once")
    away = studio.path.rename(studio.root / "away")
    for status in (None, 401):  # the server is down, and then takes no key
        with studio.open(record, complete=False) as cassette:
            model = Model(cassette)
            request = model.send("a")
            if status is not None and isinstance(request, Request):
                model.answer(request, "a", status)
    away.rename(studio.path)
    written = studio.text
    assert not pays(studio)
    studio.task.strays.clear()
    assert play(studio, "a", record="once") == []
    left = 1 if record == "once" else 0  # what `all` begins anew, it has told of
    assert [(stray.kind, stray.how) for stray in studio.task.strays] == [
        ("unanswered", "the recording was interrupted before its answer was seen")
    ] * left
    assert (studio.text, studio.journal, list(studio.journals.iterdir())) == (written, b"", [])
    assert play(studio, "a", record="once") == []
    assert len(studio.task.strays) == left


def test_an_attempt_that_was_answered_something_counts_more_than_the_recording(studio: Studio) -> None:
    play(studio, "a", record="once")
    play(studio, "x", record="all", stop=True)
    assert pays(studio)
    assert play(studio, "x", "y", record="once") == ["y"]


def test_what_an_interrupted_recording_was_not_asked_again_is_no_part_of_it(studio: Studio) -> None:
    play(studio, "a", "old", record="once", stop=True)
    assert play(studio, "a", "new", record="once") == ["new"]
    assert "old" not in studio.text
    assert studio.text.count("- request:") == 2


def test_errors_of_an_interrupted_recording_are_not_met_again(studio: Studio) -> None:
    with studio.open("once", complete=False) as cassette:
        Model(cassette).ask("a")
        Model(cassette).ask("b", status=429)
    assert play(studio, "a", "b", record="once") == ["b"]
    assert "429" not in studio.text


def test_new_that_is_interrupted_is_continued_too(studio: Studio) -> None:
    play(studio, "a", record="once")
    assert play(studio, "a", "b", record="new", stop=True) == ["b"]
    assert play(studio, "a") == []
    assert play(studio, "a", "b", "c", record="once") == ["c"]
    assert studio.text.count("- request:") == 3


def test_a_request_without_an_answer_is_possibly_billed(studio: Studio) -> None:
    with studio.open("once") as cassette:
        model = Model(cassette)
        model.send("cancelled")
        model.ask("a")
    (stray,) = studio.task.strays
    assert (stray.kind, stray.request) == ("unanswered", f"POST {CHAT}")
    assert stray.how == "no answer came: cancelled, timed out, or the connection failed"
    assert studio.text.count("- request:") == 1


def test_what_was_in_flight_when_the_process_died_is_reported_by_the_next_one(studio: Studio) -> None:
    with studio.open("once", complete=False) as cassette:
        model = Model(cassette)
        model.ask("a")
        model.send("killed")
        journal = studio.journal
    studio.task.strays.clear()
    next(iter(studio.journals.glob("*.jsonl"))).write_bytes(journal[:-7] + b"")  # cut off in the middle of a line
    with studio.open("once", complete=False) as cassette:
        Model(cassette).ask("a")
    next(iter(studio.journals.glob("*.jsonl"))).write_bytes(journal)
    play(studio, "a", record="once")
    assert [stray.how for stray in studio.task.strays] == ["the recording was interrupted before its answer was seen"]


def test_an_answer_is_on_disk_before_the_client_has_it(studio: Studio) -> None:
    with studio.open("once", complete=False) as cassette:
        model = Model(cassette)
        request = model.send("question")
        assert not isinstance(request, str)
        assert b"question" not in studio.journal
        assert b'"sent":1' in studio.journal
        model.answer(request, "question")
        assert b"question!" in studio.journal


def test_no_call_is_sent_whose_answer_could_be_lost(studio: Studio) -> None:
    (studio.root / ".tokenbudget").write_text("no folder")
    with pytest.raises(RecordingError, match="Nothing was sent"):
        play(studio, "a", record="once")
    (studio.root / ".tokenbudget").unlink()
    with studio.open("new", complete=False) as cassette:
        (studio.root / ".tokenbudget").write_text("no folder")
        with pytest.raises(CannotRecord) as stopped:
            Model(cassette).ask("a")
    assert str(stopped.value).startswith("[cannot-record]")
    assert studio.task.stop is stopped.value


def test_a_drifted_request_takes_the_place_of_its_recording(studio: Studio) -> None:
    play(studio, "a", "b", "c", record="once")
    before = studio.text
    assert play(studio, "a", "B", "c", drift="record") == ["B"]
    assert studio.text == before.replace('"b"', '"B"').replace('"b!"', '"B!"')
    assert play(studio, "a", "B", "c") == []


def test_a_drifted_request_takes_its_place_after_an_interruption_too(studio: Studio) -> None:
    play(studio, "a", "b", "c", record="once")
    before = studio.text
    assert play(studio, "a", "B", drift="record", stop=True) == ["B"]
    assert studio.text == before
    assert play(studio, "a", "B", "c", drift="record") == []
    assert studio.text == before.replace('"b"', '"B"').replace('"b!"', '"B!"')


def test_without_drift_to_record_a_drifted_request_is_answered(studio: Studio) -> None:
    play(studio, "a", record="once")
    studio.seen.clear()
    with studio.open() as cassette:
        assert Model(cassette).ask("b") == "a!"
    assert studio.obtained == ["drifted"]


def test_other_traffic_passes_and_is_not_recorded(studio: Studio) -> None:
    with studio.open("once") as cassette:
        request = Request("GET", "https://example.com/health", None, {})
        assert not cassette.can_play_response_for(request)
        cassette.append(request, {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": b"ok"}})
        assert studio.journal == b""
    assert studio.obtained == ["live"]
    assert not studio.path.exists()


def test_what_another_process_added_in_the_meantime_stays(studio: Studio) -> None:
    play(studio, "a", record="once")
    with studio.open("new") as cassette:
        model = Model(cassette)
        model.ask("a")
        play(studio, "a", "theirs", record="new")
        model.ask("ours")
    assert play(studio, "a", "theirs", "ours") == []
    assert studio.text.count("- request:") == 3


def test_a_recording_that_somebody_else_makes_is_waited_for(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking.RecordingLock.__init__, "__defaults__", (0.2,))
    with studio.open("once", complete=False):
        with pytest.raises(RecordingError, match=r"this process is recording it already \(for test_it.py::test_it\)"):
            play(studio, "a", record="once")
        (note,) = studio.journals.glob("*.holder")
        note.write_text(json.dumps([1, "test_it.py::test_it, in worker gw1"]))
        with pytest.raises(RecordingError) as waited:
            play(studio, "a", record="once")
    assert str(waited.value) == (
        f"{studio.name}: another process has been recording it for 0 seconds (process 1, for test_it.py::test_it, in "
        "worker gw1). Wait until it has ended, or end it, and run pytest again."
    )


def test_a_failure_to_write_leaves_the_file_and_the_journal(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    play(studio, "a", record="once")
    before = studio.text

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(RecordingError, match="cannot be written: No space left on device"):
            play(studio, "x", record="all")
    assert studio.text == before
    assert [file.name for file in studio.path.parent.iterdir()] == [studio.path.name]
    assert play(studio, "x", record="once") == []
    assert "x!" in studio.text


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: what a full disk does, by the operating system itself."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_at_the_end_leaves_the_old_recording_and_the_journal(studio: Studio) -> None:
    play(studio, "a", record="once")
    before = studio.text

    def fill(disk: ExitStack) -> None:
        with studio.open("all") as cassette:
            Model(cassette).ask("x" * 5000)
            disk.enter_context(at_most(4000))

    with ExitStack() as disk, pytest.raises(RecordingError, match="cannot be written: File too large"):
        fill(disk)
    assert studio.text == before
    assert [file.name for file in studio.path.parent.iterdir()] == [studio.path.name]
    assert play(studio, "x" * 5000, record="once") == []


def test_a_disk_that_is_full_meanwhile_costs_no_answer_and_no_further_call(studio: Studio) -> None:
    with studio.open("once", complete=False) as cassette:
        model = Model(cassette)
        model.ask("a")
        with at_most(len(studio.journal) + 300):
            # it was paid for, so the client has it
            assert model.ask("b" * 2000) == "b" * 2000 + "!"
            with pytest.raises(CannotRecord, match=r"the journal of .* cannot be written"):
                model.ask("c")
    assert model.sent == ["a", "b" * 2000]
    assert play(studio, "a", "c", record="once") == ["c"]


@pytest.mark.parametrize("status", [429, 500, 529])
def test_a_drifted_request_that_is_refused_for_now_is_sent_again_for_the_same_place(
    studio: Studio, status: int
) -> None:
    play(studio, "a", "b", record="once")
    before = studio.text
    with studio.open(drift="record") as cassette:
        model = Model(cassette)
        model.ask("A", status)
        assert model.ask("A") == "A!"
        assert model.ask("b") == "b!"
    assert model.sent == ["A", "A"]
    assert studio.text == before.replace('"a"', '"A"').replace('"a!"', '"A!"')
    assert play(studio, "A", "b") == []


def test_a_drifted_request_that_is_refused_for_good_takes_its_place(studio: Studio) -> None:
    play(studio, "a", record="once")
    with studio.open(drift="record") as cassette:
        Model(cassette).ask("A", 400)
    assert "code: 400" in studio.text
    assert studio.text.count("- request:") == 1


def test_a_drifted_request_that_got_no_answer_is_sent_again_for_the_same_place(studio: Studio) -> None:
    play(studio, "a", record="once")
    with studio.open(drift="record") as cassette:
        model = Model(cassette)
        model.send("A")  # and the client gives up waiting
        assert model.ask("A") == "A!"
    assert model.sent == ["A", "A"]
    assert studio.text.count("- request:") == 1
    assert play(studio, "A") == []


def test_two_drifted_requests_on_their_way_take_two_places(studio: Studio) -> None:
    play(studio, "a", "b", record="once")
    with studio.open(drift="record") as cassette:
        model = Model(cassette)
        first, second = model.send("A"), model.send("A")
        assert isinstance(first, Request)
        assert isinstance(second, Request)
        model.answer(second, "A", 200)
        model.answer(first, "A", 200)
    assert studio.text.count("- request:") == 2
    assert play(studio, "A", "A") == []


def test_an_interrupted_recording_of_what_drifted_is_gone_on_with_in_the_same_way(studio: Studio) -> None:
    play(studio, "a", "b", record="once")
    play(studio, "A", drift="record", stop=True)
    assert studio.left.endswith("type: pytest test_it.py::test_it --tokenbudget-drift=record")


def test_secrets_are_taken_out_of_a_request_only_where_it_is_not_found_as_it_is(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "gh" + "p_" + "aB3" * 12
    with studio.open("once") as cassette:
        model = Model(cassette)
        recorded = [model.ask(text) for text in ("Hello", f"Use {secret}")]
    cleaned: list[bytes] = []

    def counting(request: Any, redactor: Any) -> Request:
        cleaned.append(request.body)
        return clean_request(request, redactor)

    monkeypatch.setattr(replay, "clean_request", counting)
    assert studio.obtained == ["recorded", "recorded"]
    with studio.open() as cassette:
        model = Model(cassette)
        assert [model.ask("Hello"), model.ask(f"Use {secret}")] == [
            recorded[0],
            recorded[1].replace(secret, "REDACTED-github-token"),
        ]
    assert studio.obtained == ["replayed", "replayed"]
    assert [secret.encode() in body for body in cleaned] == [True]
