"""What is wrong with the recordings that exist already, and with the set-up that made them."""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.recordings import read_recordings
from pytest_tokenbudget.recordings.files import find_files
from pytest_tokenbudget.traffic.redaction import Redactor

__all__ = ["Examined", "Secret", "examined", "vcrpy_problem"]

_FOLDERS: Final = frozenset({"cassettes", "recordings", "__recordings__", "vcr_cassettes"})
_GZIP: Final = b"\x1f\x8b"
_MOST_READ: Final = 256 << 20
_VCRPY: Final = "9"


class Secret(Struct, frozen=True, kw_only=True):
    """A secret in a recording.

    Attributes:
        source: The file.
        index: Which interaction of it holds it, from 0; `None` where that cannot be told.
        part: `request` or `response`; `None` as above.
        place: Where in it, such as `header x-api-key` or `body $.messages[0].content`; else a line of the file.
        kind: What it is, such as `anthropic-key`.
    """

    source: str
    index: int | None
    part: str | None
    place: str
    kind: str


class Examined(Struct, frozen=True, kw_only=True):
    """One file.

    Attributes:
        source: Its path.
        secrets: What was found in it.
        unread: Why it could not be read at all, if so.
    """

    source: str
    secrets: tuple[Secret, ...]
    unread: str | None = None


def examined(paths: Iterable[Path | str], redactor: Redactor, *, named: bool) -> Iterator[Examined]:
    """Look through recordings, one file at a time.

    Args:
        paths: Files and directories.
        redactor: What finds secrets.
        named: Whether the user named the paths: then every file is a recording. Otherwise what is none is left out.

    Raises:
        RecordingError: A path does not exist.
    """
    for source in find_files(paths):
        found = _examined(source, redactor, named=named)
        if found is not None:
            yield found


def _examined(source: str, redactor: Redactor, *, named: bool) -> Examined | None:
    secrets: dict[Secret, None] = {}
    whole = True
    exchanges = 0
    for item in read_recordings([source]):
        if isinstance(item, Skipped):
            whole = False
            exchanges += item.index is not None
            continue
        exchanges += 1
        request = redactor.request(item.method, item.url, _lists(item.request_headers), item.request_body)
        response = redactor.response(item.status, _lists(item.response_headers), item.response_body)
        for part, cleaned in (("request", request.found), ("response", response.found)):
            for kind, place in cleaned:
                secrets[Secret(source=source, index=item.index, part=part, place=place, kind=kind)] = None
    if not exchanges and not named and _FOLDERS.isdisjoint(PurePath(source).parts):
        return None
    try:
        content = _content(source)
    except (OSError, EOFError, zlib.error) as error:
        return Examined(source=source, secrets=tuple(secrets), unread=str(error))
    known = {secret.kind for secret in secrets}
    for kind, place in redactor.found_in(content, thoroughly=not whole):
        # what was read as interactions was found there, and better told
        if kind not in known:
            secrets[Secret(source=source, index=None, part=None, place=place, kind=kind)] = None
    return Examined(source=source, secrets=tuple(secrets))


def _lists(headers: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in headers.items()}


def _content(source: str) -> bytes:
    with Path(source).open("rb") as file:
        content = file.read(_MOST_READ)
    if content.startswith(_GZIP):
        with gzip.open(source) as file:
            content = file.read(_MOST_READ)
    return content


def vcrpy_problem() -> str | None:
    """What is wrong with the installed vcrpy, if anything is."""
    try:
        installed = version("vcrpy")
    except PackageNotFoundError:
        return 'vcrpy is not installed: nothing can be replayed. Type: python -m pip install "vcrpy>=9,<10"'
    if re.match(r"[0-9]+", installed) and installed.partition(".")[0] == _VCRPY:
        return None
    return f'vcrpy {installed} is installed; tested is vcrpy 9. Type: python -m pip install "vcrpy>=9,<10"'
