"""What a file is that is no cassette, in words, so that nobody wonders why it was not priced."""

from typing import Final

from pytest_tokenbudget.recordings.unreadable import COST_UNKNOWN

__all__ = ["looks_like"]

_UNREAD: Final = f"it is not read, and {COST_UNKNOWN}"
_KEYS_SHOWN: Final = 4


def looks_like(document: object) -> str:
    """The reason to skip a whole file.

    Args:
        document: The file's content as plain values.
    """
    if isinstance(document, dict):
        return _of_mapping(document)
    if isinstance(document, list):
        return _of_list(document)
    if document is None:
        return "it holds nothing"
    return "no recording: it is plain text or a single value"


def _of_mapping(document: dict[object, object]) -> str:
    log = document.get("log")
    if isinstance(log, dict) and isinstance(log.get("entries"), list):
        return "a HAR archive without requests"
    if isinstance(messages := document.get("messages"), list):
        return f"a transcript of {_counted(messages, 'message')}, not HTTP: {_UNREAD}"
    keys = [str(key) for key in document]
    shown = ", ".join(keys[:_KEYS_SHOWN]) + (", …" if len(keys) > _KEYS_SHOWN else "")
    return f"no recording: no list of `interactions` among its keys ({shown})" if keys else "it holds nothing"


def _of_list(document: list[object]) -> str:
    return "no recording: it is a list" if document else "it holds nothing"


def _counted(entries: list[object], one: str) -> str:
    return f"{len(entries):,} {one}{'' if len(entries) == 1 else 's'}"
