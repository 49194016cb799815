"""What a test is told that makes a model call which its recording does not answer."""

from typing import Any, Final

from pytest_tokenbudget.errors import RecordingMiss
from pytest_tokenbudget.traffic.canonical import Forms
from pytest_tokenbudget.traffic.contents import Contents
from pytest_tokenbudget.traffic.exchanges import body_bytes, header_values, request_line
from pytest_tokenbudget.traffic.journal import read_journal
from pytest_tokenbudget.traffic.matching import same_endpoint
from pytest_tokenbudget.traffic.recording import Recording
from pytest_tokenbudget.wire import prompt_of

__all__ = ["missed"]

_LONGEST: Final = 80
_NEWEST: Final = frozenset({"user", "tool_result"})


def missed(recording: Recording, contents: Contents, request: Any, *, step: int) -> RecordingMiss:
    """The stop that says which step it is, what it asked, what is recorded, and what to type.

    Args:
        recording: The recording.
        contents: What it holds.
        request: The request, without secrets.
        step: Its number among the model calls of the task.
    """
    known, advice = _known(recording, contents, request)
    miss = RecordingMiss(
        f"[{RecordingMiss.slug}] {request_line(request)} was not sent: this test replays, and {known}. "
        f"It is step {step}{_asked(recording, request)}. {advice}"
    )
    miss.unrecorded = not contents.loaded and not recording.path.exists()
    return miss


def _known(recording: Recording, contents: Contents, request: Any) -> tuple[str, str]:
    """What is recorded, and what to do about it."""
    have = contents.loaded
    if have:
        others = sum(_is_other(request, stored) for stored, _ in contents.data[:have])
        return _left(recording.shown, have, have - others), (
            f"To send it and add it, type: {recording.command('new')} "
            "(--tokenbudget-record=all records all of the test anew)."
        )
    if recording.path.exists():
        return f"{recording.shown} holds no recording", f"To record it, type: {recording.command('all')}"
    kept = read_journal(recording.journal)
    if kept is not None and kept.answers:
        advice = f"Its recording was interrupted after {len(kept.answers)}. To go on, type: {recording.command('once')}"
    else:
        advice = f"To record it, type: {recording.command('once')}"
    return f"there is no {recording.shown}", advice


def _is_other(request: Any, stored: Any) -> bool:
    try:
        return not same_endpoint(request, stored)
    except Exception:  # noqa: BLE001 - a request of no known kind is like no other
        return True


def _left(shown: str, have: int, used: int) -> str:
    if used == have:
        many = "both" if have == 2 else f"all {have}"  # noqa: PLR2004 - in words
        return f"the one answer in {shown} is used" if have == 1 else f"{many} answers in {shown} are used"
    others = f"{have - used} {'is' if have - used == 1 else 'are'} of another endpoint"
    if not used:
        return (
            f"of the {have} recorded in {shown}, {others}" if have > 1 else f"the one in {shown} is of another endpoint"
        )
    return f"of the {have} answers in {shown}, {used} {'is' if used == 1 else 'are'} used and {others}"


def _asked(recording: Recording, request: Any) -> str:
    """The model and the first words of what is new to it; never raises."""
    try:
        form = Forms().of(request)
        prompt = prompt_of(
            str(request.method), str(request.uri), body_bytes(request.body), header_values(request.headers)
        )
        newest = next(
            (part for part in reversed(prompt.parts if prompt else ()) if part.kind in _NEWEST and not part.opaque),
            None,
        )
        whole = "" if newest is None else recording.redactor.text(newest.text)
        model = recording.redactor.text(form.model)
    except Exception:  # noqa: BLE001 - a request that nobody foresaw is named by its URL
        return ""
    to = f", to {_line(model)}" if model else ""
    if newest is None or not (said := _line(whole)):
        return to
    return f"{to}, after the tool result “{said}”" if newest.kind == "tool_result" else f"{to}: “{said}”"


def _line(text: str) -> str:
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"
