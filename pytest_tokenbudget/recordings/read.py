"""Files of recordings in, their exchanges out; what is none comes out as skipped, and nothing is dropped."""

import codecs
import gzip
import io
import json
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings.files import find_files
from pytest_tokenbudget.recordings.foreign import looks_like
from pytest_tokenbudget.recordings.interaction import read_interaction
from pytest_tokenbudget.recordings.json_values import items_before_break, load_json
from pytest_tokenbudget.recordings.unreadable import COST_UNKNOWN, UnreadableError, broken_at
from pytest_tokenbudget.recordings.yaml_values import YamlDocuments

__all__ = ["read_recordings"]

_LISTS: Final = ("interactions", "http_interactions")
"""The keys of the list in vcrpy's cassettes, and in those of Ruby's VCR, which are alike."""

_LISTS_IN_JSON: Final = (*_LISTS, "entries", None)
"""Where lists are in JSON: under a key, in HAR archives too, or, in nock's recordings, the whole."""

_EACH_HAS: Final = (("request",), ("scope", "path"))
"""What items have of a list that is the whole: as vcrpy wrote them before 1.0, and as nock does."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_HEAD: Final = 4096
_MOST_UNZIPPED: Final = 512 << 20


def read_recordings(paths: Iterable[Path | str]) -> Iterator[Exchange | Skipped]:
    """Read recordings, one interaction at a time.

    Every interaction of every file comes out exactly once, as an exchange or as skipped, with its file and its position
    there. A file that is no cassette comes out as one skipped item without a position, and so does the rest of a file
    that is cut off or damaged.

    Args:
        paths: Files and directories; see `find_files` for which files of a directory are read.

    Raises:
        RecordingError: A path does not exist. This is checked before anything is read; no content raises.
    """
    return (item for source in find_files(paths) for item in _read_file(source))


def _read_file(path: str) -> Iterator[Exchange | Skipped]:
    source = path.encode("utf-8", "backslashreplace").decode()  # a name need not be text
    index = 0
    try:
        with _opened(path) as file, _unzipped(file) as stream:
            for value in _values(stream):
                yield read_interaction(value, source, index)
                index += 1
    except UnreadableError as error:
        yield Skipped(reason=str(error), source=source, index=index if error.inside else None)
    except (OSError, EOFError, zlib.error) as error:
        yield Skipped(reason=f"cannot be read, and {COST_UNKNOWN}: {error}", source=source)


def _opened(path: str) -> io.BufferedReader:
    """The file, opened.

    Raises:
        OSError: It cannot be, or it is a pipe or a device, which might never end.
    """
    mode = Path(path).stat().st_mode
    if stat.S_ISDIR(mode):
        with os.scandir(path):
            message = "it is a directory"
            raise OSError(message)
    if not stat.S_ISREG(mode):
        message = "it is no regular file"
        raise OSError(message)
    return Path(path).open("rb")


def _unzipped(file: io.BufferedReader) -> io.BufferedReader:
    if file.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
        return io.BufferedReader(_Unzipped(fileobj=file))
    return file


class _Unzipped(gzip.GzipFile):
    """A gzip file whose content may not be larger than anybody records: a few kilobytes can stand for gigabytes."""

    def read(self, size: int | None = -1) -> bytes:
        """Read on.

        Raises:
            OSError: There is more than is allowed.
        """
        found = super().read(_MOST_UNZIPPED + 1 - self.tell() if size is None or size < 0 else size)
        if self.tell() > _MOST_UNZIPPED:
            message = f"it unpacks to more than {_MOST_UNZIPPED >> 20} MB: unpack it, and give the unpacked file"
            raise OSError(message)
        return found


def _values(stream: io.BufferedReader) -> Iterator[object]:
    """Yield the interactions as plain values."""
    head = stream.peek(_HEAD)
    if head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in {b"{", b"["}:
        return _json_values(stream.read())
    # zeros behind a cassette are what a crash leaves of one
    return _yaml_values(stream, binary=b"\0" in head and not any(key.encode() in head for key in _LISTS))


def _json_values(content: bytes) -> Iterator[object]:
    text, broken = _decoded(content)
    if broken is None:
        try:
            document = load_json(text)
        except UnreadableError as error:
            broken = error
    if broken is not None:
        yield from _whole_items(text)
        raise broken
    yield from _interactions(document)


def _whole_items(text: str) -> list[object]:
    """The items before the break in a text that is no JSON as a whole."""
    for key in _LISTS_IN_JSON:
        if found := list(items_before_break(text, key)):
            return found if key is not None or _is_entry(found[0]) else []
    return []


def _is_entry(item: object) -> bool:
    return isinstance(item, dict) and any(all(key in item for key in keys) for keys in _EACH_HAS)


def _decoded(content: bytes) -> tuple[str, UnreadableError | None]:
    """The text, and what is wrong with it where it stops short."""
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding, "surrogatepass"), None
    except UnicodeDecodeError as error:
        return content[: error.start].decode(encoding, "ignore"), broken_at(f"byte {error.start}", error.reason)


def _yaml_values(stream: io.BufferedReader, *, binary: bool) -> Iterator[object]:
    found = 0
    documents = YamlDocuments(stream, frozenset(_LISTS))
    try:
        for value in documents.items():
            found += 1
            yield value
    except UnreadableError as error:
        if error.byte is None:
            raise
        # the parser decodes far ahead of what it hands out: read again what stands before the byte that is no text
        stream.seek(0)
        values, error.inside = _cut_values(stream.read(error.byte), found)
        if binary and not found and not values:
            reason = "no recording: it is binary, not text"
            raise UnreadableError(reason) from None
        yield from values
        raise
    for document in documents.rest or [None] * (not found):
        yield from _interactions(document)


def _cut_values(content: bytes, start: int) -> tuple[list[object], bool]:
    """The whole interactions of a cut text from a position on, and whether another had begun."""
    values: list[object] = []
    try:
        values.extend(islice(YamlDocuments(io.BytesIO(content), frozenset(_LISTS)).items(), start, None))
    except UnreadableError as end:
        return values, end.inside
    # no error tells where the text ends: its last interaction may lack a part
    return values[:-1], bool(values)


def _interactions(document: object) -> list[object]:
    """The list of interactions in a document that was read as a whole.

    Raises:
        UnreadableError: There is none; the message says what the document is instead.
    """
    if isinstance(document, dict):
        for key in _LISTS:
            if isinstance(found := document.get(key), list) and found:
                return found
            if key in document and not found:
                reason = "a cassette without interactions"
                raise UnreadableError(reason)
        log = document.get("log")
        if isinstance(log, dict) and isinstance(found := log.get("entries"), list) and found:
            return found
    elif isinstance(document, list) and document and _is_entry(document[0]):
        return document
    raise UnreadableError(looks_like(document))
