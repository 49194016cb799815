"""What a test is told that makes a model call which its recording does not answer."""

from typing import Any

from pytest_tokenbudget.errors import RecordingMiss
from pytest_tokenbudget.traffic.exchanges import request_line
from pytest_tokenbudget.traffic.journal import read_journal
from pytest_tokenbudget.traffic.recording import Recording

__all__ = ["missed"]


def missed(recording: Recording, request: Any, *, have: int) -> RecordingMiss:
    """The stop that says what was asked, what is recorded, and what to type.

    Args:
        recording: The recording.
        request: The request, without secrets.
        have: How many answers it holds.
    """
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
        kept = read_journal(recording.journal)
        if kept is not None and kept.answers:
            advice = f"Its recording was interrupted after {len(kept.answers)}. To go on, type: " + (
                recording.command("once")
            )
    line = request_line(request)
    return RecordingMiss(f"[{RecordingMiss.slug}] {line} was not sent: this test replays, and {known}. {advice}")
