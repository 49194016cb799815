"""Answers on disk before the client is handed them, until they are in a cassette: nothing that was paid for is lost.

One file of JSON lines for each recording that is being made, in `.tokenbudget/journal/`. Its first line says whose it
is; then a line says that a request is about to be sent, and another brings its answer, or says that it was never sent.
Other requests without an answer were possibly billed. What is written here is redacted, as in a cassette.
"""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import msgspec

from pytest_tokenbudget.store.folder import make_folder
from pytest_tokenbudget.traffic.cassette_layout import Interaction

__all__ = ["FOLDER", "Answer", "Journal", "Kept", "journal_name", "read_journal"]

FOLDER: Final = Path(".tokenbudget/journal")
_VERSION: Final = 1
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST: Final = 60
_HTTP_ERROR: Final = 400


class Answer(NamedTuple):
    """An answer in a journal.

    Attributes:
        interaction: The answer, with its request.
        replaces: The position in the cassette of the recording whose place it takes, if it does.
    """

    interaction: Interaction
    replaces: int | None = None


class Kept(NamedTuple):
    """What a journal holds.

    Attributes:
        anew: Whether it is of a whole recording, and not of what is added to one.
        answers: The answers, in the order in which they came.
        unanswered: Of each request that was sent and has no answer, its method and its URL without the query.
        pid: The process that wrote it.
        last: The highest number of a request in it.
    """

    anew: bool
    answers: tuple[Answer, ...]
    unanswered: tuple[str, ...]
    pid: int = 0
    last: int = 0

    @property
    def is_worth_keeping(self) -> bool:
        """Whether it holds an answer that was paid for: errors cost nothing, and would only be met again."""
        return any(answer.interaction.status < _HTTP_ERROR for answer in self.answers)


def journal_name(recording: str) -> str:
    """The name, without a suffix, of the journal of a recording.

    Args:
        recording: The recording, named from the project's root with forward slashes: no two have the same.
    """
    readable = _UNSAFE.sub("-", recording.rpartition("/")[2])[:_LONGEST].strip("-.") or "recording"
    return f"{readable}-{blake2b(recording.encode('utf-8', 'surrogatepass'), digest_size=6).hexdigest()}"


class Journal:
    """The journal of one recording while it is made. Calls may come from any thread.

    Nothing is written before the first request is about to be sent.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], last: int = 0) -> None:
        """Prepare a journal, or continue one.

        Args:
            path: Its file.
            header: What its first line says, where it is begun; `anew` as in `Kept`.
            last: The highest number that it has.
        """
        self.path = path
        self._header = {"journal": _VERSION, "pid": os.getpid(), **header}
        self._lock = Lock()
        self._file: int | None = None
        self._closed = False
        self._last = last

    def sending(self, request_line: str) -> int:
        """Note that a request is about to be sent; returns the number that its answer is to name.

        Raises:
            OSError: It cannot be written.
        """
        with self._lock:
            self._last += 1
            self._write({"sent": self._last, "request": request_line})
            return self._last

    def answered(self, number: int, interaction: Interaction, replaces: int | None = None) -> None:
        """Keep an answer; when this returns, it is on disk.

        Args:
            number: Its request's number.
            interaction: The answer, with its request.
            replaces: The position in the cassette of the recording whose place it takes, if it does.

        Raises:
            OSError: It cannot be written.
        """
        line: dict[str, Any] = {"answered": number, "interaction": _record(interaction)}
        with self._lock:
            self._write(line if replaces is None else line | {"replaces": replaces})
            if self._file is not None:
                os.fsync(self._file)

    def unsent(self, number: int) -> None:
        """Note that a request was not sent after all.

        Raises:
            OSError: It cannot be written.
        """
        with self._lock:
            self._write({"unsent": number})

    @property
    def was_written(self) -> bool:
        """Whether anything was written here, which is done under the recording's lock alone."""
        return self._file is not None

    def begin_again(self) -> None:
        """Forget what was kept before: all of it will be sent anew.

        Raises:
            OSError: It cannot be removed.
        """
        self.path.unlink(missing_ok=True)

    def close(self, *, remove: bool) -> None:
        """Stop writing. Never raises."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                os.close(self._file)
                self._file = None
        if remove:
            try:
                self.path.unlink(missing_ok=True)
            except OSError:
                return  # it is read again the next time, and answers nothing that the cassette does not

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._closed:  # a thread that outlived its test
            return
        text = msgspec.json.encode(line) + b"\n"
        if self._file is None:
            make_folder(self.path.parent)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            size = os.fstat(self._file).st_size
            if not size:
                text = msgspec.json.encode(self._header) + b"\n" + text
            else:
                os.lseek(self._file, -1, os.SEEK_END)
                if os.read(self._file, 1) != b"\n":  # cut off by whatever ended the one before
                    text = b"\n" + text
        written = 0
        while written < len(text):
            written += os.write(self._file, text[written:])


def read_journal(path: Path) -> Kept | None:
    """What was kept of a recording that was not finished; `None` where there is nothing.

    A line that was cut off is passed over; the request that it would have answered counts as unanswered.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return None
    anew, pid = True, 0
    sent: dict[int, str] = {}
    answers: list[Answer] = []
    last = 0
    for line in lines:
        try:
            said = msgspec.json.decode(line)
            if "sent" in said:
                last = max(last, said["sent"])
                sent[said["sent"]] = said["request"]
            elif "unsent" in said:
                sent.pop(said["unsent"], None)
            elif "answered" in said:
                answers.append(Answer(_interaction(said["interaction"]), said.get("replaces")))
                sent.pop(said["answered"], None)
            elif "journal" in said:
                anew, pid = said["anew"], said["pid"]
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError):
            continue
    return Kept(anew, tuple(answers), tuple(sent.values()), pid, last) if answers or sent or pid else None


def _record(one: Interaction) -> dict[str, Any]:
    return {
        "method": one.method,
        "uri": one.uri,
        "request_headers": dict(one.request_headers),
        "request_body": None if one.request_body is None else _text(one.request_body),
        "status": one.status,
        "message": one.message,
        "response_headers": {name: list(values) for name, values in one.response_headers.items()},
        "response_body": _text(one.response_body),
    }


def _interaction(record: Mapping[str, Any]) -> Interaction:
    headers: dict[str, Sequence[str]] = {name: list(values) for name, values in record["response_headers"].items()}
    return Interaction(
        method=str(record["method"]),
        uri=str(record["uri"]),
        request_headers=dict(record["request_headers"]),
        request_body=None if record["request_body"] is None else _bytes(record["request_body"]),
        status=int(record["status"]),
        message=record["message"],
        response_headers=headers,
        response_body=_bytes(record["response_body"]),
    )


def _text(body: bytes) -> str | dict[str, str]:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}


def _bytes(body: Any) -> bytes:
    return b64decode(body["base64"]) if isinstance(body, dict) else str(body).encode()
