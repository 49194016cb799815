"""Files of recordings: read whoever wrote them, and written whole or not at all."""

import codecs
import os
import tempfile
from base64 import b64decode
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from pytest_tokenbudget.errors import RecordingError
from pytest_tokenbudget.recordings.python_tags import plain
from pytest_tokenbudget.traffic.cassette_layout import Interaction
from pytest_tokenbudget.traffic.cassette_parsing import OtherLayoutError, parse
from pytest_tokenbudget.traffic.exchanges import body_bytes
from pytest_tokenbudget.traffic.shown import shown_path

__all__ = ["load_cassette", "save_cassette"]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LIST: Final = "interactions"
_WRITABLE: Final = 0o666
_WAY_OUT: Final = "Restore it, or delete it and record the test again: pytest TEST --tokenbudget-record=once"


class _Loader(_LOADER):  # type: ignore[misc, valid-type]  # whichever PyYAML has
    """Safe: an object of Python's is read as the plain value that it was written from, and nothing is called."""


def _construct_plain(loader: Any, suffix: str, node: yaml.Node) -> object:
    del suffix
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return plain(node.tag, loader.construct_sequence(node, deep=True))
    return plain(node.tag, loader.construct_mapping(node, deep=True))


def _construct_binary(loader: Any, node: yaml.Node) -> bytes:
    return b64decode(loader.construct_scalar(node))


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", _construct_plain)
_Loader.add_constructor("tag:yaml.org,2002:python/bytes", _construct_binary)
_Loader.add_constructor("!binary", _construct_binary)


def load_cassette(path: Path) -> list[Interaction]:
    """Read a cassette: ours, vcrpy's in YAML or JSON; of an empty file, nothing.

    Raises:
        FileNotFoundError: It does not exist.
        RecordingError: It is no cassette; the message names the file and its line, and says what to do.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        message = f"{shown_path(path)}: the recording cannot be read: {error.strerror or error}."
        raise RecordingError(message) from error
    with suppress(OtherLayoutError, UnicodeDecodeError):
        return parse(content)
    content = content.removeprefix(codecs.BOM_UTF8)
    if not content.strip():
        return []
    data = _from_json(path, content) if content.lstrip()[:1] in {b"{", b"["} else _from_yaml(path, content)
    if not isinstance(data, dict) or not isinstance(data.get(_LIST), list):
        raise _broken(path, 1, f"it has no list of `{_LIST}`, so it is no cassette of vcrpy's")
    found = []
    for index, item in enumerate(data[_LIST]):
        try:
            found.append(_interaction(item))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _broken(path, _line_of(content, index), f"interaction {index} is incomplete") from error
    return found


def _from_json(path: Path, content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _broken(path, content.count(b"\n") + 1, f"it is no JSON ({error})") from error


def _from_yaml(path: Path, content: bytes) -> Any:
    try:
        return yaml.load(content, _Loader)  # noqa: S506 - a safe one, see there
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _broken(path, mark.line + 1 if mark else 1, error.problem or "it is no YAML") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        at = getattr(error, "position", getattr(error, "start", 0))
        line = content.count(b"\n", 0, at if isinstance(at, int) else 0) + 1
        raise _broken(path, line, "it is no text") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise _broken(path, 1, f"a value in it is malformed ({error!r:.100})") from error


def _broken(path: Path, line: int, problem: str) -> RecordingError:
    return RecordingError(f"{shown_path(path)}:{line}: the recording cannot be read: {problem}. {_WAY_OUT}")


def _line_of(content: bytes, index: int) -> int:
    """The line at which an interaction begins; 1 where that cannot be told."""
    with suppress(Exception):
        for key, value in yaml.compose(content, _Loader).value:  # type: ignore[union-attr]  # suppressed
            if key.value == _LIST:
                return int(value.value[index].start_mark.line) + 1
    return 1


def _interaction(item: Any) -> Interaction:
    asked, answered = item["request"], item["response"]
    status = answered.get("status")
    if isinstance(status, dict):
        code, message = status["code"], status.get("message")
    else:  # vcrpy below 6 on httpx
        code, message = answered["status_code"], None
    body = answered.get("body", answered.get("content"))
    if isinstance(body, dict):
        body = b64decode(body["base64_string"]) if "base64_string" in body else body.get("string")
    request_body = asked.get("body")
    return Interaction(
        method=str(asked["method"]),
        uri=str(asked["uri"]),
        request_headers={name: values[0] for name, values in _headers(asked.get("headers")).items()},
        request_body=None if request_body is None else body_bytes(request_body),
        status=int(code),
        message=None if message is None else str(message),
        response_headers=_headers(answered.get("headers")),
        response_body=body_bytes(body),
    )


def _headers(found: Any) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for name, values in (found or {}).items():
        given = values if isinstance(values, (list, tuple)) else [values]
        texts = [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in given]
        if texts:
            named.setdefault(name.decode("latin-1") if isinstance(name, bytes) else str(name), []).extend(texts)
    return named


def save_cassette(path: Path, interactions: Iterable[Interaction]) -> None:
    """Write a cassette; whatever happens, the file is the old one or the new one, and never a part of one.

    Raises:
        RecordingError: It cannot be written; the file is as it was.
    """
    from pytest_tokenbudget.traffic.cassette_emitting import emit  # what replays writes nothing

    content = emit(interactions)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else _WRITABLE & ~_umask())
        os.replace(temporary, path)  # noqa: PTH105 - as the documentation of atomic writing names it
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        message = (
            f"{shown_path(path)}: the recording cannot be written: {error.strerror or error}. "
            "The file is as it was, and the answers are kept in .tokenbudget/journal: when it can be written again, "
            "type the same, and they will not be paid for twice."
        )
        raise RecordingError(message) from error


def _umask() -> int:
    # there is no way to ask for it without setting it
    current = os.umask(0o022)
    os.umask(current)
    return current
